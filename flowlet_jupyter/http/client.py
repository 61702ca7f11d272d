"""Clients that send with a secret: new ones, and those that are kept, one a secret and process."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import os
import ssl
import weakref
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.caching import CachingTransport
from flowlet_jupyter.http.plain_request import AsyncPlainClient, PlainClient
from flowlet_jupyter.http.redirects import AsyncRedirectTransport, RedirectTransport
from flowlet_jupyter.http.replaced_httpx import is_client_replaced, is_transport_replaced
from flowlet_jupyter.http.response import ACCEPT_ENCODING
from flowlet_jupyter.http.retries import AsyncRetryWhenAsked, RetryWhenAsked
from flowlet_jupyter.http.transport import (
    AsyncCredentialTransport,
    CredentialTransport,
)
from flowlet_jupyter.model.secret import base_url_of
from flowlet_jupyter.session import Session, at_exit, default_session
from flowlet_jupyter.settings import is_aiohttp_allowed
from flowlet_jupyter.settings.browser import is_in_browser
from flowlet_jupyter.settings.network import (
    AsyncNetworkTransport,
    NetworkTransport,
    insecure_tls_context,
    tls_context,
)
from flowlet_jupyter.settings.proxies import proxy_settings
from flowlet_jupyter.vault import Vault

TIMEOUT_SECONDS = 30.0
_NO_REQUEST = (
    "This is no request that can be sent: its host is no host name, or it has a character that cannot stand there."
)


class _Client(httpx.Client):
    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        """As httpx does; but an error of the `idna` package, which httpx lets through, is an `httpx.InvalidURL`."""
        try:
            return super().build_request(method, url, **options)
        except UnicodeError:
            raise httpx.InvalidURL(_NO_REQUEST) from None


class _AsyncClient(httpx.AsyncClient):
    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        """The async twin."""
        try:
            return super().build_request(method, url, **options)
        except UnicodeError:
            raise httpx.InvalidURL(_NO_REQUEST) from None


class _PooledClient(PlainClient, _Client):
    pass


class _PooledAsyncClient(AsyncPlainClient, _AsyncClient):
    pass


_C = TypeVar("_C", bound=_Client)
_A = TypeVar("_A", bound=_AsyncClient)


def client(
    secret: str | None = None, *, base_url: str | None = None, session: Session | None = None, **options: Any
) -> httpx.Client:
    """A new `httpx.Client` that sends with the secret's credentials, under its host rule, at every hop.

    `base_url` defaults to the secret's; `options` are httpx's own. Close it, or use it in a `with`.
    """
    return _new_client(_Client, session or default_session(), secret, base_url, options, insecure=False)


def _new_client(
    kind: type[_C],
    session: Session,
    secret: str | None,
    base_url: str | None,
    options: dict[str, Any],
    *,
    insecure: bool,
) -> _C:
    vault = session.vault
    options = _client_options(vault, secret, base_url, options)

    network = _network(insecure=insecure)

    def chain(name: str | None) -> RetryWhenAsked:
        return RetryWhenAsked(CredentialTransport(network, vault=vault, secret_name=name, prompt=session.prompt))

    transport = RedirectTransport(CachingTransport(chain(secret), secret, session), chain(None), vault, secret)
    return kind(transport=transport, trust_env=False, **options)


def async_client(
    secret: str | None = None, *, base_url: str | None = None, session: Session | None = None, **options: Any
) -> httpx.AsyncClient:
    """The same as an `httpx.AsyncClient`."""
    return _new_async_client(_AsyncClient, session or default_session(), secret, base_url, options)


def _new_async_client(
    kind: type[_A], session: Session, secret: str | None, base_url: str | None, options: dict[str, Any]
) -> _A:
    vault = session.vault
    options = _client_options(vault, secret, base_url, options)

    network = _async_network()

    def chain(name: str | None) -> AsyncRetryWhenAsked:
        return AsyncRetryWhenAsked(
            AsyncCredentialTransport(network, vault=vault, secret_name=name, prompt=session.prompt)
        )

    transport = AsyncRedirectTransport(chain(secret), chain(None), vault, secret)
    return kind(transport=transport, trust_env=False, **options)


def _network(*, insecure: bool) -> httpx.BaseTransport:
    if is_in_browser():  # Pyodide's httpx sends by `fetch`: the browser checks certificates, and knows its proxies
        return httpx.HTTPTransport()
    return NetworkTransport(insecure_tls_context() if insecure else shared_ssl_context())


def _async_network() -> httpx.AsyncBaseTransport:
    """What goes over aiohttp where the extra `fast` is installed, else httpx's own."""
    if is_in_browser():
        return httpx.AsyncHTTPTransport()
    if is_aiohttp_allowed() and _has_aiohttp():
        from flowlet_jupyter.http.aiohttp_transport import AiohttpTransport

        return AiohttpTransport(shared_ssl_context())
    return AsyncNetworkTransport(shared_ssl_context())


