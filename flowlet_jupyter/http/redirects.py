"""Where a redirect may lead: to an allowed host with the secret, to public storage without it, and nowhere else.

APIs respond to a download with a redirect to a signed URL on a storage host. That host is none of the secret's, needs no
credential, and often refuses one. So a GET or HEAD goes on there bare; anything else that leaves the allowed hosts is
refused, as are loopback, private and link-local addresses: an API must not read inside the user's network.
"""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import dataclass

import httpx

from flowlet_jupyter.credentials.redaction import NOTHING_SENT, SentValues, sent_with
from flowlet_jupyter.errors import HostNotAllowed
from flowlet_jupyter.model.hosts import check_destination, is_loopback
from flowlet_jupyter.model.secret import host_rules
from flowlet_jupyter.settings.addresses import is_public
from flowlet_jupyter.vault import Vault

EXTENSION = "flowlet_redirects"
FIRST_RESPONSE = "flowlet_first_response"  # the response that a request which httpx is to go on with has already
NOTE = "flowlet_without_secret"  # of a response: the host that was asked without the secret
# all that goes along: nothing that a user or a secret put on the request can be a credential for a strange host
_HARMLESS_HEADERS = frozenset({
    "accept", "accept-encoding", "accept-language", "connection", "host", "if-match", "if-modified-since",
    "if-none-match", "if-range", "if-unmodified-since", "range", "user-agent",
})  # fmt: skip


@dataclass
class Chain:
    """One request and its redirects: httpx hands the same extensions on from hop to hop."""

    first: weakref.ReferenceType[httpx.Request]  # which holds this, and would be freed late in a circle
    previous: httpx.URL
    cookies: httpx.Cookies | None = None  # those that were set on the way
    sent: SentValues = NOTHING_SENT  # by the hops so far
    left: bool = False  # once outside the allowed hosts, never with the secret again


def _begin_hop(request: httpx.Request) -> tuple[Chain, bool]:
    """The chain that the request belongs to, and whether it is a redirect within it."""
    chain = request.extensions.get(EXTENSION)
    is_redirect = isinstance(chain, Chain) and chain.first() is not request
    if not isinstance(chain, Chain) or not is_redirect:
        chain = request.extensions[EXTENSION] = Chain(weakref.ref(request), request.url)
        return chain, False
    if chain.cookies is not None and "cookie" not in request.headers:
        chain.cookies.set_cookie_header(request)
    return chain, True


def _end_hop(chain: Chain, request: httpx.Request, response: httpx.Response) -> httpx.Response:
    if "set-cookie" in response.headers:
        response.request = request  # what the jar asks for; the client sets the same
        chain.cookies = chain.cookies or httpx.Cookies()
        chain.cookies.extract_cookies(response)
    chain.previous = request.url
    chain.sent |= sent_with(response)
    if chain.left:
        response.extensions[NOTE] = request.url.raw_host.decode("ascii")
    return response


def _is_outside(vault: Vault, secret_name: str, request: httpx.Request) -> HostNotAllowed | None:
    url = request.url
    try:
        check_destination(
            secret_name,
            host_rules(vault.get(secret_name).secret),
            scheme=url.scheme,
            host=url.raw_host.decode("ascii"),
            port=url.port,
        )
    except HostNotAllowed as error:
        return error
    return None


def _refusal_of_bare(chain: Chain, request: httpx.Request) -> str | None:
    """Why the request may not go on without the secret either; None if it may."""
    url = request.url
    host = url.raw_host.decode("ascii")
    if request.method not in {"GET", "HEAD"}:
        return f"A redirected {request.method} is not sent to another host."
    if url.userinfo or chain.sent.redact(str(url)) != str(url):
        return "The redirect's address holds a credential."
    if is_loopback(host) and is_loopback(chain.previous.raw_host.decode("ascii")):
        return None  # from this machine to itself: an API under development, and nobody is let in from outside
    if url.scheme != "https":
        return "It would go on without https."
    if not is_public(url):
        return "It leads to an address inside this machine or network."
    return None


def _bare(request: httpx.Request) -> httpx.Request:
    headers = [(name, value) for name, value in request.headers.multi_items() if name.lower() in _HARMLESS_HEADERS]
    return httpx.Request(request.method, request.url, headers=headers, extensions=request.extensions)


def _leaves(chain: Chain, vault: Vault, secret_name: str | None, request: httpx.Request) -> bool:
    """Whether this redirect goes on without the secret. Raises `HostNotAllowed` if it must not go on at all."""
    if secret_name is None:
        return False
    outside = _is_outside(vault, secret_name, request)
    if outside is None and not chain.left:
        return False
    refusal = _refusal_of_bare(chain, request)
    if refusal is not None:
        raise HostNotAllowed(f"{outside or f'The redirect leads back to a host of {secret_name!r}.'} {refusal}")
    chain.left = True
    return True


class RedirectTransport(httpx.BaseTransport):
    """The outermost transport: keeps cookies within one chain of redirects, and sends bare what goes to storage."""

    def __init__(
        self, inner: httpx.BaseTransport, bare: httpx.BaseTransport, vault: Vault, secret_name: str | None
    ) -> None:
        self._inner = inner
        self._bare = bare
        self._vault = vault
        self._secret_name = secret_name

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one hop. Raises `HostNotAllowed` and what the inner transport raises."""
        if isinstance(first := request.extensions.pop(FIRST_RESPONSE, None), httpx.Response):
            return first
        chain, is_redirect = _begin_hop(request)
        if is_redirect and _leaves(chain, self._vault, self._secret_name, request):
            return _end_hop(chain, request, self._bare.handle_request(_bare(request)))
        return _end_hop(chain, request, self._inner.handle_request(request))

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class AsyncRedirectTransport(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, bare: httpx.AsyncBaseTransport, vault: Vault, secret_name: str | None
    ) -> None:
        self._inner = inner
        self._bare = bare
        self._vault = vault
        self._secret_name = secret_name

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one hop. Raises as `RedirectTransport.handle_request` does."""
        if isinstance(first := request.extensions.pop(FIRST_RESPONSE, None), httpx.Response):
            return first
        chain, is_redirect = _begin_hop(request)
        if is_redirect and await asyncio.to_thread(_leaves, chain, self._vault, self._secret_name, request):
            return _end_hop(chain, request, await self._bare.handle_async_request(_bare(request)))
        return _end_hop(chain, request, await self._inner.handle_async_request(request))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()
