"""What `logging.getLogger("flowlet_jupyter")` says at DEBUG: what happened to which secret, and no value."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from leak_search import leaks

import flowlet_jupyter as flowlet
from flowlet_jupyter.testing import put_secret

VALUES = ["canary-access-5e1f", "canary-refresh-5e1f", "canary-client-5e1f"]


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, logger="flowlet_jupyter")
    yield caplog
    text = caplog.text + repr([record.__dict__ for record in caplog.records])
    assert leaks({"log": text.encode()}, VALUES) == []


def test_a_refresh_and_a_401_are_told(log, flowlet_secret):
    log.clear()
    stored = flowlet_secret.vault.get("birdsong")
    VALUES.extend([stored.token_set.access_token.reveal(), stored.token_set.refresh_token.reveal()])
    put_secret(stored.secret, access_token="canary-access-5e1f", refresh_token=stored.token_set.refresh_token)
    assert flowlet.get("/2/users/me", secret="birdsong").status_code == 200
    VALUES.append(flowlet_secret.token().reveal())
    for event in ("refresh of secret 'birdsong' started", "'birdsong' stored", "access token refused, sent again"):
        assert event in log.text


def test_a_refused_grant_is_told(log, flowlet_secret):
    secret = flowlet_secret.vault.get("birdsong").secret
    put_secret(
        secret, access_token="canary-access-5e1f", refresh_token="canary-refresh-5e1f", expires_at=time.time() - 9
    )
    with pytest.raises(flowlet.AuthRequired):
        flowlet.get("/2/users/me", secret="birdsong")
    assert "grant of secret 'birdsong' refused" in log.text


def test_waiting_for_a_lock_is_told(log, flowlet_session):
    vault, done = flowlet_session.vault, threading.Event()

    def wait():
        with vault.lock("x"):
            done.set()

    with vault.lock("x"):
        thread = threading.Thread(target=wait)
        thread.start()
        end = time.monotonic() + 30
        while "lock of secret 'x' waited for" not in log.text and time.monotonic() < end:
            time.sleep(0.01)
        assert not done.is_set()
    thread.join(30)
    assert done.is_set()
    assert "lock of secret 'x' waited for" in log.text


@pytest.mark.parametrize("kind", ["header", "query"])
@pytest.mark.parametrize("status", [200, 302, 404])
@pytest.mark.parametrize("way", ["get", "aget"])
def test_no_librarys_log_has_what_an_api_repeats(way, status, kind, caplog):
    """In a header of the response, in an address, or in the reason phrase."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            sent = f"{self.path} {self.headers['X-Key']}"
            self.send_response(status, f"you sent {sent}")
            self.send_header("X-Seen", sent)
            self.send_header("Location", f"/elsewhere?key={VALUES[0]}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    for name in (None, "httpx", "httpcore", "httpcore.http11", "h11"):
        caplog.set_level(1, logger=name)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        location = {"header": {"parameter": "X-Key"}, "query": {"parameter": "key", "location": "query"}}[kind]
        flowlet.secrets.add(flowlet.ApiKey(name="key", key=VALUES[0], base_url=url, **location))
        if way == "get":
            flowlet.get("/first", secret="key", follow_redirects=False)
        else:
            asyncio.run(flowlet.aget("/first", secret="key", follow_redirects=False))
        server.shutdown()
    assert "HTTP Request: GET" in caplog.text
    assert "send_request_headers" in caplog.text
    assert leaks({"log": (caplog.text + repr([vars(each) for each in caplog.records])).encode()}, VALUES) == []
