"""Where a secret is really sent: at each connection that is made, whatever the URL looked like."""

from __future__ import annotations

import io
import itertools
import os
import random
import re
from collections.abc import Callable

import httpcore
import httpx
import pytest
import requests
import urllib3

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.transport import CredentialTransport
from flowlet_jupyter.model.hosts import HostRule
from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-5e1f"
IS_LONG = os.environ.get("FLOWLET_SECURITY") == "long"
URLS, PARTS = (20_000, 6) if IS_LONG else (500, 2)  # of each client in each part, which another process may run
RULES = ("api.example", "api.example:8443", "*.wild.example", "127.0.0.1")
ALLOWED = {("api.example", 443), ("api.example", 8443), ("127.0.0.1", 80), ("127.0.0.1", 443)}

SCHEMES = ("https", "https", "https", "http", "HTTPS", "htTps", "https:", "ftp", "javascript", "")
BEFORE = ("", "", "", "ann@", "api.example@", "ann:pw@", "evil.example:443@", "api.example%2f@", "@")
HOSTS = (
    "api.example", "API.Example", "api.example.", "evil.example", "api.example.evil.example", "evilapi.example",
    "api.example%2eevil", "one.wild.example", "wild.example", "one.two.wild.example", "wild.example.evil", "127.0.0.1",
    "127.1", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "localhost", "ａpi.example", "аpi.example",
    "api。example", "api.example\\.evil.example", "api.example\t.evil", "xn--pi-7ba.example", "169.254.169.254", "",
)  # fmt: skip
PORTS = ("", "", "", ":443", ":8443", ":80", ":0443", ":444", ":", ":99999", ":44３")
AFTER = ("", "/", "/me", "//evil.example/", "/..//evil.example", "?x=@evil.example", "#@evil.example", "\\@evil.example",
         "/\r\nHost: evil.example", "/%0d%0aHost:%20evil.example")  # fmt: skip


def is_allowed(host: str, port: int) -> bool:
    """What RULES mean, written down once more: letters, digits, hyphens and underscores, and nothing else."""
    below = re.fullmatch(r"([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+wild\.example", host)
    return (host, port) in ALLOWED or (below is not None and port == 443)


ODD = (*"\t\r\n\0 \\/?#@:;,.%[]{}|^`\"'<>&=+-_~!$*()", "%00", "%2f", "%40", "\u3002", "\uff0e", "\uff0f", "\uff20", "\u2024", "\u00ad",
       "\u200b", "\u202e", "\u0130", "\u00df", "\ud800", "é", "１")  # fmt: skip


