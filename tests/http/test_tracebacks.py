"""No frame of a traceback that a user sees holds the request as it was sent: `%xmode Verbose` prints every variable."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pprint
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from IPython.core.ultratb import VerboseTB
from leak_search import leaks

import flowlet_jupyter as flowlet
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-5e1f"
# those that send a header differ in what they make of it: the slow part has them all
KINDS = (
    "external",
    "oauth2",
    "oauth2 in the query",
    *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("password", "basic", "headers")),
)


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes a connection and says nothing, or the first half of a body if `half` is in the path."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connections.append(listener.accept()[0])
                    if b"/half" in connections[-1].recv(10_000):
                        connections[-1].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for connection in connections:
            connection.close()
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(params=KINDS)
def secret(request, silent, monkeypatch):
    monkeypatch.setenv("THE_KEY", CANARY)
    kind = request.param
    made = {
        "password": lambda: flowlet.Password(name="api", password=CANARY, base_url=silent),
        "basic": lambda: flowlet.Basic(name="api", username="ann", password=CANARY, base_url=silent),
        "headers": lambda: flowlet.Headers(name="api", headers={"X-Key": CANARY}, base_url=silent),
        "external": lambda: flowlet.External(name="api", source="env:THE_KEY", base_url=silent),
        "oauth2": lambda: flowlet.OAuth2(
            name="api", client_id="i", client_secret="another value", token_endpoint=f"{silent}/token",
            authorization_endpoint=f"{silent}/authorize", base_url=silent,
            compliance={"token_parameter": "access_token"} if "query" in kind else {},
        ),
    }[kind.partition(" ")[0]]()  # fmt: skip
    token = TokenSet(access_token=SecretValue(CANARY), obtained_at=time.time()) if "oauth2" in kind else None
    default_vault().put(Record(secret=made, token_set=token))
    return kind


def shown(error: BaseException) -> str:
    """What a verbose traceback shows, and the variables of all its frames, whole."""
    kind = {"theme_name": "nocolor"} if hasattr(VerboseTB, "set_theme_name") else {"color_scheme": "NoColor"}
    texts = [VerboseTB(**kind).text(type(error), error, error.__traceback__)]
    todo, seen = [error], set()
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        todo += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
        texts.append(repr(each))
        frames = each.__traceback__
        while frames is not None:
            if frames.tb_frame.f_code.co_filename != __file__:  # this test's own frames know the value
                for value in frames.tb_frame.f_locals.values():
                    with contextlib.suppress(Exception):
                        texts.append(repr(value))
                    if isinstance(value, httpx.Request):
                        texts += [str(value.url), pprint.pformat(value.headers.raw)]
            frames = frames.tb_next
    return "\n".join(texts)


def assert_hidden(error: BaseException) -> None:
    assert leaks({"traceback": shown(error).encode("utf-8", "surrogatepass")}, [CANARY]) == []


def raised_by(action) -> BaseException:
    try:
        action()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


@contextlib.contextmanager
def interrupted_when_waiting() -> Iterator[None]:
    """SIGINT to this process once its main thread waits for the network."""
    main = threading.main_thread().ident

    def interrupt() -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            frame = sys._current_frames()[main]
            if frame.f_code.co_name == "read" and "httpcore" in frame.f_code.co_filename:
                os.kill(os.getpid(), signal.SIGINT)
                return
            time.sleep(0.01)

    thread = threading.Thread(target=interrupt)
    old = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(signal.SIGINT, old)


def test_the_search_finds_a_value_in_a_frame():
    def sends(sent: httpx.Request) -> None:
        raise ValueError(sent.method)

    request = httpx.Request("GET", f"https://a.example/?access_token={CANARY}")
    error = raised_by(lambda: sends(request))
    assert leaks({"traceback": VerboseTB().text(type(error), error, error.__traceback__).encode()}, [CANARY])


@pytest.mark.parametrize("path", ["/", "/half"])
@pytest.mark.parametrize("way", ["get", "client", "stream"])
def test_an_interrupt(secret, way, path):
    def ask() -> None:
        if way == "get":
            flowlet.get(path, secret="api")
        with flowlet.client("api") as client:
            if way == "client":
                client.get(path)
            with client.stream("GET", path) as response:
                list(response.iter_bytes())

    with interrupted_when_waiting():
        error = raised_by(ask)
    assert isinstance(error, KeyboardInterrupt)
    assert_hidden(error)


def test_a_request_that_gets_no_response_in_time(secret):
    for timeout in (0.05, httpx.Timeout(0.05)):
        error = raised_by(lambda timeout=timeout: flowlet.get("/", secret="api", timeout=timeout))
        assert_hidden(error)
    with flowlet.client("api", timeout=0.05) as client:
        assert_hidden(raised_by(lambda: client.get("/")))


@pytest.mark.usefixtures("async_transport")
def test_an_exception_group(secret):
    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(flowlet.aget("/", secret="api", timeout=0.05))

    error = raised_by(lambda: asyncio.run(both()))
    assert isinstance(error, ExceptionGroup)
    assert_hidden(error)


@pytest.mark.usefixtures("async_transport")
def test_a_cancelled_request(secret):
    async def cancelled() -> None:
        async with flowlet.async_client("api") as client, asyncio.timeout(0.1):
            await client.get("/")

    error = raised_by(lambda: asyncio.run(cancelled()))
    assert isinstance(error, TimeoutError)
    assert_hidden(error)


@pytest.mark.usefixtures("async_transport")
def test_an_error_in_a_generator_of_the_body_shows_the_users_own_frames(secret):
    def parts() -> Iterator[bytes]:
        yield b"first"
        raise ZeroDivisionError("in the middle")

    async def async_parts():
        yield b"first"
        raise ZeroDivisionError("in the middle")

    async def send() -> None:
        await flowlet.apost("/", secret="api", content=async_parts())

    for action, name in (
        (lambda: flowlet.post("/", secret="api", content=parts()), "parts"),
        (lambda: asyncio.run(send()), "async_parts"),
    ):
        error = raised_by(action)
        assert isinstance(error, ZeroDivisionError)
        assert_hidden(error)
        frames = []
        frame = error.__traceback__
        while frame is not None:
            frames.append(frame.tb_frame.f_code.co_name)
            frame = frame.tb_next
        assert name in frames


@pytest.mark.parametrize(
    "url", ["http://xn--a.example/", "http://" + "a" * 70 + ".example/", "http://a..example/", "http://\u2603.\ud800/"]
)
def test_a_host_name_that_is_none(secret, url):
    error = raised_by(lambda: flowlet.get(url, secret="api"))
    assert isinstance(error, flowlet.errors.FlowletError)
    assert_hidden(error)


def test_a_value_that_cannot_stand_in_a_header_is_in_no_message(silent):
    default_vault().put(
        Record(
            secret=flowlet.OAuth2(
                name="api", client_id="i", client_secret="another value", token_endpoint=f"{silent}/token",
                authorization_endpoint=f"{silent}/authorize", base_url=silent,
            ),
            token_set=TokenSet(access_token=SecretValue(f"{CANARY}-\u20ac"), obtained_at=time.time()),
        )
    )  # fmt: skip
    error = raised_by(lambda: flowlet.get("/", secret="api"))
    assert isinstance(error, flowlet.errors.RequestFailed)
    assert_hidden(error)
