"""Which credentials a request gets, as one flow that the sync and the async transport drive.

The flow yields what is to be done, and is sent the outcome: `Credentials` to send the request with (its response), a
`Refreshing` to wait for (its token set), a `Connect` (None, when a user has connected the secret), a `Peek` (the body
as far as it is short), an `httpx.Response` to close. The request with the credentials on it is made by whoever sends it, and is never in the flow's own frame.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from flowlet_jupyter.credentials.external_values import read_source
from flowlet_jupyter.credentials.fresh_refusals import FreshRefusals
from flowlet_jupyter.credentials.redaction import NOTHING_SENT, SentValues
from flowlet_jupyter.credentials.request_body import RequestBody
from flowlet_jupyter.credentials.token_refusal import is_body_needed, is_refused, is_refused_in_body
from flowlet_jupyter.errors import AuthRequired, InvalidOption, RequestFailed
from flowlet_jupyter.model.external import External
from flowlet_jupyter.model.hosts import check_destination
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record, Secret, StaticSecret, host_rules
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import Credentials, SecretValue
from flowlet_jupyter.oauth import dpop
from flowlet_jupyter.oauth.refresh import (
    PATIENCE_SECONDS,
    REFRESH_DEADLINE_SECONDS,
    token_after_rejection,
    usable_token,
)
from flowlet_jupyter.session import session_of
from flowlet_jupyter.vault import Vault

_log = logging.getLogger("flowlet_jupyter.requests")  # events and names of secrets, never values


@dataclass(frozen=True)
class Connect:
    """The secret needs authorization by a user; `error` is what to raise where nobody is there."""

    error: AuthRequired


@dataclass(frozen=True)
class Refreshing:
    """A refresh under way, to be waited for `seconds`."""

    future: Future[TokenSet]
    seconds: float


@dataclass(frozen=True)
class Peek:
    """The body of `response` is to be looked into; it stays to be read by whoever gets the response."""

    response: httpx.Response


@dataclass(frozen=True)
class SentCredentials(Credentials):
    """What is added to one request, and `sent`: the values that must not be shown, should the API repeat them.

    Those are the added ones, and the secret's others.
    """

    sent: SentValues = NOTHING_SENT


Step = SentCredentials | httpx.Response | Refreshing | Connect | Peek


def credential_flow(vault: Vault, name: str, request: httpx.Request) -> Generator[Step, Any, Any]:
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
        credentials = _static_credentials(vault, record, record.secret, request)
        _refuse_users_own(name, request, credentials.headers, credentials.query)
        return (yield from _exchange(credentials))

    secret = record.secret
    _refuse_users_own(name, request, (secret.compliance.token_header,), {})
    patience = _patience(request)
    token = yield from _token(vault, record, patience)
    body = RequestBody(request.stream)
    response = yield from _exchange(_credentials(record, secret, token, request))
    if token.dpop_key is not None and dpop.remember_nonce(str(request.url), response.headers.get("DPoP-Nonce")):
        if response.status_code == 401 and body.rewind():  # RFC 9449, 9
            yield response
            response = yield from _exchange(_credentials(record, secret, token, request))
    if not (yield from _is_token_refused(secret, response)):
        return response
    refusals = session_of(vault).part(FreshRefusals)
    origin = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
    if refusals.explains(name, origin, token.access_token):
        return response
    # refreshed also where this request's body is gone: the next request then works
    another, is_fresh = yield from _token_after_refusal(vault, secret, token, response, patience)
    if another is None:
        return response
    if is_fresh:
        refusals.replace(name, token.access_token, another.access_token)
    if not body.rewind():
        raise RequestFailed(
            f"The API no longer took the access token of secret '{name}'. The token is fresh now, but the body of this "
            "request can be sent only once: repeat the call."
        )
    _log.debug("secret %r: access token refused, sent again with a new one", name)
    response = yield from _exchange(_credentials(record, secret, another, request))
    if is_fresh and (yield from _is_token_refused(secret, response)):
        refusals.note(name, origin, another.access_token)
    return response


def _token_after_refusal(
    vault: Vault, secret: OAuth2, refused: TokenSet, response: httpx.Response, patience: float
) -> Generator[Step, Any, tuple[TokenSet | None, bool]]:
    """What to send after `refused`, and whether it was refreshed for this; no token where there is nothing to try.

    `response` is closed before anything is sent again, and before a user is waited for.
    """
    try:
        again = token_after_rejection(vault, vault.get(secret.name), refused.access_token, patience=patience)
        if again is None:
            return None, False
        token = yield from _waited(again, patience)
    except AuthRequired as required:
        error = required
    else:
        yield response
        return token, isinstance(again, Future)
    yield response
    yield from _connect(secret, error)
    return (yield from _token(vault, vault.get(secret.name), patience)), False


def _exchange(credentials: SentCredentials) -> Generator[Step, Any, httpx.Response]:
    response: httpx.Response = yield credentials
    hide_query_values(response, credentials)
    return response


def refuse_what_redirects_carry(secret: Secret, library: str) -> None:
    """Raise `InvalidOption` if `secret` sets anything but `Authorization`, the one header that other libraries drop.

    What counts is what would be set, not the kind of secret: httpx, requests and the SDKs carry every other header to
    the host that a redirect names.
    """
    _refuse_carried(secret.name, library, secret.beyond_authorization)


def refuse_beyond_authorization(name: str, library: str, credentials: Credentials) -> None:
    """The same for the credentials of one request, before they are put on it (a DPoP proof is known only then)."""
    _refuse_carried(name, library, [*credentials.headers, *(f"the URL parameter {each}" for each in credentials.query)])


def _refuse_carried(name: str, library: str, sent: Iterable[str]) -> None:
    if others := [each for each in sent if each.lower() != "authorization"]:
        raise InvalidOption(
            f"Secret '{name}' sends {', '.join(others)}, which {library} would carry along on a redirect to another "
            f"host, and shows. Use flowlet.client('{name}'), which checks every hop."
        )


def _is_token_refused(secret: OAuth2, response: httpx.Response) -> Generator[Step, Any, bool]:
    """Whether the API refused the access token, by its status, its challenge or its body."""
    status, headers = response.status_code, response.headers
    if is_refused(status, headers):
        return True
    if not is_body_needed(status, headers, secret.compliance):
        return False
    body: bytes = yield Peek(response)
    return is_refused_in_body(status, body, secret.compliance)


def _patience(request: httpx.Request) -> float:
    """How many seconds a token may take: a request that has less time of its own waits no longer than that."""
    timeouts = request.extensions.get("timeout", {})
    connect, read = timeouts.get("connect"), timeouts.get("read")
    return PATIENCE_SECONDS if connect is None or read is None else min(float(connect + read), PATIENCE_SECONDS)


def _waited(token: TokenSet | Future[TokenSet], patience: float) -> Generator[Step, Any, TokenSet]:
    if not isinstance(token, Future):
        return token
    refreshed: TokenSet = yield Refreshing(token, patience if patience < PATIENCE_SECONDS else REFRESH_DEADLINE_SECONDS)
    return refreshed


def _token(vault: Vault, record: Record, patience: float) -> Generator[Step, Any, TokenSet]:
    for is_last_try in (False, True):
        try:
            return (yield from _waited(usable_token(vault, record, patience=patience), patience))
        except AuthRequired as error:
            if is_last_try:
                raise
            yield from _connect(record.secret, error)
            record = vault.get(record.secret.name)
    raise AssertionError("the second try returns or raises")


def _connect(secret: Secret, error: AuthRequired) -> Generator[Step, Any, None]:
    """Have a user authorize the secret; where no consent would help, as for client credentials, raise `error`."""
    if isinstance(secret, OAuth2) and secret.is_unattended:
        raise error
    yield Connect(error)


def _credentials(record: Record, secret: OAuth2, token: TokenSet, request: httpx.Request) -> SentCredentials:
    """The access token in the way that the provider wants it, and the fixed headers that its API needs."""
    added = secret.credentials(token, scheme=None if token.dpop_key is None else "DPoP")
    headers = {
        # the user's own value of a header that is no credential wins
        name: value
        for name, value in added.headers.items()
        if name not in secret.compliance.api_headers or name not in request.headers
    }
    fixed = secret.compliance.api_headers
    # "{client_secret}" in a header: the header as a whole is as secret as its part
    secret_headers = [headers[name] for name, text in fixed.items() if "{client_secret}" in text and name in headers]
    sent = record.sent_values if token is record.token_set else SentValues(holders=(secret, token))
    if secret_headers:
        sent |= SentValues(secret_headers)
    if token.dpop_key is not None and not added.query:
        proof = dpop.dpop_proof(token.dpop_key, request.method, str(request.url), access_token=token.access_token)
        headers["DPoP"] = SecretValue(proof)
        sent |= SentValues([headers["DPoP"]])
    return SentCredentials(headers, added.query, sent)


def _static_credentials(vault: Vault, record: Record, secret: StaticSecret, request: httpx.Request) -> SentCredentials:
    if isinstance(secret, External):
        added = secret.credentials(read_source(secret, session_of(vault)))
    else:
        added = secret.credentials()
    headers = {
        # as above: the user's own value of a header that is no credential wins
        **{name: SecretValue(text) for name, text in secret.api_headers.items() if name not in request.headers},
        **added.headers,
    }
    return SentCredentials(headers, added.query, _sent(record, secret, added))


def _sent(record: Record, secret: StaticSecret, credentials: Credentials) -> SentValues:
    """The secret's values, and those that only the headers have: the Basic pair, and what was read from elsewhere."""
    if not secret.is_derived:
        return record.sent_values
    scheme = secret.authorization_scheme
    added = [SecretValue(value.reveal().removeprefix(scheme).lstrip()) for value in credentials.headers.values()]
    return record.sent_values | SentValues(added)


def _refuse_users_own(
    name: str, request: httpx.Request, headers: Iterable[str], query: Mapping[str, SecretValue]
) -> None:
    for header in headers:
        if header in request.headers:
            raise InvalidOption(
                f"The request has a header {header} of its own, and secret '{name}' adds one. Leave one of them out."
            )
    for parameter, value in query.items():
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
            text, count = re.subn(rf"(?<=[?&]){named}=[^&#>\s;,]*&?", "", text)
            text = re.sub(r"[?&](?=$|[#>])", "", text) if count else text
        if text is not None:
            response.headers[header] = text


_ADDRESS_HEADERS = ("Location", "Content-Location", "Link", "Refresh")
