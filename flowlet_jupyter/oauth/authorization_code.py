"""Authorization request and response (RFC 6749, 4.1.1 and 4.1.2; PKCE, RFC 7636; `iss`, RFC 9207). Pure."""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from flowlet_jupyter.errors import AuthorizationFailed
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.value import SecretValue

FLOW_LIFETIME_SECONDS = 600.0

# RFC 6749, 4.1.2.1: what usually causes the error
_HINTS = {
    "access_denied": "Access was not allowed. Press Request access token again to give it another try.",
    "invalid_scope": "The provider does not know one of the scopes; check their spelling in the secret.",
    "invalid_request": "Check that the redirect URI is registered at the provider exactly as the form shows it.",
    "unauthorized_client": "The app may not use this grant; allow the authorization code grant in its settings.",
    "unsupported_response_type": "The provider does not offer the authorization code grant at this address.",
    "server_error": "The provider failed. Try again later.",
    "temporarily_unavailable": "The provider is overloaded. Try again later.",
}


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One authorization request that waits for its response.

    `state` and `browser` are random: the first travels through the provider, the second stays in a cookie of the
    browser that started. `user` is the Jupyter user who did, where the server tells users apart.
    """

    secret_name: str
    redirect_uri: str
    started_at: float
    state: SecretValue
    browser: SecretValue
    code_verifier: SecretValue
    nonce: SecretValue
    user: str | None = None


def new_flow(secret_name: str, *, redirect_uri: str, now: float, user: str | None = None) -> Flow:
    """A flow with fresh random values (RFC 7636, 4.1: a verifier of 43 characters from 32 random bytes)."""
    state, browser, verifier, nonce = (SecretValue(random.token_urlsafe(32)) for _ in range(4))
    return Flow(
        secret_name=secret_name,
        redirect_uri=redirect_uri,
        started_at=now,
        state=state,
        browser=browser,
        code_verifier=verifier,
        nonce=nonce,
        user=user,
    )


def request_parameters(secret: OAuth2, flow: Flow) -> list[tuple[str, str]]:
    """The parameters of the authorization request (RFC 6749, 4.1.1; RFC 7636, 4.3; RFC 8707, 2)."""
    switches = secret.compliance
    parameters = [
        ("response_type", "code"),
        (switches.client_id_parameter, secret.client_id),
        ("redirect_uri", flow.redirect_uri),
        ("state", flow.state.reveal()),
    ]
    if secret.scope:
        parameters.append((switches.scope_parameter, secret.scope.replace(" ", switches.scope_separator)))
    if switches.pkce:
        challenge = create_s256_code_challenge(flow.code_verifier.reveal())
        parameters += [("code_challenge", challenge), ("code_challenge_method", "S256")]
    if asks_for_id_token(secret):
        parameters.append(("nonce", flow.nonce.reveal()))
    parameters += [("resource", resource) for resource in secret.resource]
    return parameters + list(secret.authorization_parameters.items())


def asks_for_id_token(secret: OAuth2) -> bool:
    """Whether the scope asks for an ID token (OpenID Connect Core, 3.1.2.1)."""
    return "openid" in secret.scope.split()


def authorization_url(secret: OAuth2, parameters: list[tuple[str, str]]) -> str:
    """The URL at the provider that the browser is sent to; a query of the endpoint's own is kept (RFC 6749, 3.1)."""
    endpoint = secret.authorization_endpoint or ""
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"


def code_of_response(secret: OAuth2, parameters: Mapping[str, str]) -> SecretValue:
    """The authorization code of a response whose `state` was found valid. Raises `AuthorizationFailed`.

    Text of the provider stands in the message as it came: whoever shows it must escape it.
    """
    _check_issuer(secret, parameters.get("iss"))
    if error := parameters.get("error"):
        said = parameters.get("error_description")
        raise AuthorizationFailed(
            f"The provider answered {error[:100]}{f': {said[:300]}' if said else ''}. "
            f"{_HINTS.get(error, 'See the provider’s documentation.')}",
            error=error,
        )
    code = parameters.get("code")
    if not code:
        raise AuthorizationFailed(
            f"The response for secret '{secret.name}' holds no authorization code. Request the access token again."
        )
    return SecretValue(code)


def _check_issuer(secret: OAuth2, issuer: str | None) -> None:
    """RFC 9207, 2.4: against a response that another provider was made to give (mix-up)."""
    if issuer is None:
        if secret.authorization_response_iss_parameter_supported:
            raise AuthorizationFailed(
                f"The response for secret '{secret.name}' does not say which provider it comes from, though this "
                "provider always does. It was refused; nothing was stored."
            )
        return
    if secret.issuer is not None and not secret.compliance.issuer_template:
        same = issuer == secret.issuer  # compared as text (RFC 9207, 2.4)
    else:
        # without discovery the issuer is not known; it is expected on the authorization endpoint's origin
        same = _origin(issuer) == _origin(secret.authorization_endpoint or "")
    if not same:
        raise AuthorizationFailed(
            f"The response for secret '{secret.name}' comes from another provider than it was requested from. "
            "It was refused; nothing was stored."
        )


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
