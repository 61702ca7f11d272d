"""Where a secret is really sent: at each connection that is made, whatever the URL looked like."""

from __future__ import annotations

import itertools
import os
import random

import httpcore
import httpx
import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.transport import CredentialTransport
from flowlet_jupyter.model.hosts import HostRule
from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-5e1f"
IS_LONG = os.environ.get("FLOWLET_SECURITY") == "long"
URLS = 300_000 if IS_LONG else 2_000
RULES = ("api.example", "api.example:8443", "*.wild.example", "127.0.0.1")
ALLOWED = {("api.example", 443), ("api.example", 8443), ("one.wild.example", 443), ("one.two.wild.example", 443),
           ("127.0.0.1", 80), ("127.0.0.1", 443)}  # fmt: skip

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


class Wire(httpcore.NetworkBackend):
    """Connects to nobody, and remembers which host and port was meant and what was written."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, bytes]] = []

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        return _Stream(self, host, port)


class _Stream(httpcore.NetworkStream):
    def __init__(self, wire: Wire, host: str, port: int) -> None:
        self.wire, self.host, self.port = wire, host, port
        self.answer = [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]

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


def urls(count: int, seed: int):
    every = [SCHEMES, BEFORE, HOSTS, PORTS, AFTER]
    shuffled = random.Random(seed)  # noqa: S311 - the same in each process
    for _ in range(count):
        scheme, before, host, port, after = (shuffled.choice(part) for part in every)
        yield f"{scheme}://{before}{host}{port}{after}"


@pytest.fixture
def sender():
    flowlet.secrets.add(flowlet.Password(name="api", password=CANARY, allowed_hosts=RULES))
    wire = Wire()
    network = httpx.HTTPTransport()
    network._pool._network_backend = wire  # httpcore's own seam, below everything that reads the URL
    with httpx.Client(transport=CredentialTransport(network, vault=default_vault(), secret_name="api")) as client:
        yield client, wire


def test_the_credential_is_written_to_allowed_hosts_only(sender, measured):
    client, wire = sender
    tried = reached = 0
    for url in urls(URLS, seed=12):
        tried += 1
        before = len(wire.sent)
        try:
            client.get(url)
        except (FlowletError, httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError):
            assert wire.sent[before:] == [], url
            continue
        for host, port, written in wire.sent[before:]:
            assert (host, port) in ALLOWED, (url, host, port)
            reached += CANARY.encode() in written
        wire.sent.clear()
    assert reached > tried / 200  # the control: some are allowed, and carry it
    measured("URLs tried", tried)
    measured("URLs that reached an allowed host", reached)


def test_the_control_without_the_host_rule_would_reach_others(sender):
    client, wire = sender
    network = client._transport._network
    with httpx.Client(transport=network) as bare:
        for url in itertools.islice(urls(URLS, seed=12), 500):
            try:
                bare.get(url)
            except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError, AssertionError):
                continue
    assert {(host, port) for host, port, _ in wire.sent} - ALLOWED


@pytest.mark.parametrize("host", ["..wild.example.org", ".wild.example.org", "a..wild.example.org", "wild.example.org"])
def test_a_wildcard_matches_host_names_only(host):
    rule = HostRule(host="wild.example.org", below=True)
    assert not rule.allows("https", host, 443)
    assert rule.allows("https", f"a.{host.lstrip('.').removeprefix('a..')}", 443)


@pytest.mark.parametrize("host", ["1.wild.example.1", "10.0.0.1", "0x7f.0.0.0x1", "wild.7"])
def test_a_wildcard_never_matches_an_address(host):
    below = host.partition(".")[2]
    assert not HostRule(host=below, below=True).allows("https", host, 443)
