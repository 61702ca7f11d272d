"""The catalogue of providers: data in `catalogue/*.toml`, and what an organisation adds in Jupyter's data folders.

Every peculiarity is declared in an entry; no code asks which provider it talks to.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_path

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.hosts import parse_host_rule
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE
from flowlet_jupyter.model.schema import Field, checked_value, fields_of_kind

_CATALOGUE = Path(__file__).parent / "catalogue"
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_PLACE = re.compile(r"\{([a-z_]+)\}")
REDIRECT_RULES = ("https", "not-localhost", "any-loopback-port", "opaque")
PAGING_STYLES = ("link", "next", "cursor", "page", "offset")

# fields of a secret that an entry may fill in; the identity is a table of its own
_FIELDS = {
    name: field
    for name, field in fields_of_kind("oauth2").items()
    if field.is_in_catalogue and not name.startswith("identity_")
}
_DESCRIPTIONS = ("title", "source", "compared", "registration_page", "refresh_token_from", "redirect_rule", "notes")

_KNOWN = {*_FIELDS, *_DESCRIPTIONS, "verified", "identity", "paging", "parameters"}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A part of the endpoints that the person fills in: one DNS label (or path segment), or a host."""

    name: str
    label: str
    kind: str = "label"
    default: str = ""
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One entry. `fields` are those of an OAuth2 secret, in which `{name}` stands for a parameter's value."""

    key: str
    title: str
    source: str  # the provider's own page
    verified: bool  # whether somebody ran it against the provider
    fields: Mapping[str, Any]
    parameters: tuple[Parameter, ...] = ()
    compared: str = ""  # independent projects whose source has the same endpoints
    registration_page: str = ""
    refresh_token_from: str = ""  # what makes the provider give a refresh token
    redirect_rule: str = ""
    notes: str = ""
    paging: Mapping[str, str] = field(default_factory=dict)
    is_organisations: bool = False  # whether it comes from a Jupyter data folder, not from the package

    @property
    def is_ready(self) -> bool:
        """Whether nothing is left to fill in: an organisation's entry that carries its public client."""
        if self.fields.get("grant_type", AUTHORIZATION_CODE) != AUTHORIZATION_CODE:
            return False
        public = self.fields.get("token_endpoint_auth_method") == "none" and bool(self.fields.get("client_id"))
        return public and not self.parameters and "authorization_endpoint" in self.fields


def load_providers() -> dict[str, Provider]:
    """All entries by key; an organisation's overrides ours, and a nearer Jupyter data folder a farther one.

    Raises `InvalidSecret` naming the file of an entry that is wrong.
    """
    folders = [Path(folder) for folder in reversed(jupyter_path("flowlet", "providers"))]
    found: dict[str, Provider] = {}
    for folder in (_CATALOGUE, *folders):
        for file in sorted(folder.glob("*.toml")):
            try:
                table = tomllib.loads(file.read_text("utf-8"))
            except (OSError, ValueError) as error:
                raise InvalidSecret(f"The provider file {file} cannot be read: {error}") from None
            entry = parse_provider(file.stem, table, str(file))
            found[file.stem] = replace(entry, is_organisations=folder != _CATALOGUE)
    return dict(sorted(found.items(), key=lambda item: item[1].title.lower()))


def parse_provider(key: str, table: Mapping[str, Any], where: str) -> Provider:
    """The entry that `table` describes. Raises `InvalidSecret` naming `where` and what is wrong."""
    if problem := _problem(table):
        raise InvalidSecret(f"The provider file {where}: {problem}")
    try:
        fields = {name: _checked(field, table[name]) for name, field in _FIELDS.items() if table.get(name)}
        parameters = tuple(Parameter(**entry) for entry in table.get("parameters", []))
    except (InvalidSecret, TypeError) as error:
        raise InvalidSecret(f"The provider file {where}: {error}") from None
    fields |= {f"identity_{name}": value for name, value in table.get("identity", {}).items()}
    return Provider(
        key=key,
        verified=table.get("verified") is True,
        fields=fields,
        parameters=parameters,
        paging=table.get("paging", {}),
        **{name: table.get(name, "") for name in _DESCRIPTIONS},
    )


