"""`flowlet.auth(name)`: the secret for an httpx client of the user's own, under the same host rule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import Future
from typing import Any

import httpx

from flowlet_jupyter.errors import InvalidOption
from flowlet_jupyter.http.credentials import Connect, Step, credential_flow
from flowlet_jupyter.oauth import person
from flowlet_jupyter.oauth.refresh import wait_for
from flowlet_jupyter.secret_value import Credentials
from flowlet_jupyter.vault import Vault, default_vault


class SecretAuth(httpx.Auth):
    """`flowlet.auth(name)`: the secret for a client or SDK of the user's own.

    Unlike `flowlet.client`, it must put the header on the request object, where `response.request` shows it.
    """

    def __init__(self, vault: Vault, secret_name: str) -> None:
        if vault.get(secret_name).secret.is_kept_on_redirect:
            raise InvalidOption(
                f"Secret '{secret_name}' is sent in a header of its own, which httpx would carry along on a redirect to another "
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
    return (
        person.connect(step.error) if isinstance(step, Connect) else None
    )  # httpx itself closes the response of a 401


def _put_headers(request: httpx.Request, credentials: Credentials) -> httpx.Request:
    if credentials.query:
        raise InvalidOption(
            "This provider takes its token in the URL, where httpx would show it. Use flowlet.client()."
        )
    for name, value in credentials.headers.items():
        request.headers[name] = value.reveal()
    return request


def auth(secret: str) -> SecretAuth:
    """An `httpx.Auth` of the secret named `secret`, under its host rule, for a client of your own."""
    return SecretAuth(default_vault(), secret)
