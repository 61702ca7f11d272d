"""Faults at the token endpoint: a named error in time, the stored grant untouched; or the odd response is taken."""

from __future__ import annotations

import gzip
import json
import socket
import tracemalloc

import pytest
from servers.faulty import FRESH, Connection, faulty, token
from servers.oauth_provider import stored

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import AuthRequired, TokenEndpointError
from flowlet_jupyter.oauth import endpoint
from flowlet_jupyter.oauth.refresh import refresh_once, wait_for
from flowlet_jupyter.vault import default_vault

from .conftest import stored_now

pytestmark = pytest.mark.slow

JSON = {"Content_Type": "application/json"}
HTML = {"Content_Type": "text/html"}
GOOD = json.dumps(FRESH).encode()


def endless(connection: Connection) -> None:
    connection.raw.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.drip(b"400\r\n" + b" " * 1024 + b"\r\n")


def body_that_drips(connection: Connection) -> None:
    connection.raw.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    connection.drip(b" ")


def headers_that_drip(connection: Connection) -> None:
    connection.raw.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    connection.drip(b"x")


FAULTS = {
    "500": lambda c: c.answer(500, b"broken"),
    "500 with an OAuth error": lambda c: c.answer(500, b'{"error": "invalid_grant"}', **JSON),
    "501": lambda c: c.answer(501),
    "502 with a page": lambda c: c.answer(502, b"<html><h1>Bad gateway</h1></html>", **HTML),
    "503": lambda c: c.answer(503, b"busy", Retry_After="1"),
    "503 for ten years": lambda c: c.answer(503, b"busy", Retry_After="315360000"),
    "503 until an odd date": lambda c: c.answer(503, b"busy", Retry_After="tomorrow"),
    "504": lambda c: c.answer(504),
    "429": lambda c: c.answer(429, b'{"error": "slow_down"}', **JSON),
    "408": lambda c: c.answer(408),
    "a status that nobody knows": lambda c: c.answer(799, b"?"),
    "a login page with a 200": lambda c: c.answer(200, b"<html>Log in</html>", **HTML),
    "a page with a 400": lambda c: c.answer(400, b"<html>Bad request</html>", **HTML),
    "a page with a 401": lambda c: c.answer(401, b"<html>Log in to the proxy</html>", **HTML),
    "a page with a 403": lambda c: c.answer(403, b"<html>Blocked</html>", **HTML),
    "a gateway's 404": lambda c: c.answer(404, b'{"message": "no route", "code": 404}', **JSON),
    "a gateway's 405": lambda c: c.answer(405, b'{"error": "method_not_allowed"}', **JSON),
    "a gateway's 413": lambda c: c.answer(413, b'{"error": "too_large"}', **JSON),
    "nothing with a 200": lambda c: c.answer(200),
    "nothing with a 204": lambda c: c.raw.sendall(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "JSON that is cut off": lambda c: c.answer(200, GOOD[:-5], **JSON),
    "a body that is cut off": lambda c: c.answer(200, GOOD[:-5], length=len(GOOD), **JSON),
    "a chunk that is cut off": lambda c: c.raw.sendall(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + GOOD[:20]
    ),
    "a chunk of no size": lambda c: c.raw.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "a list": lambda c: c.answer(200, b"[1, 2]", **JSON),
    "a text": lambda c: c.answer(200, b'"fresh"', **JSON),
    "a number of 10,000 digits": lambda c: c.answer(200, b'{"expires_in": ' + b"9" * 10_000 + b"}", **JSON),
    "10,000 levels": lambda c: c.answer(200, b'{"a": ' * 10_000 + b"}" * 10_000, **JSON),
    "UTF-16": lambda c: c.answer(200, b"\x00" + GOOD.decode().encode("utf-16-le"), **JSON),
    "bytes of no text": lambda c: c.answer(200, bytes(range(256)) * 10, **JSON),
    "10 MB": lambda c: c.answer(200, GOOD[:-1] + b" " * 10_000_000 + b"}", **JSON),
    "10 MB and no length": lambda c: c.raw.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 10_000_000),
    "a gzip bomb": lambda c: c.answer(200, gzip.compress(b" " * 50_000_000), Content_Encoding="gzip", **JSON),
    "gzip that is cut off": lambda c: c.answer(200, gzip.compress(GOOD)[:-9], Content_Encoding="gzip", **JSON),
    "gzip that is none": lambda c: c.answer(200, GOOD, Content_Encoding="gzip", **JSON),
    "an encoding that was not asked for": lambda c: c.answer(200, GOOD, Content_Encoding="br", **JSON),
    "a header of 200 kB": lambda c: c.answer(200, GOOD, X_Long="x" * 200_000, **JSON),
    "200,000 headers": lambda c: c.raw.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200_000 + b"\r\n" + GOOD),
    "no HTTP": lambda c: c.raw.sendall(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
    "two lengths": lambda c: c.raw.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 7\r\n\r\n" + GOOD),
    "a length of -1": lambda c: c.answer(200, GOOD, length=-1),
    "the connection closed": lambda _: None,
    "the connection reset": Connection.reset,
    "endless 1xx": lambda c: c.drip(b"HTTP/1.1 102 Processing\r\n\r\n"),
    "headers that drip": headers_that_drip,
    "a body that drips": body_that_drips,
    "a body without an end": endless,
    "no answer": lambda c: c.stopped.wait(120),
    "a head and no body": lambda c: (c.raw.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), c.stopped.wait(120)),
    **{
        f"a {status} to another host": lambda c, status=status: c.answer(
            status, b'{"error": "moved"}', Location="https://evil.example/token", **JSON
        )
        for status in (300, 301, 302, 303, 304, 307, 308)
    },
    "an error for now in a 200": lambda c: c.answer(200, b'{"error": "temporarily_unavailable"}', **JSON),
    "invalid_client": lambda c: c.answer(401, b'{"error": "invalid_client"}', **JSON),
    "unauthorized_client": lambda c: c.answer(400, b'{"error": "unauthorized_client"}', **JSON),
    "an error that steers a terminal": lambda c: c.answer(
        400, json.dumps({"error": "invalid_client", "error_description": "\x1b[2J\x07 \u202egone\ud800\n\n"}).encode(), **JSON
    ),
    "no access token": lambda c: token(c, access_token=None),
    "an access token that is a number": lambda c: token(c, access_token=7),
    "an access token that is a list": lambda c: token(c, access_token=["fresh"]),
    "an access token with a line break": lambda c: token(c, access_token="fresh\r\nX-Evil: 1"),
    "an access token with a space": lambda c: token(c, access_token="fresh fresh"),
    "an access token in Greek": lambda c: token(c, access_token="φρέσκο"),
    "a token of another type": lambda c: token(c, token_type="mac"),
    "an access token that is too long": lambda c: token(c, access_token="x" * 900_000),
    "a refresh token that is too long": lambda c: token(c, refresh_token="x" * 900_000),
    "a scope that is too long": lambda c: token(c, scope="x " * 400_000),
    "a refresh token with a line break": lambda c: token(c, refresh_token="r2\r\nX: 1"),
    "a refresh token of half a character": lambda c: token(c, refresh_token="r2\ud800"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_token_endpoint_is_named_and_costs_nothing(name, fault, monkeypatch):
    monkeypatch.setattr(endpoint, "DEADLINE_SECONDS", 1.0)
    with faulty(FAULTS[name]) as server:
        stored(server.url)
        error = fault(
            lambda: wait_for(refresh_once(default_vault(), "api", stale=None, patience=0)), TokenEndpointError
        )
    assert "'api'" in str(error)
    assert set(server.paths) == {"/token"}


@pytest.mark.parametrize("address", ["a closed port", "no TLS", "no such host"])
def test_a_provider_that_is_not_there_is_named_and_costs_nothing(address, fault):
    with faulty(token) as server, socket.create_server(("127.0.0.1", 0)) as closed:
        urls = {
            "a closed port": f"http://127.0.0.1:{closed.getsockname()[1]}/token",
            "no TLS": f"https://127.0.0.1:{server.port}/token",
            "no such host": "https://nothing.invalid/token",
        }
        if address == "a closed port":
            closed.close()
        stored(server.url, token_endpoint=urls[address])
        error = fault(
            lambda: wait_for(refresh_once(default_vault(), "api", stale=None, patience=0)), TokenEndpointError
        )
    assert "could not be reached" in str(error)


def test_a_grant_that_is_refused_is_said_and_the_secret_stays(fault):
    with faulty(lambda c: c.answer(400, b'{"error": "invalid_grant"}', **JSON)) as server:
        stored(server.url)
        fault(lambda: flowlet.get("/me", secret="api"), AuthRequired, kept=False)
    assert stored_now().secret.client_secret
    assert flowlet.secrets["api"].status().state == "needs_authorization"


ODD = {
    "no expires_in": {"expires_in": None},
    "expires_in as a text": {"expires_in": "3600"},
    "expires_in of 0": {"expires_in": 0},
    "expires_in of -1": {"expires_in": -1},
    "expires_in of 1e12": {"expires_in": 1e12},
    "expires_in beyond all floats": {"expires_in": "1e400"},
    "expires_in in words": {"expires_in": "soon"},
    "expires_in as an object": {"expires_in": {"seconds": 3600}},
    "expires_at in the year 1": {"expires_in": None, "expires_at": "0001-01-01T00:00:00"},
    "expires_at in the year 9999": {"expires_in": None, "expires_at": "9999-12-31T23:59:59+14:00"},
    "no token_type": {"token_type": None},
    "BEARER": {"token_type": "BEARER"},
    "token_type as an object": {"token_type": {"type": "bearer"}},
    "a scope in a list": {"scope": ["a", None, 1]},
    "a scope that steers a terminal": {"scope": "a\x1b[2J\ud800"},
    "no refresh token": {"refresh_token": None},
    "a refresh token that is a number": {"refresh_token": 7},
    "an ID token of no use": {"id_token": "e30.e30."},
    "an error that is none": {"error": None, "errors": []},
    "members in thousands": {f"member{n}": n for n in range(5000)},
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_response_is_taken(name, withstood):
    with faulty(lambda c: token(c, **ODD[name])) as server:
        stored(server.url)
        assert flowlet.get("/me", secret="api").status_code == 200
        record = stored_now()
        assert record.token_set.access_token.reveal() == "fresh"
        assert record.token_set.refresh_token is not None
        assert flowlet.secrets["api"].status().summary().isprintable()
        assert server.paths == ["/token", "/me"]
    withstood()


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/octet-stream", ""])
def test_a_token_of_another_media_type_is_taken(kind, withstood):
    with faulty(lambda c: c.answer(200, b"\xef\xbb\xbf" + GOOD if kind else GOOD, Content_Type=kind)) as server:
        stored(server.url)
        assert flowlet.get("/me", secret="api").status_code == 200
    withstood()


def test_a_response_that_is_lost_is_asked_for_once_more_with_the_same_refresh_token(withstood):
    tokens = []

    def lose_the_first(connection):
        tokens.append(connection.request.rpartition(b"\r\n")[2])
        if len(tokens) > 1:
            token(connection)

    with faulty(lose_the_first) as server:
        stored(server.url)
        assert flowlet.get("/me", secret="api").status_code == 200
    assert tokens[0] == tokens[1]
    assert b"refresh_token=r1" in tokens[0]
    withstood()


@pytest.mark.parametrize("name", ["10 MB and no length", "a gzip bomb", "a body without an end"])
def test_a_body_without_measure_takes_no_memory(name, monkeypatch):
    monkeypatch.setattr(endpoint, "DEADLINE_SECONDS", 1.0)
    with faulty(FAULTS[name]) as server:
        stored(server.url)
        tracemalloc.start()
        with pytest.raises(TokenEndpointError):
            wait_for(refresh_once(default_vault(), "api", stale=None, patience=0))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 80_000_000  # of which the server's own body is 10 or 50 million
