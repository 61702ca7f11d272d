"""Newer parts of OAuth against servers that others wrote: documents as client IDs, step-up, rich requests."""

from __future__ import annotations

import json
import time

import pytest
from interop import SERVERS, connect, running
from joserfc.jwk import ECKey
from support import free_port

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import AuthorizationFailed, TokenEndpointError
from flowlet_jupyter.model.client_id import client_metadata
from flowlet_jupyter.model.schema import from_mapping
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.notebook.display.problem import problem_of
from flowlet_jupyter.oauth.authorization_code import authorization_request, new_flow
from flowlet_jupyter.oauth.client_auth import public_key
from flowlet_jupyter.oauth.discovery import discover
from flowlet_jupyter.oauth.metadata import client_for, fields_of
from flowlet_jupyter.settings import loopback_redirect_uri
from flowlet_jupyter.vault import default_vault

pytestmark = [pytest.mark.provider, pytest.mark.slow]
DOCUMENT = "https://example.org/flowlet.json"


@pytest.fixture(autouse=True)
def port(monkeypatch):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))


def is_answered(issuer: str) -> bool:
    return flowlet.get(f"{issuer}/me", secret="api").status_code == 200


def test_the_document_that_is_printed_makes_its_address_a_client_id(oidc_provider, monkeypatch, capsys):
    monkeypatch.setenv("FLOWLET_CLIENT_ID_URL", DOCUMENT)
    from flowlet_jupyter.cli import main

    assert main(["client-metadata", DOCUMENT, "--scope", "openid offline_access"]) == 0
    provider = oidc_provider([], documents={DOCUMENT: json.loads(capsys.readouterr().out)})
    metadata = discover(provider.issuer)
    assert metadata.client_id_metadata_document_supported
    scope = "openid offline_access"
    client = client_for(metadata, [loopback_redirect_uri()], scope=scope, hosted=DOCUMENT)
    fields = fields_of(metadata) | client | {"name": "api", "scope": scope, "base_url": provider.issuer}
    handle = flowlet.secrets.add(from_mapping("oauth2", fields))
    connect("api")
    assert is_answered(provider.issuer)
    handle.refresh()
    assert is_answered(provider.issuer)
    assert handle.revoke().state == "no_token"


def test_a_document_with_a_key_makes_a_client_that_proves_itself(oidc_provider):
    key = SecretValue(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))
    fields = {"name": "api", "client_id": DOCUMENT, "private_key": key, "scope": "openid", "token_endpoint_auth_method":
              "private_key_jwt", "authorization_endpoint": "https://p.example/a", "token_endpoint": "https://p.example/t"}  # fmt: skip
    document = client_metadata(
        DOCUMENT,
        redirect_uris=[loopback_redirect_uri()],
        scope="openid",
        client_name="flowlet",
        dpop=False,
        jwks={"keys": [public_key(from_mapping("oauth2", fields))]},
    )
    assert '"d"' not in json.dumps(document)
    provider = oidc_provider([], documents={DOCUMENT: {**document, "token_endpoint_auth_signing_alg": "ES256"}})
    known = fields_of(discover(provider.issuer))
    flowlet.secrets.add(from_mapping("oauth2", {**known, **fields, **known, "base_url": provider.issuer}))
    connect("api")
    assert is_answered(provider.issuer)


def test_what_a_rich_request_asks_for_travels_through_the_pushed_request(oidc_provider):
    client = {"client_id": "rich", "client_secret": "canary-rich-91", "redirect_uris": [loopback_redirect_uri()],
              "authorization_details_types": ["payment"]}  # fmt: skip
    provider = oidc_provider([client], authorization_details="payment")
    details = json.dumps([{"type": "payment", "actions": ["read"]}])
    fields = fields_of(discover(provider.issuer)) | {
        "name": "api",
        "client_id": "rich",
        "client_secret": SecretValue("canary-rich-91"),
        "scope": "openid",
        "base_url": provider.issuer,
        "authorization_parameters": {"authorization_details": details},
        "resource": ["https://payments.example/"],  # oidc-provider has the details for a resource only
    }
    handle = flowlet.secrets.add(from_mapping("oauth2", fields))
    connect("api")
    assert fields["pushed_authorization_request_endpoint"]
    assert handle.is_active()
    handle.refresh()
    assert handle.is_active()


def test_a_login_of_the_kind_that_an_api_names_is_asked_for(oidc_provider):
    client = {"client_id": "api", "client_secret": "canary-acr-17", "redirect_uris": [loopback_redirect_uri()]}
    provider = oidc_provider([client])
    fields = fields_of(discover(provider.issuer)) | {
        "name": "api",
        "client_id": "api",
        "client_secret": SecretValue("canary-acr-17"),
        "scope": "openid",
        "base_url": provider.issuer,
    }
    handle = flowlet.secrets.add(from_mapping("oauth2", fields))
    handle.ask_for(acr_values="urn:example:mfa", max_age=0)
    connect("api")
    assert is_answered(provider.issuer)
    assert handle.status().identity_problem is None


def test_an_mcp_server_that_wants_a_scope_is_given_it():
    server = SERVERS["mcp_sdk"]
    with running(server) as base:
        known = fields_of(discover(f"{base}/mcp"))
        assert known["scope"] == "read"  # what the API's own metadata name
        client = {"client_id": base.client_id, "client_secret": SecretValue(base.client_secret)}
        handle = flowlet.secrets.add(from_mapping("oauth2", {**known, **client, "name": "api", "scope": ""}))
        connect("api")
        refused = server.call(base, "api")
        assert refused.status_code == 403
        assert problem_of(refused).next_cell == "%flowlet_secret api --connect --scope read"
        handle.ask_for("read")
        connect("api")
        assert server.call(base, "api").status_code == 200
        assert default_vault().get("api").secret.resource == (f"{base}/mcp",)


def test_a_resource_that_the_provider_does_not_know_is_named(oidc_provider):
    client = {"client_id": "api", "client_secret": "canary-res-17", "redirect_uris": [loopback_redirect_uri()],
              "grant_types": ["client_credentials"], "response_types": []}  # fmt: skip
    provider = oidc_provider([{**client, "redirect_uris": []}], unknown_resource="https://unknown.example/api")
    fields = fields_of(discover(provider.issuer)) | {
        "name": "api",
        "client_id": "api",
        "client_secret": SecretValue("canary-res-17"),
        "grant_type": "client_credentials",
        "resource": ["https://unknown.example/api"],
    }
    handle = flowlet.secrets.add(from_mapping("oauth2", fields))
    with pytest.raises(TokenEndpointError, match="8707"):
        handle.refresh()


def test_the_client_of_a_document_that_is_not_as_it_should_be_is_told_why(oidc_provider):
    provider = oidc_provider([], documents={DOCUMENT: {"client_id": "https://other.example/", "redirect_uris": []}})
    fields = fields_of(discover(provider.issuer)) | {"name": "api", "client_id": DOCUMENT, "scope": "openid",
                                                     "token_endpoint_auth_method": "none"}  # fmt: skip
    flowlet.secrets.add(from_mapping("oauth2", fields))
    with pytest.raises(AuthorizationFailed, match=r"client-metadata https://example\.org/flowlet\.json --check"):
        authorization_request(default_vault(), new_flow("api", redirect_uri=loopback_redirect_uri(), now=time.time()))
