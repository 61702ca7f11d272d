"""Proofs that a request comes from the holder of a key (DPoP, RFC 9449)."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from urllib.parse import urlsplit, urlunsplit

from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.session import Session, default_session

ALGORITHM = "ES256"  # of every proof: the one that RFC 9449 uses throughout
_MAX_ORIGINS = 1000


class _Nonces:
    """The nonce that each origin gave last (RFC 9449, 8): it is good for a while and saves a refused request."""

    def __init__(self, _session: Session) -> None:
        self.by_origin: dict[str, str] = {}


def new_key() -> SecretValue:
    """A fresh P-256 key, as a private JWK."""
    from joserfc.jwk import ECKey

    return SecretValue(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))


def thumbprint(key: SecretValue) -> str:
    """The `dpop_jkt` of a key (RFC 9449, 10; RFC 7638)."""
    from joserfc.jwk import ECKey

    return ECKey.import_key(json.loads(key.reveal())).thumbprint()


def dpop_proof(key: SecretValue, method: str, url: str, *, access_token: SecretValue | None = None) -> str:
    """The `DPoP` header of one request (RFC 9449, 4.2), with the nonce that the origin gave last."""
    # only now: every request comes by this module, and few secrets have such a key
    from joserfc import jwt
    from joserfc.jwk import ECKey

    signing = ECKey.import_key(json.loads(key.reveal()))
    parts = urlsplit(url)
    claims: dict[str, str | int] = {
        "jti": uuid.uuid4().hex,
        "htm": method,
        "htu": urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")),
        "iat": int(time.time()),
    }
    if nonce := default_session().part(_Nonces).by_origin.get(_origin(url)):
        claims["nonce"] = nonce
    if access_token is not None:
        digest = hashlib.sha256(access_token.reveal().encode()).digest()
        claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    header = {"typ": "dpop+jwt", "alg": ALGORITHM, "jwk": signing.as_dict(private=False)}
    return jwt.encode(header, claims, signing, algorithms=[ALGORITHM])


def remember_nonce(url: str, nonce: str | None) -> bool:
    """Take the nonce of a response's `DPoP-Nonce`. Whether it is a new one, so that a refused request is worth repeating."""
    nonces = default_session().part(_Nonces).by_origin
    if not nonce or nonces.get(_origin(url)) == nonce:
        return False
    if len(nonces) >= _MAX_ORIGINS:
        nonces.clear()
    nonces[_origin(url)] = nonce
    return True


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
