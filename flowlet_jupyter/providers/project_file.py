"""`flowlet.toml` beside a notebook: the secrets that a team's notebooks need, without any value.

    [secrets.twitter]
    provider = "twitter"
    scope = "tweet.read users.read offline.access"
    allowed_hosts = ["api.twitter.com"]

It is committed with the notebooks, so it is a stranger's text: it is only offered, and a user approves its hosts.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flowlet_jupyter.errors import FlowletError, InvalidSecret
from flowlet_jupyter.model.fields import FieldErrors, checked_name
from flowlet_jupyter.model.schema import fields_of_kind, kind_named, shared_value, value_field_names
from flowlet_jupyter.providers import known_fields, provider_named

FILE_NAME = "flowlet.toml"
MAX_BYTES = 100_000
Entry = dict[str, Any]


def required_secrets(folder: Path) -> list[Entry]:
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


def missing_here(names: Iterable[str], folder: Path | None = None) -> list[Entry]:
    """What `flowlet.toml` in `folder` (the current one) names and `names` does not have."""
    there = set(names)
    return [entry for entry in required_secrets(folder or Path.cwd()) if entry["name"] not in there]


def _entry(name: str, table: object) -> Entry:
    try:
        return {"name": checked_name(name), **_checked(table)}
    except FlowletError as error:
        return {"name": str(name)[:100], "error": f"{FILE_NAME}, secret '{name[:100]}': {error}"}


def _checked(table: object) -> Entry:
    if not isinstance(table, dict):
        raise InvalidSecret("it is no table.")
    kind = kind_named(table.get("type", "oauth2")).type
    errors = FieldErrors()
    entry: Entry = {}
    for name, value in table.items():
        with errors:
            entry[name] = _checked_member(kind, name, value)
    errors.raise_any()
    return entry


def _checked_member(kind: str, name: str, value: Any) -> Any:
    if name == "type":
        return value
    if name in value_field_names() and name != "headers":
        raise InvalidSecret(
            f"it holds a {name.replace('_', ' ')}. Take it out, and renew it at the provider: a file that is shared "
            "is no place for a value.",
            field=name,
        )
    if name == "header_names" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    if name == "parameters" and isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        return value
    return shared_value(kind, name, value)


def as_toml(configurations: Iterable[Mapping[str, Any]]) -> str:
    """The text of a `flowlet.toml` that asks for these secrets (`secret.configuration`), without any value.

    What the catalogue's entry of a secret's provider fills in is left out.
    """
    lines = []
    for shown in configurations:
        lines.append(f"[secrets.{_toml(str(shown['name']))}]")
        provider = shown.get("provider")
        known = known_fields(shown, provider_named(provider) if provider else None)
        parameters = known.pop("parameters", {})
        kind = str(shown.get("type", "oauth2"))
        for field in fields_of_kind(kind).values():
            value = shown.get(field.name)
            # a client ID is the newcomer's own, unless the client is public
            is_own = field.name == "client_id" and shown.get("has_client_secret")
            is_default = value in (None, field.default, [], {}) or (value == "" and not field.may_be_empty)
            if field.is_shared and not is_own and not is_default and _plain(known.get(field.name)) != value:
                lines.append(f"{field.name} = {_toml(value)}")
        if shown.get("header_names"):
            lines.append(f"header_names = {_toml(shown['header_names'])}")
        if parameters:
            lines.append(f"parameters = {_toml(parameters)}")
        if kind != "oauth2":
            lines.append(f"type = {_toml(kind)}")
        lines.append("")
    return "\n".join(lines)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _toml(value: Any) -> str:
    """`value` in TOML, on one line: a JSON text is a basic string of TOML but for DEL (TOML 1.0, "String")."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_toml(name)} = {_toml(item)}" for name, item in value.items()) + " }"
    return f"[{', '.join(map(_toml, value))}]"
