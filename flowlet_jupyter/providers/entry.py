"""One entry of the catalogue: what a provider's file may say, and the check of it. No I/O."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE
from flowlet_jupyter.model.schema import Field, checked_value, fields_of_kind

REDIRECT_RULES = ("https", "not-localhost", "any-loopback-port", "opaque")
PAGING_STYLES = ("link", "next", "cursor", "page", "offset")
# the kinds of secret that an entry may be of
KINDS = ("oauth2", "api_key", "password", "basic", "headers")

_DESCRIPTIONS = (
    "title", "source", "category", "registration_page", "refresh_token_from", "redirect_rule", "notes",
    "checked", "ends", "test", "discover",
)  # fmt: skip
_LISTS = ("header_names",)
_TABLES = ("identity", "paging", "decided", "superseded")
_SOON = datetime.timedelta(days=120)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A part of the endpoints that the user fills in: one DNS label (or path segment), or a host."""

    name: str
    label: str
    kind: str = "label"
    default: str = ""
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One entry. `fields` are those of a secret of the kind `type`, in which `{name}` stands for a parameter's value."""

    key: str
    title: str
    source: str  # the provider's own page
    verified: bool  # whether somebody ran it against the provider
    fields: Mapping[str, Any]
    type: str = "oauth2"
    category: str = ""
    parameters: tuple[Parameter, ...] = ()
    header_names: tuple[str, ...] = ()  # of the kind "headers": those whose values are asked for
    # fact: why it is as it is here although another project has something else (`check` tells which)
    decided: Mapping[str, str] = field(default_factory=dict)
    registration_page: str = ""
    refresh_token_from: str = ""  # what makes the provider give a refresh token
    redirect_rule: str = ""
    notes: str = ""
    checked: str = ""  # the month in which it was held against the provider's page, such as 2026-11
    ends: str = ""  # the day on which the provider takes it away, such as 2027-02-16
    # a token endpoint of before, which secrets made earlier may hold: the day on which it ends
    superseded: Mapping[str, str] = field(default_factory=dict)
    test: str = ""  # a URL whose GET changes nothing, to try the secret with
    # the address whose metadata say the rest, where it is another for each user: the endpoints here are the usual ones
    discover: str = ""
    identity_name: str = ""  # the JMESPath at which that, or the identity request, names the user
    paging: Mapping[str, str] = field(default_factory=dict)

    @property
    def endings(self) -> Mapping[str, str]:
        """What ends on which day: a token endpoint, or of an entry that takes a key its first host."""
        now = self.fields["token_endpoint"] if self.type == "oauth2" else self.fields["allowed_hosts"][0]
        return {**self.superseded, **({now: self.ends} if self.ends else {})}

    @property
    def is_ready(self) -> bool:
        """Whether nothing is left to fill in: an organisation's entry that carries its public client."""
        if self.type != "oauth2" or self.fields.get("grant_type", AUTHORIZATION_CODE) != AUTHORIZATION_CODE:
            return False
        public = self.fields.get("token_endpoint_auth_method") == "none" and bool(self.fields.get("client_id"))
        return public and not self.parameters and "authorization_endpoint" in self.fields


def parse_provider(key: str, table: Mapping[str, Any], where: str) -> Provider:
    """The entry that `table` describes. Raises `InvalidSecret` naming `where` and what is wrong."""
    kind = table.get("type", "oauth2")
    if kind not in KINDS:
        raise InvalidSecret(f"The provider file {where}: 'type' is one of {', '.join(KINDS)}.")
    known = fields_of_entry(kind)
    if problem := _problem(table, kind, known):
        raise InvalidSecret(f"The provider file {where}: {problem}")
    try:
        fields = {name: _checked(field, table[name]) for name, field in known.items() if _is_given(field, table)}
        parameters = tuple(Parameter(**entry) for entry in table.get("parameters", []))
    except (InvalidSecret, TypeError) as error:
        raise InvalidSecret(f"The provider file {where}: {error}") from None
    identity = table.get("identity", {})
    if kind == "oauth2":
        fields |= {f"identity_{name}": value for name, value in identity.items()}
    return Provider(
        key=key,
        type=kind,
        verified=table.get("verified") is True,
        fields=fields,
        parameters=parameters,
        paging=table.get("paging", {}),
        decided=table.get("decided", {}),
        superseded=table.get("superseded", {}),
        identity_name=identity.get("name", ""),
        header_names=tuple(table.get("header_names", ())),
        **{name: table.get(name, "") for name in _DESCRIPTIONS},
    )


