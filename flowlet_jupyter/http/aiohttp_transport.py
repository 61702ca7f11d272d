"""Async requests over aiohttp, which sends many small ones several times as fast as httpx's own transport.

Only the plain case is aiohttp's: a direct connection, HTTP/1.1, a short body in memory, and an address and headers that
aiohttp sends byte for byte. Whatever else is asked for goes the usual way, so that the same request arrives and the
same errors are raised. docs/decisions/0010-aiohttp.md says what was tried.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import ssl
import weakref
from collections.abc import AsyncIterator, Callable, Mapping

import aiohttp
import httpx
import yarl
from multidict import CIMultiDict

from flowlet_jupyter.http.replaced_httpx import is_transport_replaced
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.settings.header_deadline import HEADER_SHARE
from flowlet_jupyter.settings.network import AsyncNetworkTransport, certificate_advice
from flowlet_jupyter.settings.proxies import proxy_settings

# httpx's own limits, in httpx._config
_CONNECTIONS = 100
_IDLE_SECONDS = 5.0
# of a response's head; h11, which is under httpx, reads about as much
_MAX_HEAD_BYTES = 100 * 1024
_MAX_HEADERS = 1000
# a longer body may have to wait for its reader, and aiohttp has no timeout for that
_LONGEST_BODY_BYTES = 16 * 1024
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_METHOD = re.compile(r"[A-Z]+")
# aiohttp writes a header's text in UTF-8, httpx its bytes; and a name such as " x" or "Host: y" as it is, which h11 refuses
_PLAIN_HEADERS = re.compile(r"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+\0(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?\n)*")
# what aiohttp does something of its own about
_SPECIAL_HEADERS = frozenset({"expect", "transfer-encoding", "upgrade", "te", "trailer"})
_SPECIAL_EXTENSIONS = frozenset({"sni_hostname", "target", "trace"})
_AUTO_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_FAILURES = (aiohttp.ClientError, OSError, asyncio.TimeoutError, ValueError)


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends over aiohttp what it sends as httpx would, and the rest over httpx's transports."""

    def __init__(self, verify: ssl.SSLContext) -> None:
        self._verify = verify
        self._usual = AsyncNetworkTransport(verify)
        self._proxies = proxy_settings()
        self._opened: _Opened | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send. Raises as `AsyncNetworkTransport.handle_async_request` does."""
        is_others = self._proxies.proxy_for(request.url) is not None or is_transport_replaced()
        address = None if is_others else _address(request)
        headers = _plain_headers(request.headers.raw)
        body = None if headers is None else _plain_body(request, headers)
        if address is None or body is None:
            return await self._usual.handle_async_request(request)
        opened = self._of_this_loop()
        timeout = request.extensions.get("timeout", {})
        await opened.take_slot(timeout.get("pool"))
        try:
            async with asyncio.timeout(_longest_wait(timeout)):
                response = await opened.session.request(
                    request.method,
                    address,
                    headers=headers,
                    data=body or None,
                    allow_redirects=False,
                    timeout=_timeout(timeout.get("connect"), timeout.get("read")),
                )
        except _FAILURES as error:
            opened.give_slot_back()
            failure = _failure(error)
        except BaseException:
            opened.give_slot_back()
            raise
        else:
            return _response(response, opened.give_slot_back)
        raise failure

    def _of_this_loop(self) -> _Opened:
        loop = asyncio.get_running_loop()
        if self._opened is None or self._opened.loop is not loop:
            self._opened = _Opened(self._verify, loop)
            weakref.finalize(self, _end, self._opened.session, loop)  # a client that nobody closed
        return self._opened

    async def aclose(self) -> None:
        """Close the connections."""
        if self._opened is not None and self._opened.loop is asyncio.get_running_loop():
            await self._opened.session.close()
        self._opened = None
        await self._usual.aclose()


class _Opened:
    """The connections of one event loop."""

    def __init__(self, verify: ssl.SSLContext, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=verify,
                limit=0,
                keepalive_timeout=_IDLE_SECONDS,
                resolver=aiohttp.ThreadedResolver(),
                use_dns_cache=False,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_AUTO_HEADERS,
            auto_decompress=False,
            trust_env=False,
            response_class=_Response,
            max_line_size=_MAX_HEAD_BYTES,
            max_field_size=_MAX_HEAD_BYTES,
            max_headers=_MAX_HEADERS,
        )
        # what is to be sent again is decided above the transport, and no PUT is sent twice unasked
        self.session._retry_connection = False  # noqa: SLF001 - there is no argument; a test counts the requests
        self._slots = asyncio.Semaphore(_CONNECTIONS)

    async def take_slot(self, seconds: float | None) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError:
            failure = httpx.PoolTimeout(f"All {_CONNECTIONS} connections were in use.")
        else:
            return
        raise failure

    def give_slot_back(self) -> None:
        self._slots.release()


class _Response(aiohttp.ClientResponse):
    """Without the address in its text, which may hold a key: asyncio logs a response that nobody closed."""

    def __repr__(self) -> str:
        return f"<response {self.status}>"


class _Stream(httpx.AsyncByteStream):
    """The body as it comes."""

    def __init__(self, response: aiohttp.ClientResponse, done: Callable[[], None]) -> None:
        self._response = response
        self._done: Callable[[], None] | None = done

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._response.content.iter_any():
                yield part
        except _FAILURES as error:
            failure = _failure(error)
        else:
            return
        raise failure

    async def aclose(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            self._response.close()  # one that was read to its end has given its connection back
            done()


def _address(request: httpx.Request) -> yarl.URL | None:
    """The request's URL for aiohttp; None unless the same host, port and bytes come out of it."""
    url = request.url
    target = url.raw_path.decode("ascii")
    if url.scheme not in {"http", "https"} or not target.startswith("/"):
        return None
    host = url.raw_host.decode("ascii")
    origin = f"{url.scheme}://[{host}]" if ":" in host else f"{url.scheme}://{host}"
    port = url.port
    try:
        address = yarl.URL(f"{origin}{target}" if port is None else f"{origin}:{port}{target}", encoded=True)
        is_same = (
            address.raw_path_qs == target
            and address.raw_host == host
            and address.explicit_port == port
            and address.scheme == url.scheme
            and address.raw_user is None
        )
    except ValueError:
        return None
    return address if is_same else None


