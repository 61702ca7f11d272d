"""ID tokens: whom the provider says the user is, once its signature and claims hold (OpenID Connect Core, 3.1.3.7)."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Collection
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from flowlet_jupyter.errors import ProviderError, TokenEndpointError, printable
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.endpoint import send

# asymmetric only: with HS256 the public key would do as the secret, and `none` proves nothing
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
               "Ed25519", "Ed448"]  # fmt: skip
# with the client secret as key, where the provider is known to sign so
_SYMMETRIC = ("HS256", "HS384", "HS512")
_LEEWAY_SECONDS = 120
_MAX_AGE_SECONDS = 900  # longer than the code that it came for lives
_MIN_RSA_BITS = 2048


class Unproven(Exception):
    """The ID token proves nothing, though nothing shows that it is of somebody else; the text says why."""


def asks_for_id_token(secret: OAuth2) -> bool:
    """Whether the scope asks for an ID token (OpenID Connect Core, 3.1.2.1)."""
    return "openid" in secret.scope.split()


def validated_claims(secret: OAuth2, id_token: str, *, nonce: SecretValue | None) -> dict[str, Any]:
    """The claims of `id_token`.

    Raises `TokenEndpointError` if it is forged or made for somebody else (signature, iss, aud, azp, exp, nonce), and
    `Unproven` if it cannot be checked.
    """
    key = _key(secret, _algorithm(id_token, secret))
    failed = f"Secret '{secret.name}': the ID token of {secret.issuer}"
    try:
        claims = dict(jwt.decode(id_token, key, algorithms=[*_ALGORITHMS, *_SYMMETRIC]).claims)
        issuer = secret.issuer or ""
        if secret.compliance.issuer_template:
            issuer = issuer.replace("{tenantid}", str(claims.get("tid", "")))
        # an `iat` that a clock is to blame for costs the identity only: see below
        timeless = {name: value for name, value in claims.items() if name != "iat"}
        jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": secret.client_id},
            exp={"essential": True},
            sub={"essential": True},
        ).validate(timeless)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        claim = getattr(error, "claim", None)
        reason = f"{type(error).__name__}: {claim}" if isinstance(claim, str) else type(error).__name__
    else:
        reason = _reason_against(secret, claims, nonce)
        if not reason:
            _check_what_proves(claims, nonce)
            return claims
    raise TokenEndpointError(f"{failed} was refused ({reason}). No token was stored; request the access token again.")


def _reason_against(secret: OAuth2, claims: dict[str, Any], nonce: SecretValue | None) -> str:
    """What shows that the claims are of another client or another request; empty if nothing does."""
    audience = claims.get("aud")
    several = isinstance(audience, list) and len(audience) > 1
    if claims.get("azp", None if several else secret.client_id) != secret.client_id:
        return "it was made for another client"
    claimed = claims.get("nonce")
    if (
        nonce is not None
        and claimed is not None
        and not hmac.compare_digest(str(claimed).encode(), nonce.reveal().encode())
    ):
        return "its nonce is not the one that was sent"
    return ""


def _check_what_proves(claims: dict[str, Any], nonce: SecretValue | None) -> None:
    if nonce is not None and claims.get("nonce") is None:
        raise Unproven("the provider left the nonce out of its ID token")
    issued = claims.get("iat")
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        raise Unproven("the ID token does not say when it was made (iat)")
    if not -_LEEWAY_SECONDS <= time.time() - issued <= _MAX_AGE_SECONDS:
        raise Unproven("the ID token was made long ago or in the future (iat); check this machine's clock")


def can_check(algorithm: str, supported: Collection[str]) -> bool:
    """Whether an ID token with this algorithm can be checked; a symmetric one where the provider supports it only."""
    return algorithm in _ALGORITHMS or (algorithm in _SYMMETRIC and algorithm in supported)


def _algorithm(id_token: str, secret: OAuth2) -> str:
    """The algorithm of the ID token's header. Raises `Unproven` if it is none that can be checked."""
    try:
        head = id_token.split(".", 1)[0]
        algorithm = str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))).get("alg"))
    except (ValueError, AttributeError, RecursionError):
        raise Unproven("the ID token cannot be read") from None
    if not can_check(algorithm, secret.id_token_signing_alg_values_supported):
        raise Unproven(f"the ID token is signed with {algorithm[:20]}, which is not accepted from this provider")
    return algorithm


def _key(secret: OAuth2, algorithm: str) -> Any:
    """What verifies `algorithm`: the client secret, or the provider's keys. Raises `Unproven`.

    The family of the algorithm decides, so a public key never serves as the secret of an HMAC.
    """
    if not secret.issuer:
        raise Unproven("the provider's issuer is not known")
    if algorithm in _SYMMETRIC:
        if secret.client_secret is None:
            raise Unproven(f"the ID token is signed with {algorithm}, and there is no client secret")
        return OctKey.import_key(secret.client_secret.reveal())
    if not secret.jwks_uri:
        raise Unproven("the address of the provider's keys is not known")
    try:
        response = send("GET", secret.jwks_uri, failed=f"the provider's keys at {secret.jwks_uri}")
    except ProviderError as error:
        raise Unproven(str(error)) from None
    if response.status != 200:
        raise Unproven(f"the provider's keys at {secret.jwks_uri} answered with HTTP {response.status}")
    try:
        keys = KeySet.import_key_set(response.content).keys
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise Unproven(f"the provider's keys at {secret.jwks_uri} cannot be read") from None
    strong: list[OctKey | RSAKey | ECKey | OKPKey] = [
        key for key in keys if not isinstance(key, OctKey) and not _is_short(key)
    ]
    if not strong:
        raise Unproven("the provider's keys are too short (RSA below 2048 bits) or none")
    return KeySet(strong)


def _is_short(key: Any) -> bool:
    return isinstance(key, RSAKey) and key.public_key.key_size < _MIN_RSA_BITS


def identity_of(claims: dict[str, Any]) -> str | None:
    """How the claims of an ID token or of userinfo name the user."""
    for name in ("preferred_username", "email", "name", "sub"):
        value = claims.get(name)
        if isinstance(value, str) and value:
            return printable(value[:200])
    return None
