"""What each grant and client authentication sends, and what is made of odd answers."""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import parse_qs

import httpx
import pytest
import respx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import AuthorizationFailed, AuthRequired, InvalidSecret, ProviderError, TokenEndpointError
from flowlet_jupyter.model.compliance import Compliance, compliance_from
from flowlet_jupyter.model.oauth2 import (
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    GRANT_TYPES,
    JWT_BEARER,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    OAuth2,
)
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth import device, id_token
from flowlet_jupyter.oauth.authorization_code import authorization_url, code_of_response, new_flow, request_parameters
from flowlet_jupyter.oauth.discovery import discover
from flowlet_jupyter.oauth.token_endpoint import exchange_code, refresh, request_token
from flowlet_jupyter.vault import default_vault

TOKEN = "https://auth.example/token"
CANARY = "canary-value-5e1f"
ANSWER = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}


def secret(**fields) -> OAuth2:
    defaults = {
        "name": "api",
        "token_endpoint": TOKEN,
        "client_id": "id",
        "client_secret": CANARY,
        "scope": "a b",
        "allowed_hosts": ("api.example",),
        "authorization_endpoint": "https://auth.example/authorize",
    }
    return OAuth2(**{**defaults, **fields})


def form(route) -> dict[str, list[str]]:
    return parse_qs(route.calls.last.request.content.decode())


def no_other_secret(name: str) -> SecretValue:
    raise AssertionError(name)


def exchanged(**fields) -> TokenSet:
    return exchange_code(
        secret(**fields), code=SecretValue("c#_"), code_verifier=SecretValue("v"), redirect_uri="https://me.example/"
    )


@respx.mock
def test_the_password_grant():
    route = respx.post(TOKEN).respond(json=ANSWER)
    request_token(secret(grant_type=PASSWORD, username="ann", password=CANARY), subject_token=no_other_secret)
    assert form(route) == {"grant_type": ["password"], "username": ["ann"], "password": [CANARY], "scope": ["a b"]}


@respx.mock
def test_token_exchange_of_a_file_and_of_another_secret(tmp_path):
    route = respx.post(TOKEN).respond(json=ANSWER)
    file = tmp_path / "token"
    file.write_text("projected\n")
    request_token(secret(grant_type=TOKEN_EXCHANGE, subject_token_file=str(file)), subject_token=no_other_secret)
    assert form(route)["subject_token"] == ["projected"]
    assert form(route)["subject_token_type"] == ["urn:ietf:params:oauth:token-type:access_token"]
    request_token(
        secret(grant_type=TOKEN_EXCHANGE, subject_secret="x"), subject_token=lambda name: SecretValue(f"of-{name}")
    )
    assert form(route)["subject_token"] == ["of-x"]
    file.unlink()
    with pytest.raises(TokenEndpointError, match="cannot be read"):
        request_token(secret(grant_type=TOKEN_EXCHANGE, subject_token_file=str(file)), subject_token=no_other_secret)


@respx.mock
def test_a_service_account_signs_its_assertion():
    key = RSAKey.generate_key(2048)
    route = respx.post(TOKEN).respond(json=ANSWER)
    account = secret(
        grant_type=JWT_BEARER, client_secret=None, client_id="robot@project.example", private_key_id="k1",
        private_key=key.as_pem(private=True).decode(),
    )  # fmt: skip
    request_token(account, subject_token=no_other_secret)
    token = jwt.decode(form(route)["assertion"][0], key, algorithms=["RS256"])
    assert token.header["kid"] == "k1"
    assert token.claims["iss"] == token.claims["sub"] == "robot@project.example"
    assert (token.claims["aud"], token.claims["scope"]) == (TOKEN, "a b")
    assert token.claims["exp"] - token.claims["iat"] <= 300


