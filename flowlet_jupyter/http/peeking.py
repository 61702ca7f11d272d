"""A look into the body of a response that somebody else is still to read, or to stream, as it came."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx

from flowlet_jupyter.credentials.token_refusal import MAX_BODY_BYTES
from flowlet_jupyter.oauth.bounded_request import unpacked


def peek(response: httpx.Response) -> bytes:
    """The decoded body of `response`, empty if it is longer than `MAX_BODY_BYTES` or cannot be decoded.

    Raises what reading raises; the response is closed then.
    """
    stream: Any = response.stream
    rest, start, size = iter(stream), [], 0
    try:
        for chunk in rest:
            start.append(chunk)
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                break
    except BaseException:
        response.close()
        raise
    response.stream = _Replayed(start, rest, stream)
    return _decoded(start, size, response.headers)


async def peek_async(response: httpx.Response) -> bytes:
    """The async twin."""
    stream: Any = response.stream
    rest, start, size = aiter(stream), [], 0
    try:
        async for chunk in rest:
            start.append(chunk)
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                break
    except BaseException:
        await response.aclose()
        raise
    response.stream = _Replayed(start, rest, stream)
    return _decoded(start, size, response.headers)


class _Replayed(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body whose beginning was read already."""

    def __init__(self, start: list[bytes], rest: Any, stream: Any) -> None:
        self._start = start
        self._rest = rest
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._start
        yield from self._rest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._start:
            yield chunk
        async for chunk in self._rest:
            yield chunk

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


def _decoded(start: list[bytes], size: int, headers: Mapping[str, str]) -> bytes:
    if size > MAX_BODY_BYTES:
        return b""
    try:
        # gzip and deflate only: what other decoders make of a few bytes has no limit, and a 401 needs no look
        return unpacked(b"".join(start), headers.get("Content-Encoding", ""), MAX_BODY_BYTES)
    except httpx.ReadError:
        return b""
