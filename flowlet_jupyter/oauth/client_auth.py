"""Client authentication at the provider's endpoints (RFC 6749, 2.3; RFC 7523; RFC 8705). Pure but for the keys' files."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from authlib.oauth2.rfc7523.assertion import client_secret_jwt_sign, private_key_jwt_sign
from authlib.oauth2.rfc7523.client import ASSERTION_TYPE
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.tokens import NOTHING_ACCEPTED, Accepted
from flowlet_jupyter.model.value import SecretValue

Parameters = list[tuple[str, str]]
_ASSERTION_SECONDS = 300


# what providers call a client that they do not know, or that authenticated itself in a way that they do not take
CLIENT_ERRORS = frozenset({
    "invalid_client", "unauthorized_client", "invalid_client_id", "invalid_client_secret", "bad_client_secret",
    "invalid_client_credentials", "incorrect_client_credentials", "client_not_found", "bad_client_id",
    "application_cannot_be_found",
})  # fmt: skip
_ABOUT_THE_CLIENT = re.compile(r"client[ _-]?(id|secret|auth|credential)", re.IGNORECASE)


@dataclass(frozen=True)
class ClientAuthentication:
    """One way in which a client may say who it is: a method of RFC 7591, and what else differs between servers."""

    method: str
    # the client ID in the body beside the Basic header, where the MCP SDK's server looks for it
    is_client_id_repeated: bool = False
    # an empty client secret in the body (RFC 6749, 2.3.1, lets a client leave it out; the MCP SDK's revocation does not)
    is_client_secret_empty: bool = False
    audience: str = ""  # of a JWT assertion


def ways_to_authenticate(secret: OAuth2, accepted: Accepted = NOTHING_ACCEPTED) -> list[ClientAuthentication]:
    """The ways to try, the likeliest first: what worked before, what the secret says, then what was not ruled out."""
    method = secret.token_endpoint_auth_method or "none"
    if method in {"client_secret_jwt", "private_key_jwt"}:
        ways = [ClientAuthentication(method, audience=audience) for audience in assertion_audiences(secret, accepted)]
    else:
        ways = [ClientAuthentication(method)]
        if secret.token_endpoint_auth_method_is_default and method == "client_secret_basic":
            ways.append(ClientAuthentication("client_secret_post"))
        if method == "client_secret_basic":
            ways.append(ClientAuthentication(method, is_client_id_repeated=True))
        if method in {"client_secret_basic", "none"}:
            ways.append(ClientAuthentication(method, is_client_id_repeated=True, is_client_secret_empty=True))
    return sorted(ways, key=lambda way: name_of(way) != accepted.client_authentication)


def name_of(authentication: ClientAuthentication) -> str:
    """What `Accepted` remembers of a client authentication that worked."""
    if authentication.is_client_secret_empty:
        return f"{authentication.method}+client_secret"
    return authentication.method + ("+client_id" if authentication.is_client_id_repeated else "")


def assertion_audiences(secret: OAuth2, accepted: Accepted = NOTHING_ACCEPTED) -> list[str]:
    """Whom a client's JWT may name as its audience, what worked before first.

    RFC 7523, 3, takes what identifies the authorization server: its issuer by the newer specifications, its token
    endpoint by the older ones, and many servers know one of them only.
    """
    audiences = list(dict.fromkeys(filter(None, (secret.issuer, secret.token_endpoint))))
    return sorted(audiences, key=lambda audience: audience != accepted.assertion_audience)


def is_client_refused(status: int, members: Mapping[str, Any]) -> bool:
    """Whether an endpoint's response says that it does not take the client, rather than the grant."""
    error = members.get("error")
    if error == "unauthorized_client":  # RFC 6749, 5.2: the grant is not for this client, unless it is a 401
        return status == 401
    if error == "invalid_request":
        return bool(_ABOUT_THE_CLIENT.search(str(members.get("error_description", ""))[:1000]))
    return (isinstance(error, str) and error in CLIENT_ERRORS) or (status == 401 and not error)


def authenticate(
    secret: OAuth2,
    parameters: Parameters,
    headers: dict[str, str],
    authentication: ClientAuthentication | None = None,
) -> None:
    """Add to `parameters` and `headers` what tells the provider which client asks."""
    authentication = authentication or ways_to_authenticate(secret)[0]
    method = authentication.method
    compliance = secret.compliance
    client_secret = secret.client_secret.reveal() if secret.client_secret else ""
    if method == "client_secret_basic":
        pair = (secret.client_id, client_secret)
        if compliance.basic_credentials == "encoded":
            pair = (quote_plus(pair[0]), quote_plus(pair[1]))  # RFC 6749, 2.3.1
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(pair).encode()).decode()
        is_there = any(name == compliance.client_id_parameter for name, _ in parameters)
        if authentication.is_client_id_repeated and not is_there:
            parameters.append((compliance.client_id_parameter, secret.client_id))
        if authentication.is_client_secret_empty:
            parameters.append((compliance.client_secret_parameter, ""))
        return
    # a pushed authorization request has the client ID among its own parameters
    parameters[:] = [entry for entry in parameters if entry[0] != compliance.client_id_parameter]
    if method in {"client_secret_jwt", "private_key_jwt"}:
        assertion = _assertion(secret, authentication.audience)
        parameters += [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)]
    if secret.client_id:
        parameters.append((compliance.client_id_parameter, secret.client_id))
    if method == "client_secret_post":
        parameters.append((compliance.client_secret_parameter, client_secret))
    elif authentication.is_client_secret_empty:
        parameters.append((compliance.client_secret_parameter, ""))


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


def public_key(secret: OAuth2) -> dict[str, Any]:
    """The public half of the client's private key, as a JWK with its algorithm. Raises `InvalidSecret`."""
    key, algorithm, header = signing_key(secret)
    return {**key.as_dict(private=False), "alg": algorithm, "use": "sig", "kid": header.get("kid") or key.thumbprint()}


def _assertion(secret: OAuth2, audience: str) -> str:
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
