"""atproto: from a handle to tokens, and whose tokens are not taken. Against a small server of its profile."""

from __future__ import annotations

import dataclasses
import time
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from servers.atproto import DID, OTHER, Atproto, atproto

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import AuthorizationFailed, DiscoveryFailed, TokenEndpointError
from flowlet_jupyter.model.client_id import checked_document_url, client_metadata, localhost_client_id, problems_of
from flowlet_jupyter.model.schema import from_mapping
from flowlet_jupyter.oauth.atproto import account_at, named_account
from flowlet_jupyter.oauth.authorization_code import authorization_request, complete_flow, new_flow
from flowlet_jupyter.oauth.discovery import discover
from flowlet_jupyter.oauth.metadata import client_for, fields_of
from flowlet_jupyter.oauth.pending import find_flow, remember_flow
from flowlet_jupyter.server.redirect_uri import plan_localhost_client
from flowlet_jupyter.vault import default_vault

REDIRECT_URI = "http://127.0.0.1:8753/flowlet/callback"


@pytest.fixture
def pds(monkeypatch):
    with atproto() as site:
        monkeypatch.setenv("FLOWLET_PLC_DIRECTORY", site.url)
        monkeypatch.setenv("FLOWLET_HANDLE_RESOLVER", site.url)
        yield site


def add(address: str, **more):
    metadata = discover(address)
    fields = fields_of(metadata)
    fields |= client_for(metadata, [REDIRECT_URI], scope=fields["scope"], hosted="")
    return flowlet.secrets.add(from_mapping("oauth2", {**fields, "name": "bsky", **more}))


def connect(redirect_uri: str = REDIRECT_URI) -> None:
    vault = default_vault()
    flow = new_flow("bsky", redirect_uri=redirect_uri, now=time.time(), is_bound=True)
    remember_flow(vault, flow)  # a server may start again meanwhile
    flow = find_flow(vault, flow.state.reveal(), now=time.time())
    location = httpx.get(authorization_request(vault, flow)).headers["Location"]
    complete_flow(vault, flow, dict(parse_qsl(urlsplit(location).query)))


def session() -> httpx.Response:
    return flowlet.get("/xrpc/com.atproto.server.getSession", secret="bsky")


@pytest.mark.parametrize(
    "address", ["@ann.test", "@Ann.Test", DID, "at://ann.test", f"at://{DID}/app.bsky.feed.post/1"]
)
def test_an_account_leads_to_tokens_that_are_its_own(pds, address):
    handle = add(address)
    connect()
    assert session().json()["handle"] == "ann.test"
    assert handle.status().identity == "ann.test"
    pds.nonce = "nonce-2"
    assert session().status_code == 200
    handle.refresh()
    assert session().status_code == 200
    secret = default_vault().get("bsky").secret
    assert (secret.subject, secret.dpop, secret.base_url, secret.resource) == (DID, True, pds.url, ())
    assert secret.authorization_parameters["login_hint"] in {"ann.test", DID}


def test_a_data_server_or_its_provider_is_enough(pds):
    handle = add(pds.url)
    assert default_vault().get("bsky").secret.subject is None
    connect()
    assert handle.status().identity == "ann.test"
    assert session().status_code == 200


def test_tokens_of_another_account_are_not_taken(pds):
    add("@ann.test")
    pds.documents[OTHER] = pds.document(OTHER, "ben.test", pds.url)
    pds.subject = OTHER
    with pytest.raises(TokenEndpointError, match="another account"):
        connect()
    assert default_vault().get("bsky").token_set is None


