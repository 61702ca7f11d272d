"""The credentials of a request that another library sends, under the host rule, and a token that a 401 refused replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

import httpx

from flowlet_jupyter.credentials.drive import Chore, drive
from flowlet_jupyter.credentials.flow import (
    Connect,
    Peek,
    Refreshing,
    credential_flow,
    refuse_beyond_authorization,
    refuse_what_redirects_carry,
)
from flowlet_jupyter.errors import InvalidOption
from flowlet_jupyter.model.hosts import check_destination
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import host_rules
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.refresh import auth_required, token_after_rejection, wait_for
from flowlet_jupyter.session import Session


def check_host(session: Session, secret: str, url: str) -> None:
    """Raise `HostNotAllowed` unless the secret may be sent to `url`."""
    rules = host_rules(session.vault.get(secret).secret)
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        raise InvalidOption(f"'{url[:80]}' is no URL that secret '{secret}' could be sent to.") from None
    check_destination(secret, rules, scheme=scheme, host=host, port=port)


class ForeignRequest:
    """The credential flow of one request that another library sends: `headers`, then `next` until it gives None.

    Raises `HostNotAllowed`, `AuthRequired`, `TokenEndpointError`, and `InvalidOption` if anything but `Authorization`
    would be set.
    """

    def __init__(self, session: Session, secret: str, method: str, url: str, library: str, *, body: Any = None) -> None:
        check_host(session, secret, url)
        refuse_what_redirects_carry(session.vault.get(secret).secret, library)
        self._secret, self._library = secret, library
        stream = httpx.ByteStream(b"") if body is None or isinstance(body, bytes | str) else _Body(body)
        request = httpx.Request(method, url, stream=stream)
        self.url = request.url
        self._flow = credential_flow(session.vault, secret, request)
        self.headers = self._next(None, bytes) or {}

    @property
    def token(self) -> SecretValue:
        """What stands behind the scheme in the first `Authorization`."""
        return SecretValue(self.headers.get("Authorization", "").rpartition(" ")[2])

    def next(self, status: int, headers: Any, body: Callable[[], bytes]) -> dict[str, str] | None:
        """The headers, in clear, to send the request once more with; None if its response is the one to give back.

        `body` reads it, where the API may say only there that the token has ended.
        """
        return self._next(httpx.Response(status, headers=dict(headers)), body)

    def _next(self, response: httpx.Response | None, body: Callable[[], bytes]) -> dict[str, str] | None:
        def perform(step: Chore) -> Any:
            if isinstance(step, Refreshing):
                return wait_for(step.future, seconds=step.seconds)
            if isinstance(step, Connect):
                raise step.error
            return body() if isinstance(step, Peek) else None

        credentials = drive(self._flow, response, perform)
        if credentials is None:
            return None
        refuse_beyond_authorization(self._secret, self._library, credentials)
        return {name: value.reveal() for name, value in credentials.headers.items()}


class _Body(httpx.SyncByteStream):
    """A body that another library sends; it is here to be sent to its beginning again, as far as it can."""

    def __init__(self, body: Any) -> None:
        self._stream = body

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("the other library reads the body")


def renew_rejected(session: Session, secret: str, rejected: SecretValue | None) -> None:
    """Refresh the access token that an API `rejected`, once, whoever asks; None, if it is not known, is the stored one.

    Raises `AuthRequired`, `TokenEndpointError`.
    """
    vault = session.vault
    record = vault.get(secret)
    if not isinstance(record.secret, OAuth2) or record.token_set is None:
        raise auth_required(record)
    renewed = token_after_rejection(vault, record, rejected or record.token_set.access_token)
    if renewed is None:
        raise auth_required(record)
    if isinstance(renewed, Future):
        wait_for(renewed)
