"""May this secret go to this URL? Pure text rules over the host and port that are really connected to."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from flowlet_jupyter.errors import HostNotAllowed, InvalidSecret

DEFAULT_PORTS = {"https": 443, "http": 80}
# RFC 952/1123 letters, digits, hyphens; underscores occur in real names. Non-ASCII names are written as xn--.
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)


@dataclass(frozen=True)
class HostRule:
    """One entry of a secret's allowed hosts: `host`, `host:port`, or `*.example.org` for all names below it.

    `port` None means the default port of the URL's scheme.
    """

    host: str
    port: int | None = None
    below: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'*.' if self.below else ''}{host}{'' if self.port is None else f':{self.port}'}"

    def allows(self, scheme: str, host: str, port: int) -> bool:
        """Whether a connection to `host` and `port` under `scheme` is meant by this rule."""
        if port != (DEFAULT_PORTS[scheme] if self.port is None else self.port):
            return False
        if not self.below:
            return host == self.host
        # a name that no host can have may be read as another one below: by a resolver that stops at a NUL, say
        return host.endswith("." + self.host) and not is_numeric(host) and _HOST_NAME.fullmatch(host) is not None


def is_numeric(host: str) -> bool:
    """Whether `host` is an address, or would be read as one (URL standard: a last label of digits or hex digits)."""
    last = host.rstrip(".").rpartition(".")[2]
    return ":" in host or re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last) is not None


@functools.lru_cache(maxsize=1000)  # every request asks for the rules of its secret
def parse_host_rule(text: str) -> HostRule:
    """The rule that `text` writes down, or `InvalidSecret`."""
    entry = text.strip().lower()
    below = entry.startswith("*.")
    name = entry.removeprefix("*.")
    port: int | None = None
    matched = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?", name)
    if matched:
        name = matched[1]
        port = int(matched[2]) if matched[2] else None
    try:
        host = str(ipaddress.ip_address(name.removeprefix("[").removesuffix("]")))
        is_address = True
    except ValueError:
        host, is_address = name, False
    valid = matched and (is_address or _HOST_NAME.fullmatch(host)) and not (port is not None and not 0 < port < 65536)
    if not valid:
        raise InvalidSecret(
            f"'{text}' is not a host. Write it as api.example.com, api.example.com:8443 or *.example.com, "
            "without https:// and path; a name with other letters in its xn-- form.",
            field="allowed_hosts",
        )
    if below and (is_address or "." not in host or is_numeric(host)):
        raise InvalidSecret(
            f"'{text}' would allow too much: a wildcard needs a domain of its own, such as *.example.com.",
            field="allowed_hosts",
        )
    return HostRule(host=host, port=port, below=below)


def default_rule(url: str) -> str:
    """The allowed host that an endpoint or base URL stands for: its host, with its port unless that is the default."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    port = parts.port
    return shown if port is None or port == DEFAULT_PORTS.get(parts.scheme) else f"{shown}:{port}"


@functools.lru_cache(maxsize=1000)  # every request asks, of one host or a few
def is_loopback(host: str) -> bool:
    """Whether `host` is this machine by name or address (`localhost`, 127.0.0.0/8, ::1)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_destination(secret_name: str, rules: Iterable[HostRule], *, scheme: str, host: str, port: int | None) -> None:
    """Raise `HostNotAllowed` unless the secret may be sent to this destination.

    `host` is the name that the connection is really made to: lower case, in ASCII, without brackets.
    """
    rules = tuple(rules)
    fix = f"edit the secret: %flowlet_secret {secret_name}"
    if scheme not in DEFAULT_PORTS or not host:
        raise HostNotAllowed(f"Secret '{secret_name}' is only sent over https; this URL is not one.")
    connected = DEFAULT_PORTS[scheme] if port is None else port
    if not any(rule.allows(scheme, host, connected) for rule in rules):
        shown = f"[{host}]" if ":" in host else host
        target = shown if connected == DEFAULT_PORTS[scheme] else f"{shown}:{connected}"
        raise HostNotAllowed(
            f"Secret '{secret_name}' may not be sent to {target}. "
            f"It is allowed for {', '.join(map(str, rules))}; to allow another host, {fix}"
        )
    if scheme == "http" and not is_loopback(host):
        raise HostNotAllowed(
            f"Secret '{secret_name}' is not sent over http://, where anybody on the way could read it. Use https://{host}."
        )