@functools.lru_cache(maxsize=10)  # requests of one client have the same
def _timeout(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    # `connect` also covers looking the name up
    return aiohttp.ClientTimeout(connect=_seconds(connect), sock_connect=_seconds(connect), sock_read=_seconds(read))


def _seconds(timeout: float | None) -> float | None:
    return None if timeout is None else max(timeout, 0.001)  # zero means none to aiohttp


def _longest_wait(timeout: Mapping[str, float | None]) -> float | None:
    """The time until a response's headers are there: aiohttp's own timeout counts from one byte to the next."""
    connect, read = timeout.get("connect"), timeout.get("read")
    return None if connect is None or read is None else connect + HEADER_SHARE * read


def _plain_body(request: httpx.Request, headers: CIMultiDict[str]) -> bytes | None:
    """The body, if aiohttp sends it with these headers as httpx does; else None."""
    stream = request.stream
    if not isinstance(stream, httpx.ByteStream) or not _METHOD.fullmatch(request.method):
        return None
    if not _SPECIAL_EXTENSIONS.isdisjoint(request.extensions):
        return None
    body = b"".join(stream)
    stated = headers.getall("content-length", [])
    if not stated and not body and request.method in _WITHOUT_BODY:
        return body
    # else aiohttp adds a length
    return body if stated == [str(len(body))] and len(body) <= _LONGEST_BODY_BYTES else None


def _plain_headers(pairs: list[tuple[bytes, bytes]]) -> CIMultiDict[str] | None:
    """The headers for aiohttp; None unless it sends just these."""
    try:
        texts = [(name.decode("ascii"), value.decode("ascii")) for name, value in pairs]
    except UnicodeDecodeError:  # aiohttp writes a header's text in UTF-8, httpx its bytes
        return None
    spelled = {name for name, _ in texts}
    names = {name.lower() for name in spelled}
    if len(names) != len(spelled):
        return None  # of `X-A` and `x-a`, aiohttp keeps the last only
    joined = "".join([f"{name}\0{value}\n" for name, value in texts])
    if joined.count("\n") != len(texts) or not _PLAIN_HEADERS.fullmatch(joined):  # a text may hold another whole header
        return None
    return CIMultiDict(texts) if _SPECIAL_HEADERS.isdisjoint(names) and "host" in names else None


def _response(response: aiohttp.ClientResponse, done: Callable[[], None]) -> httpx.Response:
    stream: httpx.AsyncByteStream
    content = response.content
    if content.is_eof() and content.exception() is None:  # a short body has come with its head
        stream = httpx.ByteStream(content.read_nowait(-1))
        response.close()  # the connection has gone back by itself, unless it became another protocol's
        done()
    else:
        stream = _Stream(response, done)
    version = response.version or aiohttp.HttpVersion11
    return Response(
        response.status,
        headers=list(response.raw_headers),
        stream=stream,
        extensions={
            "http_version": f"HTTP/{version.major}.{version.minor}".encode(),
            "reason_phrase": (response.reason or "").encode("utf-8", "surrogateescape"),
        },
    )


def _failure(error: BaseException) -> httpx.TransportError:
    """The error of httpx for one of aiohttp's, in words of our own: aiohttp's text quotes the address."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
        cause = getattr(error, "certificate_error", None) or error.os_error
        text = str(cause) or type(cause).__name__
        advice = certificate_advice(cause)
        return httpx.ConnectError(f"{text}. {advice}" if advice else text)
    for kind, failure, text in _KINDS:
        if isinstance(error, kind):
            return failure(text)
    return httpx.ReadError("The connection failed.")


_KINDS: tuple[tuple[type[BaseException], type[httpx.TransportError], str], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout, "No connection in time."),
    (aiohttp.SocketTimeoutError, httpx.ReadTimeout, "Nothing came in time."),
    (asyncio.TimeoutError, httpx.ReadTimeout, "Nothing came in time."),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError, "Server disconnected without sending a response."),
    (
        aiohttp.ClientPayloadError,
        httpx.RemoteProtocolError,
        "The server ended the connection within the response's body.",
    ),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError, "What the server sent is no HTTP response."),
    (OSError, httpx.ReadError, "The connection broke off."),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol, "The address cannot be requested."),
    (ValueError, httpx.LocalProtocolError, "The request cannot be written as HTTP asks."),
)


def _end(session: aiohttp.ClientSession, loop: asyncio.AbstractEventLoop) -> None:
    """Close the connections of a transport that is gone, without aiohttp's complaint about it."""
    try:
        is_elsewhere = asyncio.get_running_loop() is not loop
    except RuntimeError:
        is_elsewhere = True
    if is_elsewhere and loop.is_running():
        with contextlib.suppress(RuntimeError):  # it ended meanwhile
            loop.call_soon_threadsafe(_close, session)
            return
    _close(session)


def _close(session: aiohttp.ClientSession) -> None:
    closing = session.close()
    with contextlib.suppress(StopIteration, RuntimeError):
        closing.send(None)  # all is closed but for the waiting, for which nobody is there
    closing.close()
