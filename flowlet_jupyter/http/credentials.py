"""Which credentials a request gets, as one flow that the sync and the async transport drive.

The flow yields what is to be done, and is sent the outcome: an `httpx.Request` to send (its response), a `Future` to
wait for (its token set), a `Connect` (None, when a person has connected the secret), an `httpx.Response` to close.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from flowlet_jupyter.errors import AuthRequired, InvalidOption
from flowlet_jupyter.hosts import check_destination
from flowlet_jupyter.oauth import dpop
from flowlet_jupyter.oauth.refresh import token_after_rejection, usable_token
from flowlet_jupyter.oauth.sources import read_source
from flowlet_jupyter.oauth2 import OAuth2
from flowlet_jupyter.secret import ApiKey, Basic, External, Headers, Password, Record, Static, host_rules
from flowlet_jupyter.secret_value import Credentials, SecretValue
from flowlet_jupyter.token_set import TokenSet
from flowlet_jupyter.vault import Vault


@dataclass(frozen=True)
class Connect:
    """The secret needs authorization by a person; `error` is what to raise where nobody is there."""

    error: AuthRequired


Step = httpx.Request | httpx.Response | Future[TokenSet] | Connect


# makes the request that is sent from the user's request and the credentials
Attach = Callable[[httpx.Request, Credentials], httpx.Request]


def credential_flow(vault: Vault, name: str, request: httpx.Request, attach: Attach) -> Generator[Step, Any, Any]:
    """Send `request` with the credentials of the secret `name`; on a 401 once more with a refreshed access token.

    Returns the response. Raises `HostNotAllowed` before anything is sent or refreshed.
    """
    record = vault.get(name)
    check_destination(
        name,
        host_rules(record.secret),
        scheme=request.url.scheme,
        host=request.url.raw_host.decode("ascii"),
        port=request.url.port,
    )
    if not isinstance(record.secret, OAuth2):
        credentials = _static_credentials(record.secret)
        _refuse_users_own(name, request, credentials)
        static: httpx.Response = yield attach(request, credentials)
        hide_query_values(static, credentials)
        return static

    secret = record.secret
    _refuse_users_own(name, request, Credentials({secret.compliance.token_header: SecretValue("")}))
    token = yield from _token(vault, record)
    response: httpx.Response = yield attach(request, _credentials(secret, token, request))
    hide_query_values(response, secret.credentials(token))
    if token.dpop_key is not None and dpop.remember_nonce(str(request.url), response.headers.get("DPoP-Nonce")):
        if response.status_code == 401 and isinstance(request.stream, httpx.ByteStream):  # RFC 9449, 9
            yield response
            response = yield attach(request, _credentials(secret, token, request))
    # a body that was streamed from a generator is gone and cannot be sent again
    if response.status_code != 401 or not isinstance(request.stream, httpx.ByteStream):
        return response
    try:
        again = token_after_rejection(vault, vault.get(name), token.access_token)
        if again is None:
            return response
        token = (yield again) if isinstance(again, Future) else again
    except AuthRequired as error:
        yield response
        yield Connect(error)
        token = yield from _token(vault, vault.get(name))
    else:
        yield response
    last: httpx.Response = yield attach(request, _credentials(secret, token, request))
    hide_query_values(last, secret.credentials(token))
    return last


def _token(vault: Vault, record: Record) -> Generator[Step, Any, TokenSet]:
    for is_last_try in (False, True):
        try:
            token = usable_token(vault, record)
            return (yield token) if isinstance(token, Future) else token
        except AuthRequired as error:
            if is_last_try:
                raise
            yield Connect(error)
            record = vault.get(record.secret.name)
    raise AssertionError("the second try returns or raises")


def _credentials(secret: OAuth2, token: TokenSet, request: httpx.Request) -> Credentials:
    """The access token in the way that the provider wants it, and the fixed headers that its API needs."""
    added = secret.credentials(token, scheme=None if token.dpop_key is None else "DPoP")
    headers = {
        # the user's own value of a header that is no credential wins
        name: value
        for name, value in added.headers.items()
        if name not in secret.compliance.api_headers or name not in request.headers
    }
    if token.dpop_key is not None and not added.query:
        proof = dpop.proof(token.dpop_key, request.method, str(request.url), access_token=token.access_token)
        headers["DPoP"] = SecretValue(proof)
    return Credentials(headers, added.query)


def _static_credentials(secret: Static) -> Credentials:
    if isinstance(secret, External):
        return secret.credentials(read_source(secret))
    assert isinstance(secret, Password | Basic | Headers | ApiKey)  # noqa: S101 - the other kinds are above
    return secret.credentials()


def _refuse_users_own(name: str, request: httpx.Request, credentials: Credentials) -> None:
    for header in credentials.headers:
        if header in request.headers:
            raise InvalidOption(
                f"The request has a header {header} of its own, and secret '{name}' adds one. Leave one of them out."
            )
    for parameter, value in credentials.query.items():
        if request.url.params.get_list(parameter) == [value.reveal()]:
            # an address that the API gave with the key in it, such as that of the next page
            request.url = request.url.copy_remove_param(parameter)
        elif parameter in request.url.params:
            raise InvalidOption(
                f"The request has a query parameter {parameter} of its own, and secret '{name}' adds one. "
                "Leave one of them out."
            )
    if "host" in request.headers and request.headers["host"] != request.url.netloc.decode("ascii"):
        raise InvalidOption(
            f"The request has a Host header of its own, which could lead secret '{name}' to another site. Leave it out."
        )


def hide_query_values(response: httpx.Response, credentials: Credentials) -> None:
    """Take the query parameters of `credentials` out of the addresses in the response's headers.

    An API that names its next page or another address often repeats the query; the key is added again where it goes.
    """
    for header in _ADDRESS_HEADERS if credentials.query else ():
        text = response.headers.get(header)
        for parameter in credentials.query if text else ():
            named = rf"(?:{re.escape(parameter)}|{re.escape(quote(parameter, safe=''))})"
            text = re.sub(rf"(?<=[?&]){named}=[^&#>\s;,]*&?", "", text)
            text = re.sub(r"[?&](?=$|[#>])", "", text)
        if text is not None:
            response.headers[header] = text


_ADDRESS_HEADERS = ("Location", "Content-Location", "Link", "Refresh")
