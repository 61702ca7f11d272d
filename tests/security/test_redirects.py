"""Redirects from an allowed host to anywhere: the credential goes to no other one, and nothing goes inside."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import requests
from google.auth.transport.requests import AuthorizedSession

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.settings.addresses import is_public

CANARY = "canary-value-5e1f"
PAIR = base64.b64encode(f"ann:{CANARY}".encode()).decode()
IS_LONG = os.environ.get("FLOWLET_SECURITY") == "long"
STATUSES = (301, 302, 303, 307, 308)
TARGETS = (
    "http://localhost:{port}/", "http://127.0.0.2:{port}/", "http://ann@localhost:{port}/", "//localhost:{port}/",
    "http://127.0.0.1:{other}/", "http://localhost:{other}/", "HTTP://LOCALHOST:{port}/", "http://[::1]:{port}/",
    "http://127.1:{port}/", "http://0x7f000001:{port}/", "http://localhost.:{port}/", "http://127.0.0.1:{port}@localhost:{port}/",
    "https://10.0.0.1/", "https://169.254.169.254/", "https://metadata.google.internal/", "http://evil.example/",
    "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "https://localhost:{port}\\@127.0.0.1/", "http://",
)  # fmt: skip


@pytest.fixture
def servers():
    """Two servers that remember host and credential; one redirects to what stands behind /to/STATUS/."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            text = f"{self.path} {self.headers}"
            seen.append((f"{self.headers['Host']}|{self.server.server_port}", CANARY in text or PAIR in text))
            _, _, status, target = (*self.path.partition("?")[0].split("/", 3), "", "", "", "")[:4]
            self.send_response(int(status) if target else 200)
            if target:
                self.send_header("Location", target)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as one, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as two:
        for server in (one, two):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield one.server_port, two.server_port, seen
        one.shutdown()
        two.shutdown()


def flowlet_request(name: str) -> Callable[[str, str], object]:
    return lambda method, url: flowlet.request(method, url, secret=name, timeout=5)


def async_request(name: str) -> Callable[[str, str], object]:
    return lambda method, url: asyncio.run(flowlet.arequest(method, url, secret=name, timeout=5))


def flowlet_client(name: str) -> Callable[[str, str], object]:
    return flowlet.client(name, timeout=5).request


def httpx_auth(name: str) -> Callable[[str, str], object]:
    return httpx.Client(auth=flowlet.auth(name), follow_redirects=True, timeout=5).request


def requests_bridge(name: str) -> Callable[[str, str], object]:
    session = requests.Session()
    session.auth = flowlet.requests_auth(name)
    return lambda method, url: session.request(method, url, timeout=5)


def google_session(name: str) -> Callable[[str, str], object]:
    session = AuthorizedSession(flowlet.google_credentials(name))
    return lambda method, url: session.request(method, url, timeout=5)


OWN = (flowlet_request, async_request, flowlet_client)
BRIDGES = (httpx_auth, requests_bridge, google_session)  # which refuse anything but Authorization
SECRETS = {
    "bearer": lambda url: flowlet.Password(name="key", password=CANARY, base_url=url),
    "basic": lambda url: flowlet.Basic(name="key", username="ann", password=CANARY, base_url=url),
    "header": lambda url: flowlet.Headers(name="key", headers={"X-Key": CANARY}, base_url=url),
    "query": lambda url: flowlet.ApiKey(name="key", key=CANARY, parameter="key", location="query", base_url=url),
    "external": lambda url: flowlet.External(name="key", source="env:CANARY", base_url=url),
}
CASES = [(client, kind) for client in OWN for kind in SECRETS]
CASES += [(client, kind) for client in BRIDGES for kind in ("bearer", "basic", "external")]


@pytest.mark.parametrize(("client", "kind"), CASES, ids=[f"{client.__name__}-{kind}" for client, kind in CASES])
def test_no_redirect_carries_the_credential_elsewhere(client, kind, servers, measured, monkeypatch):
    monkeypatch.setenv("CANARY", CANARY)
    port, other, seen = servers
    own = f"http://127.0.0.1:{port}"
    flowlet.secrets.add(SECRETS[kind](own))
    send = client("key")
    # the other libraries would really connect to the world
    targets = [target for target in TARGETS if client in OWN or "{" in target]
    redirects = [(status, target, method) for status in STATUSES for target in targets for method in ("GET", "POST")]
    if not IS_LONG:  # a part, another one for each case
        redirects = random.Random(f"{client.__name__} {kind}").sample(redirects, 7)  # noqa: S311 - the same in each process
    for status, target, method in redirects:
        url = f"{own}/to/{status}/{target.format(port=port, other=other)}"
        with contextlib.suppress(
            FlowletError, httpx.HTTPError, httpx.InvalidURL, requests.RequestException, UnicodeError
        ):
            send(method, url)
    elsewhere = {host for host, carried in seen if carried} - {f"127.0.0.1:{port}|{port}"}
    assert elsewhere == set()
    assert [carried for _, carried in seen].count(True) >= len(redirects)  # the control: each first request carries it
    measured("redirects", tried=len(redirects), elsewhere=0)


@pytest.mark.parametrize(
    "url",
    [
        "https://printer.local/", "https://wiki.corp/", "https://x.internal/", "https://a.home.arpa/", "https://intranet/",
        "https://nas.lan./", "https://[::ffff:10.0.0.1]/", "https://[::ffff:169.254.169.254]/", "https://10.1.2.3/",
    ],
)  # fmt: skip
def test_an_inside_name_or_address_is_not_public(url, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # so that no name is looked up
    monkeypatch.setenv("NO_PROXY", "")
    assert not is_public(httpx.URL(url))
    assert is_public(httpx.URL("https://storage.example/"))
