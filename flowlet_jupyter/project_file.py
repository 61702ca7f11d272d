"""`flowlet.toml` beside a notebook: the secrets that a team's notebooks need, without any value.

    [secrets.twitter]
    provider = "twitter"
    scope = "tweet.read users.read offline.access"
    allowed_hosts = ["api.twitter.com"]

It is committed with the notebooks, so it is a stranger's text: it is only offered, and a person approves its hosts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flowlet_jupyter.errors import FlowletError, InvalidSecret
from flowlet_jupyter.fields import checked_endpoint, checked_name
from flowlet_jupyter.hosts import parse_host_rule
from flowlet_jupyter.secret import SECRET_TYPES
from flowlet_jupyter.vault import Vault

FILE_NAME = "flowlet.toml"
MAX_BYTES = 100_000
_ENDPOINTS = (
    "authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "revocation_endpoint",
    "introspection_endpoint", "userinfo_endpoint", "issuer", "base_url",
)  # fmt: skip
_TEXTS = ("type", "provider", "scope", "grant_type", "client_id", "token_endpoint_auth_method", "username")
_LISTS = ("allowed_hosts", "header_names", "resource")
_VALUES = {value for kind in SECRET_TYPES.values() for value in kind.value_fields}

Entry = dict[str, Any]


def wanted_secrets(folder: Path) -> list[Entry]:
    """The entries of the folder's `flowlet.toml`, none if there is no such file; of a wrong one `{"name", "error"}`."""
    file = folder / FILE_NAME
    try:
        if not file.is_file():
            return []
        if file.stat().st_size > MAX_BYTES:
            raise InvalidSecret("it is too large")
        tables = tomllib.loads(file.read_text("utf-8")).get("secrets", {})
        if not isinstance(tables, dict):
            raise InvalidSecret("it has no tables [secrets.NAME]")
    except (OSError, ValueError, InvalidSecret) as error:
        return [{"name": FILE_NAME, "error": f"{file} cannot be used: {error}"}]
    return [_entry(name, table) for name, table in tables.items()]


def missing_here(vault: Vault, folder: Path | None = None) -> list[Entry]:
    """What `flowlet.toml` in `folder` (the current one) names and the vault does not have."""
    there = set(vault.names())
    return [entry for entry in wanted_secrets(folder or Path.cwd()) if entry["name"] not in there]


def _entry(name: str, table: object) -> Entry:
    try:
        return {"name": checked_name(name), **_checked(table)}
    except FlowletError as error:
        return {"name": str(name)[:100], "error": f"{FILE_NAME}, secret '{name[:100]}': {error}"}


def _checked(table: object) -> Entry:
    if not isinstance(table, dict):
        raise InvalidSecret("it is no table.")
    entry: Entry = {}
    for key, value in table.items():
        if key in _VALUES and key != "headers":
            raise InvalidSecret(
                f"it holds a {key.replace('_', ' ')}. Take it out, and renew it at the provider: a file that is shared "
                "is no place for a value."
            )
        if key in _ENDPOINTS:
            entry[key] = checked_endpoint(value, key)
        elif key in _TEXTS and isinstance(value, str):
            entry[key] = value
        elif key in _LISTS and isinstance(value, list) and all(isinstance(item, str) for item in value):
            entry[key] = [str(parse_host_rule(item)) for item in value] if key == "allowed_hosts" else value
        elif key == "parameters" and isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
            entry[key] = value
        else:
            raise InvalidSecret(f"'{key[:50]}' is not a field of a secret here, or has the wrong form.")
    if entry.get("type", "oauth2") not in SECRET_TYPES:
        raise InvalidSecret(f"the type is one of {', '.join(SECRET_TYPES)}.")
    return entry


def as_toml(configurations: Iterable[Mapping[str, Any]]) -> str:
    """The text of a `flowlet.toml` that asks for these secrets (`secret.configuration`), without any value."""
    lines = []
    for shown in configurations:
        lines.append(f"[secrets.{_quoted(str(shown['name']))}]")
        by_provider = bool(shown.get("provider"))
        for key in (*_TEXTS, *_LISTS, *_ENDPOINTS):
            value = shown.get(key)
            # the catalogue knows the endpoints; a client ID is the newcomer's own, unless the client is public
            left_out = (by_provider and key in _ENDPOINTS) or (key == "client_id" and shown.get("has_client_secret"))
            if value and not left_out and (key, value) != ("type", "oauth2"):
                shown_value = ", ".join(map(_quoted, value)) if isinstance(value, list) else _quoted(value)
                lines.append(f"{key} = {f'[{shown_value}]' if isinstance(value, list) else shown_value}")
        lines.append("")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
