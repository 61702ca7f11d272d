"""What a secret is: four kinds of named records, token sets, and the opaque `SecretValue`. No I/O."""

from __future__ import annotations

import dataclasses
import hmac
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NoReturn
from urllib.parse import urlsplit

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.hosts import HostRule, default_rule, is_loopback, parse_host_rule

TokenEndpointAuthMethod = Literal["client_secret_basic", "client_secret_post", "none"]
AUTH_METHODS: tuple[TokenEndpointAuthMethod, ...] = ("client_secret_basic", "client_secret_post", "none")
NAME_MAX_CHARACTERS = 100
NAME_MAX_BYTES = 70  # a vault file name holds three characters for each quoted byte; ext4 allows 255

# A token is renewed this long before it ends, so that it does not end on its way to the API ...
REFRESH_MARGIN_SECONDS = 30.0
# ... but never more than this share of its lifetime, or a token of 20 seconds would be refreshed at every request.
REFRESH_MARGIN_SHARE = 0.1


class SecretValue:
    """A text that shows itself to nobody who does not ask: `.reveal()` is the only way to it.

    Its repr, str and format are redacted; it cannot be pickled or turned into JSON.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            # the value itself must not be in the message
            raise InvalidSecret(f"A secret value must be a text, not {type(text).__name__}.")
        self.__text = text

    def reveal(self) -> str:
        """The text itself. Do not print it, and do not put it into a variable of a notebook."""
        return self.__text

    def __repr__(self) -> str:
        return "SecretValue(hidden)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretValue):
            return NotImplemented
        return hmac.compare_digest(self.__text.encode(), other.reveal().encode())

    __hash__ = None  # type: ignore[assignment]  # a hash can be compared with guesses

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __copy__(self) -> SecretValue:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> SecretValue:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A SecretValue is not pickled or copied out; use .reveal() if you must have its text.")


def checked_name(name: str) -> str:
    """`name` in Unicode's NFC form, or `InvalidSecret` if it cannot be a secret's name."""
    if not isinstance(name, str) or not name:
        raise InvalidSecret("A secret needs a name.", field="name")
    name = unicodedata.normalize("NFC", name)
    if len(name) > NAME_MAX_CHARACTERS or len(name.encode("utf-8", "replace")) > NAME_MAX_BYTES:
        raise InvalidSecret(f"A secret's name has at most {NAME_MAX_BYTES} bytes in UTF-8.", field="name")
    if not name[0].isalnum():
        raise InvalidSecret("A secret's name starts with a letter or a digit.", field="name")
    for character in name:
        # C*: control, format (RTL marks among them), surrogate, private use, unassigned; Z*: spaces but the plain one
        if unicodedata.category(character)[0] in "CZ" and character != " ":
            raise InvalidSecret("A secret's name has only visible characters and plain spaces.", field="name")
    if name != name.strip():
        raise InvalidSecret("A secret's name does not end in a space.", field="name")
    return name


def checked_endpoint(url: str, field_name: str) -> str:
    """`url` if it can be an endpoint: https, or http on loopback; no user, no fragment (RFC 6749, 3.1 and 3.2)."""
    label = field_name.replace("_", " ")
    if not isinstance(url, str) or not url.strip():
        raise InvalidSecret(f"The {label} is missing.", field=field_name)
    url = url.strip()
    if any(character <= " " or character in '\x7f\\"<>' for character in url):
        raise InvalidSecret(f"The {label} holds a character that a URL cannot have.", field=field_name)
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise InvalidSecret(f"The {label} is not a URL.", field=field_name) from None
    if parts.scheme not in {"http", "https"} or not host:
        raise InvalidSecret(f"The {label} must start with https:// and name a host.", field=field_name)
    if parts.scheme == "http" and not is_loopback(host):
        raise InvalidSecret(f"The {label} must use https:// (http:// only on this machine).", field=field_name)
    if "@" in parts.netloc:
        raise InvalidSecret(f"The {label} may not hold a user or password.", field=field_name)
    if "#" in url:
        raise InvalidSecret(f"The {label} may not have a fragment (#).", field=field_name)
    return url


def _checked_header_text(value: SecretValue, label: str, field_name: str) -> None:
    text = value.reveal()
    if not text:
        raise InvalidSecret(f"The {label} is missing.", field=field_name)
    if text != text.strip() or any(character in text for character in "\r\n\0") or not text.isascii():
        raise InvalidSecret(
            f"The {label} cannot be sent in a header: it has a line break, an outer space or a non-ASCII character.",
            field=field_name,
        )


def _checked_hosts(secret: Secret, *defaults: str | None) -> tuple[str, ...]:
    given = tuple(entry.strip() for entry in secret.allowed_hosts if entry.strip())
    if not given:
        given = tuple(dict.fromkeys(default_rule(url) for url in defaults if url))
    if not given:
        raise InvalidSecret(
            f"Secret '{secret.name}' needs the allowed hosts: without them it could be sent anywhere.",
            field="allowed_hosts",
        )
    return tuple(str(parse_host_rule(entry)) for entry in given)


def _shared_checks(secret: Secret, *default_host_urls: str | None) -> None:
    """Normalize the fields that every secret has."""
    _set(secret, "name", checked_name(secret.name))
    if secret.base_url is not None:
        base_url = secret.base_url.strip()
        _set(secret, "base_url", checked_endpoint(base_url, "base_url") if base_url else None)
    if isinstance(secret.allowed_hosts, str):
        raise InvalidSecret("allowed_hosts is a list of hosts.", field="allowed_hosts")
    _set(secret, "allowed_hosts", _checked_hosts(secret, *default_host_urls, secret.base_url))


def _set(secret: object, name: str, value: object) -> None:
    # the documented way to normalize a field of a frozen dataclass in __post_init__
    object.__setattr__(secret, name, value)


def _as_value(value: SecretValue | str | None) -> SecretValue | None:
    return SecretValue(value) if isinstance(value, str) else value


def _needed(value: SecretValue | None, label: str, field_name: str) -> SecretValue:
    if not value:
        raise InvalidSecret(f"The {label} is missing.", field=field_name)
    return value


@dataclass(frozen=True, kw_only=True)
class OAuth2:
    """A client registered at a provider; field names are those of RFC 7591 and RFC 8414."""

    type: ClassVar[str] = "oauth2"
    value_fields: ClassVar[tuple[str, ...]] = ("client_secret",)

    name: str
    authorization_endpoint: str
    token_endpoint: str
    client_id: str
    client_secret: SecretValue | None = None
    scope: str = ""
    token_endpoint_auth_method: TokenEndpointAuthMethod | None = None
    allowed_hosts: tuple[str, ...] = ()
    base_url: str | None = None

    def __post_init__(self) -> None:
        _set(self, "authorization_endpoint", checked_endpoint(self.authorization_endpoint, "authorization_endpoint"))
        _set(self, "token_endpoint", checked_endpoint(self.token_endpoint, "token_endpoint"))
        _set(self, "client_id", (self.client_id or "").strip())
        if not self.client_id:
            raise InvalidSecret("The client ID is missing.", field="client_id")
        _set(self, "client_secret", _as_value(self.client_secret) or None)
        _set(self, "scope", " ".join(self.scope.split()))
        method = self.token_endpoint_auth_method or ("client_secret_basic" if self.client_secret else "none")
        if method not in AUTH_METHODS:
            raise InvalidSecret(
                f"The client authentication is one of {', '.join(AUTH_METHODS)}.", field="token_endpoint_auth_method"
            )
        if method != "none" and not self.client_secret:
            raise InvalidSecret(
                f"Client authentication {method} needs the client secret (for a public client choose 'none').",
                field="client_secret",
            )
        _set(self, "token_endpoint_auth_method", method)
        _shared_checks(self, self.token_endpoint)


@dataclass(frozen=True, kw_only=True)
class Password:
    """A token or API key that is sent as `Authorization: Bearer` (RFC 6750)."""

    type: ClassVar[str] = "password"
    value_fields: ClassVar[tuple[str, ...]] = ("password",)

    name: str
    password: SecretValue
    allowed_hosts: tuple[str, ...] = ()
    base_url: str | None = None

    def __post_init__(self) -> None:
        _set(self, "password", _needed(_as_value(self.password), "password", "password"))
        _checked_header_text(self.password, "password", "password")
        _shared_checks(self)


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

    def __post_init__(self) -> None:
        if not self.username or ":" in self.username:
            raise InvalidSecret("The user name is missing or holds a colon (RFC 7617).", field="username")
        _set(self, "password", _needed(_as_value(self.password), "password", "password"))
        _shared_checks(self)


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

    def __post_init__(self) -> None:
        headers = {}
        for header, value in dict(self.headers or {}).items():
            if not header or not set(header.lower()) <= _HEADER_NAME_CHARACTERS:
                raise InvalidSecret("A header's name has letters, digits and hyphens.", field="headers")
            if header.lower() in _FORBIDDEN_HEADERS:
                raise InvalidSecret(f"The header {header} cannot be part of a secret.", field="headers")
            headers[header] = _needed(_as_value(value), f"value of header {header}", "headers")
            _checked_header_text(headers[header], f"value of header {header}", "headers")
        if not headers:
            raise InvalidSecret("At least one header is needed.", field="headers")
        _set(self, "headers", headers)
        _shared_checks(self)


Secret = OAuth2 | Password | Basic | Headers
SECRET_TYPES: dict[str, type[Secret]] = {kind.type: kind for kind in (OAuth2, Password, Basic, Headers)}


def host_rules(secret: Secret) -> tuple[HostRule, ...]:
    """The parsed allowed hosts of `secret`."""
    return tuple(parse_host_rule(entry) for entry in secret.allowed_hosts)


@dataclass(frozen=True, kw_only=True)
class TokenSet:
    """What a token endpoint gave (RFC 6749, 5.1). Times are Unix times in seconds."""

    access_token: SecretValue
    refresh_token: SecretValue | None = None
    scope: str = ""
    obtained_at: float = 0.0
    expires_at: float | None = None

    def needs_refresh(self, *, now: float) -> bool:
        """Whether the access token has ended at `now`, or is so near its end that it should be renewed.

        A token without `expires_in` never does (RFC 6749, 5.1: its lifetime is then known to the server only).
        """
        if self.expires_at is None:
            return False
        lifetime = max(self.expires_at - self.obtained_at, 0.0)
        return now >= self.expires_at - min(REFRESH_MARGIN_SECONDS, lifetime * REFRESH_MARGIN_SHARE)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What one vault file holds: the secret, its token set, and why the last one was refused."""

    secret: Secret
    token_set: TokenSet | None = None
    # set when the provider no longer accepts the grant: its error code, for the status view
    refused: str | None = None


