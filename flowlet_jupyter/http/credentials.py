"""Which credentials a request gets, as one flow that the sync and the async transport drive.

The flow yields what is to be done, and is sent the outcome: `Credentials` to send the request with (its response), a
`Future` to wait for (its token set), a `Connect` (None, when a person has connected the secret), an `httpx.Response` to
close. The request with the credentials on it is made by whoever sends it, and is never in the flow's own frame.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import httpx

from flowlet_jupyter.errors import AuthRequired, FlowletError, InvalidSecret, RequestFailed
from flowlet_jupyter.hosts import check_destination
from flowlet_jupyter.http.redaction import NOTHING_SENT, SentValues
from flowlet_jupyter.http.request_body import RequestBody
from flowlet_jupyter.oauth import dpop
from flowlet_jupyter.oauth.refresh import token_after_rejection, usable_token
from flowlet_jupyter.oauth.sources import read_source
from flowlet_jupyter.oauth2 import OAuth2
from flowlet_jupyter.secret import Basic, External, Password, Record, Secret, host_rules
from flowlet_jupyter.secret_value import SecretValue
from flowlet_jupyter.token_set import TokenSet
from flowlet_jupyter.vault import Vault

_log = logging.getLogger("flowlet_jupyter.requests")  # events and names of secrets, never values


@dataclass(frozen=True)
class Connect:
    """The secret needs authorization by a person; `error` is what to raise where nobody is there."""

    error: AuthRequired


@dataclass(frozen=True)
class Credentials:
    """What is added to a request: headers, and query parameters for providers that take a token nowhere else.

    `sent` are the values that must not be shown, should the API repeat them: those that are added, and the secret's others.
    """

    headers: dict[str, SecretValue]
    query: dict[str, SecretValue] = field(default_factory=dict)
    sent: SentValues = NOTHING_SENT


Step = Credentials | httpx.Response | Future[TokenSet] | Connect


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
        headers = _static_headers(record)
        _refuse_users_own(name, request, headers)
        return (yield Credentials(headers, sent=_sent(record.secret, headers)))

    secret = record.secret
    _refuse_users_own(name, request, {secret.compliance.token_header: SecretValue("")})
    token = yield from _token(vault, record)
    body = RequestBody(request.stream)
    response: httpx.Response = yield _credentials(secret, token, request)
    if token.dpop_key is not None and dpop.remember_nonce(str(request.url), response.headers.get("DPoP-Nonce")):
        if response.status_code == 401 and body.rewind():  # RFC 9449, 9
            yield response
            response = yield _credentials(secret, token, request)
    if not _is_token_refused(response):
        return response
    # refreshed also where this request's body is gone: the next request then works
    error: AuthRequired | None = None
    try:
        again = token_after_rejection(vault, vault.get(name), token.access_token)
        if again is None:
            return response
        token = (yield again) if isinstance(again, Future) else again
    except AuthRequired as required:
        error = required
    yield response
    if error is not None:
        yield Connect(error)
        token = yield from _token(vault, vault.get(name))
    if not body.rewind():
        raise RequestFailed(
            f"The API no longer took the access token of secret '{name}'. The token is fresh now, but the body of this "
            "request can be sent only once: repeat the call."
        )
    _log.debug("secret %r: access token refused, sent again with a new one", name)
    return (yield _credentials(secret, token, request))


def refuse_what_redirects_carry(secret: Secret, library: str) -> None:
    """Raise `InvalidSecret` if `secret` sets anything but `Authorization`, the one header that other libraries drop.

    What counts is what would be set, not the kind of secret: several kinds may set a header of their own, and httpx,
    requests and the SDKs carry every other header to the host that a redirect names.
    """
    if isinstance(secret, OAuth2):
        switches = secret.compliance
        names = [switches.token_parameter or switches.token_header, *switches.api_headers]
        if secret.compliance.token_parameter:
            _refuse_carried(secret.name, library, [f"the URL parameter {switches.token_parameter}"])
    elif isinstance(secret, External):
        names = [secret.header]
    elif isinstance(secret, Password | Basic):
        names = ["Authorization"]
    else:
        names = list(secret.headers)
    _refuse_carried(secret.name, library, names)


def refuse_beyond_authorization(name: str, library: str, credentials: Credentials) -> None:
    """The same for the credentials of one request, before they are put on it (a DPoP proof is known only then)."""
    _refuse_carried(name, library, [*credentials.headers, *(f"the URL parameter {each}" for each in credentials.query)])


def _refuse_carried(name: str, library: str, sent: Iterable[str]) -> None:
    if others := [each for each in sent if each.lower() != "authorization"]:
        raise InvalidSecret(
            f"Secret '{name}' sends {', '.join(others)}, which {library} would carry along on a redirect to another "
            f"host, and shows. Use flowlet.client('{name}'), which checks every hop."
        )


_INVALID_TOKEN = re.compile(r'\berror\s*=\s*"?invalid_token\b', re.IGNORECASE)


def _is_token_refused(response: httpx.Response) -> bool:
    """Whether the API refused the access token: a 401, or what RFC 6750, 3.1, has it say under another status."""
    if response.status_code in {400, 403}:
        return bool(_INVALID_TOKEN.search(response.headers.get("WWW-Authenticate", "")))
    return response.status_code == 401


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
    switches = secret.compliance
    known = {"client_id": secret.client_id, **token.parameters}
    headers = {
        # the user's own value of a header that is no credential wins
        name: SecretValue(_filled(value, known))
        for name, value in switches.api_headers.items()
        if name not in request.headers
    }
    sent = SentValues(holders=(secret, token))
    if switches.token_parameter:
        return Credentials(headers, {switches.token_parameter: token.access_token}, sent)
    scheme = switches.authorization_scheme
    if token.dpop_key is not None:
        scheme = "DPoP"
        proof = dpop.dpop_proof(token.dpop_key, request.method, str(request.url), access_token=token.access_token)
        headers["DPoP"] = SecretValue(proof)
        sent |= SentValues([headers["DPoP"]])
    headers[switches.token_header] = SecretValue(f"{scheme} {token.access_token.reveal()}".strip())
    return Credentials(headers, sent=sent)


def _filled(template: str, known: Mapping[str, str]) -> str:
    for name, value in known.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def _bearer(token: SecretValue) -> dict[str, SecretValue]:
    return {"Authorization": SecretValue(f"Bearer {token.reveal()}")}


def _static_headers(record: Record) -> dict[str, SecretValue]:
    secret = record.secret
    if isinstance(secret, Password):
        return _bearer(secret.password)
    if isinstance(secret, Basic):
        pair = f"{secret.username}:{secret.password.reveal()}"
        return {"Authorization": SecretValue("Basic " + base64.b64encode(pair.encode()).decode())}
    if isinstance(secret, External):
        return {secret.header: SecretValue(f"{secret.scheme} {read_source(secret).reveal()}".strip())}
    if isinstance(secret, OAuth2):
        raise InvalidSecret(f"Secret '{secret.name}' has no static headers.")
    return dict(secret.headers)


def _sent(secret: Secret, headers: Mapping[str, SecretValue]) -> SentValues:
    """The secret's values, and those that only the headers have: the Basic pair, and what was read from elsewhere."""
    scheme = "Basic" if isinstance(secret, Basic) else secret.scheme if isinstance(secret, External) else None
    if scheme is None:
        return SentValues(holders=(secret,))
    added = [SecretValue(value.reveal().removeprefix(scheme).lstrip()) for value in headers.values()]
    return SentValues(added, holders=(secret,))


def _refuse_users_own(name: str, request: httpx.Request, headers: dict[str, SecretValue]) -> None:
    for header in headers:
        if header in request.headers:
            raise InvalidSecret(
                f"The request has a header {header} of its own, and secret '{name}' adds one. Leave one of them out."
            )
    if "host" in request.headers and request.headers["host"] != request.url.netloc.decode("ascii"):
        raise FlowletError(
            f"The request has a Host header of its own, which could lead secret '{name}' to another site. Leave it out."
        )