@respx.mock
def test_a_pasted_refresh_token_is_used_and_replaced_by_the_rotated_one():
    route = respx.post(TOKEN).respond(json={**ANSWER, "refresh_token": "second"})
    handle = flowlet.secrets.add(secret(grant_type=REFRESH_TOKEN, refresh_token="first"))
    assert handle.status().state == "on_demand"
    assert handle.token().reveal() == "t"
    assert form(route)["refresh_token"] == ["first"]
    handle.refresh()
    assert form(route)["refresh_token"] == ["second"]
    route.respond(400, json={"error": "invalid_grant"})
    with pytest.raises(AuthRequired):
        handle.refresh()
    assert handle.status().state == "needs_authorization"


@respx.mock
def test_an_unattended_grant_obtains_a_new_token_when_the_old_one_ends():
    respx.post(TOKEN).mock(
        side_effect=[httpx.Response(200, json={**ANSWER, "access_token": name, "expires_in": 1}) for name in "ab"]
    )
    handle = flowlet.secrets.add(secret(grant_type=CLIENT_CREDENTIALS))
    assert handle.token().reveal() == "a"
    time.sleep(1.05)
    assert handle.status().state == "expired"
    assert handle.token().reveal() == "b"


@respx.mock
def test_a_refused_client_keeps_its_secret_and_is_told_what_to_try():
    respx.post(TOKEN).respond(401, json={"error": "invalid_client"})
    handle = flowlet.secrets.add(secret(grant_type=CLIENT_CREDENTIALS))
    with pytest.raises(TokenEndpointError, match=r"was client_secret_basic, so try client_secret_post or none"):
        handle.token()
    assert default_vault().get("api").secret.client_secret


@respx.mock
def test_basic_credentials_raw_and_encoded():
    route = respx.post(TOKEN).respond(json=ANSWER)
    for switch, pair in (("encoded", "id:a%2Bb%3A"), ("raw", "id:a+b:")):
        odd = secret(grant_type=CLIENT_CREDENTIALS, client_secret="a+b:", compliance={"basic_credentials": switch})
        request_token(odd, subject_token=no_other_secret)
        sent = route.calls.last.request.headers["authorization"].removeprefix("Basic ")
        assert base64.b64decode(sent).decode() == pair


@respx.mock
def test_private_key_jwt_names_the_issuer_as_audience():
    key = ECKey.generate_key("P-256")
    route = respx.post(TOKEN).respond(json=ANSWER)
    pem = key.as_pem(private=True).decode()
    request_token(secret(grant_type=CLIENT_CREDENTIALS, client_secret=None, private_key=pem, issuer="https://auth.example"),
           subject_token=no_other_secret)  # fmt: skip
    claims = jwt.decode(form(route)["client_assertion"][0], key, algorithms=["ES256"]).claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("id", "id", "https://auth.example")
    assert claims["jti"]


def test_a_key_that_is_none_is_an_error_without_the_key():
    bad = secret(grant_type=JWT_BEARER, private_key=CANARY)
    with pytest.raises(InvalidSecret, match="private key of secret 'api' cannot be read") as caught:
        request_token(bad, subject_token=no_other_secret)
    assert CANARY not in str(caught.value)


@respx.mock
def test_a_missing_client_certificate_is_named(tmp_path):
    bad = secret(grant_type=CLIENT_CREDENTIALS, client_secret=None, token_endpoint_auth_method="tls_client_auth",
                 client_certificate_file=str(tmp_path / "none.pem"))  # fmt: skip
    with pytest.raises(InvalidSecret, match=r"none\.pem"):
        request_token(bad, subject_token=no_other_secret)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"grant_type": "implicit"}, "grant_type"),
        ({"authorization_endpoint": None}, "authorization_endpoint"),
        ({"grant_type": DEVICE_CODE}, "device_authorization_endpoint"),
        ({"grant_type": REFRESH_TOKEN}, "refresh_token"),
        ({"grant_type": PASSWORD, "password": "x"}, "username"),
        ({"grant_type": PASSWORD, "username": "x"}, "password"),
        ({"grant_type": JWT_BEARER}, "private_key"),
        ({"grant_type": TOKEN_EXCHANGE}, "subject_token_file"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "private_key"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "client_certificate_file"),
        ({"token_endpoint_auth_method": "magic"}, "token_endpoint_auth_method"),
        ({"resource": ("no-scheme",)}, "resource"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri"),
        ({"compliance": {"nonsense": 1}}, "compliance"),
        ({"compliance": {"pkce": "yes"}}, "compliance"),
        ({"compliance": {"api_headers": {"X": "a\r\nb"}}}, "compliance"),
    ],
)
def test_what_a_grant_needs_is_named(fields, field):
    with pytest.raises(InvalidSecret) as caught:
        secret(**fields)
    assert caught.value.field == field


