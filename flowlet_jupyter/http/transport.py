"""The credential transport: attaches a secret below the client, hop by hop, so that no hop escapes the host rule.

A verbose traceback prints the variables of every frame. So the request with the credentials on it lives only in
`_exchange` and below, which hand on what happened there as a value: no exception leaves with their frames.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import nullcontext
from types import TracebackType
from typing import Any, Generic, TypeVar

import httpx

from flowlet_jupyter.credentials.drive import Chore, adrive, drive
from flowlet_jupyter.credentials.flow import SentCredentials, credential_flow
from flowlet_jupyter.credentials.redaction import NOTHING_SENT, SentValues
from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.chores import perform, perform_async
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.http.usage_log import record_use
from flowlet_jupyter.session.prompt import AuthorizationPrompt, NoPrompt
from flowlet_jupyter.settings.library_logs import without_response_headers
from flowlet_jupyter.vault import Vault

_Network = TypeVar("_Network")


class _OfOneSecret(Generic[_Network]):
    """What the sync and the async transport have in common."""

    def __init__(
        self,
        network: _Network,
        *,
        vault: Vault,
        secret_name: str | None,
        prompt: AuthorizationPrompt | None = None,
    ) -> None:
        self._network: _Network = network
        self._vault = vault
        self._secret_name = secret_name
        self._prompt = prompt or NoPrompt()

    def _logged(self, request: httpx.Request, response: Response | None) -> Response:
        assert response is not None  # noqa: S101 - a flow sends at least once, or raises
        assert self._secret_name is not None  # noqa: S101 - a flow has one
        host = request.url.raw_host.decode("ascii")
        record_use(self._vault, self._secret_name, request.method, host, response.status_code)
        return response


class CredentialTransport(_OfOneSecret[httpx.BaseTransport], httpx.BaseTransport):
    """Sends requests with the credentials of one secret (or of none) and gives our `Response`."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one hop. Raises `HostNotAllowed`, `AuthRequired`, `TokenEndpointError`, `httpx.TransportError`."""
        if self._secret_name is None:
            return self._send(request, None, NOTHING_SENT)
        flow, response = credential_flow(self._vault, self._secret_name, request), None
        sent = NOTHING_SENT
        while (credentials := drive(flow, response, self._perform)) is not None:
            sent |= credentials.sent
            response = self._send(request, credentials, sent)
        return self._logged(request, response)

    def _perform(self, step: Chore) -> Any:
        if isinstance(step, httpx.Response):
            return step.close()
        return perform(step, self._vault, self._prompt)

    def _send(self, request: httpx.Request, credentials: SentCredentials | None, sent: SentValues) -> Response:
        body = None if isinstance(request.stream, httpx.ByteStream) else _Body(request.stream)
        try:
            outcome = self._exchange(request, credentials, body)
        except BaseException as error:  # noqa: BLE001 - an interrupt between two instructions of `_exchange`
            outcome = error
        if isinstance(outcome, BaseException):
            is_users = credentials is None and not isinstance(outcome, httpx.TransportError)
            failure = outcome if is_users else _without_frames(outcome, body, sent)
            del outcome
            raise failure
        response = our_response(outcome, self._secret_name, sent)
        if credentials is not None and not isinstance(outcome.stream, httpx.ByteStream):  # which has the bytes alone
            response.stream = _ResponseStream(outcome.stream, sent)
        return response

    def _exchange(
        self, request: httpx.Request, credentials: SentCredentials | None, body: _Body | None
    ) -> httpx.Response | BaseException:
        try:
            with nullcontext() if credentials is None else without_response_headers():
                return self._network.handle_request(_attached(request, credentials, body))
        except BaseException as error:  # noqa: BLE001 - `_send` raises it, without the frames that hold the credentials
            return error

    def close(self) -> None:
        """Close the connections."""
        self._network.close()