@functools.cache
def fields_of_entry(kind: str) -> Mapping[str, Field]:
    """The fields of a secret of this kind that an entry may fill in; the identity is a table of its own."""
    return {
        name: field
        for name, field in fields_of_kind(kind).items()
        if field.is_in_catalogue and not name.startswith("identity_")
    }


def ends_soon(ends: str, today: datetime.date) -> bool:
    """Whether the day `ends`, such as 2027-02-16, is at most four months away or past; False for an empty text."""
    return bool(ends) and datetime.date.fromisoformat(ends) - today <= _SOON


def _is_given(field: Field, table: Mapping[str, Any]) -> bool:
    return bool(table.get(field.name)) or (field.may_be_empty and table.get(field.name) == "")


def _problem(table: Mapping[str, Any], kind: str, fields: Mapping[str, Field]) -> str | None:
    known = {*fields, *_DESCRIPTIONS, *_LISTS, *_TABLES, "type", "verified", "parameters"}
    paging = table.get("paging", {})
    required = ("title", "source", *(("token_endpoint",) if kind == "oauth2" else ()))
    checks = (
        (not set(table) <= known, f"'{min(set(table) - known, default='')}' is not a field of an entry."),
        *((not isinstance(table.get(name), str) or not table[name], f"'{name}' is missing.") for name in required),
        (not str(table.get("source")).startswith("https://"), "'source' must be the provider's own page."),
        *((not isinstance(table.get(name, ""), str), f"'{name}' must be a text.") for name in _DESCRIPTIONS),
        *((not _is_texts(table.get(name, [])), f"'{name}' must be a list of texts.") for name in _LISTS),
        *((not isinstance(table.get(name, {}), dict), f"'{name}' must be a table.") for name in _TABLES),
        (
            table.get("redirect_rule", "") not in {"", *REDIRECT_RULES},
            f"'redirect_rule' is one of {', '.join(REDIRECT_RULES)}.",
        ),
        (
            bool(paging) and (not isinstance(paging, dict) or paging.get("style") not in PAGING_STYLES),
            f"'paging.style' is one of {', '.join(PAGING_STYLES)}.",
        ),
        (
            not table.get("allowed_hosts") or not _is_texts(table["allowed_hosts"]),
            "'allowed_hosts' must be a list of hosts.",
        ),
        ((kind == "headers") != bool(table.get("header_names")), "'header_names' belongs to the type headers."),
        (not _is_day(table.get("checked", ""), "{}-01"), "'checked' is a month, such as 2026-11."),
        (not _is_day(table.get("ends", ""), "{}"), "'ends' is a day, such as 2027-02-16."),
        (
            isinstance(table.get("superseded"), dict)
            and not all(_is_day(day, "{}") for day in table["superseded"].values()),
            "'superseded' names days, such as 2027-02-16.",
        ),
        (
            kind != "oauth2" and not set(table.get("identity", {})) <= {"name"},
            "'identity' has a name only: the request is 'test'.",
        ),
        (not str(table.get("test", "https://")).startswith("https://"), "'test' must be an https:// URL."),
    )
    return next((problem for is_wrong, problem in checks if is_wrong), None)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_day(text: Any, form: str) -> bool:
    try:
        return text == "" or bool(datetime.date.fromisoformat(form.format(text)))
    except ValueError:
        return False


def _checked(field: Field, value: Any) -> Any:
    """The entry's value, once it has the form that the field takes."""
    converted = checked_value(field, value)
    return converted if field.shape == "texts" else value
