"""`flowlet.auth(name)`: the secret for an httpx client of the user's own, under the same host rule."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any

import httpx

from flowlet_jupyter.credentials.drive import Chore, adrive, drive
from flowlet_jupyter.credentials.flow import (
    credential_flow,
    refuse_beyond_authorization,
    refuse_what_redirects_carry,
)
from flowlet_jupyter.errors import HostNotAllowed
from flowlet_jupyter.http.chores import perform, perform_async
from flowlet_jupyter.model.value import Credentials
from flowlet_jupyter.session import Session, default_session
from flowlet_jupyter.session.prompt import AuthorizationPrompt, NoPrompt
from flowlet_jupyter.settings.proxies import do_others_ask_a_proxy
from flowlet_jupyter.vault import Vault

_LIBRARY = "httpx"


class SecretAuth(httpx.Auth):
    """`flowlet.auth(name)`: the secret for a client or SDK of the user's own.

    Unlike `flowlet.client`, it must put the header on the request object, where `response.request` shows it.
    """

    def __init__(self, vault: Vault, secret_name: str, prompt: AuthorizationPrompt | None = None) -> None:
        refuse_what_redirects_carry(vault.get(secret_name).secret, _LIBRARY)
        self._vault = vault
        self._secret_name = secret_name
        self._prompt = prompt or NoPrompt()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Attach the credentials; refresh and try once more on a 401."""
        flow, response = credential_flow(self._vault, self._secret_name, request), None
        while (credentials := drive(flow, response, self._perform)) is not None:
            response = yield self._put_headers(request, credentials)
            if _is_of_another_host(request, response):
                return

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """The async twin."""
        flow, response = credential_flow(self._vault, self._secret_name, request), None
        while (credentials := await adrive(flow, response, self._perform_async)) is not None:
            response = yield self._put_headers(request, credentials)
            if _is_of_another_host(request, response):
                return

    def _perform(self, step: Chore) -> Any:
        if isinstance(step, httpx.Response):
            return None  # httpx itself reads and closes the response that another request follows
        return perform(step, self._vault, self._prompt)

    async def _perform_async(self, step: Chore) -> Any:
        return None if isinstance(step, httpx.Response) else await perform_async(step, self._vault, self._prompt)

    def _put_headers(self, request: httpx.Request, credentials: Credentials) -> httpx.Request:
        # again at each request: the secret may have been edited since
        refuse_beyond_authorization(self._secret_name, _LIBRARY, credentials)
        refuse_proxied(self._secret_name, request.url, _LIBRARY)
        for name, value in credentials.headers.items():
            request.headers[name] = value.reveal()
        return request


def refuse_proxied(name: str, url: httpx.URL, library: str) -> None:
    """Raise `HostNotAllowed` where `library` would show a proxy what is for this machine only."""
    if do_others_ask_a_proxy(url):
        raise HostNotAllowed(
            f"Secret '{name}' is for this machine, and {library} would hand it to the proxy that HTTP_PROXY or ALL_PROXY "
            "names, in clear. Set NO_PROXY=localhost,127.0.0.1,::1 before the kernel starts; or use "
            f"flowlet.client('{name}'), which asks this machine directly."
        )


def _is_of_another_host(request: httpx.Request, response: httpx.Response) -> bool:
    """Whether a redirect led elsewhere, where the credentials did not go: its response is not about them."""
    own, last = request.url, response.request.url
    return (own.scheme, own.host, own.port) != (last.scheme, last.host, last.port)


def auth(secret: str, *, session: Session | None = None) -> SecretAuth:
    """An `httpx.Auth` of the secret named `secret`, under its host rule, for a client of your own."""
    session = session or default_session()
    return SecretAuth(session.vault, secret, session.prompt)