@pytest.mark.parametrize("grant_type", GRANT_TYPES)
def test_every_grant_survives_the_vault(grant_type):
    full = secret(
        grant_type=grant_type, device_authorization_endpoint="https://auth.example/device", refresh_token="r",
        username="u", password="p", private_key="k", subject_secret="other", resource=("https://api.example",),
        dpop=True, authorization_parameters={"prompt": "consent"}, compliance={"pkce": False, "kept_parameters": ["a"]},
    )  # fmt: skip
    flowlet.secrets.add(full)
    default_vault()._cache.clear()
    assert default_vault().get("api").secret == full


# ---- compliance switches: each with the odd answer that it exists for


def test_switches_are_declared_only_where_they_differ():
    assert Compliance().declared() == {}
    odd = {"scope_separator": ",", "kept_parameters": ["realmId"], "api_headers": {"Client-Id": "{client_id}"}}
    assert compliance_from(odd).declared() == odd


def test_the_authorization_request_with_other_names_and_separators():
    odd = secret(
        compliance={"scope_separator": ",", "scope_parameter": "user_scope", "client_id_parameter": "client_key",
                    "pkce": False},
        authorization_parameters={"access_type": "offline"},
        resource=("https://a.example", "https://b.example"),
    )  # fmt: skip
    flow = new_flow("api", redirect_uri="https://me.example/", now=0.0)
    query = parse_qs(authorization_url(odd, request_parameters(odd, flow)).partition("?")[2])
    assert query == {
        "response_type": ["code"], "client_key": ["id"], "redirect_uri": ["https://me.example/"],
        "state": [flow.state.reveal()], "user_scope": ["a,b"], "access_type": ["offline"],
        "resource": ["https://a.example", "https://b.example"],
    }  # fmt: skip


@respx.mock
def test_the_token_request_as_json_with_headers_and_other_names():
    route = respx.post(TOKEN).respond(json=ANSWER)
    exchanged(
        token_endpoint_auth_method="client_secret_post",
        token_parameters={"action": "requesttoken"},
        compliance={"token_request": "json", "token_headers": {"User-Agent": "me"}, "client_secret_parameter": "secret",
                    "client_id_parameter": "app_id", "code_suffix": "#_", "pkce": False},
    )  # fmt: skip
    request = route.calls.last.request
    assert request.headers["user-agent"] == "me"
    assert json.loads(request.content) == {
        "grant_type": "authorization_code", "code": "c", "redirect_uri": "https://me.example/",
        "action": "requesttoken", "app_id": "id", "secret": CANARY,
    }  # fmt: skip


@respx.mock
def test_a_token_inside_a_member_with_an_error_in_a_200():
    slack = {"token_member": "authed_user", "ok_member": "ok", "scope_separator": ","}
    route = respx.post(TOKEN).respond(json={"ok": True, "authed_user": {"access_token": "x", "scope": "a,b"}})
    token = exchanged(compliance=slack)
    assert (token.access_token.reveal(), token.scope) == ("x", "a b")
    route.respond(json={"ok": False, "error": "bad_redirect_uri"})
    with pytest.raises(TokenEndpointError, match="bad_redirect_uri"):
        exchanged(compliance=slack)
    route.respond(json={"status": 401, "body": {}})
    with pytest.raises(TokenEndpointError, match="answered refused"):
        exchanged(compliance={"token_member": "body", "ok_member": "status", "ok_value": "0"})
    route.respond(json={"error": {"message": "Invalid code", "type": "OAuthException", "code": 100}})
    with pytest.raises(TokenEndpointError, match="OAuthException: Invalid code"):
        exchanged()


