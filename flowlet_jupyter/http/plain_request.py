"""The short way of a request that asks for nothing but one response, which is most of them.

It costs about a fifth less CPU than `httpx.Client.request`, which does at each request what a pooled client never needs. What it
leaves out, and why nobody can notice (tests/http/test_plain_request.py has each):

* merging the client's `params`, `cookies` and `base_url`: a pooled client has none, and `url` is absolute; else httpx's way
* merging headers: there are none but the client's
* `auth`, event hooks, mounts, .netrc and proxies by mount: a pooled client has none, and `trust_env` is off; a URL with a
  user's name in it goes httpx's way
* taking cookies in: a pooled client's jar refuses all; those of a chain of redirects are in `redirects`
* redirects: httpx goes on from the first response, which is handed to it; so `max_redirects`, `history` and
  `next_request` are its own
* taking an address apart: of one that httpx takes as it is written, the host is the last one's or looked at once
* the line in httpx's log at INFO: where somebody reads it, httpx's way
* `error.request` of a transport error: `http.api` makes a `RequestFailed` of it
* a client that was closed: httpx's way, which refuses

The response is read and closed, also when reading fails, and has `request` and `elapsed`, as httpx does it. Where
somebody has replaced a function of httpx's clients, each request goes there.
"""

from __future__ import annotations

import datetime
import functools
import logging
import re
import time
from typing import Any

import httpx

from flowlet_jupyter.http.redirects import FIRST_RESPONSE
from flowlet_jupyter.http.replaced_httpx import is_client_replaced

_httpx_log = logging.getLogger("httpx")
_PLAIN_OPTIONS = frozenset({"extensions", "follow_redirects"})
_NO_BODY = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_PART = r"[A-Za-z0-9_~!$&'()*+,;:@=%./-]{0,8000}"
# an origin, a path and a query in which httpx quotes nothing
_AS_WRITTEN = re.compile(rf"(https?://[a-z0-9.-]+(?::[0-9]+)?)(/{_PART})(?:\?({_PART}))?")


class _Origin:
    """A scheme, host and port, with what is the same in all plain requests of one client there."""

    def __init__(self, text: str, client: PlainClient | AsyncPlainClient) -> None:
        self.text = text
        self.url, self.headers = _parsed(client, f"{text}/")


def _with_target(url: httpx.URL, path: str, query: str | None) -> httpx.URL:
    other = httpx.URL(url)
    # not public, so that `_may_put_together` tries it first; `copy_with` takes the whole address apart too
    other._uri_reference = url._uri_reference._replace(path=path, query=query)  # noqa: SLF001 - see above
    return other


@functools.cache
def _may_put_together() -> bool:
    """Whether an address that is put together is the one that httpx makes of its text."""
    # with each sign that is taken as it is written: some httpx writes %25 for a % that encodes nothing
    path, query = "/b~_!$&'()*+,;:@=%./%zz-", "d=~_!$&'()*+,;:@%./%zz-"
    text = f"https://a.example:8443{path}?{query}"
    try:
        made = _with_target(httpx.URL("https://a.example:8443/"), path, query)
        return vars(made) == vars(httpx.URL(text)) and str(made) == text
    except (AttributeError, TypeError, ValueError):  # a later httpx
        return False


class PlainClient(httpx.Client):
    """A client of the pool: it has no cookies, no event hooks, no `auth` and no mounts."""

    origin: _Origin | None = None  # of the last plain request

    def ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        """As `request`."""
        request = _plain_request(self, method, url, options)
        if request is None:
            return self.request(method, url, **options)
        started = time.perf_counter()
        response = self._transport.handle_request(request)
        if response.has_redirect_location:
            request.extensions[FIRST_RESPONSE] = response
            before = time.perf_counter() - started
            last = self.send(request, follow_redirects=options.get("follow_redirects", httpx.USE_CLIENT_DEFAULT))
            response.elapsed += datetime.timedelta(seconds=before)  # httpx's clock began with `send`
            return last
        response.request = request
        try:
            response.read()
        finally:
            response.close()
        response.elapsed = datetime.timedelta(seconds=time.perf_counter() - started)
        return response


class AsyncPlainClient(httpx.AsyncClient):
    """The async twin."""

    origin: _Origin | None = None

    async def ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        """As `request`."""
        request = _plain_request(self, method, url, options)
        if request is None:
            return await self.request(method, url, **options)
        started = time.perf_counter()
        response = await self._transport.handle_async_request(request)
        if response.has_redirect_location:
            request.extensions[FIRST_RESPONSE] = response
            before = time.perf_counter() - started
            last = await self.send(request, follow_redirects=options.get("follow_redirects", httpx.USE_CLIENT_DEFAULT))
            response.elapsed += datetime.timedelta(seconds=before)  # httpx's clock began with `send`
            return last
        response.request = request
        try:
            if isinstance(response.stream, httpx.ByteStream):
                response.read()  # it is here, and async generators cost more than all else that is done to it
            else:
                await response.aread()
        finally:
            await response.aclose()
        response.elapsed = datetime.timedelta(seconds=time.perf_counter() - started)
        return response


def _plain_request(
    client: PlainClient | AsyncPlainClient, method: str, url: str, options: dict[str, Any]
) -> httpx.Request | None:
    """The request as `client.build_request` makes it; None if it is not plain."""
    if client.is_closed or method not in _NO_BODY or not _PLAIN_OPTIONS.issuperset(options):
        return None
    if _httpx_log.isEnabledFor(logging.INFO) or is_client_replaced():  # somebody wants to see each request there
        return None
    try:
        address, headers = _known(client, url) or _parsed(client, url)
    except UnicodeError:
        return None
    if address.userinfo or not address.host:
        return None
    request = httpx.Request(
        method,
        address,
        headers=headers,
        stream=httpx.ByteStream(b""),
        extensions={"timeout": client.timeout.as_dict(), **(options.get("extensions") or {})},
    )
    request.headers.encoding = "ascii"  # as these are: else each is looked at again to find that out
    request.read()
    return request


def _parsed(client: PlainClient | AsyncPlainClient, url: str) -> tuple[httpx.URL, httpx.Headers]:
    """The address and the headers of a request to `url`. Raises `httpx.InvalidURL`, `UnicodeError`."""
    address = httpx.URL(url)
    return address, httpx.Headers([(b"Host", address.netloc), *client.headers.raw])


def _known(client: PlainClient | AsyncPlainClient, url: str) -> tuple[httpx.URL, httpx.Headers] | None:
    """The same from what is known of the origin; None if httpx may make another address of the text."""
    found = _AS_WRITTEN.fullmatch(url)
    if found is None or "/." in found[2] or not _may_put_together():  # segments of dots are left out of a path
        return None
    origin = client.origin
    if origin is None or origin.text != found[1]:
        origin = client.origin = _Origin(found[1], client)
    return _with_target(origin.url, found[2], found[3]), origin.headers