class AsyncCredentialTransport(_OfOneSecret[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one hop. Raises as `CredentialTransport.handle_request` does."""
        if self._secret_name is None:
            return await self._send(request, None, NOTHING_SENT)
        flow, response = credential_flow(self._vault, self._secret_name, request), None
        sent = NOTHING_SENT
        while (credentials := await adrive(flow, response, self._perform)) is not None:
            sent |= credentials.sent
            response = await self._send(request, credentials, sent)
        return self._logged(request, response)

    async def _perform(self, step: Chore) -> Any:
        if isinstance(step, httpx.Response):
            return await step.aclose()
        return await perform_async(step, self._vault, self._prompt)

    async def _send(self, request: httpx.Request, credentials: SentCredentials | None, sent: SentValues) -> Response:
        body = None if isinstance(request.stream, httpx.ByteStream) else _Body(request.stream)
        try:
            outcome = await self._exchange(request, credentials, body)
        except BaseException as error:  # noqa: BLE001 - as in the sync twin
            outcome = error
        if isinstance(outcome, BaseException):
            is_users = credentials is None and not isinstance(outcome, httpx.TransportError)
            failure = outcome if is_users else _without_frames(outcome, body, sent)
            del outcome
            raise failure
        response = our_response(outcome, self._secret_name, sent)
        if credentials is not None and not isinstance(outcome.stream, httpx.ByteStream):  # which has the bytes alone
            response.stream = _ResponseStream(outcome.stream, sent)
        return response

    async def _exchange(
        self, request: httpx.Request, credentials: SentCredentials | None, body: _Body | None
    ) -> httpx.Response | BaseException:
        try:
            with nullcontext() if credentials is None else without_response_headers():
                return await self._network.handle_async_request(_attached(request, credentials, body))
        except BaseException as error:  # noqa: BLE001 - as in the sync twin
            return error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._network.aclose()


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body that the user gave. Of an error in it, it remembers the frames that are the user's own."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.error: BaseException | None = None
        self.traceback: TracebackType | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self.stream
        except BaseException as error:
            self._remember(error)
            raise

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self.stream:
                yield part
        except BaseException as error:
            self._remember(error)
            raise

    def _remember(self, error: BaseException) -> None:
        if not isinstance(error, GeneratorExit):
            self.error = error
            self.traceback = error.__traceback__.tb_next if error.__traceback__ else None


class _ResponseStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a response. The frames below, of which the connection's know the request, are in no traceback.

    The connection's stream holds the request as it was sent. It is behind a function, so that what reads the attributes
    of a response one after another (serializers, debuggers, inspectors of variables) does not come to it.
    """

    def __init__(self, stream: Any, sent: SentValues) -> None:
        self._stream: Callable[[], Any] = lambda: stream
        self._sent = sent

    def _without_frames(self, error: BaseException) -> BaseException:
        return _redacted(error, self._sent) if isinstance(error, httpx.TransportError) else _bare(error)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream()
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 - raised below, without its frames
            failure = self._without_frames(error)
        else:
            return
        raise failure

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._stream():
                yield part
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 - raised below, without its frames
            failure = self._without_frames(error)
        else:
            return
        raise failure

    def close(self) -> None:
        self._stream().close()

    async def aclose(self) -> None:
        await self._stream().aclose()


def _attached(request: httpx.Request, credentials: SentCredentials | None, body: _Body | None) -> httpx.Request:
    """A copy of `request` that carries the credentials; the user's own never does."""
    if credentials is None:
        return request
    url = request.url
    for name, value in credentials.query.items():
        url = url.copy_add_param(name, value.reveal())
    stream = request.stream if body is None else body
    sent = httpx.Request(request.method, url, headers=request.headers, stream=stream, extensions=request.extensions)
    sent.headers.encoding = "iso-8859-1"  # a value that no header can hold is an error, not bytes of UTF-8
    for name, value in credentials.headers.items():
        sent.headers[name] = value.reveal()
    return sent


def our_response(response: httpx.Response, secret_name: str | None, sent: SentValues = NOTHING_SENT) -> Response:
    """`response` as a `Response` that knows whose credentials it was asked for with, and which values were sent."""
    extensions = response.extensions
    if sent and response.reason_phrase != httpx.codes.get_reason_phrase(response.status_code):  # httpx logs it, at INFO
        extensions = {**extensions, "reason_phrase": sent.redact_bytes(extensions.get("reason_phrase", b""))}
    if isinstance(response, Response):  # as a network gives that makes one itself
        ours, ours.extensions = response, extensions
    else:
        ours = Response(response.status_code, headers=response.headers, stream=response.stream, extensions=extensions)
    ours.secret_name, ours.sent_values = secret_name, sent
    return ours


def _without_frames(error: BaseException, body: _Body | None, sent: SentValues) -> BaseException:
    """`error` with the frames of the user's own body, if it arose there, and no others."""
    if body is not None and error is body.error:
        # what it came from arose in the user's own code too
        return error.with_traceback(body.traceback)
    if isinstance(error, httpx.TransportError):
        return _redacted(error, sent)
    if isinstance(error, UnicodeError | httpx.InvalidURL) or sent.redact(str(error)) != str(error):
        # these quote what they could not encode, and have it as an attribute
        return RequestFailed(
            f"The request with its credentials cannot be written as HTTP asks ({type(error).__name__}): "
            "look for characters in the URL, a header or the secret's value that cannot stand there. Nothing was sent."
        )
    return _bare(error)


def _redacted(error: httpx.TransportError, sent: SentValues) -> BaseException:
    """A new one of its kind; its text quotes what is not HTTP in a response."""
    return type(error)(sent.redact(str(error)) or type(error).__name__)


def _bare(error: BaseException) -> BaseException:
    """`error` without frames, and without the errors that it came from, which have frames of their own."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            _bare(each)
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
