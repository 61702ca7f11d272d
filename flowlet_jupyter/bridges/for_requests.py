"""A secret for `requests`, and for what is built on it (dlt, tweepy, ...)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.bridges.credentials import missing_package, start_request
from flowlet_jupyter.credentials.flow import refuse_what_redirects_carry
from flowlet_jupyter.credentials.foreign_request import ForeignRequest
from flowlet_jupyter.session import Session, default_session

if TYPE_CHECKING:
    from requests.auth import AuthBase


def requests_auth(secret: str, *, session: Session | None = None) -> AuthBase:
    """An auth for `requests`, and for what is built on it: `requests.get(url, auth=requests_auth("twitter"))`.

    On a redirect to another host requests drops `Authorization`; a secret that sets anything else, which it would carry
    along, is refused. An expired access token is refreshed before the request; a 401 refreshes it, once for all that
    are refused at the same time, and the request is sent once more.
    """
    try:
        from requests.auth import AuthBase
    except ImportError:
        raise missing_package("requests") from None
    own = session or default_session()
    refuse_what_redirects_carry(own.vault.get(secret).secret, "requests")

    class RequestsAuth(AuthBase):
        def __call__(self, request: Any) -> Any:
            foreign = start_request(own, secret, request.method, request.url, "requests", body=request.body)
            request.headers.update(foreign.headers)
            request.register_hook("response", functools.partial(_last_response, own, secret, foreign, request.url))
            return request

        def __repr__(self) -> str:
            return f"<requests auth of secret '{secret}'>"

    return RequestsAuth()


def _last_response(
    session: Session, secret: str, foreign: ForeignRequest, url: str, response: Any, **options: Any
) -> Any:
    """The response to give back: of the request sent once more where the API refused the token."""
    if response.request.url != url:
        # at the end of a redirect, where requests has put the credential only if it may go there
        if response.status_code != 401 or "Authorization" not in response.request.headers:
            return response
        request = response.request
        foreign = ForeignRequest(session, secret, request.method, request.url, "requests", body=request.body)
    body = functools.partial(_body, response, options)
    while (headers := foreign.next(response.status_code, response.headers, body)) is not None:
        response.content  # noqa: B018 - reads the body, so that the connection can be used again
        response.close()
        again = response.request.copy()
        again.headers.update(headers)
        repeated = response.connection.send(again, **options)
        repeated.history.append(response)
        repeated.request = again
        response, body = repeated, functools.partial(_body, repeated, options)
    return response


def _body(response: Any, options: dict[str, Any]) -> bytes:
    """The body as far as it may be looked into: one that is streamed and of no known length stays unread."""
    if options.get("stream") and "Content-Length" not in response.headers:
        return b""
    return bytes(response.content)