@respx.mock
def test_a_form_encoded_answer():
    respx.post(TOKEN).respond(
        text="access_token=t&scope=repo%2Cgist&token_type=bearer",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    token = exchanged()
    assert (token.access_token.reveal(), token.scope) == ("t", "repo gist")


@respx.mock
@pytest.mark.parametrize(
    ("members", "lifetime"),
    [
        ({"expires": 60}, 60),
        ({"expires_at": 4_000_000_000}, "absolute"),
        ({"expires_at": "2096-10-02T07:06:40Z"}, "absolute"),
        ({"expires_at": "soon"}, None),
        ({"expires_at": 1}, None),
        ({"expires_in": 0}, None),
    ],
)
def test_other_ways_to_say_when_a_token_ends(members, lifetime):
    respx.post(TOKEN).respond(json={"access_token": "t", **members})
    token = exchanged()
    expected = {"absolute": 4_000_000_000, None: None}.get(lifetime, token.obtained_at + 60)
    assert token.expires_at == expected


@respx.mock
def test_scopes_as_a_list_and_under_another_name():
    respx.post(TOKEN).respond(json={"access_token": "t", "scope": ["a", "c"]})
    assert exchanged().scope == "a c"
    respx.post(TOKEN).respond(json={"access_token": "t", "scopes": "account"})
    assert exchanged().scope == "account"


@respx.mock
def test_a_refresh_by_the_access_token_at_another_endpoint():
    route = respx.get("https://graph.example/refresh").respond(json={"access_token": "long"})
    odd = secret(
        token_endpoint_auth_method="client_secret_post",
        compliance={"refresh_endpoint": "https://graph.example/refresh", "refresh_method": "GET",
                    "refresh_grant_type": "fb_exchange_token", "refresh_parameter": "fb_exchange_token",
                    "refresh_with": "access_token"},
    )  # fmt: skip
    assert refresh(odd, token_set=TokenSet(access_token=SecretValue("short"))).access_token.reveal() == "long"
    assert dict(route.calls.last.request.url.params) == {
        "grant_type": "fb_exchange_token", "fb_exchange_token": "short", "client_id": "id", "client_secret": CANARY,
    }  # fmt: skip


@respx.mock
def test_the_api_base_of_the_answer_is_used_within_the_allowed_hosts_only():
    respx.post(TOKEN).respond(json={**ANSWER, "instance_url": "https://one.my.example"})
    sales = {"compliance": {"api_base_member": "instance_url"}, "grant_type": CLIENT_CREDENTIALS}
    route = respx.get("https://one.my.example/me").respond(json={})
    flowlet.secrets.add(secret(allowed_hosts=("*.my.example",), **sales)).token()
    assert flowlet.get("/me", secret="api").status_code == 200
    assert route.called
    flowlet.secrets.add(secret(name="other", allowed_hosts=("api.example",), **sales)).token()
    with pytest.raises(flowlet.HostNotAllowed):
        flowlet.get("/me", secret="other")


@respx.mock
@pytest.mark.parametrize(
    ("switches", "header", "value"),
    [
        ({"authorization_scheme": "OAuth"}, "authorization", "OAuth t"),
        ({"token_header": "X-Shopify-Access-Token", "authorization_scheme": ""}, "x-shopify-access-token", "t"),
        ({"api_headers": {"Client-Id": "{client_id}"}}, "client-id", "id"),
    ],
)
def test_how_the_api_wants_its_token(switches, header, value):
    respx.post(TOKEN).respond(json=ANSWER)
    route = respx.get("https://api.example/me").respond(json={})
    flowlet.secrets.add(secret(grant_type=CLIENT_CREDENTIALS, compliance=switches))
    response = flowlet.get("https://api.example/me", secret="api")
    assert route.calls.last.request.headers[header] == value
    assert header not in response.request.headers


@respx.mock
def test_a_header_with_the_client_secret_is_sent_and_never_shown():
    respx.post(TOKEN).respond(json=ANSWER)
    switches = {"api_headers": {"X-Api-Key": "{client_id}:{client_secret}"}}
    flowlet.secrets.add(secret(grant_type=CLIENT_CREDENTIALS, client_secret=CANARY, compliance=switches))
    route = respx.get("https://api.example/me").respond(json={"echo": f"id:{CANARY}", "part": CANARY})
    response = flowlet.get("https://api.example/me", secret="api")
    assert route.calls.last.request.headers["x-api-key"] == f"id:{CANARY}"
    assert "x-api-key" not in response.request.headers
    assert CANARY not in repr(response) + response._repr_html_()


def test_a_header_with_the_client_secret_needs_one():
    switches = {"api_headers": {"X-Api-Key": "{client_id}:{client_secret}"}}
    with pytest.raises(InvalidSecret, match="client secret is missing") as caught:
        secret(client_secret=None, token_endpoint_auth_method="none", compliance=switches)
    assert caught.value.field == "client_secret"


def test_a_value_that_looks_like_a_name_in_braces_is_not_filled_in_again():
    made = secret(client_id="{client_secret}", compliance={"api_headers": {"X-Id": "{client_id}"}})
    token = TokenSet(access_token=SecretValue("t"))
    assert made.credentials(token).headers["X-Id"].reveal() == "{client_secret}"


@respx.mock
def test_a_token_in_the_query_shows_in_no_request_of_the_user():
    respx.post(TOKEN).respond(json={**ANSWER, "access_token": CANARY})
    route = respx.get("https://api.example/me").respond(json={})
    flowlet.secrets.add(secret(grant_type=CLIENT_CREDENTIALS, compliance={"token_parameter": "access_token"}))
    response = flowlet.get("https://api.example/me?a=1", secret="api")
    assert dict(route.calls.last.request.url.params) == {"a": "1", "access_token": CANARY}
    assert CANARY not in repr(response) + str(response.url) + str(response.request.url)
    with pytest.raises(flowlet.InvalidOption, match="the URL parameter"), httpx.Client(auth=flowlet.auth("api")) as own:
        own.get("https://api.example/me")


# ---- issuer, ID token, discovery, device answers


def test_the_issuer_is_compared_as_text_once_it_is_known():
    known = secret(issuer="https://auth.example/a", authorization_response_iss_parameter_supported=True)
    assert code_of_response(known, {"code": "c", "iss": "https://auth.example/a"})
    for iss in ("https://auth.example/b", "https://auth.example/a/", None):
        with pytest.raises(AuthorizationFailed):
            code_of_response(known, {"code": "c"} | ({"iss": iss} if iss else {}))


KEY = RSAKey.generate_key(2048, {"kid": "k"})
CLAIMS = {
    "iss": "https://auth.example",
    "aud": "id",
    "sub": "1",
    "exp": 4_000_000_000,
    "nonce": "n",
}


@respx.mock
@pytest.mark.parametrize(
    ("claims", "header", "key"),
    [
        ({"iss": "https://evil.example"}, {}, KEY),
        ({"aud": "another"}, {}, KEY),
        ({"exp": 1}, {}, KEY),
        ({"nonce": "other"}, {}, KEY),
        ({"azp": "another"}, {}, KEY),
        ({"aud": ["id", "another"]}, {}, KEY),
        ({}, {}, RSAKey.generate_key(2048, {"kid": "k"})),
        ({}, {"alg": "HS256"}, None),
        ({}, {"alg": "none"}, None),
    ],
    ids=["iss", "aud", "exp", "nonce", "azp", "several audiences", "signature", "HS256", "none"],
)
def test_an_id_token_that_is_not_for_us_is_refused(claims, header, key):
    respx.get("https://auth.example/jwks").respond(json={"keys": [KEY.as_dict(private=False)]})
    checked = secret(issuer="https://auth.example", jwks_uri="https://auth.example/jwks", scope="openid")
    right = {**CLAIMS, "iat": time.time()}  # not that of the collection, which is too long ago at the end of a slow run
    good = jwt.encode({"alg": "RS256", "kid": "k"}, right, KEY)
    assert id_token.validated_claims(checked, good, nonce=SecretValue("n"))["sub"] == "1"
    if key is None:
        head, body = (
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, right)
        )
        bad = f"{head}.{body}."
    else:
        bad = jwt.encode({"alg": "RS256", "kid": "k"}, {**right, **claims}, key)
    if key is None:
        with pytest.raises(id_token.Unproven, match="not accepted"):
            id_token.validated_claims(checked, bad, nonce=SecretValue("n"))
        return
    with pytest.raises(TokenEndpointError, match="was refused"):
        id_token.validated_claims(checked, bad, nonce=SecretValue("n"))


