"""What a provider or its metadata says is checked before it is used: addresses, ID tokens, whose token it is."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import respx
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import DiscoveryFailed, InvalidSecret, TokenEndpointError
from flowlet_jupyter.http.identity import identify
from flowlet_jupyter.model.fields import checked_endpoint
from flowlet_jupyter.model.oauth2 import DEVICE_CODE, OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth import device, id_token
from flowlet_jupyter.oauth.discovery import discover
from flowlet_jupyter.oauth.metadata import fields_of
from flowlet_jupyter.oauth.token_response import token_set_from
from flowlet_jupyter.vault import default_vault

ISSUER = "https://auth.example"
CLIENT_SECRET = "s" * 40
KEY = RSAKey.generate_key(2048, {"kid": "k"})
SHORT_KEY = RSAKey.generate_key(1024, {"kid": "k"})


def secret(**fields) -> OAuth2:
    defaults = {
        "name": "api", "authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token",
        "client_id": "id", "client_secret": CLIENT_SECRET, "issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks",
        "scope": "openid", "allowed_hosts": ("api.example",),
    }  # fmt: skip
    return OAuth2(**{**defaults, **fields})


# addresses


@pytest.mark.parametrize("base_url", ["http://evil.example/v1", "ftp://api.example/", 7])
def test_an_api_base_without_https_is_not_taken(base_url):
    salesforce = secret(compliance={"api_base_member": "instance_url"})
    response = {"access_token": "t", "instance_url": base_url}
    assert token_set_from(salesforce, response, "it", time.time()).base_url is None
    response["instance_url"] = "https://api.example/v1"
    assert token_set_from(salesforce, response, "it", time.time()).base_url == "https://api.example/v1"


@pytest.mark.parametrize(
    "make",
    [
        lambda url: flowlet.Password(name="a", password="p", base_url=url, allowed_hosts=("api.example",)),
        lambda url: flowlet.Headers(name="a", headers={"X-Key": "p"}, base_url=url, allowed_hosts=("api.example",)),
        lambda url: secret(base_url=url),
    ],
    ids=["password", "headers", "oauth2"],
)
@pytest.mark.parametrize("url", ["http://api.example/v1", "http://127.0.0.1.evil.example/", "file:///etc/passwd"])
def test_a_base_url_without_https_is_refused(make, url):
    with pytest.raises(InvalidSecret) as caught:
        make(url)
    assert caught.value.field == "base_url"


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/\\evil", 'https://a.example/"onload=x', "https://a.example/<script>", "https://a.example/ x",
        "https://a.example/\x7f", "https://a.example\t.evil/", "https://a.example/\nx",
    ],
)  # fmt: skip
def test_an_odd_endpoint_is_refused(url):
    with pytest.raises(InvalidSecret, match="character that a URL cannot have"):
        checked_endpoint(url, "token_endpoint")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://auth.example/token", "must use https"), ("javascript:alert(1)", "must start with https"),
        ("file:///etc/passwd", "must start with https"), ("https://", "must start with https"),
        ("https://ann:pw@auth.example/", "user or password"), ("https://auth.example@evil.example/", "user or password"),
        ("https://auth.example/#top", "fragment"),
    ],
)  # fmt: skip
def test_an_address_that_is_no_endpoint_is_refused(url, says):
    with pytest.raises(InvalidSecret, match=says):
        checked_endpoint(url, "token_endpoint")


@respx.mock
@pytest.mark.parametrize("complete", ["javascript:alert(1)", "http://evil.example/", "vscode://evil"])
def test_a_bad_link_with_the_code_is_refused(complete):
    tv = secret(grant_type=DEVICE_CODE, device_authorization_endpoint=f"{ISSUER}/device")
    good = {"device_code": "d", "user_code": "AB-CD", "verification_uri": "https://g.example/device"}
    route = respx.post(f"{ISSUER}/device").respond(json={**good, "verification_uri_complete": "https://g.example/?c=1"})
    assert device.request_code(tv).verification_uri_complete == "https://g.example/?c=1"
    route.respond(json={**good, "verification_uri_complete": complete})
    with pytest.raises(InvalidSecret):
        device.request_code(tv)


# metadata


@respx.mock
@pytest.mark.parametrize("resource", ["https://other.example", "https://api.example/v2", "https://api.example.evil/v1"])
def test_metadata_of_another_resource_names_no_provider(resource):
    respx.get("https://api.example/v1").respond(
        401, headers={"WWW-Authenticate": 'Bearer resource_metadata="https://api.example/meta"'}
    )
    respx.get("https://api.example/meta").respond(
        json={"resource": resource, "authorization_servers": ["https://evil.example"]}
    )
    asked = respx.get("https://evil.example/.well-known/openid-configuration").respond(
        json={"issuer": "https://evil.example", "token_endpoint": "https://evil.example/token"}
    )
    respx.route().respond(404)
    with pytest.raises(DiscoveryFailed, match="says nothing"):
        discover("https://api.example/v1")
    assert not asked.called


@respx.mock
@pytest.mark.parametrize(
    ("name", "url"),
    [("authorization_endpoint", "javascript:alert(1)"), ("token_endpoint", "http://auth.example/token"),
     ("jwks_uri", "file:///etc/passwd"), ("registration_endpoint", "https://a@evil.example/")],
)  # fmt: skip
def test_metadata_with_a_bad_endpoint_is_not_used(name, url):
    respx.get(f"{ISSUER}/.well-known/openid-configuration").respond(
        json={"issuer": ISSUER, "token_endpoint": f"{ISSUER}/token", name: url}
    )
    respx.route().respond(404)
    with pytest.raises(DiscoveryFailed, match="cannot be used"):
        discover(ISSUER)


@respx.mock
def test_the_registration_endpoint_is_no_field_of_a_secret():
    respx.get(f"{ISSUER}/.well-known/openid-configuration").respond(
        json={"issuer": ISSUER, "token_endpoint": f"{ISSUER}/t", "registration_endpoint": f"{ISSUER}/register"}
    )
    respx.route().respond(404)
    metadata = discover(ISSUER)
    assert metadata.endpoints["registration_endpoint"] == f"{ISSUER}/register"
    assert "registration_endpoint" not in fields_of(metadata)


# ID tokens


def claims(**changes) -> dict:
    every = {"iss": ISSUER, "aud": "id", "sub": "1", "exp": time.time() + 600, "iat": time.time(), "nonce": "n"}
    return {name: value for name, value in {**every, **changes}.items() if value is not None}


def checked(token: str, **fields) -> dict:
    return id_token.validated_claims(secret(**fields), token, nonce=SecretValue("n"))


@respx.mock
@pytest.mark.parametrize("missing", ["exp", "sub"])
def test_an_id_token_without_an_end_or_a_subject_is_refused(missing):
    respx.get(f"{ISSUER}/jwks").respond(json={"keys": [KEY.as_dict(private=False)]})
    assert checked(jwt.encode({"alg": "RS256", "kid": "k"}, claims(), KEY))["sub"] == "1"
    with pytest.raises(TokenEndpointError, match="was refused"):
        checked(jwt.encode({"alg": "RS256", "kid": "k"}, claims(**{missing: None}), KEY))


@respx.mock
@pytest.mark.parametrize(
    "changes",
    [{"nonce": None}, {"iat": None}, {"iat": "now"}, {"iat": True}, {"iat": 1_700_000_000}],
    ids=["no nonce", "no iat", "a text", "a boolean", "long ago"],
)
def test_an_id_token_that_proves_nothing_names_nobody(changes):
    respx.get(f"{ISSUER}/jwks").respond(json={"keys": [KEY.as_dict(private=False)]})
    with pytest.raises((id_token.Unproven, TokenEndpointError)):
        checked(jwt.encode({"alg": "RS256", "kid": "k"}, claims(**changes), KEY))


def test_an_id_token_signed_with_the_client_secret_is_taken_only_where_that_is_known():
    token = jwt.encode({"alg": "HS256"}, claims(), OctKey.import_key(CLIENT_SECRET), algorithms=["HS256"])
    assert checked(token, id_token_signing_alg_values_supported=("HS256",))["sub"] == "1"
    for known in ((), ("HS384",), ("RS256",)):
        with pytest.raises(id_token.Unproven, match="not accepted"):
            checked(token, id_token_signing_alg_values_supported=known)
    forged = jwt.encode({"alg": "HS256"}, claims(), OctKey.import_key("f" * 40), algorithms=["HS256"])
    with pytest.raises(TokenEndpointError, match="was refused"):
        checked(forged, id_token_signing_alg_values_supported=("HS256",))


@respx.mock
@pytest.mark.parametrize(("key", "status"), [(SHORT_KEY, 200), (KEY, 404), (KEY, 201)])
def test_keys_that_prove_nothing_are_not_used(key, status):
    respx.get(f"{ISSUER}/jwks").respond(status, json={"keys": [key.as_dict(private=False)]})
    with pytest.raises(id_token.Unproven):
        checked(jwt.encode({"alg": "RS256", "kid": "k"}, claims(), key))


# whose token it is


@pytest.mark.parametrize(("subject", "identity"), [("1", "ann"), ("2", "1")])
def test_userinfo_of_somebody_else_is_not_used(subject, identity):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"sub": subject, "preferred_username": "ann"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        url = f"http://127.0.0.1:{server.server_port}"
        made = secret(userinfo_endpoint=f"{url}/userinfo", allowed_hosts=(f"127.0.0.1:{server.server_port}",))
        tokens = TokenSet(access_token=SecretValue("t"), subject="1", identity="1")
        default_vault().put(Record(secret=made, token_set=tokens))
        identify(default_vault(), "api")
        server.shutdown()
    assert default_vault().get("api").token_set.identity == identity
