"""What the fields of a secret may hold, whatever its kind. Pure checks that raise `InvalidSecret`."""

from __future__ import annotations

import unicodedata
from typing import Protocol
from urllib.parse import urlsplit

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.hosts import default_rule, is_loopback, parse_host_rule
from flowlet_jupyter.secret_value import SecretValue

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
    given = tuple(entry.strip() for entry in secret.allowed_hosts if entry.strip())
    if not given:
        given = tuple(dict.fromkeys(default_rule(url) for url in defaults if url))
    if not given:
        raise InvalidSecret(
            f"Secret '{secret.name}' needs the allowed hosts: without them it could be sent anywhere.",
            field="allowed_hosts",
        )
    return tuple(str(parse_host_rule(entry)) for entry in given)


def check_shared_fields(secret: Named, *default_host_urls: str | None) -> None:
    """Normalize the fields that every secret has."""
    set_field(secret, "name", checked_name(secret.name))
    if secret.base_url is not None:
        base_url = secret.base_url.strip()
        set_field(secret, "base_url", checked_endpoint(base_url, "base_url") if base_url else None)
    if secret.openapi and "://" in secret.openapi:
        set_field(secret, "openapi", checked_endpoint(secret.openapi, "openapi"))
    if isinstance(secret.allowed_hosts, str):
        raise InvalidSecret("allowed_hosts is a list of hosts.", field="allowed_hosts")
    set_field(secret, "allowed_hosts", _checked_hosts(secret, *default_host_urls, secret.base_url))


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
