"""What is under the async requests: over either transport the same bytes arrive, and the same errors are raised."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import logging
import socket
import ssl
import threading
import warnings
import weakref

import httpx
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from leak_search import leaks
from support import eventually, free_port

import flowlet_jupyter as flowlet
from flowlet_jupyter.http import aiohttp_transport
from flowlet_jupyter.http import client as client_module

CANARY = "canary-value-5e1f"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

pytestmark = pytest.mark.usefixtures("async_transport")


class Wire:
    """A server that writes fixed bytes for each request, and keeps what it read."""

    def __init__(self, listener: socket.socket, context: ssl.SSLContext | None = None) -> None:
        self.listener = listener
        self.context = context
        self.responses: list[bytes] = []  # one after another; then `OK`
        self.heads: list[bytes] = []
        self.connections = 0
        self.closed = threading.Event()  # by the client, before a response was complete
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{listener.getsockname()[1]}"

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            while head := self._read(connection):
                self.heads.append(head)
                response = self.responses.pop(0) if self.responses else OK
                if response == b"nothing":
                    while connection.recv(10_000):
                        pass
                    self.closed.set()
                    return
                connection.sendall(response)
                if not response.endswith(b"ok"):
                    return  # a response of the test's own ends the connection

    def _read(self, connection: socket.socket) -> bytes:
        read = b""
        while b"\r\n\r\n" not in read:
            piece = connection.recv(65536)
            if not piece:
                return b""
            read += piece
        head, _, body = read.partition(b"\r\n\r\n")
        length = next(
            (int(line[16:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: ")), 0
        )
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body


@pytest.fixture
def wire():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Wire(listener)
        threading.Thread(target=server.serve, daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def authority(tmp_path, monkeypatch):
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    client_module.shared_ssl_context.cache_clear()
    yield made
    client_module.shared_ssl_context.cache_clear()


@pytest.fixture
def secure_wire(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Wire(listener, context)
        threading.Thread(target=server.serve, daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)


def ask(url: str, method: str = "GET", **options):
    return asyncio.run(flowlet.arequest(method, url, **options))


def raised_in(coroutine_of) -> Exception:
    with pytest.raises(httpx.HTTPError) as caught:
        asyncio.run(coroutine_of())
    return caught.value


def failing(url: str, **options) -> Exception:
    async def run() -> None:
        async with flowlet.async_client() as client:
            await client.get(url, **options)

    return raised_in(run)


# what arrives


@pytest.mark.parametrize(
    "target",
    [
        "/a%2Fb%7Ec/x%27y?sig=%3D%27%28", "/a/../b/./c", "/a//b", "/?", "/?a", "/?a=&b", "/?a=1&a=2", "/a+b?c+d=%2B%20",
        "/%E4?%FF", "/a;b=c,d:e@f!$&'()*?/?:@!$'()*,;", "/%2e%2e/x", "/x?next=https%3A%2F%2Fb.example%2F%3Fc%3Dd", "/a%zz",
        "/x?a=b;c=d", "/%23?%23", "/x?%5B%5D=[]", "/{a}|\\^`",
    ],
)  # fmt: skip
def test_the_address_arrives_as_httpx_writes_it(wire, target):
    assert ask(wire.url + target).status_code == 200
    written = httpx.URL(wire.url + target).raw_path
    assert wire.heads[0].split(b"\r\n")[0] == b"GET " + written + b" HTTP/1.1"


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("GET", {}),
        ("GET", {"headers": [("X-A", "1"), ("x-a", "2"), ("X-A", "1")]}),
        ("GET", {"headers": {"Cookie": "a=b", "Authorization": "Custom x", "Accept": "text/x", "User-Agent": "mine"}}),
        ("GET", {"headers": {"X-Latin": "caf\u00e9".encode("latin-1")}}),
        ("GET", {"headers": {"Host": "other.example", "X-Empty": ""}}),
        ("GET", {"content": b"a body"}),
        ("POST", {}),
        ("POST", {"content": b"no content type"}),
        ("POST", {"json": {"a": [1]}}),
        ("POST", {"data": {"a": "b c"}}),
        ("PUT", {"content": b"x" * 100_000}),
        ("DELETE", {}),
        ("PATCH", {"content": b""}),
        ("OPTIONS", {}),
        ("REPORT", {"content": b"<a/>"}),
        ("HEAD", {}),
    ],
    ids=str,
)
def test_the_request_arrives_as_httpx_writes_it(wire, method, options):
    if method == "HEAD":
        wire.responses = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"]
    assert ask(f"{wire.url}/x", method, **options).status_code == 200
    if method == "HEAD":
        wire.responses = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"]
    flowlet.request(method, f"{wire.url}/x", **options)
    arrived, expected = wire.heads
    assert arrived == expected


def test_a_body_from_a_generator_arrives(wire):
    async def parts():
        yield b"one"
        yield b"two"

    wire.responses = [OK]
    assert ask(f"{wire.url}/x", "POST", content=parts(), headers={"Content-Length": "6"}).status_code == 200
    assert wire.heads[0].endswith(b"\r\n\r\nonetwo")


def test_no_cookie_of_one_request_is_sent_with_the_next(wire):
    async def run() -> None:
        for _ in range(2):
            await flowlet.aget(wire.url.replace("127.0.0.1", "localhost") + "/x")  # aiohttp keeps none of an address

    wire.responses = [b"HTTP/1.1 200 OK\r\nSet-Cookie: session=1\r\nContent-Length: 2\r\n\r\nok"]
    asyncio.run(run())
    assert b"ookie" not in wire.heads[1]


def test_connections_are_used_again(wire):
    async def run() -> None:
        for _ in range(5):
            await flowlet.aget(f"{wire.url}/x")

    asyncio.run(run())
    assert (wire.connections, len(wire.heads)) == (1, 5)


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_request_whose_connection_breaks_is_sent_once(wire, method):
    async def run() -> None:
        async with flowlet.async_client() as client:
            await client.get(f"{wire.url}/first")
            await client.request(method, f"{wire.url}/x")

    wire.responses = [OK, b"\r\n"]  # the second ends a connection that was used before
    assert isinstance(raised_in(run), httpx.RemoteProtocolError)
    assert len(wire.heads) == 2


# what comes back


def test_the_response_is_as_it_was_sent(wire):
    body = gzip.compress(b"text")
    wire.responses = [
        b"HTTP/1.1 299 It's \xe9 so\r\nX-A: 1\r\nx-a: 2\r\nX-Latin: caf\xe9\r\nContent-Encoding: gzip\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    ]
    response = ask(f"{wire.url}/x")
    assert (response.status_code, response.text, response.http_version) == (299, "text", "HTTP/1.1")
    assert response.extensions["reason_phrase"] == b"It's \xe9 so"
    assert response.headers.get_list("x-a") == ["1", "2"]
    assert (b"X-Latin", b"caf\xe9") in response.headers.raw


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 60_000 + b"\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"y" * 200_000, b"y" * 200_000),
    ],
    ids=["chunked", "to the end", "1.0", "no content", "continue", "long header", "long body"],
)
def test_every_kind_of_body_is_read(wire, response, body):
    wire.responses = [response]
    assert ask(f"{wire.url}/x").content == body


def test_a_body_is_read_piece_by_piece(wire):
    async def read() -> list[int]:
        async with flowlet.async_client() as client, client.stream("GET", f"{wire.url}/x") as response:
            return [len(part) async for part in response.aiter_bytes()]

    wire.responses = [b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"z" * 300_000]
    sizes = asyncio.run(read())
    assert sum(sizes) == 300_000
    assert len(sizes) > 1


# what goes wrong


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (b"this is no HTTP\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nBad header\r\n\r\n", httpx.RemoteProtocolError),
        (b"\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 300_000 + b"\r\n\r\n", httpx.RemoteProtocolError),
    ],
    ids=["no HTTP", "bad header", "nothing", "half", "half a chunk", "no chunk", "endless header"],
)
def test_a_bad_response_has_the_error_of_httpx_without_the_address(wire, response, error):
    wire.responses = [response]
    raised = failing(f"{wire.url}/x?key={CANARY}")
    assert type(raised) is error
    assert str(raised)
    assert CANARY not in repr(raised) + str(raised.__cause__) + str(raised.__context__)


def test_a_refused_connection():
    assert type(failing(f"http://127.0.0.1:{free_port()}/x?key={CANARY}")) is httpx.ConnectError


def test_a_name_that_nobody_knows():
    raised = failing(f"http://nobody.invalid/x?key={CANARY}")
    assert type(raised) is httpx.ConnectError
    assert CANARY not in str(raised)


@pytest.mark.parametrize("timeout", [0.1, httpx.Timeout(5, read=0.1)])
def test_nothing_in_time(wire, timeout):
    wire.responses = [b"nothing"]
    assert type(failing(f"{wire.url}/x", timeout=timeout)) is httpx.ReadTimeout
    assert wire.closed.wait(20)


def test_half_of_a_body_in_time(wire):
    async def run() -> None:
        async with flowlet.async_client(timeout=httpx.Timeout(5, read=0.1)) as client:
            await client.get(f"{wire.url}/x")

    wire.responses = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf ok"]  # and the connection stays open
    assert type(raised_in(run)) is httpx.ReadTimeout


def test_no_connection_in_time():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = []
        for _ in range(8):  # nobody accepts them: the queue is full, and the next one gets no answer
            each = socket.socket()
            each.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                each.connect(address)
            waiting.append(each)
        raised = failing(f"http://127.0.0.1:{address[1]}/", timeout=httpx.Timeout(5, connect=0.2))
        for each in waiting:
            each.close()
    assert type(raised) is httpx.ConnectTimeout


def test_no_free_connection_in_time(wire):
    async def run() -> None:
        async with flowlet.async_client(timeout=httpx.Timeout(10, pool=0.2)) as client:
            tasks = [asyncio.create_task(client.get(f"{wire.url}/x")) for _ in range(101)]
            done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            done.pop().result()

    wire.responses = [b"nothing"] * 101
    assert type(raised_in(run)) is httpx.PoolTimeout


def test_a_cancelled_request_closes_its_connection(wire):
    async def run() -> None:
        async with flowlet.async_client() as client:
            task = asyncio.create_task(client.get(f"{wire.url}/x"))
            await asyncio.to_thread(eventually, lambda: wire.heads)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await client.get(f"{wire.url}/again")).text == "ok"

    wire.responses = [b"nothing"]
    asyncio.run(run())
    assert wire.closed.wait(20)


# certificates


def test_the_authority_of_the_environment_is_trusted(secure_wire):
    assert ask(f"{secure_wire.url}/x").text == "ok"


def test_a_certificate_of_an_issuer_that_nobody_knows_is_refused(secure_wire, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    client_module.shared_ssl_context.cache_clear()
    with pytest.raises(flowlet.RequestFailed, match="SSL_CERT_FILE=/path/to/ca"):
        ask(f"{secure_wire.url}/x")
    assert secure_wire.heads == []


def test_a_certificate_for_another_host_is_refused(secure_wire):
    url = secure_wire.url.replace("127.0.0.1", "localhost")
    with pytest.raises(flowlet.RequestFailed, match="for another host"):
        ask(f"{url}/x")
    assert secure_wire.heads == []


# secrets


def test_no_credential_of_a_query_is_logged_or_warned_of(wire, caplog):
    """A response that nobody closed is reported by aiohttp, and its text would hold the address."""

    async def run() -> None:
        client = flowlet.async_client("api")
        wire.responses = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it, ok"]
        response = await client.send(client.build_request("GET", "/x"), stream=True)
        assert response.status_code == 200
        del response, client
        gc.collect()
        await asyncio.sleep(0)

    flowlet.secrets.add(flowlet.ApiKey(name="api", key=CANARY, location="query", parameter="key", base_url=wire.url))
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        asyncio.run(run(), debug=True)
        gc.collect()
    assert CANARY.encode() in wire.heads[0]
    shown = caplog.text + "".join(f"{each.message} {each.source!r}" for each in warned)
    assert leaks({"log": shown.encode()}, [CANARY]) == []


def test_a_redirect_to_another_host_goes_on_without_the_secret(wire):
    other = wire.url.replace("127.0.0.1", "localhost")
    flowlet.secrets.add(flowlet.Headers(name="api", headers={"X-Key": CANARY}, base_url=wire.url))
    wire.responses = [f"HTTP/1.1 302 Found\r\nLocation: {other}/there\r\nContent-Length: 2\r\n\r\nok".encode()]
    assert ask("/x", secret="api").sent_without_secret_to == "localhost"
    assert [CANARY.encode() in head for head in wire.heads] == [True, False]


# proxies


def test_only_our_own_reading_of_the_environment_chooses_the_proxy(wire, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", wire.url)
    assert ask("http://api.example/x").text == "ok"
    assert wire.heads[0].startswith(b"GET http://api.example/x HTTP/1.1")
    assert ask(f"{wire.url}/direct").text == "ok"  # this machine is never asked through it
    assert wire.heads[1].startswith(b"GET /direct HTTP/1.1")


# event loops


def test_a_program_that_closes_nothing_is_told_nothing(wire, caplog, recwarn):
    async def run() -> str:
        return (await flowlet.aget(f"{wire.url}/x")).text

    async def with_own_client() -> str:
        return (await flowlet.async_client().get(f"{wire.url}/x")).text

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert asyncio.run(run()) == asyncio.run(with_own_client()) == "ok"
            gc.collect()
    assert caplog.text == ""
    assert [each for each in recwarn if "aiohttp" in str(each.filename)] == []


def test_a_loop_that_has_ended_is_let_go(wire):
    async def run() -> weakref.ref:
        await flowlet.aget(f"{wire.url}/x")
        return weakref.ref(asyncio.get_running_loop())

    first = asyncio.run(run())
    asyncio.run(run())
    gc.collect()
    assert first() is None


# aiohttp only


def test_a_client_works_in_one_loop_after_another(wire, monkeypatch):
    monkeypatch.setenv("FLOWLET_TRANSPORT", "aiohttp")  # httpx's connections belong to the loop that made them
    client = flowlet.async_client()
    for _ in range(2):
        assert asyncio.run(client.get(f"{wire.url}/x")).text == "ok"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30))
def test_an_address_is_aiohttps_only_if_the_same_bytes_come_out(text):
    try:
        request = httpx.Request("GET", f"https://api.example/{text}")
    except (httpx.InvalidURL, UnicodeError):
        return
    address = aiohttp_transport._address(request)
    if address is not None:
        assert address.raw_path_qs.encode() == request.url.raw_path
        assert (address.scheme, address.raw_host, address.port) == ("https", "api.example", 443)


@given(st.text(st.sampled_from("ab.:@/\\%?#[]1270x-\u3002\u00df"), min_size=1, max_size=14))
def test_a_host_is_aiohttps_only_if_the_same_host_comes_out(host):
    try:
        request = httpx.Request("GET", f"https://{host}")
    except (httpx.InvalidURL, UnicodeError, ValueError):
        return
    address = aiohttp_transport._address(request)
    if address is not None:
        assert address.raw_host == request.url.raw_host.decode()
        assert address.explicit_port == request.url.port
