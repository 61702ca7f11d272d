"""One request that ends: a deadline from connect to the last byte, a limit on what is read and on what it unpacks to.

httpx's timeouts are per read: a server that drips its headers, or sends 1xx responses without end, meets none of them.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import httpx

from flowlet_jupyter.model.redaction import NOTHING_SENT, SentValues
from flowlet_jupyter.settings.library_logs import without_response_headers
from flowlet_jupyter.vault.ending import process_ending

MAX_BYTES = 1_000_000
# Jupyter kills what has not ended five seconds after it was asked to, and needs a second or two for its own end; until
# then a rotated refresh token may still arrive
SHUTDOWN_GRACE_SECONDS = 2.5
_POLL_SECONDS = 0.1


class _QuietURL(httpx.URL):
    """A URL whose text has no query: httpx logs the text, and the query of some token requests holds values."""

    def __str__(self) -> str:
        return str(httpx.URL(self).copy_with(query=None, fragment=None))

    def __repr__(self) -> str:
        return f"URL({str(self)!r})"


@dataclass(frozen=True)
class BoundedResponse:
    """A response read to its end, or as far as it was asked for; `content` is decoded."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    sent_values: SentValues = NOTHING_SENT  # not to be shown should the response repeat them


def bounded_request(
    client: Callable[[], httpx.Client],
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    seconds: float,
    keep_bytes: int | None = None,
) -> BoundedResponse:
    """Send one request by the client that `client` makes, and read its response within `seconds`.

    With `keep_bytes` no more than so much of the body is read, and the rest left where it is. Raises `httpx.HTTPError` as
    httpx does: `TimeoutException` at the deadline and when the process ends meanwhile, `ReadError` for a body over
    `MAX_BYTES`; and what `client` raises.
    """
    sockets: list[socket.socket] = []
    future: Future[BoundedResponse] = Future()

    def trace(event: str, info: Mapping[str, Any]) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            own_socket = info["return_value"].get_extra_info("socket")
            if own_socket is not None:
                sockets.append(own_socket)

    def run() -> None:
        try:
            with client() as session:
                request = session.build_request(
                    method, url, headers={**headers, "Accept-Encoding": "gzip, deflate"}, content=content
                )
                request.url = _QuietURL(request.url)
                request.extensions = {**request.extensions, "trace": trace}
                future.set_result(_exchange(session, request, keep_bytes))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
            future.set_exception(error)

    # a daemon, so that nothing waits for it beyond the deadline; who waits for the result is none
    threading.Thread(target=run, name="flowlet: request to a provider", daemon=True).start()
    if not _is_done(future, seconds):
        for open_socket in sockets:
            with contextlib.suppress(OSError):
                # on the descriptor: SSLSocket.shutdown() would take the TLS object away under the reading thread
                socket.socket.shutdown(open_socket, socket.SHUT_RDWR)
        raise httpx.ReadTimeout("the response takes too long")
    return future.result()


def _exchange(session: httpx.Client, request: httpx.Request, keep_bytes: int | None) -> BoundedResponse:
    with without_response_headers():
        response = session.send(request, stream=True, follow_redirects=False)
    try:
        body = _read(response) if keep_bytes is None else _read_beginning(response, keep_bytes)
    finally:
        response.close()
    sent: SentValues = getattr(response, "sent_values", NOTHING_SENT)
    return BoundedResponse(response.status_code, response.headers, body, sent)


def pause(seconds: float) -> bool:
    """Wait; False as soon as the interpreter is ending, when what was to follow is not to be begun."""
    return not process_ending().wait(seconds)


def _is_done(future: Future[BoundedResponse], seconds: float) -> bool:
    end = time.monotonic() + seconds
    ending = process_ending()
    ending_since: float | None = None
    while True:
        now = time.monotonic()
        if ending_since is None and ending.is_set():
            ending_since = now
            end = min(end, now + SHUTDOWN_GRACE_SECONDS)
        if now >= end:
            return future.done()
        # the poll notices the end of the process; the result itself wakes this at once
        with contextlib.suppress(TimeoutError):
            future.exception(min(end - now, _POLL_SECONDS))
            return True


def _read(response: httpx.Response) -> bytes:
    raw = bytearray()
    for chunk in response.iter_raw():
        raw += chunk
        if len(raw) > MAX_BYTES:
            raise httpx.ReadError("the response is too large")
    return unpacked(bytes(raw), response.headers.get("content-encoding", ""), MAX_BYTES)


def _read_beginning(response: httpx.Response, limit: int) -> bytes:
    """The first `limit` bytes of the body, decoded; empty where they cannot be."""
    raw = bytearray()
    for chunk in response.iter_raw():
        raw += chunk
        if len(raw) >= limit:
            break
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if not raw or encoding in {"", "identity"}:
        return bytes(raw[:limit])
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        return b""
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        with contextlib.suppress(zlib.error):
            return zlib.decompressobj(window).decompress(bytes(raw), limit)
    return b""


def unpacked(raw: bytes, encoding: str, limit: int) -> bytes:
    """`raw` decoded from its content encoding, at most `limit` bytes. Raises `httpx.ReadError`."""
    encoding = encoding.strip().lower()
    if not raw or encoding in {"", "identity"}:
        return raw
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise httpx.ReadError("the response has an encoding that was not asked for")
    # deflate is zlib's format by RFC 9110, and raw deflate at some servers
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        decoder = zlib.decompressobj(window)
        try:
            decoded = decoder.decompress(raw, limit + 1)
        except zlib.error:
            continue
        if len(decoded) > limit or not decoder.eof:
            raise httpx.ReadError("the response is too large" if len(decoded) > limit else "the response is cut off")
        return decoded
    raise httpx.ReadError("the response cannot be decoded")
