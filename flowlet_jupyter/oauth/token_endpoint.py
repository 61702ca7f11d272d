"""The only caller of token endpoints: every grant, and the refresh (RFC 6749, 4 and 6; RFC 7523, 8628, 8693).

Call these through `apart.start_apart`: their frames hold codes and tokens in clear.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion

from flowlet_jupyter.errors import InvalidSecret, ProviderError, TokenEndpointError
from flowlet_jupyter.oauth import dpop
from flowlet_jupyter.oauth.authorization import expects_id_token
from flowlet_jupyter.oauth.client_auth import Parameters, signing_key
from flowlet_jupyter.oauth.endpoint import send_as_client
from flowlet_jupyter.oauth.id_token import identity_of, validated_claims
from flowlet_jupyter.oauth.token_answer import refusal, token_set_from
from flowlet_jupyter.oauth2 import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    JWT_BEARER,
    PASSWORD,
    TOKEN_EXCHANGE,
    OAuth2,
)
from flowlet_jupyter.secret_value import SecretValue
from flowlet_jupyter.token_set import TokenSet

_ASSERTION_SECONDS = 300  # RFC 7523, 3: an assertion that lives longer may be refused

# gives the access token of another secret, for token exchange
SubjectToken = Callable[[str], SecretValue]


def exchange_code(
    secret: OAuth2,
    *,
    code: SecretValue,
    code_verifier: SecretValue,
    redirect_uri: str,
    nonce: SecretValue | None = None,
) -> TokenSet:
    """The token set for an authorization code (RFC 6749, 4.1.3), its ID token validated. Raises `TokenEndpointError`."""
    parameters = [
        ("grant_type", AUTHORIZATION_CODE),
        ("code", code.reveal().removesuffix(secret.compliance.code_suffix)),
        ("redirect_uri", redirect_uri),
    ]
    if secret.compliance.pkce:
        parameters.append(("code_verifier", code_verifier.reveal()))
    return _request_token(secret, parameters + _resources(secret), asked_scope=secret.scope, nonce=nonce)


def exchange_device_code(secret: OAuth2, device_code: SecretValue, *, dpop_key: SecretValue | None) -> TokenSet:
    """The token set for a device code. Raises `TokenEndpointError`: `authorization_pending`, `slow_down`, ... (8628, 3.5)."""
    parameters = [("grant_type", DEVICE_CODE), ("device_code", device_code.reveal())]
    return _request_token(secret, parameters + _resources(secret), asked_scope=secret.scope, dpop_key=dpop_key)


def obtain(secret: OAuth2, *, subject_token: SubjectToken) -> TokenSet:
    """A token set by a grant that needs nobody. Raises `TokenEndpointError`, `InvalidSecret`."""
    return _request_token(
        secret,
        _unattended_parameters(secret, subject_token) + _scope(secret) + _resources(secret),
        asked_scope=secret.scope,
    )


def refresh(secret: OAuth2, *, token_set: TokenSet | None) -> TokenSet:
    """A new token set for a refresh token; an old one that is not replaced is kept (RFC 6749, 6).

    `scope` is not sent: leaving it out asks for what was granted, where sending what was once asked fails if the
    user granted less. Raises `TokenEndpointError`.
    """
    switches = secret.compliance
    refresh_token = token_set.refresh_token if token_set else secret.refresh_token
    sent = refresh_token
    if switches.refresh_with == "access_token":
        sent = token_set.access_token if token_set else None
    if sent is None:
        raise TokenEndpointError(f"Secret '{secret.name}' has no refresh token.")
    return _request_token(
        secret,
        [("grant_type", switches.refresh_grant_type), (switches.refresh_parameter, sent.reveal()), *_resources(secret)],
        kept_refresh_token=refresh_token,
        asked_scope=token_set.scope if token_set else secret.scope,
        dpop_key=token_set.dpop_key if token_set else None,
        url=switches.refresh_endpoint or secret.token_endpoint,
        method=switches.refresh_method,
        old=token_set,
    )


def _unattended_parameters(secret: OAuth2, subject_token: SubjectToken) -> Parameters:
    if secret.grant_type == CLIENT_CREDENTIALS:
        return [("grant_type", CLIENT_CREDENTIALS)]
    if secret.grant_type == PASSWORD and secret.password is not None:
        return [("grant_type", PASSWORD), ("username", secret.username or ""), ("password", secret.password.reveal())]
    if secret.grant_type == JWT_BEARER:
        key, algorithm, header = signing_key(secret)
        assertion = sign_jwt_bearer_assertion(
            key,
            issuer=secret.client_id,
            audience=secret.token_endpoint,
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
    raise InvalidSecret(f"The grant of secret '{secret.name}' needs a person.", field="grant_type")


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


def _request_token(
    secret: OAuth2,
    parameters: Parameters,
    *,
    asked_scope: str,
    kept_refresh_token: SecretValue | None = None,
    dpop_key: SecretValue | None = None,
    url: str | None = None,
    method: str = "POST",
    old: TokenSet | None = None,
    nonce: SecretValue | None = None,
) -> TokenSet:
    started = time.time()  # before the call: the lifetime counts from when the provider made the token
    url = url or secret.token_endpoint
    failed = f"Secret '{secret.name}': the token endpoint {url}"
    if secret.dpop and dpop_key is None:
        dpop_key = dpop.new_key()
    parameters = parameters + list(secret.token_parameters.items())
    try:
        answer = send_as_client(secret, url, parameters, failed=failed, method=method, dpop_key=dpop_key)
    except ProviderError as error:
        raise TokenEndpointError(str(error), is_temporary=error.is_temporary) from None
    if answer.status < 500 and (refused := refusal(secret, answer.members, failed)) is not None:
        raise refused
    if answer.status >= 300:
        raise TokenEndpointError(
            f"{failed} answered with HTTP {answer.status}, not with a token. "
            + ("Try again later." if answer.status >= 500 or answer.status == 429 else "Check its address."),
            is_temporary=answer.status >= 500 or answer.status == 429,
        )
    if not isinstance(answer.content, dict):
        raise TokenEndpointError(f"{failed} did not answer with a JSON object. Check its address.")
    fresh = token_set_from(
        secret,
        answer.content,
        failed,
        started,
        kept_refresh_token=kept_refresh_token,
        asked_scope=asked_scope,
        dpop_key=dpop_key,
    )
    id_token = answer.content.get("id_token")
    if old is None and isinstance(id_token, str) and expects_id_token(secret):
        claims = validated_claims(secret, id_token, nonce=nonce)
        fresh = dataclasses.replace(fresh, identity=identity_of(claims))
    if old is None:
        return fresh
    # what only the first answer and its redirect said
    return dataclasses.replace(
        fresh, identity=old.identity, parameters=old.parameters, base_url=fresh.base_url or old.base_url
    )
