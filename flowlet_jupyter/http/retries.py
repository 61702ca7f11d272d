"""Trying again: for responses 429, 502, 503, 504 and broken connections, as long as the API asks for, and in sight."""

from __future__ import annotations

import time
from typing import Any

import httpx
from httpx_retries import Retry, RetryTransport

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.progress import countdown
from flowlet_jupyter.http.rate_limit import pause_of

LONGEST_WAIT_SECONDS = 900.0  # X's limits are counted anew every 15 minutes
_BACKOFF_SECONDS = 0.5
_ANY_METHOD = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "POST", "PATCH")


class PatientRetry(Retry):
    """Waits as `Retry-After` or the rate limit's reset says, else longer each time, and shows the countdown."""

    def _calculate_sleep(self, headers: Any) -> float:
        # the base class knows Retry-After only; it is called with the headers of the response, empty for an exception
        asked = pause_of(429, headers, now=time.time())
        wait = asked or self.backoff_strategy()
        if asked > LONGEST_WAIT_SECONDS:
            raise RequestFailed(
                f"The API asks to wait for {asked / 60:.0f} minutes before the next request. Try again then."
            )
        return min(wait, LONGEST_WAIT_SECONDS)

    def sleep(self, response: httpx.Response | Exception) -> None:
        """Wait, saying for what; an interrupt ends it."""
        cause = str(response.status_code) if isinstance(response, httpx.Response) else type(response).__name__
        seconds = self._calculate_sleep(response.headers if isinstance(response, httpx.Response) else {})
        countdown(seconds, f"{cause}: try {self.attempts_made + 1} of {self.total + 1} in")


def retry_of(tries: int, *, any_method: bool, without_429: bool = False) -> PatientRetry:
    """Up to `tries` more after the first; of POST and PATCH too if `any_method`, which may then happen twice.

    `without_429` is for callers that wait for the rate limit themselves, once for many requests.
    """
    return PatientRetry(
        total=tries,
        status_forcelist=(502, 503, 504) if without_429 else None,
        backoff_factor=_BACKOFF_SECONDS,
        backoff_jitter=0.3,
        max_backoff_wait=60.0,
        allowed_methods=_ANY_METHOD if any_method else None,
    )


def _can_be_repeated(request: httpx.Request) -> bool:
    # a body that is read from a generator or a file is gone after the first try
    return "retry" in request.extensions and isinstance(request.stream, httpx.ByteStream)


STREAMED = "flowlet_streamed"  # a request's extension: its body is read by the caller, piece by piece


class _WholeBody(httpx.BaseTransport):
    """Reads the body before it hands the response on, so that one that is cut off or stalls is tried again too."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        if STREAMED in request.extensions or isinstance(response.stream, httpx.ByteStream):
            return response
        stream = response.stream
        assert isinstance(stream, httpx.SyncByteStream)  # noqa: S101 - a sync transport's
        try:
            body = b"".join(stream)
        except httpx.TransportError as error:
            failure = type(error)(str(error) or type(error).__name__)  # the frames below hold the headers as sent
        else:
            response.stream = httpx.ByteStream(body)
            return response
        finally:
            stream.close()
        raise failure


class _AsyncWholeBody(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if STREAMED in request.extensions or isinstance(response.stream, httpx.ByteStream):
            return response
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - an async transport's
        try:
            body = b"".join([piece async for piece in stream])
        except httpx.TransportError as error:
            failure = type(error)(str(error) or type(error).__name__)  # the frames below hold the headers as sent
        else:
            response.stream = httpx.ByteStream(body)
            return response
        finally:
            await stream.aclose()
        raise failure


class RetryWhenAsked(httpx.BaseTransport):
    """Sends once, or as often as the request's extension `retry` says."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self._retrying = RetryTransport(_WholeBody(inner))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The first response that is none to be tried again, or the last one."""
        return (self._retrying if _can_be_repeated(request) else self._inner).handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class AsyncRetryWhenAsked(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self._retrying = RetryTransport(_AsyncWholeBody(inner))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The first response that is none to be tried again, or the last one."""
        return await (self._retrying if _can_be_repeated(request) else self._inner).handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()
