"""Client authentication at the provider's endpoints (RFC 6749, 2.3; RFC 7523; RFC 8705). Pure but for the keys' files."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote_plus

from authlib.oauth2.rfc7523.assertion import client_secret_jwt_sign, private_key_jwt_sign
from authlib.oauth2.rfc7523.client import ASSERTION_TYPE
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.oauth2 import OAuth2
from flowlet_jupyter.secret_value import SecretValue

Parameters = list[tuple[str, str]]
_ASSERTION_SECONDS = 300


def authenticate(secret: OAuth2, parameters: Parameters, headers: dict[str, str]) -> None:
    """Add to `parameters` and `headers` what tells the provider which client asks."""
    method = secret.token_endpoint_auth_method
    switches = secret.compliance
    client_secret = secret.client_secret.reveal() if secret.client_secret else ""
    if method == "client_secret_basic":
        pair = (secret.client_id, client_secret)
        if switches.basic_credentials == "encoded":
            pair = (quote_plus(pair[0]), quote_plus(pair[1]))  # RFC 6749, 2.3.1
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(pair).encode()).decode()
        return
    if method in {"client_secret_jwt", "private_key_jwt"}:
        parameters += [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", _assertion(secret))]
    if secret.client_id:
        parameters.append((switches.client_id_parameter, secret.client_id))
    if method == "client_secret_post":
        parameters.append((switches.client_secret_parameter, client_secret))


def signing_key(secret: OAuth2) -> tuple[Any, str, dict[str, str]]:
    """The client's private key, its algorithm and the header of a JWT that it signs. Raises `InvalidSecret`."""
    value = secret.private_key or SecretValue("")
    key: RSAKey | ECKey | OKPKey | None = None
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            text = value.reveal()
            key = kind.import_key(json.loads(text) if text.lstrip().startswith("{") else text)
            break
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    if key is None or not key.is_private:
        raise InvalidSecret(
            f"The private key of secret '{secret.name}' cannot be read: it must be a private RSA or EC key, "
            "as PEM or as JWK, without a password.",
            field="private_key",
        )
    curves = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "secp256k1": "ES256K"}
    algorithm = "RS256" if isinstance(key, RSAKey) else curves.get(getattr(key, "curve_name", ""), "EdDSA")
    key_id = secret.private_key_id or key.kid
    return key, algorithm, {"kid": key_id} if key_id else {}


def _assertion(secret: OAuth2) -> str:
    # RFC 7523, 3: `aud` identifies the authorization server; the issuer is unambiguous, the token endpoint is what it
    # was before issuers were known
    audience = secret.issuer or secret.token_endpoint
    if secret.token_endpoint_auth_method == "client_secret_jwt":
        value = secret.client_secret.reveal() if secret.client_secret else ""
        key = OctKey.import_key(value, {"use": "sig", "alg": "HS256"})
        return str(client_secret_jwt_sign(key, secret.client_id, audience, expires_in=_ASSERTION_SECONDS))
    signer, algorithm, header = signing_key(secret)
    return str(
        private_key_jwt_sign(
            signer, secret.client_id, audience, alg=algorithm, header=header, expires_in=_ASSERTION_SECONDS
        )
    )