@dataclass(frozen=True, kw_only=True)
class Status:
    """What may be shown of a secret's tokens: times and scopes, never a value or a part of one.

    `state` is one of: `ready` (not OAuth2, always usable), `connected`, `expired` (refreshed at the next
    request), `no_token`, `needs_authorization`.
    """

    state: Literal["ready", "connected", "expired", "no_token", "needs_authorization"]
    access_token: bool = False
    refresh_token: bool = False
    scope: str = ""
    obtained_at: float | None = None
    expires_at: float | None = None
    problem: str | None = None

    def summary(self, *, now: float | None = None) -> str:
        """One line for a table or a terminal."""
        if self.state == "ready":
            return "ready"
        if self.state == "no_token":
            return "no access token yet"
        if self.state == "needs_authorization":
            return self.problem or "needs authorization"
        refresh = "refresh token obtained" if self.refresh_token else "no refresh token"
        if self.state == "expired":
            return f"access token expired, {refresh}"
        if self.expires_at is None:
            return f"access token obtained, no expiry given, {refresh}"
        left = max(int(self.expires_at - (time.time() if now is None else now)), 0)
        span = f"{left} s" if left < 120 else f"{left // 3600} h {left % 3600 // 60} min"
        return f"access token obtained, expires in {span}, {refresh}"


def status_of(record: Record, *, now: float) -> Status:
    """The status of `record` at `now` (Unix time, seconds)."""
    token = record.token_set
    if record.secret.type != "oauth2":
        return Status(state="ready")
    if token is None:
        if record.refused:
            return Status(
                state="needs_authorization",
                problem=f"the provider no longer accepts the grant ({record.refused})",
            )
        return Status(state="no_token")
    expired = token.expires_at is not None and now >= token.expires_at
    state: Literal["connected", "expired", "needs_authorization"] = "connected"
    problem = None
    if expired and token.refresh_token:
        state = "expired"
    elif expired:
        state, problem = "needs_authorization", "the access token has expired and there is no refresh token"
    return Status(
        state=state,
        access_token=True,
        refresh_token=token.refresh_token is not None,
        scope=token.scope,
        obtained_at=token.obtained_at,
        expires_at=token.expires_at,
        problem=problem,
    )


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
            shown[spec.name] = list(value) if isinstance(value, tuple) else value
    return shown
