"""ID tokens: whom the provider says the user is, once its signature and claims hold (OpenID Connect Core, 3.1.3.7)."""

from __future__ import annotations

import hmac
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from flowlet_jupyter.errors import TokenEndpointError
from flowlet_jupyter.oauth.endpoint import send
from flowlet_jupyter.oauth2 import OAuth2
from flowlet_jupyter.secret_value import SecretValue

# asymmetric only: with HS256 the public key would do as the secret, and `none` proves nothing
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_LEEWAY_SECONDS = 120


def validated_claims(secret: OAuth2, id_token: str, *, nonce: SecretValue | None) -> dict[str, Any]:
    """The claims of `id_token`. Raises `TokenEndpointError` if its signature, iss, aud, exp or nonce is wrong."""
    failed = f"Secret '{secret.name}': the ID token of {secret.issuer}"
    answer = send("GET", secret.jwks_uri or "", failed=f"{failed}: its keys at {secret.jwks_uri}")
    try:
        claims = dict(jwt.decode(id_token, KeySet.import_key_set(answer.content), algorithms=_ALGORITHMS).claims)
        issuer = secret.issuer or ""
        if secret.compliance.issuer_template:
            issuer = issuer.replace("{tenantid}", str(claims.get("tid", "")))
        jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": secret.client_id},
            exp={"essential": True},
            sub={"essential": True},
        ).validate(claims)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = type(error).__name__
    else:
        if claims.get("azp", secret.client_id) != secret.client_id:
            reason = "it was made for another client"
        elif nonce is not None and not hmac.compare_digest(str(claims.get("nonce", "")), nonce.reveal()):
            reason = "its nonce is not the one that was sent"
        else:
            return claims
    raise TokenEndpointError(f"{failed} was refused ({reason}). No token was stored; request the access token again.")


def identity_of(claims: dict[str, Any]) -> str | None:
    """How the claims of an ID token or of userinfo name the user."""
    for name in ("preferred_username", "email", "name", "sub"):
        value = claims.get(name)
        if isinstance(value, str) and value:
            return value[:200]
    return None