def test_a_provider_does_not_speak_for_accounts_of_other_data_servers(pds):
    add(pds.url)
    with atproto() as other:
        pds.documents[OTHER] = pds.document(OTHER, "ben.test", other.url)
        pds.subject = OTHER
        with pytest.raises(TokenEndpointError, match="does not name"):
            connect()
    assert default_vault().get("bsky").token_set is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"subject": None}, "whose tokens"),
        ({"subject": "ann"}, "whose tokens"),
        ({"scope": "transition:generic"}, "did not grant"),
        ({"scope": ""}, "did not grant"),
        ({"authorization_servers": ["https://elsewhere.example"]}, "does not name"),
        ({"documents": {}}, "could not be checked"),
    ],
)
def test_a_response_that_proves_nothing_is_not_taken(pds, change, says):
    add("@ann.test")
    for name, value in change.items():
        setattr(pds, name, value)
    with pytest.raises(TokenEndpointError, match=says):
        connect()
    assert default_vault().get("bsky").token_set is None


def test_a_refresh_gives_tokens_of_the_same_account_or_none(pds):
    handle = add(pds.url)
    connect()
    before = default_vault().get("bsky").token_set
    pds.subject = OTHER
    with pytest.raises(TokenEndpointError, match="another account"):
        handle.refresh()
    assert default_vault().get("bsky").token_set.access_token == before.access_token


def test_a_handle_that_its_account_does_not_own_is_not_used(pds):
    pds.handles["mallory.test"] = DID
    with pytest.raises(DiscoveryFailed, match="does not call itself so"):
        discover("@mallory.test")


def test_an_accounts_handle_is_shown_only_where_it_leads_back(pds):
    pds.handles = {}
    handle = add(DID)
    connect()
    assert handle.status().identity == DID


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9/", "ftp://pds.example", "", None, 7])
def test_a_directory_elsewhere_does_not_lead_to_this_machine(pds, monkeypatch, respx_mock, endpoint):
    monkeypatch.setenv("FLOWLET_PLC_DIRECTORY", "https://plc.example")
    respx_mock.get(f"https://plc.example/{DID}").respond(json=Atproto.document(DID, "ann.test", endpoint))
    with pytest.raises(DiscoveryFailed):
        account_at(DID)


@pytest.mark.parametrize("did", ["did:web:127.0.0.1%3A8080", "did:web:localhost"])
def test_a_provider_elsewhere_does_not_have_this_machine_asked(respx_mock, monkeypatch, did):
    monkeypatch.setenv("FLOWLET_HANDLE_RESOLVER", "https://resolver.example")
    respx_mock.get("https://ann.example/.well-known/atproto-did").respond(
        text=did, headers={"content-type": "text/plain"}
    )
    with pytest.raises(DiscoveryFailed, match="this machine"):
        account_at("@ann.example")


@pytest.mark.parametrize("address", ["@", "@nodots", "@a..b", "@-a.test", "@" + "a" * 250 + ".test", "@a.test/../x", "did:plc:short",
                                     "did:key:z6Mk", "did:web:a/b", "@ann.test@evil.example"])  # fmt: skip
def test_what_is_no_account_is_not_looked_up(address):
    with pytest.raises(DiscoveryFailed):
        discover(address)


def test_an_issuer_is_no_account():
    assert named_account("https://issuer.example") is None
    assert named_account("issuer.example") is None
    assert named_account("at://ann.test/x") == "@ann.test"


def test_the_host_of_a_handle_answers_for_it(respx_mock, monkeypatch, pds):
    monkeypatch.setenv("FLOWLET_PLC_DIRECTORY", pds.url)
    respx_mock.route(host="127.0.0.1").pass_through()
    respx_mock.get("https://ann.test/.well-known/atproto-did").respond(
        text=f"{DID}\n", headers={"content-type": "text/plain"}
    )
    assert account_at("@ann.test").did == DID
    assert "/xrpc/com.atproto.identity.resolveHandle" not in pds.asked


