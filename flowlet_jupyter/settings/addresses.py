"""Whether an address is of the public network, or leads into this machine or the network that it stands in."""

from __future__ import annotations

import ipaddress
import socket

import httpx

from flowlet_jupyter.model.hosts import is_numeric
from flowlet_jupyter.settings.proxies import proxy_settings

_PRIVATE_SUFFIXES = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home.arpa", ".corp", ".home")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# what `is_global` of some Python takes for public: deprecated, translated and reserved networks, and the addresses by
# which machines in Azure's and Oracle's clouds ask for what they are
_INSIDE = tuple(map(ipaddress.ip_network, (
    "168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2001::/23",
    "3fff::/20", "5f00::/16", "fec0::/10",
)))  # fmt: skip


def is_public(url: httpx.URL | str) -> bool:
    """Whether the host of `url` is public, by its name and by what it is looked up as; no URL of httpx's is none."""
    try:
        url = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        return False
    host = url.raw_host.decode("ascii").rstrip(".").lower()
    try:
        return _is_public_address(host)
    except ValueError:
        pass
    if "." not in host or host.endswith(_PRIVATE_SUFFIXES) or is_numeric(host):
        return False
    if proxy_settings().proxy_for(url) is not None:
        return True  # the proxy looks the name up, and may be the only one who can
    try:
        addresses = socket.getaddrinfo(host, url.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True  # connecting fails too, and says so
    return all(_is_public_address(str(entry[4][0]).partition("%")[0]) for entry in addresses)


def _is_public_address(text: str) -> bool:
    address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        in_nat64 = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
        address = address.ipv4_mapped or address.sixtofour or in_nat64 or address
    is_inside = any(address.version == network.version and address in network for network in _INSIDE)
    return address.is_global and not address.is_multicast and not is_inside
