"""Which requests go through the proxies that the environment names.

httpx's own reading of NO_PROXY fails on `[::1]`, on networks and on some texts with `://`, and then every request fails.
So the proxies come from where httpx takes them (`urllib.request.getproxies`), and who is past them is decided here.
"""

from __future__ import annotations

import ipaddress
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from flowlet_jupyter.model.hosts import is_loopback


@dataclass(frozen=True)
class ProxyBypass:
    """One entry of NO_PROXY: which hosts are asked directly."""

    scheme: str = ""
    host: str = ""  # lower case, in ASCII; empty for every host
    port: int | None = None
    below_only: bool = False  # `.example.org`: the names below it, not itself
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None

    def matches(self, scheme: str, host: str, port: int | None) -> bool:
        """Whether a URL of these parts goes past the proxy."""
        if self.scheme and self.scheme != scheme:
            return False
        if self.port is not None and self.port != (port or {"http": 80, "https": 443}.get(scheme)):
            return False
        if self.network is not None:
            try:
                address = ipaddress.ip_address(host)
            except ValueError:
                return False
            return address.version == self.network.version and address in self.network
        if not self.host:
            return True
        return host.endswith(f".{self.host}") or (host == self.host and not self.below_only)


def parse_bypass(entry: str) -> ProxyBypass | None:
    """An entry of NO_PROXY as curl, httpx and Kubernetes write them; None if it says nothing that can be understood."""
    text = entry.strip().lower()
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "", text
    scheme = "" if scheme == "all" else scheme
    rest = rest.split("/", 1)[0] if separator and not _network(rest) else rest
    if network := _network(rest.removeprefix("[").removesuffix("]")):
        return ProxyBypass(scheme, network=network)
    host, port = rest, None
    if rest.startswith("[") or rest.count(":") == 1:
        try:
            parts = urlsplit(f"//{rest}")
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return None
        if network := _network(host):
            return ProxyBypass(scheme, port=port, network=network)
    below_only = host.startswith((".", "*."))
    host = host.lstrip("*").strip(".")
    if not host and not (separator and scheme):
        return None
    try:
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        return None
    return ProxyBypass(scheme, host, port, below_only)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)  # an address is a network of one
    except ValueError:
        return None


@dataclass(frozen=True)
class ProxySettings:
    """The proxies of the environment: scheme (`http`, `https`, `all`) -> proxy URL, and who goes past them."""

    proxies: Mapping[str, str]
    bypasses: tuple[ProxyBypass, ...] = ()

    def proxy_for(self, url: httpx.URL) -> str | None:
        """The proxy that a request to `url` goes through; None if it goes directly.

        What goes to this machine by http never goes to a proxy, whatever the environment says: it would be read there.
        """
        host = url.raw_host.decode("ascii").rstrip(".")
        if not self.proxies or (url.scheme == "http" and _is_this_machine(host)):
            return None
        if any(bypass.matches(url.scheme, host, url.port) for bypass in self.bypasses):
            return None
        return self.proxies.get(url.scheme) or self.proxies.get("all")


def do_others_ask_a_proxy(url: httpx.URL) -> bool:
    """Whether requests, httpx and the like would hand `url`, which is of this machine, to a proxy of the environment.

    By http it is then read there, with what is on the request.
    """
    host = url.raw_host.decode("ascii").rstrip(".")
    if url.scheme != "http" or not _is_this_machine(host):
        return False
    by_scheme = urllib.request.getproxies()
    return bool(by_scheme.get("http") or by_scheme.get("all")) and not urllib.request.proxy_bypass(host)


def _is_this_machine(host: str) -> bool:
    if host.endswith(".localhost") or is_loopback(host):  # RFC 6761, 6.3
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_unspecified or (mapped is not None and mapped.is_loopback)


def proxy_settings() -> ProxySettings:
    """What HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say, or the system's settings on Windows and macOS."""
    by_scheme = urllib.request.getproxies()
    proxies = {
        scheme: by_scheme[scheme] if "://" in by_scheme[scheme] else f"http://{by_scheme[scheme]}"
        for scheme in ("http", "https", "all")
        if by_scheme.get(scheme)
    }
    entries = [entry.strip() for entry in by_scheme.get("no", "").split(",")]
    if "*" in entries:
        return ProxySettings({})
    bypasses = tuple(bypass for entry in entries if entry and (bypass := parse_bypass(entry)) is not None)
    return ProxySettings(proxies, bypasses)
