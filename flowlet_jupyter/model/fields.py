"""What the fields of a secret may hold, whatever its kind. Pure checks that raise `InvalidSecret`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol
from urllib.parse import urlsplit

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.hosts import default_rule, is_loopback, parse_host_rule
from flowlet_jupyter.model.value import SecretValue

NAME_MAX_CHARACTERS = 100
NAME_MAX_BYTES = 70  # a vault file name holds three characters for each quoted byte; ext4 allows 255


class Named(Protocol):
    """The fields that every secret has."""

    @property
    def name(self) -> str:
        """The secret's name."""

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Where it may be sent."""

    @property
    def base_url(self) -> str | None:
        """What a request that names only a path goes to."""

    @property
    def openapi(self) -> str | None:
        """A file or URL that describes the API, for completion."""


class HasApiHeaders(Protocol):
    """The field of the kinds whose API may need fixed headers beside the credential."""

    @property
    def api_headers(self) -> Mapping[str, str]:
        """The headers by name."""


class FieldErrors:
    """Collects the `InvalidSecret` of several checks, so that all that is wrong is said at once.

    Each check runs in a `with` block of its own; the block swallows its `InvalidSecret`, and `raise_any` raises them
    as one.
    """

    def __init__(self) -> None:
        self.messages: dict[str, str] = {}

    def __enter__(self) -> None:
        """Start a check."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: TracebackType | None) -> bool:
        """Keep an `InvalidSecret` that names its field, the first one of each field."""
        if not isinstance(error, InvalidSecret) or not error.errors:
            return False
        self.messages = {**error.errors, **self.messages}
        return True

    def add(self, field_name: str, message: str) -> None:
        """Record that `field_name` is wrong."""
        self.messages.setdefault(field_name, message)

    def raise_any(self) -> None:
        """Raise all of it, if there is any, as one `InvalidSecret`."""
        if self.messages:
            raise InvalidSecret("\n".join(dict.fromkeys(self.messages.values())), errors=self.messages)


_HEADER_NAME_CHARACTERS = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
# These say where a request goes or how long it is; a secret that set them could leave its host or smuggle a request.
_FORBIDDEN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "te", "upgrade"})


def check_header_name(header: str, field_name: str) -> None:
    """Raise `InvalidSecret` unless a secret may set the header `header` (RFC 9110, 5.6.2)."""
    if not header or not set(header.lower()) <= _HEADER_NAME_CHARACTERS:
        raise InvalidSecret("A header's name has letters, digits and hyphens.", field=field_name)
    if header.lower() in _FORBIDDEN_HEADERS:
        raise InvalidSecret(f"The header {header} cannot be part of a secret.", field=field_name)


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


_NOT_IN_A_URL = re.compile(r'[\x00-\x20\x7f\\"<>]')


def checked_endpoint(url: str, field_name: str) -> str:
    """`url` if it can be an endpoint: https, or http on loopback; no user, no fragment (RFC 6749, 3.1 and 3.2)."""
    label = field_name.replace("_", " ")
    if not isinstance(url, str) or not url.strip():
        raise InvalidSecret(f"The {label} is missing.", field=field_name)
    url = url.strip()
    if _NOT_IN_A_URL.search(url):
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


def checked_header_text(value: SecretValue, label: str, field_name: str) -> None:
    """Raise `InvalidSecret` unless `value` can stand in a header."""
    text = value.reveal()
    if not text:
        raise InvalidSecret(f"The {label} is missing.", field=field_name)
    if text != text.strip() or not text.isascii() or not text.isprintable():
        raise InvalidSecret(
            f"The {label} cannot be sent in a header: it has a line break or another control character, an outer space "
            "or a non-ASCII character.",
            field=field_name,
        )


