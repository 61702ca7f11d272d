"""An end for the wait for a response's headers, which httpx has not: its read timeout counts from one byte to the next.

A server that drips its headers, or sends interim responses (1xx) without end, meets no such timeout. So what is read
before the headers are there must come within twice the read timeout, counted from the last byte that was sent.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore
from httpcore import AsyncNetworkBackend, AsyncNetworkStream, NetworkBackend, NetworkStream

HEADER_SHARE = 2.0  # the first byte may take all of the read timeout


class _Wait:
    """The wait for one response's headers."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def begin_again(self) -> None:
        """What is sent may take its time."""
        self._end = time.monotonic() + self._seconds

    def left(self, timeout: float | None) -> float | None:
        """The time for one read. Raises `httpcore.ReadTimeout`."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the headers of the response take too long")
        return left if timeout is None else min(timeout, left)


_waiting: ContextVar[_Wait | None] = ContextVar("flowlet_header_wait", default=None)


@contextmanager
def header_deadline(extensions: Mapping[str, Any]) -> Iterator[None]:
    """While a request is sent whose `extensions` have httpx's timeouts; where none is set, there is no end."""
    read = (extensions.get("timeout") or {}).get("read")
    token = _waiting.set(None if read is None else _Wait(HEADER_SHARE * float(read)))
    try:
        yield
    finally:
        _waiting.reset(token)


def with_header_deadline(transport: Any) -> Any:
    """`transport`, httpx's own for HTTP, whose connections end such a wait."""
    pool = transport._pool  # noqa: SLF001 - httpx passes no network backend on to the pool, which takes one
    backend = pool._network_backend  # noqa: SLF001 - as above
    pool._network_backend = (  # noqa: SLF001 - as above
        _AsyncBackend(backend) if isinstance(backend, AsyncNetworkBackend) else _Backend(backend)
    )
    return transport


def _begin_again() -> None:
    if wait := _waiting.get():
        wait.begin_again()


def _left(timeout: float | None) -> float | None:
    wait = _waiting.get()
    return timeout if wait is None else wait.left(timeout)


class _Backend(NetworkBackend):
    def __init__(self, inner: NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(self, *args: Any, **options: Any) -> NetworkStream:
        return _Stream(self._inner.connect_tcp(*args, **options))

    def connect_unix_socket(self, *args: Any, **options: Any) -> NetworkStream:
        return _Stream(self._inner.connect_unix_socket(*args, **options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(NetworkStream):
    def __init__(self, inner: NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)
        _begin_again()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()


class _AsyncBackend(AsyncNetworkBackend):
    def __init__(self, inner: AsyncNetworkBackend) -> None:
        self._inner = inner

    async def connect_tcp(self, *args: Any, **options: Any) -> AsyncNetworkStream:
        return _AsyncStream(await self._inner.connect_tcp(*args, **options))

    async def connect_unix_socket(self, *args: Any, **options: Any) -> AsyncNetworkStream:
        return _AsyncStream(await self._inner.connect_unix_socket(*args, **options))

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _AsyncStream(AsyncNetworkStream):
    def __init__(self, inner: AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the base class's
        return await self._inner.read(max_bytes, _left(timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as above
        await self._inner.write(buffer, timeout)
        _begin_again()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> AsyncNetworkStream:
        return _AsyncStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    async def aclose(self) -> None:
        await self._inner.aclose()
