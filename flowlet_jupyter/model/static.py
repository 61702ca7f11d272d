"""The kinds of secret that are sent as they are: a password, Basic, headers and an API key. No I/O."""

from __future__ import annotations

import base64
import dataclasses
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.fields import (
    FieldErrors,
    as_value,
    check_api_headers,
    check_header_name,
    check_shared_fields,
    checked_header_text,
    checked_value,
    curl_header,
    curl_query,
    in_double_quotes,
    needed,
    set_field,
)
from flowlet_jupyter.model.value import Credentials, SecretValue


class Static:
    """What the kinds have in common whose value is not renewed by flowlet."""

    api_headers: Mapping[str, str] = MappingProxyType({})  # fixed headers that the API needs; no credential

    @property
    def is_renewable(self) -> bool:
        """Whether flowlet obtains and renews the value itself."""
        return False

    @property
    def single_value(self) -> SecretValue | None:
        """The value that `jupyter flowlet token` prints; None where there are several."""
        return None

    @property
    def beyond_authorization(self) -> list[str]:
        """What is set besides `Authorization`: other HTTP clients carry it along on a redirect to another host."""
        return []

    @property
    def authorization_scheme(self) -> str:
        """What stands before the value in `Authorization`; empty for nothing."""
        return ""

    @property
    def is_derived(self) -> bool:
        """Whether what is sent is none of the secret's own values, so that it must be kept from being shown as well."""
        return False


@dataclass(frozen=True, kw_only=True)
class Password(Static):
    """A token or API key that is sent as `Authorization: Bearer` (RFC 6750)."""

    type: ClassVar[str] = "password"
    value_fields: ClassVar[tuple[str, ...]] = ("password",)

    name: str
    password: SecretValue
    allowed_hosts: tuple[str, ...] = ()
    base_url: str | None = None
    openapi: str | None = None
    api_headers: Mapping[str, str] = dataclasses.field(default_factory=dict)  # fixed; no credential

    def __post_init__(self) -> None:
        errors = FieldErrors()
        with errors:
            set_field(self, "password", needed(as_value(self.password), "password", "password"))
            checked_header_text(self.password, "password", "password")
        check_api_headers(self, errors)
        check_shared_fields(self, errors)
        errors.raise_any()

    def credentials(self) -> Credentials:
        """The Bearer header."""
        return Credentials({"Authorization": SecretValue(f"Bearer {self.password.reveal()}")})

    def curl_arguments(self, token: str) -> list[str]:
        """The words of a curl command; `token` is what stands for the value in double quotes."""
        return curl_header("Authorization", "Bearer", token)

    @property
    def single_value(self) -> SecretValue | None:
        """The password."""
        return self.password

    @property
    def authorization_scheme(self) -> str:
        """`Bearer`."""
        return "Bearer"


@dataclass(frozen=True, kw_only=True)
class Basic(Static):
    """A user name and password, sent as `Authorization: Basic` (RFC 7617).

    One of the two may be empty, since some APIs take a key as user name (Stripe) or as password; not both.
    """

    type: ClassVar[str] = "basic"
    value_fields: ClassVar[tuple[str, ...]] = ("password",)

    name: str
    username: str = ""
    password: SecretValue = dataclasses.field(default_factory=lambda: SecretValue(""))
    allowed_hosts: tuple[str, ...] = ()
    base_url: str | None = None
    openapi: str | None = None
    api_headers: Mapping[str, str] = dataclasses.field(default_factory=dict)  # fixed; no credential

    def __post_init__(self) -> None:
        errors = FieldErrors()
        set_field(self, "username", self.username or "")
        set_field(self, "password", as_value(self.password) or SecretValue(""))
        for name, label in (("username", "user name"), ("password", "password")):
            with errors:
                checked_value(as_value(getattr(self, name)), label, name)
        if ":" in self.username:
            errors.add("username", "The user name holds a colon, which Basic authentication cannot send (RFC 7617, 2).")
        if not self.username and not self.password:
            errors.add("username", "The user name and the password are missing; one of them may be empty, not both.")
        check_api_headers(self, errors)
        check_shared_fields(self, errors)
        errors.raise_any()

    def credentials(self) -> Credentials:
        """The Basic header."""
        pair = f"{self.username}:{self.password.reveal()}"
        return Credentials({"Authorization": SecretValue("Basic " + base64.b64encode(pair.encode()).decode())})

    def curl_arguments(self, token: str) -> list[str]:
        """The words of a curl command; `token` is what stands for the password in double quotes."""
        return ["-u", f'{shlex.quote(self.username) if self.username else ""}:"{token}"']

    @property
    def single_value(self) -> SecretValue | None:
        """The password."""
        return self.password

    @property
    def authorization_scheme(self) -> str:
        """`Basic`."""
        return "Basic"

    @property
    def is_derived(self) -> bool:
        """The pair is."""
        return True


