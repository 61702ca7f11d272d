"""The only caller of token endpoints: every grant, and the refresh (RFC 6749, 4 and 6; RFC 7523, 8628, 8693).

Each is shielded: the frames hold codes and tokens in clear.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path

from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion

from flowlet_jupyter.errors import InvalidSecret, ProviderError, TokenEndpointError
from flowlet_jupyter.model.oauth2 import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    JWT_BEARER,
    PASSWORD,
    TOKEN_EXCHANGE,
    OAuth2,
)
from flowlet_jupyter.model.tokens import NOTHING_ACCEPTED, Accepted, TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth import atproto, dpop
from flowlet_jupyter.oauth.client_auth import Parameters, assertion_audiences, signing_key
from flowlet_jupyter.oauth.endpoint import EndpointResponse, send_as_client
from flowlet_jupyter.oauth.id_token import Unproven, asks_for_id_token, identity_of, validated_claims
from flowlet_jupyter.oauth.token_response import (
    error_from_response,
    id_token_of,
    is_of_token_endpoint,
    is_temporary_status,
    token_set_from,
)
from flowlet_jupyter.session.shielded import shielded

CLOCK_TOLERANCE_SECONDS = 10.0
_ASSERTION_SECONDS = 300  # RFC 7523, 3: an assertion that lives longer may be refused

# gives the access token of another secret, for token exchange
SubjectToken = Callable[[str], SecretValue]


@shielded("code exchange")
def exchange_code(
    secret: OAuth2,
    *,
    code: SecretValue,
    code_verifier: SecretValue,
    redirect_uri: str,
    nonce: SecretValue | None = None,
    dpop_key: SecretValue | None = None,
    accepted: Accepted = NOTHING_ACCEPTED,
) -> TokenSet:
    """The token set for an authorization code (RFC 6749, 4.1.3), its ID token validated. Raises `TokenEndpointError`."""
    parameters = [
        ("grant_type", AUTHORIZATION_CODE),
        ("code", code.reveal().removesuffix(secret.compliance.code_suffix)),
        ("redirect_uri", redirect_uri),
    ]
    if secret.compliance.pkce:
        parameters.append(("code_verifier", code_verifier.reveal()))
    return _send_token_request(
        secret,
        parameters + _resources(secret),
        asked_scope=secret.scope,
        nonce=nonce,
        dpop_key=dpop_key,
        accepted=accepted,
    )


@shielded("device code exchange")
def exchange_device_code(
    secret: OAuth2, device_code: SecretValue, *, dpop_key: SecretValue | None, accepted: Accepted = NOTHING_ACCEPTED
) -> TokenSet:
    """The token set for a device code. Raises `TokenEndpointError`: `authorization_pending`, `slow_down`, ... (8628, 3.5)."""
    parameters = [("grant_type", DEVICE_CODE), ("device_code", device_code.reveal())]
    return _send_token_request(
        secret, parameters + _resources(secret), asked_scope=secret.scope, dpop_key=dpop_key, accepted=accepted
    )


@shielded("token request")
def request_token(secret: OAuth2, *, subject_token: SubjectToken, accepted: Accepted = NOTHING_ACCEPTED) -> TokenSet:
    """A token set by a grant that needs nobody; `accepted` is what worked before.

    Raises `TokenEndpointError`, `InvalidSecret`.
    """
    audiences = assertion_audiences(secret, accepted) if secret.grant_type == JWT_BEARER else [""]
    if secret.grant_type == JWT_BEARER and not accepted.assertion_audience:
        audiences.sort(key=lambda audience: audience != secret.token_endpoint)  # Google and most others
    while True:
        audience = audiences.pop(0)
        try:
            fresh = _send_token_request(
                secret,
                _unattended_parameters(secret, subject_token, audience) + _scope(secret) + _resources(secret),
                asked_scope=secret.scope,
                accepted=accepted,
            )
        except TokenEndpointError as error:
            if not audiences or not error.is_grant_over:
                raise
        else:
            return dataclasses.replace(fresh, assertion_audience=audience or fresh.assertion_audience)


@shielded("refresh")
def refresh(secret: OAuth2, *, token_set: TokenSet | None, accepted: Accepted | None = None) -> TokenSet:
    """A new token set for a refresh token; an old one that is not replaced is kept (RFC 6749, 6).

    `accepted` is what worked before, by default what the old token set says.

    `scope` is not sent: leaving it out asks for what was granted, where sending what was once asked fails if the
    user granted less. Raises `TokenEndpointError`.
    """
    compliance = secret.compliance
    refresh_token = token_set.refresh_token if token_set else secret.refresh_token
    sent = refresh_token
    if compliance.refresh_with == "access_token":
        sent = token_set.access_token if token_set else None
    if sent is None:
        raise TokenEndpointError(f"Secret '{secret.name}' has no refresh token.")
    return _send_token_request(
        secret,
        [
            ("grant_type", compliance.refresh_grant_type),
            (compliance.refresh_parameter, sent.reveal()),
            *_resources(secret),
        ],
        previous_refresh_token=refresh_token,
        asked_scope=token_set.scope if token_set else secret.scope,
        dpop_key=token_set.dpop_key if token_set else None,
        url=compliance.refresh_endpoint or secret.token_endpoint,
        method=compliance.refresh_method,
        old=token_set,
        accepted=accepted or (token_set.accepted if token_set else NOTHING_ACCEPTED),
    )


def _unattended_parameters(secret: OAuth2, subject_token: SubjectToken, audience: str) -> Parameters:
    if secret.grant_type == CLIENT_CREDENTIALS:
        return [("grant_type", CLIENT_CREDENTIALS)]
    if secret.grant_type == PASSWORD and secret.password is not None:
        return [("grant_type", PASSWORD), ("username", secret.username or ""), ("password", secret.password.reveal())]
    if secret.grant_type == JWT_BEARER:
        key, algorithm, header = signing_key(secret)
        assertion = sign_jwt_bearer_assertion(
            key,
            issuer=secret.client_id,
            audience=audience,
            subject=secret.subject or secret.client_id,
            # Google reads the scope from the assertion, others from the parameter
            claims={"scope": secret.scope} if secret.scope else None,
            header=header,
            alg=algorithm,
            expires_in=_ASSERTION_SECONDS,
        )
        return [("grant_type", JWT_BEARER), ("assertion", str(assertion))]
    if secret.grant_type == TOKEN_EXCHANGE:
        return [
            ("grant_type", TOKEN_EXCHANGE),
            ("subject_token", _subject_token(secret, subject_token).reveal()),
            ("subject_token_type", secret.subject_token_type),
        ]
    raise InvalidSecret(f"The grant of secret '{secret.name}' needs a user.", field="grant_type")


def _subject_token(secret: OAuth2, of_secret: SubjectToken) -> SecretValue:
    if secret.subject_secret:
        return of_secret(secret.subject_secret)
    path = Path(secret.subject_token_file or "").expanduser()
    try:
        text = path.read_text("ascii").strip()
    except (OSError, ValueError):
        raise TokenEndpointError(
            f"Secret '{secret.name}': the file of the subject token, {path}, cannot be read."
        ) from None
    return SecretValue(text)


def _scope(secret: OAuth2) -> Parameters:
    if not secret.scope:
        return []
    return [(secret.compliance.scope_parameter, secret.scope.replace(" ", secret.compliance.scope_separator))]


def _resources(secret: OAuth2) -> Parameters:
    return [("resource", resource) for resource in secret.resource]


def _send_token_request(
    secret: OAuth2,
    parameters: Parameters,
    *,
    asked_scope: str,
    previous_refresh_token: SecretValue | None = None,
    dpop_key: SecretValue | None = None,
    url: str | None = None,
    method: str = "POST",
    old: TokenSet | None = None,
    accepted: Accepted = NOTHING_ACCEPTED,
    nonce: SecretValue | None = None,
) -> TokenSet:
    started = time.time()  # before the call: the lifetime counts from when the provider made the token
    url = url or secret.token_endpoint
    failed = f"Secret '{secret.name}': the token endpoint {url}"
    if secret.dpop and dpop_key is None:
        dpop_key = dpop.new_key()
    parameters = parameters + list(secret.token_parameters.items())
    try:
        response = send_as_client(
            secret, url, parameters, failed=failed, method=method, dpop_key=dpop_key, accepted=accepted
        )
    except ProviderError as error:
        raise TokenEndpointError(str(error), is_temporary=error.is_temporary) from None
    members = response.members
    _raise_error(secret, response, failed)
    fresh = token_set_from(
        secret,
        members,
        failed,
        started,
        previous_refresh_token=previous_refresh_token,
        asked_scope=asked_scope,
        dpop_key=dpop_key,
    )
    fresh = dataclasses.replace(
        fresh,
        client_authentication=response.accepted.client_authentication,
        assertion_audience=response.accepted.assertion_audience,
    )
    if old is not None:
        _check_same_account(secret, members, old, failed)
        # what only the first response and its redirect said
        return dataclasses.replace(
            fresh,
            connected_at=old.connected_at,
            # the same refresh token ends when it was said to, unless this response says otherwise
            grant_ends_at=fresh.grant_ends_at
            or (old.grant_ends_at if fresh.refresh_token == old.refresh_token else None),
            identity=old.identity,
            subject=old.subject,
            identity_problem=old.identity_problem,
            previous_identity=old.previous_identity,
            parameters=old.parameters,
            base_url=fresh.base_url or old.base_url,
        )
    if atproto.SCOPE in secret.scope.split():
        account = atproto.checked_account(secret, members, failed=failed)
        return dataclasses.replace(
            fresh, subject=account.did, identity=account.handle or account.did, base_url=account.pds
        )
    id_token = id_token_of(members, secret.compliance.token_member)
    if id_token is None or not asks_for_id_token(secret):
        return fresh
    try:
        claims = validated_claims(secret, id_token, nonce=nonce)
    except Unproven as unproven:  # who it is was not asked for its own sake: the access token is good without
        return dataclasses.replace(fresh, identity_problem=str(unproven))
    return dataclasses.replace(fresh, identity=identity_of(claims), subject=str(claims["sub"])[:255])


def _check_same_account(secret: OAuth2, members: Mapping[str, object], old: TokenSet, failed: str) -> None:
    """atproto: a refreshed token is of the account that allowed it."""
    if atproto.SCOPE in secret.scope.split() and old.subject and members.get("sub") != old.subject:
        raise TokenEndpointError(f"{failed} gave tokens of another account than {old.subject}. Not used.")


def _raise_error(secret: OAuth2, response: EndpointResponse, failed: str) -> None:
    """Raise what `response` says went wrong, if anything did."""
    status = response.status
    if status < 500 and (error := error_from_response(secret, response.members, failed, status=status)) is not None:
        error.retry_after = retry_after_seconds(response.headers)
        if secret.grant_type == JWT_BEARER and error.error == "invalid_grant":
            ahead = clock_ahead(response.headers)
            raise TokenEndpointError(
                f"{error} {_about_the_clock(ahead)}",
                error=error.error,
                # a clock that is set right makes the same assertion good
                is_grant_over=ahead is None or abs(ahead) < CLOCK_TOLERANCE_SECONDS,
                description=error.description,
            )
        raise error
    if status >= 300:
        is_temporary = is_temporary_status(status)
        is_page = str(response.headers.get("content-type", "")).startswith("text/html")
        raise TokenEndpointError(
            f"{failed} answered with HTTP {status}, not with a token. "
            + ("Try again later." if is_temporary else "Check its address."),
            error=f"HTTP {status}",
            is_temporary=is_temporary,
            retry_after=retry_after_seconds(response.headers),
            # a page comes from a firewall or a gateway as often as from the token endpoint
            # and RFC 6749, 5.2, has a 401 with a challenge say that the client is wrong
            is_grant_over=is_of_token_endpoint(status)
            and not is_page
            and not (status == 401 and "WWW-Authenticate" in response.headers),
        )
    if not isinstance(response.content, dict):
        raise TokenEndpointError(f"{failed} did not answer with a JSON object. Check its address.")


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """The seconds of a `Retry-After` (RFC 9110, 10.2.3), a number or a date."""
    text = (headers.get("Retry-After") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    return None


def clock_ahead(headers: Mapping[str, str]) -> float | None:
    """By how many seconds this machine's clock is ahead of the provider's; None if the response has no date."""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return time.time() - parsedate_to_datetime(headers.get("Date") or "").timestamp()
    return None


def _about_the_clock(ahead: float | None) -> str:
    if ahead is None:
        return "Check this machine's clock, the key, its ID and the subject."
    if abs(ahead) < CLOCK_TOLERANCE_SECONDS:
        return "This machine's clock agrees with the provider's; check the key, its ID and the subject."
    return f"This machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the provider's: set it right."
