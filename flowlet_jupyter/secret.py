"""What a secret is: five kinds of named records, and what the vault keeps of one. No I/O."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from flowlet_jupyter.compliance import Compliance
from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.fields import as_value, check_shared_fields, checked_header_text, needed, set_field
from flowlet_jupyter.hosts import HostRule, parse_host_rule
from flowlet_jupyter.oauth2 import OAuth2
from flowlet_jupyter.secret_value import SecretValue
from flowlet_jupyter.token_set import TokenSet


@dataclass(frozen=True, kw_only=True)
class Password:
    """A token or API key that is sent as `Authorization: Bearer` (RFC 6750)."""

    type: ClassVar[str] = "password"
    value_fields: ClassVar[tuple[str, ...]] = ("password",)

    name: str
    password: SecretValue
    allowed_hosts: tuple[str, ...] = ()
    base_url: str | None = None
    openapi: str | None = None

    def __post_init__(self) -> None:
        set_field(self, "password", needed(as_value(self.password), "password", "password"))
        checked_header_text(self.password, "password", "password")
        check_shared_fields(self)


@dataclass(frozen=True, kw_only=True)
class Basic:
    """A user name and password, sent as `Authorization: Basic` (RFC 7617)."""

    type: ClassVar[str] = "basic"
    value_fields: ClassVar[tuple[str, ...]] = ("password",)

    name: str
    username: str
    password: SecretValue
    allowed_hosts: tuple[str, ...] = ()
    base_url: str | None = None
    openapi: str | None = None

    def __post_init__(self) -> None:
        if ":" in self.username:
            raise InvalidSecret("A user name holds no colon (RFC 7617).", field="username")
        # Stripe's key is a user name without a password; others take a password without a user name
        set_field(self, "password", as_value(self.password) or SecretValue(""))
        if not self.username and not self.password:
            raise InvalidSecret("A user name or a password is needed.", field="username")
        for text in (self.username, self.password.reveal()):
            if any(ord(character) < 32 or ord(character) == 127 for character in text):
                raise InvalidSecret(
                    "The user name or the password holds a control character, such as a line break at its end.",
                    field="password",
                )
        check_shared_fields(self)


_HEADER_NAME_CHARACTERS = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
# These say where a request goes or how long it is; a secret that set them could leave its host or smuggle a request.
_FORBIDDEN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "te", "upgrade"})


@dataclass(frozen=True, kw_only=True)
class Headers:
    """One or more custom headers, such as `X-Api-Key`; every value is secret."""

    type: ClassVar[str] = "headers"
    value_fields: ClassVar[tuple[str, ...]] = ("headers",)

    name: str
    headers: Mapping[str, SecretValue]
    allowed_hosts: tuple[str, ...] = ()
    base_url: str | None = None
    openapi: str | None = None

    def __post_init__(self) -> None:
        headers = {}
        for header, value in dict(self.headers or {}).items():
            if not header or not set(header.lower()) <= _HEADER_NAME_CHARACTERS:
                raise InvalidSecret("A header's name has letters, digits and hyphens.", field="headers")
            if header.lower() in _FORBIDDEN_HEADERS:
                raise InvalidSecret(f"The header {header} cannot be part of a secret.", field="headers")
            headers[header] = needed(as_value(value), f"value of header {header}", "headers")
            checked_header_text(headers[header], f"value of header {header}", "headers")
        if not headers:
            raise InvalidSecret("At least one header is needed.", field="headers")
        set_field(self, "headers", headers)
        check_shared_fields(self)


SOURCE_KINDS = ("env", "file", "keyring", "hub")


@dataclass(frozen=True, kw_only=True)
class External:
    """A value that is kept elsewhere and only read, at each request; it is never written.

    `source` is `env:NAME`, `file:/path` (Docker's and Kubernetes' secrets), `keyring:service/user`, `hub:token` (the
    server's own token of a JupyterHub) or `hub:auth_state.access_token` (a member of the hub's answer about the user).
    """

    type: ClassVar[str] = "external"
    value_fields: ClassVar[tuple[str, ...]] = ()

    name: str
    source: str
    header: str = "Authorization"
    scheme: str = "Bearer"  # what stands before the value in the header; empty for none
    allowed_hosts: tuple[str, ...] = ()
    base_url: str | None = None
    openapi: str | None = None

    def __post_init__(self) -> None:
        kind, found, place = self.source.strip().partition(":")
        if kind not in SOURCE_KINDS or not found or not place or (kind == "keyring" and "/" not in place):
            raise InvalidSecret(
                "The source is env:NAME, file:/path, keyring:service/user, hub:token or hub:auth_state.access_token.",
                field="source",
            )
        set_field(self, "source", self.source.strip())
        _check_header_name(self.header)
        if self.scheme:
            checked_header_text(SecretValue(self.scheme), "scheme", "scheme")
        check_shared_fields(self)


def _check_header_name(header: str) -> None:
    if not header or not set(header.lower()) <= _HEADER_NAME_CHARACTERS:
        raise InvalidSecret("A header's name has letters, digits and hyphens.", field="header")
    if header.lower() in _FORBIDDEN_HEADERS:
        raise InvalidSecret(f"The header {header} cannot be part of a secret.", field="header")


Secret = OAuth2 | Password | Basic | Headers | External
SECRET_TYPES: dict[str, type[Secret]] = {kind.type: kind for kind in (OAuth2, Password, Basic, Headers, External)}


def host_rules(secret: Secret) -> tuple[HostRule, ...]:
    """The parsed allowed hosts of `secret`."""
    return tuple(parse_host_rule(entry) for entry in secret.allowed_hosts)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What one vault file holds: the secret, its token set, and why the last one was refused."""

    secret: Secret
    token_set: TokenSet | None = None
    # set when the provider no longer accepts the grant: its error code, for the status view
    refused: str | None = None


def base_url_of(record: Record) -> str | None:
    """The API's base URL: the one that the provider gave with the tokens, else the secret's."""
    token_set = record.token_set
    return (token_set.base_url if token_set else None) or record.secret.base_url


def configuration(secret: Secret) -> dict[str, Any]:
    """Everything of `secret` that is not secret, as JSON-ready values; of headers only their names."""
    shown: dict[str, Any] = {"type": secret.type}
    for spec in dataclasses.fields(secret):
        value = getattr(secret, spec.name)
        if isinstance(secret, Headers) and spec.name == "headers":
            shown["header_names"] = list(secret.headers)
        elif spec.name in secret.value_fields:
            shown[f"has_{spec.name}"] = bool(value)
        else:
            shown[spec.name] = plain(value)
    return shown


def plain(value: Any) -> Any:
    """A field's value as JSON has it."""
    if isinstance(value, Compliance):
        return value.declared()
    return list(value) if isinstance(value, tuple) else value
