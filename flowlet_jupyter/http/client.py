"""Kept clients, and the verbs of the helper: `get`, `post`, ... and their async twins."""

from __future__ import annotations

import asyncio
import functools
import os
import ssl
import threading
import urllib.request
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from concurrent.futures import Future
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx

from flowlet_jupyter.errors import InvalidSecret, RequestFailed
from flowlet_jupyter.http.credentials import Connect, Credentials, Step, credential_flow
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.http.transport import (
    AsyncCredentialTransport,
    ConnectHook,
    CredentialTransport,
    refuse_to_connect,
)
from flowlet_jupyter.oauth.refresh import wait_for
from flowlet_jupyter.secret import Headers, base_url_of
from flowlet_jupyter.vault import Vault, default_vault

TIMEOUT_SECONDS = 30.0
_T = TypeVar("_T")
_connect_hook: ConnectHook = refuse_to_connect


def set_connect_hook(hook: ConnectHook) -> None:
    """Let a notebook show the connect link when a request meets a secret without a usable token."""
    global _connect_hook  # noqa: PLW0603 - one notebook front end a process, known only after import
    _connect_hook = hook


def _connect(connect: Connect) -> None:
    _connect_hook(connect)


def client(secret: str | None = None, *, base_url: str | None = None, **options: Any) -> httpx.Client:
    """A new `httpx.Client` that sends with the secret's credentials, under its host rule, at every hop.

    `base_url` defaults to the secret's; `options` are httpx's own. Close it, or use it in a `with`.
    """
    vault = default_vault()
    options = _client_options(vault, secret, base_url, options)

    def transport(proxy: str | None) -> CredentialTransport:
        network = httpx.HTTPTransport(verify=shared_ssl_context(), proxy=proxy)
        return CredentialTransport(network, vault=vault, secret_name=secret, connect=_connect)

    return httpx.Client(transport=transport(None), mounts=_proxy_mounts(transport), **options)


def async_client(secret: str | None = None, *, base_url: str | None = None, **options: Any) -> httpx.AsyncClient:
    """The same as an `httpx.AsyncClient`."""
    vault = default_vault()
    options = _client_options(vault, secret, base_url, options)

    def transport(proxy: str | None) -> AsyncCredentialTransport:
        network = httpx.AsyncHTTPTransport(verify=shared_ssl_context(), proxy=proxy)
        return AsyncCredentialTransport(network, vault=vault, secret_name=secret, connect=_connect)

    return httpx.AsyncClient(transport=transport(None), mounts=_proxy_mounts(transport), **options)


@functools.cache
def shared_ssl_context() -> ssl.SSLContext:
    """One context a process: building one takes longer than most requests."""
    return httpx.create_ssl_context()


def _client_options(vault: Vault, secret: str | None, base_url: str | None, options: dict[str, Any]) -> dict[str, Any]:
    for option in ("transport", "mounts", "verify", "proxy", "cert"):
        if option in options:
            raise RequestFailed(f"The option {option} belongs to the credential transport and cannot be given.")
    if secret is not None:
        base_url = base_url or base_url_of(vault.get(secret))
    # a cookie jar that takes nothing in: a kept client must not carry a session from one request to the next
    cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    defaults = {"timeout": TIMEOUT_SECONDS, "follow_redirects": True, "cookies": cookies, "base_url": base_url or ""}
    return defaults | options


def _proxy_mounts(transport: Callable[[str | None], _T]) -> dict[str, _T | None]:
    """Transports for the proxies of the environment, which httpx leaves out when it is given a transport.

    HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (and the system's settings), as `urllib.request.getproxies` reads.
    """
    proxies = urllib.request.getproxies()
    mounts: dict[str, _T | None] = {}
    for scheme in ("http", "https", "all"):
        if proxy := proxies.get(scheme):
            mounts[f"{scheme}://"] = transport(proxy if "://" in proxy else f"http://{proxy}")
    if mounts:
        for host in filter(None, (entry.strip() for entry in proxies.get("no", "").split(","))):
            if host == "*":
                return {}
            mounts[f"all://*{host}" if host.startswith(".") else f"all://*.{host}"] = None
            mounts[f"all://{host.lstrip('.')}"] = None
    return mounts


class _KeptClients:
    """One client per secret and process (and event loop): making one costs many times a request."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._clients: dict[tuple[str | None, Vault, int], httpx.Client] = {}
        self._async_clients: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[tuple[str | None, Vault], httpx.AsyncClient]
        ] = weakref.WeakKeyDictionary()

    def get(self, secret: str | None) -> httpx.Client:
        key = (secret, default_vault(), os.getpid())
        kept = self._clients.get(key)
        if kept is None:
            with self._guard:
                kept = self._clients.get(key) or self._clients.setdefault(key, client(secret))
        return kept

    def get_async(self, secret: str | None) -> httpx.AsyncClient:
        of_loop = self._async_clients.setdefault(asyncio.get_running_loop(), {})
        key = (secret, default_vault())
        if key not in of_loop:
            of_loop[key] = async_client(secret)
        return of_loop[key]


_kept = _KeptClients()


def _absolute(url: str, secret: str | None) -> str:
    """`url`, or the secret's base URL with the path `url` behind it."""
    if "://" in url:
        return url
    base_url = base_url_of(default_vault().get(secret)) if secret is not None else None
    if base_url is None:
        of = f"secret '{secret}' has no base URL" if secret else "no secret is named"
        raise RequestFailed(f"The URL '{url[:200]}' is only a path, and {of}. Write it with https:// and its host.")
    return f"{base_url.rstrip('/')}/{url.lstrip('/')}"


