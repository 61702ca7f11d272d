"""Faults at the API: a named error or the response itself, one refresh at most, and nothing lost."""

from __future__ import annotations

import asyncio
import gzip
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from servers.faulty import Connection, faulty, token
from servers.oauth_provider import stored

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import RequestFailed

from .conftest import stored_now

pytestmark = pytest.mark.slow

JSON = {"Content_Type": "application/json"}
UNUSABLE = {
    "closed": lambda _: None,
    "reset": Connection.reset,
    "no answer": lambda c: c.stopped.wait(120),
    "no HTTP": lambda c: c.raw.sendall(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
    "cut off": lambda c: c.answer(200, b"{", length=9),
    "a chunk of no size": lambda c: c.raw.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "a header of 200 kB": lambda c: c.answer(200, b"{}", X_Long="x" * 200_000),
    "gzip that is none": lambda c: c.answer(200, b"{}", Content_Encoding="gzip"),
    "a redirect in a circle": lambda c: c.answer(302, Location="/me"),
    "a redirect to nowhere": lambda c: c.answer(302, Location="http://["),
    "a head and no body": lambda c: (
        c.raw.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        c.stopped.wait(120),
    ),
    "endless 1xx": lambda c: c.drip(b"HTTP/1.1 102 Processing\r\n\r\n"),
    "headers that drip": lambda c: (c.raw.sendall(b"HTTP/1.1 200 OK\r\nX-Long: "), c.drip(b"x")),
}
GIVEN_BACK = {
    "500": lambda c: c.answer(500, b"broken"),
    "502 with a page": lambda c: c.answer(502, b"<html>Bad gateway</html>", Content_Type="text/html"),
    "503": lambda c: c.answer(503, b"busy", Retry_After="1"),
    "429": lambda c: c.answer(429, b"slow", Retry_After="1"),
    "nothing": lambda c: c.answer(200),
    "JSON that is cut off": lambda c: c.answer(200, b'{"a": ', **JSON),
    "bytes of no text": lambda c: c.answer(200, bytes(range(256)), **JSON),
    "a page that calls itself JSON": lambda c: c.answer(200, b"<script>alert(1)</script>", **JSON),
    "403 for another reason": lambda c: c.answer(403, b'{"error": "forbidden"}', **JSON),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_api_that_answers_nothing_of_use_is_named_and_costs_no_token(name, fault):
    with faulty(token, UNUSABLE[name]) as server:
        stored(server.url, expires_at=None)
        fault(lambda: flowlet.get("/me", secret="api", timeout=1))
        assert "/token" not in server.paths


@pytest.mark.parametrize("name", ["endless 1xx", "headers that drip"])
def test_an_async_client_waits_no_longer_for_headers(name, fault):
    with faulty(token, UNUSABLE[name]) as server:
        stored(server.url, expires_at=None)
        fault(lambda: asyncio.run(flowlet.aget("/me", secret="api", timeout=1)), RequestFailed)


def _endless(connection):
    connection.raw.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"%x\r\n%s\r\n" % (1_000_000, b"x" * 1_000_000)
    while not connection.stopped.is_set():  # a client that hangs up ends it
        connection.raw.sendall(chunk)


BOMB = gzip.compress(bytes(60_000_000))
TOO_LONG = {"of gzip": lambda c: c.answer(200, BOMB, Content_Encoding="gzip"), "without an end": _endless}


@pytest.mark.parametrize("client", ["httpx", "aiohttp", "sync", "gather"])
@pytest.mark.parametrize("body", TOO_LONG)
def test_a_body_that_is_too_long_for_memory_is_named_and_not_read(body, client, fault, monkeypatch):
    monkeypatch.setattr("flowlet_jupyter.http.response.MAX_BODY_BYTES", 5_000_000)
    monkeypatch.setenv("FLOWLET_TRANSPORT", client)

    def act():
        if client == "gather":
            flowlet.gather(["/me"], secret="api", errors="raise", retry=0)
        elif client == "sync":
            flowlet.get("/me", secret="api", timeout=5)
        else:
            asyncio.run(flowlet.aget("/me", secret="api", timeout=5))

    with faulty(token, TOO_LONG[body]) as server:
        stored(server.url, expires_at=None)
        assert "longer than 5 MB unpacked" in str(fault(act, RequestFailed))
        assert server.paths == ["/me"]


@pytest.mark.parametrize("name", GIVEN_BACK)
def test_an_odd_response_of_an_api_is_given_back_and_costs_no_token(name, withstood):
    with faulty(token, GIVEN_BACK[name]) as server:
        stored(server.url, expires_at=None)
        before = stored_now()
        assert flowlet.get("/me", secret="api", timeout=5).status_code in {200, 403, 429, 500, 502, 503}
        assert (stored_now(), server.paths) == (before, ["/me"])
    withstood()


def test_a_body_that_is_no_json_is_named_when_it_is_asked_for(fault):
    with faulty(token, GIVEN_BACK["JSON that is cut off"]) as server:
        stored(server.url, expires_at=None)
        response = flowlet.get("/me", secret="api", timeout=5)
        fault(response.json, RequestFailed)


@pytest.mark.parametrize("client", ["helper", "requests"])
def test_a_401_with_a_fresh_token_refreshes_once_and_is_given_back(client, withstood):
    with faulty(token, lambda c: c.answer(401, b"{}", **JSON)) as server:
        stored(server.url, expires_at=None)
        if client == "helper":
            status = flowlet.get("/me", secret="api", timeout=5).status_code
        else:
            status = requests.get(f"{server.url}/me", auth=flowlet.requests_auth("api"), timeout=5).status_code
        assert (status, server.paths) == (401, ["/me", "/token", "/me"])
    withstood()


@pytest.mark.parametrize("status", [500, 400])
def test_a_401_whose_refresh_fails_is_named_and_costs_nothing(status, fault):
    with faulty(lambda c: c.answer(status, b"<html>broken</html>", Content_Type="text/html")) as server:
        stored(server.url, expires_at=None)
        fault(lambda: flowlet.get("/me", secret="api", timeout=0.2), flowlet.TokenEndpointError)


def test_401s_at_the_same_time_refresh_once(withstood):
    together = threading.Barrier(8, timeout=30)

    def api(connection):
        if b"Bearer fresh" in connection.request:
            return connection.answer(200)
        together.wait()
        return connection.answer(401)

    with faulty(token, api) as server, ThreadPoolExecutor(8) as pool:
        stored(server.url, expires_at=None)
        asked = [pool.submit(flowlet.get, "/me", secret="api", timeout=30) for _ in range(8)]
        assert [each.result().status_code for each in asked] == [200] * 8
        assert server.paths.count("/token") == 1
    withstood()


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "deflate, gzip", "br", "zstd"])
def test_a_body_that_may_refuse_the_token_is_unpacked_with_a_limit(encoding, withstood):
    bomb = gzip.compress(b" " * 60_000_000)
    for _ in range(encoding.count("gzip") - 1):
        bomb = gzip.compress(bomb)

    def api(connection):
        connection.answer(403, bomb, Content_Encoding=encoding, **JSON)

    with faulty(token, api) as server:
        stored(server.url, expires_at=None)
        with flowlet.client("api") as client:
            tracemalloc.start()
            with client.stream("GET", "/me") as response:
                assert response.status_code == 403
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert server.paths == ["/me"]
    assert peak < 8_000_000
    withstood()
