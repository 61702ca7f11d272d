"""The credential transport: attaches a secret below the client, hop by hop, so that no hop escapes the host rule."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

import httpx

from flowlet_jupyter.http.audit import record_use
from flowlet_jupyter.http.credentials import Step, credential_flow
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.oauth.person import ConnectHook, refuse
from flowlet_jupyter.oauth.refresh import wait_for
from flowlet_jupyter.secret_value import Credentials
from flowlet_jupyter.vault import Vault


class CredentialTransport(httpx.BaseTransport):
    """Sends requests with the credentials of one secret (or of none) and answers with our `Response`."""

    def __init__(
        self,
        network: httpx.BaseTransport,
        *,
        vault: Vault,
        secret_name: str | None,
        connect: ConnectHook = refuse,
    ) -> None:
        self._network = network
        self._vault = vault
        self._secret_name = secret_name
        self._connect = connect

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one hop. Raises `HostNotAllowed`, `AuthRequired`, `TokenEndpointError`, `httpx.TransportError`."""
        if self._secret_name is None:
            return self._send(request)
        flow = credential_flow(self._vault, self._secret_name, request, with_credentials)
        try:
            step = next(flow)
            while True:
                try:
                    outcome = self._perform(step)
                except Exception as error:  # noqa: BLE001 - the flow decides what to make of it
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as done:
            record_use(self._vault, self._secret_name, request.method, request.url.host, done.value.status_code)
            return done.value  # type: ignore[no-any-return]  # what the flow returns is the response it was sent

    def _perform(self, step: Step) -> Any:
        if isinstance(step, httpx.Request):
            return self._send(step)
        if isinstance(step, httpx.Response):
            return step.close()
        return wait_for(step) if isinstance(step, Future) else self._connect(step.error)

    def _send(self, request: httpx.Request) -> Response:
        try:
            return our_response(self._network.handle_request(request), self._secret_name)
        except httpx.TransportError as error:
            failure = _without_frames(error)
        raise failure

    def close(self) -> None:
        """Close the connections."""
        self._network.close()


class AsyncCredentialTransport(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`."""

    def __init__(
        self,
        network: httpx.AsyncBaseTransport,
        *,
        vault: Vault,
        secret_name: str | None,
        connect: ConnectHook = refuse,
    ) -> None:
        self._network = network
        self._vault = vault
        self._secret_name = secret_name
        self._connect = connect

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one hop. Raises as `CredentialTransport.handle_request` does."""
        if self._secret_name is None:
            return await self._send(request)
        flow = credential_flow(self._vault, self._secret_name, request, with_credentials)
        try:
            step = next(flow)
            while True:
                try:
                    outcome = await self._perform(step)
                except Exception as error:  # noqa: BLE001 - the flow decides what to make of it
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as done:
            record_use(self._vault, self._secret_name, request.method, request.url.host, done.value.status_code)
            return done.value  # type: ignore[no-any-return]  # what the flow returns is the response it was sent

    async def _perform(self, step: Step) -> Any:
        if isinstance(step, httpx.Request):
            return await self._send(step)
        if isinstance(step, httpx.Response):
            return await step.aclose()
        return await asyncio.to_thread(*((wait_for, step) if isinstance(step, Future) else (self._connect, step.error)))

    async def _send(self, request: httpx.Request) -> Response:
        try:
            return our_response(await self._network.handle_async_request(request), self._secret_name)
        except httpx.TransportError as error:
            failure = _without_frames(error)
        raise failure

    async def aclose(self) -> None:
        """Close the connections."""
        await self._network.aclose()


def with_credentials(request: httpx.Request, credentials: Credentials) -> httpx.Request:
    """A copy of `request` that carries the credentials; the user's own never does."""
    url = request.url
    for name, value in credentials.query.items():
        url = url.copy_add_param(name, value.reveal())
    sent = httpx.Request(
        request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
    )
    for name, value in credentials.headers.items():
        sent.headers[name] = value.reveal()
    return sent


def our_response(answer: httpx.Response, secret_name: str | None) -> Response:
    """`answer` as a `Response` that knows whose credentials it was asked for with."""
    response = Response(answer.status_code, headers=answer.headers, stream=answer.stream, extensions=answer.extensions)
    response.secret_name = secret_name
    return response


def _without_frames(error: httpx.TransportError) -> httpx.TransportError:
    # the frames below hold the headers as they were sent, and a verbose traceback prints every frame's locals
    return type(error)(str(error) or type(error).__name__)
