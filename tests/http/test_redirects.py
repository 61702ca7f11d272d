"""A redirect reaches storage without the secret, and nothing inside; cookies live for one chain."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import itertools
import select
import socket
import ssl
import threading

import httpx
import pytest
import trustme

import flowlet_jupyter as flowlet
from flowlet_jupyter.http import client as client_module
from flowlet_jupyter.notebook.display.summary import status_line

CANARY = "canary-value-5e1f"
KINDS = {
    "password": lambda: flowlet.Password(name="api", password=CANARY, base_url="https://api.example"),
    "basic": lambda: flowlet.Basic(name="api", username="ann", password=CANARY, base_url="https://api.example"),
    "headers": lambda: flowlet.Headers(name="api", headers={"X-Key": CANARY}, base_url="https://api.example"),
    "external": lambda: flowlet.External(name="api", source="env:CANARY", header="X-Key", scheme="",
                                         base_url="https://api.example"),
}  # fmt: skip


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        host = self.headers["Host"]
        self.server.seen.append((self.command, host, self.path, dict(self.headers)))
        status, location = 200, None
        if self.path.startswith("/to/"):
            status, location = int(self.path[4:7]), self.path[8:]
        self.send_response(status)
        if location:
            self.send_header("Location", location)
            self.send_header("Set-Cookie", "session=of-the-chain; Path=/")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else b"{}")

    do_POST = do_HEAD = do_GET

    def log_message(self, *_):
        pass


class _Proxy(http.server.BaseHTTPRequestHandler):
    """Leads every CONNECT to the one server, whatever its name: so tests have public hosts."""

    def do_CONNECT(self):
        self.send_response(200)
        self.end_headers()
        with socket.create_connection(("127.0.0.1", self.server.target)) as upstream:
            pair = {self.connection: upstream, upstream: self.connection}
            with contextlib.suppress(OSError):
                while True:
                    for ready in select.select(list(pair), [], [], 20)[0]:
                        data = ready.recv(65536)
                        if not data:
                            return
                        pair[ready].sendall(data)
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def world(tmp_path, monkeypatch):
    """api.example and storage.example by https, behind a proxy."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.example", "storage.example").configure_cert(context)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.seen = []
    server.socket = context.wrap_socket(server.socket, server_side=True)
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Proxy)
    proxy.daemon_threads = server.daemon_threads = True
    proxy.target = server.server_port
    for each in (server, proxy):
        threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("CANARY", CANARY)
    client_module.shared_ssl_context.cache_clear()
    yield server
    client_module.shared_ssl_context.cache_clear()
    for each in (server, proxy):
        each.shutdown()
        each.server_close()


@pytest.mark.parametrize(("kind", "status"), list(itertools.product(KINDS, [301, 302, 303, 307, 308])))
def test_storage_is_reached_without_any_credential(world, kind, status):
    flowlet.secrets.add(KINDS[kind]())
    response = flowlet.get(
        f"/to/{status}/https://storage.example/a.zip?sig=1", secret="api", headers={"X-Mine": "m", "Range": "bytes=0-"}
    )
    assert response.status_code == 200
    (_, _, _, at_api), (_, host, path, at_storage) = world.seen
    assert "X-Mine" in at_api
    assert (host, path) == ("storage.example", "/a.zip?sig=1")
    assert CANARY not in str(at_storage)
    assert {name.lower() for name in at_storage} <= {"host", "accept", "accept-encoding", "connection", "user-agent",
                                                    "range"}  # fmt: skip
    assert response.sent_without_secret_to == "storage.example"
    assert "redirected to storage.example, without the secret" in status_line(response)


@pytest.mark.parametrize("target", [
    "http://storage.example/", "https://127.0.0.1/", "http://127.0.0.1:1/", "https://localhost/", "https://10.0.0.1/",
    "https://[::1]/", "https://[fd00::1]/", "https://[fe80::1]/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/",
    "https://metadata.google.internal/", "https://printer.local/", "https://intranet/", "https://100.64.0.1/",
    "https://ann:pw@storage.example/", f"https://storage.example/?t={CANARY}",
])  # fmt: skip
def test_nothing_inside_and_nothing_without_https_is_reached(world, target):
    flowlet.secrets.add(KINDS["password"]())
    with pytest.raises(flowlet.HostNotAllowed):
        flowlet.get(f"/to/302/{target}", secret="api")
    assert [host for _, host, _, _ in world.seen] == ["api.example"]


@pytest.mark.parametrize(
    ("method", "status", "goes_on"), [("POST", 307, False), ("POST", 303, True), ("HEAD", 302, True)]
)
def test_only_reading_goes_on(world, method, status, goes_on):
    flowlet.secrets.add(KINDS["password"]())
    if goes_on:
        assert flowlet.request(method, f"/to/{status}/https://storage.example/a", secret="api").status_code == 200
    else:
        with pytest.raises(flowlet.HostNotAllowed):
            flowlet.request(method, f"/to/{status}/https://storage.example/a", secret="api", content=b"x")
    assert len(world.seen) == 1 + goes_on


def test_a_request_by_hand_to_another_host_is_still_refused(world):
    flowlet.secrets.add(KINDS["password"]())
    with pytest.raises(flowlet.HostNotAllowed):
        flowlet.get("https://storage.example/a", secret="api")
    assert world.seen == []


def test_cookies_are_of_one_chain(world):
    flowlet.secrets.add(KINDS["password"]())
    flowlet.get("/to/302/https://api.example/in", secret="api")
    assert world.seen[1][3]["Cookie"] == "session=of-the-chain"
    flowlet.get("/to/302/https://storage.example/out", secret="api")
    flowlet.get("/later", secret="api")
    assert all("Cookie" not in headers for _, _, _, headers in world.seen[2:])


def test_who_has_left_does_not_come_back_with_the_secret(world):
    flowlet.secrets.add(KINDS["password"]())
    flowlet.get("/to/302/https://storage.example/to/302/https://api.example/me", secret="api")
    assert [host for _, host, _, _ in world.seen] == ["api.example", "storage.example", "api.example"]
    assert [CANARY in str(headers) for _, _, _, headers in world.seen] == [True, False, False]


@pytest.mark.usefixtures("async_transport")
def test_the_async_client_does_the_same(world):
    async def ask() -> None:
        async with flowlet.async_client("api") as client:
            assert isinstance(client, httpx.AsyncClient)
            assert (await client.get("/to/302/https://storage.example/a")).status_code == 200
            with pytest.raises(flowlet.HostNotAllowed):
                await client.get("/to/302/https://127.0.0.1/a")

    flowlet.secrets.add(KINDS["headers"]())
    asyncio.run(ask())
    assert [CANARY in str(headers) for _, _, _, headers in world.seen] == [True, False, True]