@dataclass(frozen=True, kw_only=True)
class Headers(Static):
    """One or more custom headers, such as `X-Api-Key`; every value is secret."""

    type: ClassVar[str] = "headers"
    value_fields: ClassVar[tuple[str, ...]] = ("headers",)

    name: str
    headers: Mapping[str, SecretValue]
    allowed_hosts: tuple[str, ...] = ()
    base_url: str | None = None
    openapi: str | None = None

    def __post_init__(self) -> None:
        errors = FieldErrors()
        headers = {}
        with errors:
            for header, value in dict(self.headers or {}).items():
                check_header_name(header, "headers")
                headers[header] = needed(as_value(value), f"value of header {header}", "headers")
                checked_header_text(headers[header], f"value of header {header}", "headers")
            if not headers:
                raise InvalidSecret("At least one header is needed.", field="headers")
        set_field(self, "headers", headers)
        check_shared_fields(self, errors)
        errors.raise_any()

    def credentials(self) -> Credentials:
        """The headers."""
        return Credentials(dict(self.headers))

    def curl_arguments(self, token: str) -> list[str]:  # noqa: ARG002 - there is no single value
        """The words of a curl command; the values are several, and have to be filled in."""
        return [word for name in self.headers for word in curl_header(name, "", "…")]

    @property
    def beyond_authorization(self) -> list[str]:
        """The headers, by their names."""
        return [name for name in self.headers if name.lower() != "authorization"]


KEY_LOCATIONS = ("header", "query", "basic")
_KEY = "{key}"


@dataclass(frozen=True, kw_only=True)
class ApiKey(Static):
    """An API key in a header or query parameter of the API's own (OpenAPI 3.1, 4.8.27 "apiKey").

    `prefix` stands before the key, such as `Token ` with its space. A key in the query is added below the client: no
    URL that can be seen holds it. With the location `basic` the key is part of `Authorization: Basic` (RFC 7617), and
    `parameter` is the pair of user name and password in which `{key}` stands for it, such as `{key}:` or `{key}:x`.
    """

    type: ClassVar[str] = "api_key"
    value_fields: ClassVar[tuple[str, ...]] = ("key",)

    name: str
    key: SecretValue
    parameter: str = "X-API-Key"
    location: str = "header"
    prefix: str = ""
    allowed_hosts: tuple[str, ...] = ()
    base_url: str | None = None
    openapi: str | None = None
    api_headers: Mapping[str, str] = dataclasses.field(default_factory=dict)  # fixed; no credential

    def __post_init__(self) -> None:
        errors = FieldErrors()
        set_field(self, "key", as_value(self.key) or SecretValue(""))
        if self.location not in KEY_LOCATIONS:
            errors.add("location", f"The location is one of {', '.join(KEY_LOCATIONS)}.")
        with errors:
            needed(self.key, "API key", "key")
            if self.location == "header":
                checked_header_text(self.key, "API key", "key")
        with errors:
            if self.location == "basic":
                _check_basic_pair(self.parameter)
            elif self.location == "header":
                check_header_name(self.parameter, "parameter")
            elif not self.parameter or any(
                not character.isprintable() or character == " " for character in self.parameter
            ):
                raise InvalidSecret(
                    "The name of the query parameter is missing or has a space in it.", field="parameter"
                )
        if self.prefix != self.prefix.lstrip() or not (
            (self.prefix.isascii() and self.prefix.isprintable()) or not self.prefix
        ):
            errors.add("prefix", "The prefix has visible ASCII characters, and may end in a space.")
        check_api_headers(self, errors)
        check_shared_fields(self, errors)
        errors.raise_any()

    def credentials(self) -> Credentials:
        """The header or the query parameter."""
        if self.location == "basic":
            pair = self.parameter.replace(_KEY, self.key.reveal())
            return Credentials({"Authorization": SecretValue("Basic " + base64.b64encode(pair.encode()).decode())})
        sent = {self.parameter: SecretValue(f"{self.prefix}{self.key.reveal()}")}
        return Credentials(sent) if self.location == "header" else Credentials({}, sent)

    def curl_arguments(self, token: str) -> list[str]:
        """The words of a curl command; `token` is what stands for the key in double quotes."""
        if self.location == "basic":
            before, _, after = self.parameter.partition(_KEY)
            return ["-u", f'"{in_double_quotes(before)}{token}{in_double_quotes(after)}"']
        if self.location == "query":
            return curl_query(self.parameter, token, self.prefix)
        return curl_header(self.parameter, "", in_double_quotes(self.prefix) + token)

    @property
    def single_value(self) -> SecretValue | None:
        """The key."""
        return self.key

    @property
    def authorization_scheme(self) -> str:
        """`Basic`, or the prefix."""
        return "Basic" if self.location == "basic" else self.prefix.strip()

    @property
    def is_derived(self) -> bool:
        """The pair is."""
        return self.location == "basic"

    @property
    def beyond_authorization(self) -> list[str]:
        """The header or the query parameter."""
        if self.location == "query":
            return [f"the URL parameter {self.parameter}"]
        return [] if self.location == "basic" or self.parameter.lower() == "authorization" else [self.parameter]


def _check_basic_pair(pair: str) -> None:
    if pair.count(_KEY) != 1 or ":" not in pair or not (pair.isascii() and pair.isprintable()):
        raise InvalidSecret(
            "For the location 'basic' the parameter is a user name, a colon and a password, one of them {key}: such as "
            "{key}: or {key}:x.",
            field="parameter",
        )