@respx.mock
def test_metadata_of_another_issuer_is_not_used():
    respx.get("https://one.example/.well-known/openid-configuration").respond(
        json={"issuer": "https://evil.example", "token_endpoint": "https://evil.example/t"}
    )
    with pytest.raises(flowlet.FlowletError, match="of another issuer"):
        discover("https://one.example")


@respx.mock
def test_an_api_that_names_its_authorization_server():
    respx.get("https://api.example/v1").respond(
        401, headers={"WWW-Authenticate": 'Bearer resource_metadata="https://api.example/meta"'}
    )
    respx.get("https://api.example/meta").respond(
        json={"resource": "https://api.example", "authorization_servers": ["https://as.example"]}
    )
    respx.get("https://as.example/.well-known/oauth-authorization-server").respond(
        json={"issuer": "https://as.example", "token_endpoint": "https://as.example/token"}
    )
    respx.route().respond(404)
    found = discover("https://api.example/v1")
    assert (found.issuer, found.resource) == ("https://as.example", "https://api.example")


@respx.mock
def test_device_answers_of_a_draft_and_bad_links():
    url = "https://auth.example/device"
    tv = secret(grant_type=DEVICE_CODE, device_authorization_endpoint=url)
    good = {"device_code": "d", "user_code": "AB-CD", "verification_url": "https://g.example/device", "expires_in": "9"}
    route = respx.post(url).respond(json=good)
    assert device.request_code(tv).verification_uri == "https://g.example/device"
    route.respond(json={**good, "verification_url": "javascript:alert(1)"})
    with pytest.raises(InvalidSecret):
        device.request_code(tv)
    route.respond(json={"error": "device_flow_disabled"})  # GitHub, in a 200
    with pytest.raises(ProviderError, match="device_flow_disabled"):
        device.request_code(tv)


@respx.mock
def test_the_device_flow_slows_down_when_told(monkeypatch):
    monkeypatch.setattr(device, "MAX_INTERVAL_SECONDS", 0.05)
    responses = [{"error": "authorization_pending"}, {"error": "slow_down"}, ANSWER]
    url = "https://auth.example/device"
    respx.post(url).respond(json={"device_code": "d", "user_code": "A", "verification_uri": "https://g.example/",
                                  "interval": 0.01})  # fmt: skip
    route = respx.post(TOKEN).mock(side_effect=[httpx.Response(400, json=responses[0]), httpx.Response(400, json=responses[1]),
                                                httpx.Response(200, json=responses[2])])  # fmt: skip
    flowlet.secrets.add(secret(grant_type=DEVICE_CODE, device_authorization_endpoint=url))
    flow = device.start_device_flow(default_vault(), "api")
    assert flow.finished.result(10).access_token.reveal() == "t"
    assert route.call_count == 3