class Wire(httpcore.NetworkBackend):
    """Connects to nobody, and remembers which host and port was meant and what was written."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, bytes]] = []

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        return _Stream(self, host, port)


RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class _Stream(httpcore.NetworkStream):
    def __init__(self, wire: Wire, host: str, port: int) -> None:
        self.wire, self.host, self.port = wire, host, port
        self.answer = [RESPONSE]

    def write(self, buffer, timeout=None):
        self.wire.sent.append((self.host, self.port, bytes(buffer)))

    def read(self, max_bytes, timeout=None):
        return self.answer.pop() if self.answer else b""

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        assert server_hostname == self.host
        return self

    def get_extra_info(self, info):
        return None

    def close(self):
        pass


class _Socket:
    """What urllib3 takes for a connected socket."""

    def __init__(self, wire: Wire, host: str, port: int) -> None:
        self.wire, self.host, self.port = wire, host, port

    def sendall(self, content):
        self.wire.sent.append((self.host, self.port, bytes(content)))

    def makefile(self, *_args, **_options):
        return io.BytesIO(RESPONSE)

    def settimeout(self, timeout):
        pass

    def close(self):
        pass


def pools_of(wire: Wire) -> dict[str, type]:
    """urllib3's own seam below everything that reads the URL: the connection classes of each scheme."""

    class Plain(urllib3.connection.HTTPConnection):
        def connect(self):
            self.sock = _Socket(wire, self._dns_host, self.port)

    class Tls(urllib3.connection.HTTPSConnection):
        def connect(self):
            self.sock = _Socket(wire, self._dns_host, self.port)
            self.is_verified = True

    return {
        "http": type("P", (urllib3.HTTPConnectionPool,), {"ConnectionCls": Plain}),
        "https": type("S", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": Tls}),
    }


def urls(count: int, seed: int):
    every = [SCHEMES, BEFORE, HOSTS, PORTS, AFTER]
    shuffled = random.Random(seed)  # noqa: S311 - the same in each process
    for _ in range(count):
        scheme, before, host, port, after = (shuffled.choice(part) for part in every)
        url = f"{scheme}://{before}{host}{port}{after}"
        if shuffled.random() < 0.3:  # a character where nobody would think of one
            at = shuffled.randrange(len(url) + 1)
            url = url[:at] + shuffled.choice(ODD) + url[at + shuffled.randrange(2) :]
        yield url


REFUSED = (
    FlowletError, httpx.HTTPError, httpx.InvalidURL, requests.RequestException, urllib3.exceptions.HTTPError,
    UnicodeError, ValueError,
)  # fmt: skip


def network_of(wire: Wire) -> httpx.HTTPTransport:
    network = httpx.HTTPTransport()
    network._pool._network_backend = wire  # httpcore's own seam, below everything that reads the URL
    return network


def transport(wire: Wire) -> Callable[[str], object]:
    sending = CredentialTransport(network_of(wire), vault=default_vault(), secret_name="api")
    return httpx.Client(transport=sending).get


def httpx_auth(wire: Wire) -> Callable[[str], object]:
    return httpx.Client(transport=network_of(wire), auth=flowlet.auth("api"), trust_env=False).get


def requests_bridge(wire: Wire, auth: object = True) -> Callable[[str], object]:
    session = requests.Session()
    session.trust_env = False
    for adapter in session.adapters.values():
        adapter.poolmanager.pool_classes_by_scheme = pools_of(wire)
    session.auth = flowlet.requests_auth("api") if auth else None
    return session.get


CLIENTS = (transport, httpx_auth, requests_bridge)


@pytest.fixture
def wire():
    flowlet.secrets.add(flowlet.Password(name="api", password=CANARY, allowed_hosts=RULES))
    return Wire()


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_the_credential_is_written_to_allowed_hosts_only(client, part, wire, measured):
    get, connected, reached = client(wire), 0, 0
    for url in urls(URLS, seed=part):
        wire.sent.clear()
        try:
            get(url)
        except REFUSED:
            assert wire.sent == [], url
            continue
        connected += 1
        for host, port, written in wire.sent:
            assert is_allowed(host, port), (url, host, port)
            reached += CANARY.encode() in written
    assert connected > URLS / 100
    assert reached > URLS / 200  # the control: some are allowed, and carry it
    measured("urls", tried=URLS, elsewhere=0)


@pytest.mark.parametrize("library", ["httpx", "requests"])
def test_the_control_without_the_host_rule_would_reach_others(library, wire):
    get = httpx.Client(transport=network_of(wire)).get if library == "httpx" else requests_bridge(wire, auth=False)
    for url in itertools.islice(urls(URLS, seed=0), 500):
        try:
            get(url)
        except (*REFUSED, AssertionError):
            continue
    assert [host for host, port, _ in wire.sent if not is_allowed(host, port)]


@pytest.mark.parametrize(
    "host", ["evil.example\0.wild.example", "a b.wild.example", "o)ne.wild.example", ".wild.example", "a..wild.example"]
)
def test_a_wildcard_matches_nothing_but_host_names(host):
    rule = HostRule(host="wild.example", below=True)
    assert not rule.allows("https", host, 443)
    assert rule.allows("https", "a-1.b_c.wild.example", 443)


@pytest.mark.parametrize("host", ["..wild.example.org", ".wild.example.org", "a..wild.example.org", "wild.example.org"])
def test_a_wildcard_matches_host_names_only(host):
    rule = HostRule(host="wild.example.org", below=True)
    assert not rule.allows("https", host, 443)
    assert rule.allows("https", f"a.{host.lstrip('.').removeprefix('a..')}", 443)


@pytest.mark.parametrize("host", ["1.wild.example.1", "10.0.0.1", "0x7f.0.0.0x1", "wild.7"])
def test_a_wildcard_never_matches_an_address(host):
    below = host.partition(".")[2]
    assert not HostRule(host=below, below=True).allows("https", host, 443)
