"""ID tokens: what proves who it is, and what an ID token that proves nothing costs. The access token is never the price."""

from __future__ import annotations

import time

import pytest
import respx
from id_tokens import CLIENT_SECRET, ISSUER, id_token_claims, openid_secret
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from servers.oauth_provider import FRESH, provider

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import TokenEndpointError
from flowlet_jupyter.http.identity import identify
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.authorization_code import complete_flow, new_flow
from flowlet_jupyter.oauth.id_token import Unproven, validated_claims
from flowlet_jupyter.vault import default_vault


def id_token(key, algorithm: str, **claims) -> str:
    return jwt.encode({"alg": algorithm}, id_token_claims(**claims), key)


def signed_by_secret(text: str = CLIENT_SECRET, **claims) -> str:
    return id_token(OctKey.import_key(text), "HS256", **claims)


def test_hs256_is_taken_with_the_client_secret_where_the_provider_says_that_it_signs_so():
    nonce = SecretValue("n")
    symmetric = openid_secret(id_token_signing_alg_values_supported=["HS256"])
    assert validated_claims(symmetric, signed_by_secret(), nonce=nonce)["sub"] == "1"
    with pytest.raises(TokenEndpointError, match="was refused"):
        validated_claims(symmetric, signed_by_secret("another-secret-that-is-long-enough"), nonce=nonce)
    with pytest.raises(Unproven, match="not accepted"):
        validated_claims(openid_secret(), signed_by_secret(), nonce=nonce)


@respx.mock
@pytest.mark.parametrize(
    ("bits", "status", "says"), [(1024, 200, "too short"), (2048, 203, "HTTP 203"), (2048, 404, "HTTP 404")]
)
def test_keys_that_prove_nothing_are_not_used(bits, status, says):
    key = RSAKey.generate_key(bits, auto_kid=True)
    respx.get(f"{ISSUER}/jwks").respond(status, json={"keys": [key.as_dict(private=False)]})
    with pytest.raises(Unproven, match=says):
        validated_claims(openid_secret(), id_token(key, "RS256"), nonce=SecretValue("n"))


@pytest.mark.parametrize(
    ("issued", "says"), [(None, "does not say when"), (-86_400, "long ago"), (86_400, "in the future")]
)
def test_an_id_token_of_another_time_proves_nothing(issued, says):
    at = None if issued is None else int(time.time()) + issued
    token = signed_by_secret(iat=at, exp=int(time.time()) + 172_800)
    with pytest.raises(Unproven, match=says):
        validated_claims(openid_secret(id_token_signing_alg_values_supported=["HS256"]), token, nonce=SecretValue("n"))


def consent(url: str, *, before: TokenSet | None = None, **fields) -> None:
    """A whole second leg: the code is exchanged, and whoever it is asked for."""
    made = openid_secret(
        token_endpoint=f"{url}/token", userinfo_endpoint=f"{url}/userinfo", base_url=url,
        id_token_signing_alg_values_supported=["HS256"], **fields,
    )  # fmt: skip
    default_vault().put(Record(secret=made, token_set=before))
    flow = new_flow("api", redirect_uri="http://localhost/cb", now=time.time())
    complete_flow(default_vault(), flow, {"code": "c", "state": flow.state.reveal()})
    identify(default_vault(), "api")


@pytest.mark.parametrize(
    ("userinfo", "identity"),
    [({"sub": "1", "preferred_username": "ann"}, "ann"), ({"sub": "2", "preferred_username": "bob"}, "1")],
)
def test_userinfo_is_asked_for_a_name_where_the_id_token_has_only_a_subject(userinfo, identity):
    def answer(handler, _):
        if handler.path == "/userinfo":
            return 200, {}, userinfo
        return 200, {}, {**FRESH, "id_token": signed_by_secret(nonce=nonces[0])}

    nonces = ["n"]
    with provider(answer) as (url, paths):
        made = openid_secret(
            token_endpoint=f"{url}/token", userinfo_endpoint=f"{url}/userinfo", base_url=url,
            id_token_signing_alg_values_supported=["HS256"],
        )  # fmt: skip
        default_vault().put(Record(secret=made))
        flow = new_flow("api", redirect_uri="http://localhost/cb", now=time.time())
        nonces[0] = flow.nonce.reveal()
        complete_flow(default_vault(), flow, {"code": "c", "state": flow.state.reveal()})
        assert flowlet.secrets["api"].status().identity == "1"
        identify(default_vault(), "api")
        assert paths == ["/token", "/userinfo"]
    assert flowlet.secrets["api"].status().identity == identity


@pytest.mark.parametrize(("user", "refresh_token"), [("ann", "r1"), ("bob", None)])
def test_a_second_consent_keeps_the_refresh_token_of_the_same_person_only(user, refresh_token):
    def answer(handler, _):
        if handler.path == "/userinfo":
            return 200, {}, {"sub": user, "preferred_username": user}
        return 200, {}, {"access_token": "second", "token_type": "Bearer"}

    before = TokenSet(access_token=SecretValue("first"), refresh_token=SecretValue("r1"), identity="ann")
    with provider(answer) as (url, _):
        consent(url, before=before, scope="profile")
    now = default_vault().get("api").token_set
    assert (now.access_token.reveal(), now.identity) == ("second", user)
    assert (now.refresh_token and now.refresh_token.reveal()) == refresh_token
