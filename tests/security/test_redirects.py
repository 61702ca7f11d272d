"""Redirects from an allowed host to anywhere: the credential goes to no other one, and nothing goes inside."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.redirects import _is_public

CANARY = "canary-value-5e1f"
ROUNDS = 20 if os.environ.get("FLOWLET_SECURITY") == "long" else 1
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
            seen.append((f"{self.headers['Host']}|{self.server.server_port}", CANARY in str(self.headers)))
            _, _, status, target = (*self.path.split("/", 3), "", "", "", "")[:4]
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


def test_no_redirect_carries_the_credential_elsewhere(servers, measured):
    port, other, seen = servers
    own = f"127.0.0.1:{port}"
    for name, secret in (
        ("bearer", flowlet.Password(name="bearer", password=CANARY, base_url=f"http://{own}")),
        ("header", flowlet.Headers(name="header", headers={"X-Key": CANARY}, base_url=f"http://{own}")),
    ):
        flowlet.secrets.add(secret)
        for _ in range(ROUNDS):
            for status in STATUSES:
                for target in TARGETS:
                    for method in ("GET", "POST"):
                        try:
                            flowlet.request(
                                method, f"/to/{status}/{target.format(port=port, other=other)}", secret=name, timeout=5
                            )
                        except (FlowletError, httpx.HTTPError):
                            continue
    with_credential = {host for host, carried in seen if carried}
    assert with_credential == {f"{own}|{port}"}  # which is the control, too
    measured("redirects", tried=2 * 2 * ROUNDS * len(STATUSES) * len(TARGETS), elsewhere=0)


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
    assert not _is_public(httpx.URL(url))
    assert _is_public(httpx.URL("https://storage.example/"))
