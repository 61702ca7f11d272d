"""An OpenID Connect client of the provider at `ISSUER`, and the claims of a good ID token for it."""

from __future__ import annotations

import time

from flowlet_jupyter.model.oauth2 import OAuth2

ISSUER = "https://auth.example"
CLIENT_SECRET = "a-client-secret-that-is-long-enough"


def openid_secret(**fields) -> OAuth2:
    given = {
        "name": "api", "authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/token", "client_id": "id",
        "client_secret": CLIENT_SECRET, "scope": "openid", "issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks",
    }  # fmt: skip
    return OAuth2(**{**given, **fields})


def id_token_claims(**changed) -> dict:
    """The claims, with others in their place; None leaves one out."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "id", "sub": "1", "exp": now + 300, "iat": now, "nonce": "n", **changed}
    return {name: value for name, value in claims.items() if value is not None}