def request(method: str, url: str, *, secret: str | None = None, **options: Any) -> Response:
    """Send a request with the credentials of the secret named `secret`, or with none.

    `options` are those of `httpx.Client.request`: params, headers, json, data, content, files, timeout, follow_redirects.
    Raises `FlowletError`: `HostNotAllowed`, `AuthRequired`, `TokenEndpointError`, `RequestFailed` and others.
    """
    try:
        return _ours(_kept.get(secret).request(method, _absolute(url, secret), **options))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        failure = _failed(method, url, error)
    raise failure


async def arequest(method: str, url: str, *, secret: str | None = None, **options: Any) -> Response:
    """The async twin of `request`."""
    try:
        return _ours(await _kept.get_async(secret).request(method, _absolute(url, secret), **options))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        failure = _failed(method, url, error)
    raise failure


def _ours(response: httpx.Response) -> Response:
    assert isinstance(response, Response)  # noqa: S101 - our transports answer with nothing else
    return response


def _failed(method: str, url: str, error: Exception) -> RequestFailed:
    where = f"{method.upper()} {url.split('?', maxsplit=1)[0][:200]}"
    if isinstance(error, httpx.TimeoutException):
        return RequestFailed(f"{where}: no answer in time ({type(error).__name__}). Give it longer with timeout=.")
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return RequestFailed(f"{where}: this is not a URL that can be requested ({error}).")
    return RequestFailed(f"{where}: {error} ({type(error).__name__}). Check the host and the network.")


def _verb(method: str) -> Callable[..., Response]:
    def verb(url: str, *, secret: str | None = None, **options: Any) -> Response:
        return request(method, url, secret=secret, **options)

    return _named(verb, method.lower(), f"Send a {method} request; see `flowlet.request`.")


def _async_verb(method: str) -> Callable[..., Awaitable[Response]]:
    async def verb(url: str, *, secret: str | None = None, **options: Any) -> Response:
        return await arequest(method, url, secret=secret, **options)

    return _named(verb, f"a{method.lower()}", f"Send a {method} request; see `flowlet.arequest`.")


def _named(verb: _T, name: str, doc: str) -> _T:
    # what `flowlet.get?` shows in a notebook
    verb.__name__ = verb.__qualname__ = name  # type: ignore[attr-defined]  # a function
    verb.__doc__ = doc
    return verb


get, post, put = _verb("GET"), _verb("POST"), _verb("PUT")
patch, delete, head = _verb("PATCH"), _verb("DELETE"), _verb("HEAD")
aget, apost, aput = _async_verb("GET"), _async_verb("POST"), _async_verb("PUT")
apatch, adelete, ahead = _async_verb("PATCH"), _async_verb("DELETE"), _async_verb("HEAD")


class SecretAuth(httpx.Auth):
    """`flowlet.auth(name)`: the secret for a client or SDK of the user's own.

    Unlike `flowlet.client`, it must put the header on the request object, where `response.request` shows it.
    """

    def __init__(self, vault: Vault, secret_name: str) -> None:
        if isinstance(vault.get(secret_name).secret, Headers):
            raise InvalidSecret(
                f"Secret '{secret_name}' has custom headers, which httpx would carry along on a redirect to another "
                f"host. Use flowlet.client('{secret_name}'), which checks every hop."
            )
        self._vault = vault
        self._secret_name = secret_name

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Attach the credentials; refresh and try once more on a 401."""
        flow = credential_flow(self._vault, self._secret_name, request, _put_headers)
        try:
            step = next(flow)
            while True:
                try:
                    outcome = (yield step) if isinstance(step, httpx.Request) else _perform(step)
                except Exception as error:  # noqa: BLE001 - the flow decides what to make of it
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration:
            return

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """The async twin."""
        flow = credential_flow(self._vault, self._secret_name, request, _put_headers)
        try:
            step = next(flow)
            while True:
                try:
                    if isinstance(step, httpx.Request):
                        outcome = yield step
                    else:
                        outcome = await asyncio.to_thread(_perform, step)
                except Exception as error:  # noqa: BLE001 - the flow decides what to make of it
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration:
            return


def _perform(step: Step) -> Any:
    if isinstance(step, Future):
        return wait_for(step)
    return _connect(step) if isinstance(step, Connect) else None  # httpx itself closes the response of a 401


def _put_headers(request: httpx.Request, credentials: Credentials) -> httpx.Request:
    if credentials.query:
        raise InvalidSecret(
            "This provider takes its token in the URL, where httpx would show it. Use flowlet.client()."
        )
    for name, value in credentials.headers.items():
        request.headers[name] = value.reveal()
    return request


def auth(secret: str) -> SecretAuth:
    """An `httpx.Auth` of the secret named `secret`, under its host rule, for a client of your own."""
    return SecretAuth(default_vault(), secret)
