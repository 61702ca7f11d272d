"""Requirements of the RFCs that no other test meets on its way; docs/standards.md lists all of them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
import respx
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import AuthorizationFailed, DiscoveryFailed, ProviderError, TokenEndpointError
from flowlet_jupyter.model.oauth2 import CLIENT_CREDENTIALS, DEVICE_CODE, TOKEN_EXCHANGE, OAuth2
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth import device, dpop
from flowlet_jupyter.oauth.authorization_code import code_of_response, new_flow, request_parameters
from flowlet_jupyter.oauth.discovery import discover
from flowlet_jupyter.oauth.registration import register_client
from flowlet_jupyter.oauth.revocation import revoke
from flowlet_jupyter.oauth.token_endpoint import refresh, request_token
from flowlet_jupyter.vault import default_vault

TOKEN = "https://auth.example/token"
ROOT = Path(__file__).parents[2]


def secret(**fields) -> OAuth2:
    defaults = {
        "name": "api", "token_endpoint": TOKEN, "client_id": "id", "client_secret": "s" * 32,
        "authorization_endpoint": "https://auth.example/authorize", "allowed_hosts": ("api.example",),
    }  # fmt: skip
    return OAuth2(**{**defaults, **fields})


def form(route) -> dict[str, list[str]]:
    return parse_qs(route.calls.last.request.content.decode())


def test_every_row_of_the_table_names_a_test_that_there_is():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "standards.md").read_text("utf-8"))
    assert len(named) > 80
    for file, test in named:
        assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE), (file, test)


def test_a_dpop_proof_is_for_one_request_and_one_token():
    key = dpop.new_key()
    url = "https://api.example/me?page=2#top"
    proofs = [dpop.dpop_proof(key, "GET", url, access_token=SecretValue("t")) for _ in range(2)]
    tokens = [jwt.decode(proof, ECKey.import_key(json.loads(key.reveal())), algorithms=["ES256"]) for proof in proofs]
    first = tokens[0]
    assert first.header["typ"] == "dpop+jwt"
    assert "d" not in first.header["jwk"]  # the public half
    assert (first.claims["htm"], first.claims["htu"]) == ("GET", "https://api.example/me")
    digest = hashlib.sha256(b"t").digest()
    assert first.claims["ath"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert tokens[0].claims["jti"] != tokens[1].claims["jti"]


@respx.mock
def test_client_secret_jwt_is_short_lived_and_for_this_provider():
    route = respx.post(TOKEN).respond(json={"access_token": "t"})
    request_token(
        secret(grant_type=CLIENT_CREDENTIALS, token_endpoint_auth_method="client_secret_jwt"),
        subject_token=lambda _: SecretValue(""),
    )
    sent = form(route)
    assert sent["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    assert "client_secret" not in sent
    claims = jwt.decode(sent["client_assertion"][0], OctKey.import_key("s" * 32), algorithms=["HS256"]).claims
    assert claims["iss"] == claims["sub"] == "id"
    assert claims["aud"] == TOKEN
    assert 0 < claims["exp"] - claims["iat"] <= 600


@respx.mock
def test_resources_are_named_at_each_step():
    route = respx.post(TOKEN).respond(json={"access_token": "t", "refresh_token": "r"})
    both = ("https://api.example/a", "https://api.example/b")
    indicated = secret(resource=both)
    asked = request_parameters(indicated, new_flow("api", redirect_uri="http://localhost/", now=0.0))
    assert [value for key, value in asked if key == "resource"] == list(both)
    refresh(indicated, token_set=TokenSet(access_token=SecretValue("t"), refresh_token=SecretValue("r")))
    assert form(route)["resource"] == list(both)


@respx.mock
def test_an_exchange_that_gives_no_access_token_is_not_used_as_one():
    respx.post(TOKEN).respond(
        json={
            "access_token": "saml",
            "token_type": "N_A",
            "issued_token_type": "urn:ietf:params:oauth:token-type:saml2",
        }
    )
    with pytest.raises(TokenEndpointError, match="n_a"):
        request_token(secret(grant_type=TOKEN_EXCHANGE, subject_secret="x"), subject_token=lambda _: SecretValue("s"))


@respx.mock
@pytest.mark.parametrize("error", ["access_denied", "expired_token", "invalid_grant"])
def test_the_device_flow_ends_when_the_provider_says_so(monkeypatch, error):
    monkeypatch.setattr(device, "MAX_INTERVAL_SECONDS", 0.01)
    url = "https://auth.example/device"
    respx.post(url).respond(json={"device_code": "d", "user_code": "A", "verification_uri": "https://g.example/"})
    route = respx.post(TOKEN).respond(400, json={"error": error})
    flowlet.secrets.add(secret(grant_type=DEVICE_CODE, device_authorization_endpoint=url))
    flow = device.start_device_flow(default_vault(), "api")
    with pytest.raises(AuthorizationFailed) as caught:
        flow.finished.result(10)
    assert caught.value.error == error
    assert route.call_count == 1


@respx.mock
def test_the_device_flow_asks_less_often_when_nobody_answers(monkeypatch):
    waited = []

    class Patient:
        def wait(self, seconds: float) -> bool:
            waited.append(seconds)
            return False

    given = device.DeviceAuthorization(
        user_code="A", verification_uri="https://g.example/", verification_uri_complete=None, expires_at=4e9,
        interval=5.0, device_code=SecretValue("d"),
    )  # fmt: skip
    respx.post(TOKEN).mock(
        side_effect=[httpx.ConnectTimeout("slow"), httpx.Response(400, json={"error": "slow_down"}),
                     httpx.Response(200, json={"access_token": "t"})]
    )  # fmt: skip
    tv = secret(grant_type=DEVICE_CODE, device_authorization_endpoint="https://auth.example/device")
    device._wait(tv, given, Patient(), None)
    assert waited == [5.0, 10.0, 15.0]


@respx.mock
def test_metadata_of_another_resource_is_not_used():
    respx.get("https://other-api.example/v1").respond(
        401, headers={"WWW-Authenticate": 'Bearer resource_metadata="https://other-api.example/meta"'}
    )
    respx.get("https://other-api.example/meta").respond(
        json={"resource": "https://victim.example", "authorization_servers": ["https://as.example"]}
    )
    respx.route().respond(404)
    with pytest.raises(DiscoveryFailed):
        discover("https://other-api.example/v1")


@respx.mock
def test_the_well_known_place_of_an_issuer_with_a_path():
    asked = []
    respx.route().mock(side_effect=lambda request: asked.append(request.url.path) or httpx.Response(404))
    with pytest.raises(DiscoveryFailed):
        discover("https://as.example/tenant")
    assert asked[:2] == [
        "/tenant/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/tenant",
    ]


@respx.mock
def test_registration_says_what_the_client_is_and_takes_what_the_provider_decides():
    url = "https://auth.example/register"
    route = respx.post(url).respond(
        201, json={"client_id": "new", "client_secret": "given", "token_endpoint_auth_method": "client_secret_post"}
    )

    def register():
        return register_client(
            url, redirect_uri="http://127.0.0.1:8888/cb", grant_type="authorization_code", scope="a", client_name="me"
        )

    assert register()["token_endpoint_auth_method"] == "client_secret_post"
    sent = json.loads(route.calls.last.request.content)
    assert sent["redirect_uris"] == ["http://127.0.0.1:8888/cb"]
    assert (sent["response_types"], sent["application_type"]) == (["code"], "native")
    route.respond(400, json={"error": "invalid_redirect_uri"})
    with pytest.raises(ProviderError, match="redirect URI") as caught:
        register()
    assert caught.value.error == "invalid_redirect_uri"


@respx.mock
def test_a_revocation_that_the_provider_does_not_take_is_an_error():
    url = "https://auth.example/revoke"
    tokens = TokenSet(access_token=SecretValue("t"))
    route = respx.post(url).respond(503)
    with pytest.raises(ProviderError, match="503"):
        revoke(secret(revocation_endpoint=url), tokens)
    route.respond(400, json={"error": "unsupported_token_type"})
    with pytest.raises(ProviderError) as caught:
        revoke(secret(revocation_endpoint=url), tokens)
    assert caught.value.error == "unsupported_token_type"
    assert form(route)["token_type_hint"] == ["access_token"]


@respx.mock
def test_what_is_not_known_in_an_answer_is_ignored():
    respx.post(TOKEN).respond(json={"access_token": "t", "colour": "red", "nested": {"access_token": "x"}})
    assert (
        request_token(
            secret(grant_type=CLIENT_CREDENTIALS), subject_token=lambda _: SecretValue("")
        ).access_token.reveal()
        == "t"
    )
    assert code_of_response(secret(), {"code": "c", "colour": "red", "session_state": "x"}).reveal() == "c"


@respx.mock
def test_a_provider_that_ignores_the_proof_gives_a_bearer_token():
    respx.post(TOKEN).respond(json={"access_token": "t", "token_type": "Bearer"})
    route = respx.get("https://api.example/me").respond(json={})
    flowlet.secrets.add(secret(grant_type=CLIENT_CREDENTIALS, dpop=True))
    flowlet.get("https://api.example/me", secret="api")
    assert route.calls.last.request.headers["authorization"] == "Bearer t"
    assert "dpop" not in route.calls.last.request.headers