def test_the_code_is_bound_to_the_key_of_the_pushed_request(pds):
    add("@ann.test")
    vault = default_vault()
    flow = new_flow("bsky", redirect_uri=REDIRECT_URI, now=time.time(), is_bound=True)
    location = httpx.get(authorization_request(vault, flow)).headers["Location"]
    stolen = dataclasses.replace(flow, dpop_key=new_flow("bsky", redirect_uri="", now=0.0, is_bound=True).dpop_key)
    with pytest.raises(TokenEndpointError, match="invalid_grant"):
        complete_flow(vault, stolen, dict(parse_qsl(urlsplit(location).query)))


# ---- the client ID of this machine


@pytest.mark.parametrize(
    ("here", "uri", "is_good"),
    [
        ("http://localhost:8888/flowlet/callback", "http://127.0.0.1:8888/flowlet/callback", True),
        ("http://127.0.0.1:9999/flowlet/callback", "http://127.0.0.1:9999/flowlet/callback", True),
        ("http://localhost:8888/user/ann/flowlet/callback", "http://127.0.0.1:8888/user/ann/flowlet/callback", False),
        (
            "https://hub.example/hub/user-redirect/flowlet/callback",
            "https://hub.example/hub/user-redirect/flowlet/callback",
            False,
        ),
    ],
)
def test_the_redirect_uri_is_one_that_the_client_id_names(here, uri, is_good):
    plan = plan_localhost_client(here, localhost_client_id([REDIRECT_URI], "atproto"))
    assert plan.uri == uri
    assert (plan.problem is None) == is_good


def test_another_port_is_no_other_redirect_uri(pds):
    add("@ann.test")
    connect("http://127.0.0.1:4711/flowlet/callback")
    assert session().status_code == 200


def test_a_hub_has_no_client_of_this_machine(pds):
    metadata = discover("@ann.test")
    assert client_for(metadata, ["https://hub.example/flowlet/callback"], scope="atproto", hosted="") == {}
    hosted = client_for(metadata, ["https://hub.example/x"], scope="atproto", hosted="https://example.org/c.json")
    assert hosted["client_id"] == "https://example.org/c.json"


def test_a_client_that_the_provider_does_not_know_is_told_where_to_look(pds):
    add("@ann.test", client_id="https://example.org/flowlet.json")
    with pytest.raises(AuthorizationFailed, match="--check"):
        connect()


# ---- client metadata documents


@pytest.mark.parametrize("url", ["http://example.org/c", "https://example.org", "https://example.org/", "https://127.0.0.1/c",
                                 "https://example.org/a/../c", "https://example.org/%2e%2E/c", "https://a@example.org/c",
                                 "https://example.org/c#x"])  # fmt: skip
def test_an_address_that_cannot_be_a_client_id_is_refused(url):
    with pytest.raises(flowlet.InvalidSecret):
        checked_document_url(url)


def test_what_is_wrong_with_a_hosted_document_is_said():
    expected = client_metadata(
        "https://example.org/c.json", redirect_uris=[REDIRECT_URI], scope="a b", client_name="x", dpop=True
    )
    assert problems_of(expected, expected) == []
    wrong = {"client_id": "https://example.org/c", "redirect_uris": "x", "scope": "a", "client_secret": "s"}
    problems = problems_of(wrong, expected)
    for part in ("client_id is not", "redirect_uris lack", "lacks b", "client_secret", "auth_method", "dpop"):
        assert any(part in problem for problem in problems)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ({"status_code": 302, "headers": {"Location": "https://example.org/d"}}, "HTTP 302"),
        ({"status_code": 200, "text": "<html>"}, "no JSON object"),
        ({"status_code": 200, "json": {}, "headers": {"Content-Type": "text/plain"}}, "Content-Type is text/plain"),
        ({"status_code": 200, "json": {}}, "client_id is not"),
    ],
)
def test_the_check_says_how_it_is_served(respx_mock, capsys, reply, says):
    from flowlet_jupyter.cli import main

    respx_mock.get("https://example.org/c.json").respond(**reply)
    assert main(["client-metadata", "https://example.org/c.json", "--check"]) == 1
    assert says in capsys.readouterr().out