def _problem(table: Mapping[str, Any]) -> str | None:
    hosts = table.get("allowed_hosts")
    paging = table.get("paging", {})
    checks = (
        (not set(table) <= _KNOWN, f"'{min(set(table) - _KNOWN, default='')}' is not a field of an entry."),
        *(
            (not isinstance(table.get(name), str) or not table[name], f"'{name}' is missing.")
            for name in ("title", "source", "token_endpoint")
        ),
        (not str(table.get("source")).startswith("https://"), "'source' must be the provider's own page."),
        *((not isinstance(table.get(name, ""), str), f"'{name}' must be a text.") for name in _DESCRIPTIONS),
        (
            table.get("redirect_rule", "") not in {"", *REDIRECT_RULES},
            f"'redirect_rule' is one of {', '.join(REDIRECT_RULES)}.",
        ),
        (
            bool(paging) and paging.get("style") not in PAGING_STYLES,
            f"'paging.style' is one of {', '.join(PAGING_STYLES)}.",
        ),
        (
            not isinstance(hosts, list) or not hosts or not all(isinstance(host, str) for host in hosts),
            "'allowed_hosts' must be a list of hosts.",
        ),
    )
    return next((problem for is_wrong, problem in checks if is_wrong), None)


def _checked(field: Field, value: Any) -> Any:
    """The entry's value, once it has the form that the field takes."""
    converted = checked_value(field, value)
    return converted if field.shape == "texts" else value


def known_fields(configuration: Mapping[str, Any], providers: Mapping[str, Provider]) -> dict[str, Any]:
    """The fields of a secret that the entry of its provider fills in, and its `parameters`, if the entry has any.

    The parameters are read back from the secret's own endpoints; empty if they cannot be, or there is no entry.
    """
    provider = providers.get(str(configuration.get("provider")))
    if provider is None:
        return {}
    values: dict[str, str] = {}
    for name, template in provider.fields.items():
        own = configuration.get(name)
        if isinstance(template, str) and isinstance(own, str) and (matched := _pattern(template).fullmatch(own)):
            values = {**matched.groupdict(), **values}
    try:
        fields = fields_for(provider, values)
    except InvalidSecret:
        return {}
    del fields["provider"]
    return {**fields, "parameters": {parameter.name: values[parameter.name] for parameter in provider.parameters
                                     if parameter.name in values}}  # fmt: skip


def _pattern(template: str) -> re.Pattern[str]:
    named: set[str] = set()

    def group(matched: re.Match[str]) -> str:
        name = matched[1]
        if name in named:
            return f"(?P={name})"
        named.add(name)
        return f"(?P<{name}>[^/]+)"

    return re.compile("".join(
        group(matched) if (matched := _PLACE.fullmatch(part)) else re.escape(part)
        for part in re.split(r"(\{[a-z_]+\})", template)
    ))  # fmt: skip


def fields_for(provider: Provider, values: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a secret at `provider`, its parameters filled in from `values`.

    Raises `InvalidSecret`, its field naming the parameter that is missing or cannot stand in a host.
    """
    checked = {}
    for parameter in provider.parameters:
        value = str(values.get(parameter.name, "") or parameter.default).strip()
        if not value:
            raise InvalidSecret(f"{parameter.label} is missing.", field=parameter.name)
        if parameter.kind == "host":
            value = str(parse_host_rule(value.removeprefix("https://").rstrip("/")))
        elif not _LABEL.fullmatch(value):
            raise InvalidSecret(f"{parameter.label} has letters, digits and hyphens only.", field=parameter.name)
        checked[parameter.name] = value

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return _PLACE.sub(lambda place: checked.get(place[1], place[0]), value)
        return tuple(filled(entry) for entry in value) if isinstance(value, tuple) else value

    # a compliance switch has places of its own ("{client_id}")
    fields = {name: filled(value) for name, value in provider.fields.items()}
    return {**fields, "provider": provider.key}