def checked_value(value: SecretValue | None, label: str, field_name: str, *, lines: bool = False) -> SecretValue | None:
    """`value`, or `InvalidSecret` if it has a control character, as a paste often brings; `lines` allows line breaks."""
    allowed = "\r\n\t" if lines else ""
    if value and any(unicodedata.category(each) == "Cc" and each not in allowed for each in value.reveal()):
        raise InvalidSecret(
            f"The {label} has a control character, such as a line break or tab at its end. Copy it again, without that.",
            field=field_name,
        )
    return value


def _checked_hosts(secret: Named, *defaults: str | None) -> tuple[str, ...]:
    entries = tuple(entry.strip() for entry in secret.allowed_hosts if entry.strip())
    if not entries:
        entries = tuple(dict.fromkeys(default_rule(url) for url in defaults if url))
    if not entries:
        raise InvalidSecret(
            f"Secret '{secret.name}' needs the allowed hosts: without them it could be sent anywhere.",
            field="allowed_hosts",
        )
    return tuple(str(parse_host_rule(entry)) for entry in entries)


def check_shared_fields(secret: Named, errors: FieldErrors, *default_host_urls: str | None) -> None:
    """Normalize the fields that every secret has; what is wrong goes to `errors`."""
    with errors:
        set_field(secret, "name", checked_name(secret.name))
    with errors:
        if secret.base_url is not None:
            base_url = secret.base_url.strip()
            set_field(secret, "base_url", checked_endpoint(base_url, "base_url") if base_url else None)
    with errors:
        if secret.openapi and "://" in secret.openapi:
            set_field(secret, "openapi", checked_endpoint(secret.openapi, "openapi"))
    # the hosts are those of URLs that are wrong themselves
    with errors:
        if isinstance(secret.allowed_hosts, str):
            raise InvalidSecret("allowed_hosts is a list of hosts.", field="allowed_hosts")
        if secret.allowed_hosts or not {"base_url", "token_endpoint"} & set(errors.messages):
            set_field(secret, "allowed_hosts", _checked_hosts(secret, *default_host_urls, secret.base_url))


def check_api_headers(secret: HasApiHeaders, errors: FieldErrors) -> None:
    """Normalize the fixed headers of a secret, which are no credentials; what is wrong goes to `errors`."""
    with errors:
        headers = dict(secret.api_headers or {})
        for header, text in headers.items():
            check_header_name(header, "api_headers")
            if not (text.isascii() and text.isprintable()):
                raise InvalidSecret(f"The value of header {header} has visible ASCII characters.", field="api_headers")
        set_field(secret, "api_headers", headers)


def set_field(secret: object, name: str, value: object) -> None:
    """Normalize a field of a frozen dataclass in its `__post_init__`, in the documented way."""
    object.__setattr__(secret, name, value)


def as_value(value: SecretValue | str | None) -> SecretValue | None:
    """`value` as a `SecretValue`, if it was given as a text."""
    return SecretValue(value) if isinstance(value, str) else value


def needed(value: SecretValue | None, label: str, field_name: str) -> SecretValue:
    """`value`, or `InvalidSecret` if it is missing or empty."""
    if not checked_value(value, label, field_name):
        raise InvalidSecret(f"The {label} is missing.", field=field_name)
    assert value is not None  # noqa: S101 - an empty one was refused
    return value


def curl_header(header: str, prefix: str, value: str) -> list[str]:
    """The words of a curl command that add a header; `value` is a command substitution, so that it is in no text."""
    shown = f"{header}: {prefix} " if prefix else f"{header}: "
    return ["-H", f'"{in_double_quotes(shown)}{value}"']


def curl_query(parameter: str, value: str, prefix: str = "") -> list[str]:
    """The words of a curl command (7.87 or later) that add a query parameter."""
    return ["--url-query", f'"{in_double_quotes(f"{parameter}={prefix}")}{value}"']


def in_double_quotes(text: str) -> str:
    """`text` as it stands between double quotes in a POSIX shell (XCU, 2.2.3)."""
    return "".join(f"\\{character}" if character in '\\"$`' else character for character in text)
