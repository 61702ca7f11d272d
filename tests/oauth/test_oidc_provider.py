"""Grants, client authentication, discovery and the rest against oidc-provider, which others wrote."""

from __future__ import annotations

import json
import re
import time
from urllib.parse import urljoin

import httpx
import pytest
from joserfc.jwk import ECKey

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import AuthorizationFailed, DiscoveryFailed
from flowlet_jupyter.model.oauth2 import CLIENT_CREDENTIALS, DEVICE_CODE, OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.oauth import device
from flowlet_jupyter.oauth.discovery import discover
from flowlet_jupyter.oauth.metadata import fields_of, hosts_of
from flowlet_jupyter.oauth.registration import register_client
from flowlet_jupyter.oauth.revocation import is_active, revoke
from flowlet_jupyter.vault import default_vault

pytestmark = pytest.mark.provider
CANARY = "canary-client-secret-5e1f-32-characters"
MACHINE = {"client_id": "robot", "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": []}


def machine(provider, **fields) -> OAuth2:
    return OAuth2(
        **{
            "name": "robot",
            "grant_type": CLIENT_CREDENTIALS,
            "client_id": "robot",
            "client_secret": CANARY,
            "allowed_hosts": ("api.example",),
            **fields_of(discover(provider.issuer)),
            **fields,
        }
    )


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
def test_client_credentials_with_a_client_secret(oidc_provider, method):
    provider = oidc_provider([{**MACHINE, "client_secret": CANARY, "token_endpoint_auth_method": method}])
    handle = flowlet.secrets.add(machine(provider, token_endpoint_auth_method=method))
    assert handle.status().state == "on_demand"
    first = handle.token()
    assert handle.status().state == "connected"
    assert first == handle.token()
    assert provider.saw("grant", 1, grant_type="client_credentials")
    handle.refresh()
    assert provider.saw("grant", 2, grant_type="client_credentials")


def test_private_key_jwt(oidc_provider):
    key = ECKey.generate_key("P-256", {"kid": "one"})
    public = {"keys": [key.as_dict(private=False)]}
    provider = oidc_provider([{**MACHINE, "token_endpoint_auth_method": "private_key_jwt", "jwks": public,
                               "token_endpoint_auth_signing_alg": "ES256"}])  # fmt: skip
    secret = machine(provider, client_secret=None, private_key=json.dumps(key.as_dict(private=True)))
    assert secret.token_endpoint_auth_method == "private_key_jwt"
    assert flowlet.secrets.add(secret).token()


def test_resource_indicator_revocation_and_introspection(oidc_provider):
    provider = oidc_provider([{**MACHINE, "client_secret": CANARY}])
    secret = machine(provider, resource=("https://api.example/one",), scope="read")
    flowlet.secrets.add(secret).token()
    record = default_vault().get("robot")
    assert record.token_set.scope == "read"
    assert is_active(secret, record.token_set)
    revoke(secret, record.token_set)
    assert not is_active(secret, record.token_set)


@pytest.mark.parametrize("nonce", [False, True], ids=["without nonce", "with nonce"])
def test_dpop_binds_the_token_to_a_key(oidc_provider, nonce):
    provider = oidc_provider([{**MACHINE, "client_secret": CANARY, "dpop_bound_access_tokens": True}], dpop_nonce=nonce)
    flowlet.secrets.add(machine(provider, dpop=True)).token()
    token_set = default_vault().get("robot").token_set
    assert token_set.dpop_key is not None
    assert is_active(machine(provider), token_set)


def test_discovery_by_every_address(oidc_provider):
    provider = oidc_provider([{**MACHINE, "client_secret": CANARY}])
    found = discover(provider.issuer)
    assert found.endpoints["token_endpoint"] == f"{provider.issuer}/token"
    assert found.authorization_response_iss_parameter_supported
    assert discover(f"{provider.issuer}/.well-known/openid-configuration").issuer == provider.issuer
    assert hosts_of(found) == [provider.issuer.removeprefix("http://")]
    with pytest.raises(DiscoveryFailed, match="says nothing"):
        discover(f"{provider.issuer}/nothing/here")


def walk(authorization: httpx.Response, browser: httpx.Client, **last: str) -> httpx.Response:
    """Through oidc-provider's forms, as a person would."""

    def submit(page: httpx.Response, **fields: str) -> httpx.Response:
        action = re.search(r'action="([^"]+)"', page.text)[1]
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        return browser.post(urljoin(str(page.url), action), data={**hidden, **fields})

    login = submit(authorization, **last) if last else authorization
    consent = submit(login, prompt="login", login="ann", password="any")
    return submit(consent, prompt="consent")


def test_registration_and_device_flow(oidc_provider, monkeypatch):
    provider = oidc_provider([{**MACHINE, "client_secret": CANARY}])
    metadata = discover(provider.issuer)
    fields = register_client(
        metadata.endpoints["registration_endpoint"],
        redirect_uri="http://127.0.0.1:8888/flowlet/callback",
        grant_type=DEVICE_CODE,
        scope="openid offline_access",
        client_name="flowlet",
    )
    fields |= fields_of(metadata) | {"token_endpoint_auth_method": fields["token_endpoint_auth_method"]}
    secret = OAuth2(
        name="tv", grant_type=DEVICE_CODE, scope="openid offline_access", base_url=provider.issuer, **fields
    )
    default_vault().put(Record(secret=secret))
    monkeypatch.setattr(device, "DEFAULT_INTERVAL_SECONDS", 0.2)
    flow = device.start_device_flow(default_vault(), "tv")
    assert flow.authorization.expires_at > time.time()
    with httpx.Client(follow_redirects=True, timeout=20) as browser:
        page = browser.get(flow.authorization.verification_uri_complete)
        while "Continue" in page.text or 'name="confirm"' in page.text or 'name="user_code"' in page.text:
            action = re.search(r'action="([^"]+)"', page.text)[1]
            hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
            page = browser.post(urljoin(str(page.url), action), data={**hidden, "confirm": "yes"})
            if 'name="login"' in page.text:
                break
        done = walk(page, browser)
    assert "Success" in done.text, done.text
    token_set = flow.finished.result(20)
    assert token_set.refresh_token
    assert token_set.identity == "ann"
    assert flowlet.get("/me", secret="tv")["sub"] == "ann"
    assert flowlet.secrets["tv"].refresh().state == "connected"


def test_a_cancelled_device_flow_stores_nothing(oidc_provider):
    provider = oidc_provider([{**MACHINE, "grant_types": [DEVICE_CODE], "client_secret": CANARY}])
    secret = machine(provider, grant_type=DEVICE_CODE)
    default_vault().put(Record(secret=secret))
    flow = device.start_device_flow(default_vault(), "robot")
    flow.cancel()
    with pytest.raises(AuthorizationFailed, match="was cancelled"):
        flow.finished.result(10)
    assert default_vault().get("robot").token_set is None
