"""Whether somebody has put something of their own into httpx, and so wants to see each request pass there.

Mocks (respx, pytest-httpx, vcrpy) and tracers (OpenTelemetry, Sentry) do.
"""

from __future__ import annotations

import functools
from types import FunctionType

import httpcore
import httpx


def is_client_replaced() -> bool:
    """Whether somebody has put something of their own into httpx's clients."""
    return not _are_own(
        httpx.Client.request,
        httpx.AsyncClient.request,
        httpx.Client.build_request,
        httpx.AsyncClient.build_request,
        httpx.Client.send,
        httpx.AsyncClient.send,
        # not public: gone in a later httpx, they count as replaced
        getattr(httpx.Client, "_send_single_request", None),
        getattr(httpx.AsyncClient, "_send_single_request", None),
    )


def is_transport_replaced() -> bool:
    """The same of its transports."""
    return not _are_own(
        httpx.HTTPTransport.handle_request,
        httpx.AsyncHTTPTransport.handle_async_request,
        httpcore.ConnectionPool.handle_request,
        httpcore.AsyncConnectionPool.handle_async_request,
    )


@functools.lru_cache(maxsize=10)  # every request asks
def _are_own(*methods: object) -> bool:
    # a wrapper may take on all else of what it wraps
    return all(
        type(each) is FunctionType and each.__globals__["__name__"].startswith(("httpx.", "httpcore."))
        for each in methods
    )
