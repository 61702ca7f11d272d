"""What is tried again, and how long an API asks to wait."""

from __future__ import annotations

import asyncio
import datetime
import email.utils
import json
import socket
import threading

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.http import retries
from flowlet_jupyter.http.rate_limit import rate_limit_of, retry_after_of

BODY = json.dumps({"data": [{"id": 1, "pad": "x" * 500}]}).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture
def flaky():
    """A server whose first body of each path is cut, lacks a chunk, or stalls."""
    tries: dict[str, int] = {}
    ended = threading.Event()

    def talk(connection: socket.socket) -> None:
        with connection:
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536) or b"\r\n\r\n"
            path = [*data.split(b" "), b""][1].decode()
            tries[path] = tries.get(path, 0) + 1
            whole = HEAD + f"Content-Length: {len(BODY)}\r\n\r\n".encode()
            if tries[path] > 1:
                connection.sendall(whole + BODY)
            elif "chunk" in path:
                connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n64\r\n" + BODY[:100] + b"\r\n")
            else:
                connection.sendall(whole + BODY[:100])
                if "stall" in path:
                    ended.wait(30)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    ended.set()
    listener.close()


CALLS = {
    "get": lambda url: flowlet.get(url, retry=3, timeout=1).json()["data"][0],
    "aget": lambda url: asyncio.run(flowlet.aget(url, retry=3, timeout=1)).json()["data"][0],
    "paginate": lambda url: flowlet.paginate(url, progress=False, timeout=1).read_all().records[0],
    "gather": lambda url: flowlet.gather([url], timeout=1).responses[0].json()["data"][0],
}


@pytest.mark.slow  # waits as long as it is asked to
@pytest.mark.parametrize("kind", ["cut", "chunk", "stall"])
@pytest.mark.parametrize("call", CALLS)
def test_a_body_that_ends_too_early_is_asked_for_again(flaky, call, kind, monkeypatch):
    monkeypatch.setattr(retries, "_BACKOFF_SECONDS", 0.01)
    assert CALLS[call](f"{flaky}/{kind}")["id"] == 1


def test_without_retry_it_is_an_error(flaky):
    with pytest.raises(flowlet.RequestFailed):
        flowlet.get(f"{flaky}/cut")


NOW = 1_800_000_000.0
DATE = datetime.datetime.fromtimestamp(NOW + 90, datetime.UTC)


@pytest.mark.parametrize("text", ["90", "90.0", str(NOW + 90), str(int(NOW + 90) * 1000), "1m30s", DATE.isoformat(),
                                  email.utils.format_datetime(DATE, usegmt=True)])  # fmt: skip
def test_a_wait_is_read_in_every_form(text):
    assert retry_after_of({"retry-after": text}, now=NOW) == pytest.approx(90)
    limit = rate_limit_of({"x-ratelimit-remaining": "0", "x-ratelimit-reset": text}, now=NOW)
    assert limit is not None
    assert limit.resets_at == pytest.approx(NOW + 90)


def test_milliseconds_have_a_header_of_their_own():
    assert retry_after_of({"retry-after-ms": "1500", "retry-after": "2"}, now=NOW) == 1.5


@pytest.mark.parametrize("text", ["", "soon", "nan", "-5x"])
def test_what_cannot_be_read_asks_for_nothing(text):
    assert retry_after_of({"retry-after": text}, now=NOW) is None