def sends_over_aiohttp() -> bool:
    """Whether a plain request of the async verbs goes over aiohttp: not where a proxy is asked, or httpx is mocked."""
    if is_in_browser() or is_client_replaced() or is_transport_replaced():
        return False
    return is_aiohttp_allowed() and _has_aiohttp() and not proxy_settings().proxies


@functools.cache
def _has_aiohttp() -> bool:
    return importlib.util.find_spec("aiohttp") is not None


@functools.cache
def shared_ssl_context() -> ssl.SSLContext:
    """One context a process: building one takes longer than most requests."""
    return tls_context()


def _client_options(vault: Vault, secret: str | None, base_url: str | None, options: dict[str, Any]) -> dict[str, Any]:
    for option in ("transport", "mounts", "verify", "proxy", "cert", "trust_env"):
        if option in options:
            raise RequestFailed(f"The option {option} belongs to the credential transport and cannot be given.")
    if secret is not None:
        base_url = base_url or base_url_of(vault.get(secret))
    # a cookie jar that takes nothing in: a pooled client must not carry a session from one request to the next
    cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    headers = httpx.Headers({"Accept-Encoding": ACCEPT_ENCODING})
    headers.update(options.pop("headers", None))
    defaults = {"timeout": TIMEOUT_SECONDS, "follow_redirects": True, "cookies": cookies, "base_url": base_url or ""}
    return {**defaults, **options, "headers": headers}


class ClientPool:
    """One client per secret and process (and event loop) in a session: making one costs many times a request."""

    def __init__(self, session: Session) -> None:
        self._session = weakref.ref(session)
        self._clients: dict[tuple[str | None, int, bool], _PooledClient] = {}
        self._async_clients: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[str | None, _PooledAsyncClient]
        ] = weakref.WeakKeyDictionary()
        at_exit(self.close)

    def get(self, secret: str | None, *, insecure: bool = False) -> _PooledClient:
        """The client that sends with `secret`."""
        key = (secret, os.getpid(), insecure)
        client = self._clients.get(key)
        if client is None:
            made = _new_client(_PooledClient, self._owner(), secret, None, {}, insecure=insecure)
            client = self._clients.setdefault(key, made)  # one step, also where two threads have made one
        return client

    def get_async(self, secret: str | None) -> _PooledAsyncClient:
        """The client of the running event loop that sends with `secret`."""
        loop = asyncio.get_running_loop()
        of_loop = self._async_clients.get(loop)
        if of_loop is None:
            # open connections hold their loop, so that an entry would never go by itself
            for ended in [each for each in self._async_clients if each.is_closed()]:
                self._async_clients.pop(ended, None)
            of_loop = self._async_clients[loop] = {}
        if secret not in of_loop:
            of_loop[secret] = _new_async_client(_PooledAsyncClient, self._owner(), secret, None, {})
        return of_loop[secret]

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        for client in self._async_clients.pop(asyncio.get_running_loop(), {}).values():
            await client.aclose()

    def _owner(self) -> Session:
        session = self._session()
        assert session is not None  # noqa: S101 - who asks its pool holds the session
        return session

    def close(self) -> None:
        """Close the connections of this process."""
        while self._clients:
            (_, process, _), made = self._clients.popitem()
            if process == os.getpid():  # a forked child must not end its parent's connections
                made.close()
