"""From what a user pastes to a provider's metadata: small servers that publish one document or another."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import respx

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import DiscoveryFailed
from flowlet_jupyter.model.schema import from_mapping
from flowlet_jupyter.oauth.authorization_code import authorization_request, new_flow
from flowlet_jupyter.oauth.discovery import discover
from flowlet_jupyter.oauth.metadata import fields_of, hosts_of
from flowlet_jupyter.oauth.registration import register_client
from flowlet_jupyter.vault import default_vault

OPENID, RFC8414 = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
RESOURCE = "/.well-known/oauth-protected-resource"
SMART = "/.well-known/smart-configuration"


class Site:
    """A server with one JSON document a path; `challenge` is what everything else answers a 401 with."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.documents: dict[str, object] = {}
        self.challenge: str | None = None
        self.asked: list[str] = []
        self.registrations: list[dict] = []
        self.refusal = "invalid_client_metadata"

    def provider(self, issuer: str = "", **members: object) -> dict[str, object]:
        """The metadata of an authorization server on this site."""
        base = f"{self.url}{issuer}"
        return {
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            **members,
        }


@contextmanager
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments):
            pass

        def do_GET(self):
            found.asked.append(self.path)
            document = found.documents.get(self.path)
            status = 200 if document is not None else 401 if found.challenge else 404
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", found.challenge)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.registrations.append(asked)
            taken = asked["token_endpoint_auth_method"] == found.documents["/register"]
            self.send_response(201 if taken else 400)
            self.end_headers()
            client = {**asked, "client_id": "new", "client_secret": "canary-5e1f"}
            self.wfile.write(json.dumps(client if taken else {"error": found.refusal}).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def api():
    with site() as running:
        yield running


@pytest.fixture
def provider():
    with site() as running:
        yield running


# ---- an issuer


def test_what_one_document_leaves_out_is_read_in_the_other(provider):
    provider.documents[OPENID] = provider.provider(userinfo_endpoint=f"{provider.url}/userinfo")
    provider.documents[RFC8414] = provider.provider(revocation_endpoint=f"{provider.url}/revoke", token_endpoint="x")
    found = discover(provider.url)
    assert found.endpoints["token_endpoint"] == f"{provider.url}/token"  # the first document's
    assert {"userinfo_endpoint", "revocation_endpoint"} <= found.endpoints.keys()
    assert found.found_by == ("OpenID Connect and RFC 8414",)


def test_a_second_document_of_another_issuer_is_left_alone(provider):
    provider.documents[OPENID] = provider.provider()
    provider.documents[RFC8414] = {**provider.provider("/other"), "revocation_endpoint": "https://evil.example/"}
    assert "revocation_endpoint" not in discover(provider.url).endpoints


@pytest.mark.parametrize("path", [f"/tenant{OPENID}", f"/tenant{RFC8414}", f"{RFC8414}/tenant", f"{OPENID}/tenant"])
def test_an_issuer_with_a_path_is_found_wherever_its_document_is(provider, path):
    provider.documents[path] = provider.provider("/tenant")
    assert discover(f"{provider.url}/tenant").issuer == f"{provider.url}/tenant"


def test_a_server_that_does_not_answer_is_named_as_such():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(DiscoveryFailed, match="could not be reached"):
            discover(f"http://127.0.0.1:{unused.getsockname()[1]}")


# ---- an API


@pytest.mark.parametrize(
    "challenge",
    ['Bearer resource_metadata="{}/meta"', "Bearer resource_metadata={}/meta", 'Bearer realm="a, b", Resource_Metadata = "{}/meta"',
     'Basic realm="x", Bearer error="invalid_token", resource_metadata="{}/meta", scope="a"'],
    ids=["quoted", "token", "odd", "among others"],
)  # fmt: skip
def test_the_address_of_an_api_leads_to_its_authorization_server(api, provider, challenge):
    api.challenge = challenge.format(api.url)
    api.documents["/meta"] = {
        "resource": f"{api.url}/mcp",
        "authorization_servers": [provider.url],
        "scopes_supported": ["birds"],
    }
    provider.documents[RFC8414] = provider.provider(scopes_supported=["birds", "everything"])
    found = discover(f"{api.url}/mcp")
    assert (found.issuer, found.resource, found.scopes_supported) == (provider.url, f"{api.url}/mcp", ("birds",))
    assert found.found_by == ("RFC 9728", "RFC 8414")
    fields = fields_of(found)
    assert (fields["base_url"], fields["resource"]) == (f"{api.url}/mcp", [f"{api.url}/mcp"])
    assert set(hosts_of(found)) == {urlsplit(api.url).netloc, urlsplit(provider.url).netloc}


@pytest.mark.parametrize("path", [f"{RESOURCE}/mcp", RESOURCE])
def test_an_api_that_names_nothing_has_its_metadata_at_a_well_known_place(api, provider, path):
    api.documents[path] = {
        "resource": api.url,
        "authorization_servers": ["not a URL", f"{api.url}/none", provider.url],
    }
    provider.documents[OPENID] = provider.provider()
    assert discover(f"{api.url}/mcp").issuer == provider.url
    assert discover(f"{api.url}{path}").resource == api.url  # the document's own address is pasted


@pytest.mark.parametrize("named", ["none", "other", "unreachable"])
def test_an_authorization_server_that_cannot_be_used_is_named_with_the_reason(api, provider, named):
    reason = {
        "none": "no OpenID Connect or RFC 8414",
        "other": "of another issuer",
        "unreachable": "could not be reached",
    }
    server = provider.url
    if named == "other":
        provider.documents[OPENID] = {**provider.provider(), "issuer": "https://victim.example"}
    if named == "unreachable":
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            server = f"http://127.0.0.1:{unused.getsockname()[1]}"
    api.documents[RESOURCE] = {"resource": api.url, "authorization_servers": [server]}
    with pytest.raises(DiscoveryFailed, match=reason[named]) as caught:
        discover(f"{api.url}/mcp")
    assert server in str(caught.value)


@respx.mock
def test_a_server_elsewhere_cannot_make_this_machine_ask_itself():
    local = respx.get("http://127.0.0.1:8888/api/shutdown").respond(200)
    respx.get("https://api.example/mcp").respond(
        401, headers={"WWW-Authenticate": 'Bearer resource_metadata="http://127.0.0.1:8888/api/shutdown"'}
    )
    respx.get(f"https://api.example{RESOURCE}").respond(
        json={"resource": "https://api.example", "authorization_servers": ["http://localhost:8888/api"]}
    )
    respx.route().respond(404)
    with pytest.raises(DiscoveryFailed, match="inside this machine or network"):
        discover("https://api.example/mcp")
    assert not local.called
    assert not [call for call in respx.calls if call.request.url.host != "api.example"]


def test_metadata_of_a_resource_whose_path_only_begins_alike_is_not_used(api, provider):
    api.documents[RESOURCE] = {"resource": f"{api.url}/v1", "authorization_servers": [provider.url]}
    provider.documents[OPENID] = provider.provider()
    with pytest.raises(DiscoveryFailed):
        discover(f"{api.url}/v10")


def test_an_older_mcp_server_is_its_own_issuer(api):
    api.challenge = "Bearer"
    api.documents[RFC8414] = api.provider()
    assert discover(f"{api.url}/mcp").issuer == api.url


def test_an_address_that_is_no_api_is_not_given_the_issuer_of_its_host(provider):
    provider.documents[RFC8414] = provider.provider()
    with pytest.raises(DiscoveryFailed, match="says nothing"):
        discover(f"{provider.url}/tenant")


@pytest.mark.parametrize("taken", ["none", "client_secret_basic", "client_secret_post"])
def test_a_client_is_registered_with_the_authentication_that_the_provider_takes(provider, taken):
    provider.documents["/register"] = taken
    fields = register_client(
        f"{provider.url}/register", redirect_uri="http://127.0.0.1:1/c", grant_type="authorization_code", scope="", client_name="x"
    )  # fmt: skip
    assert fields["token_endpoint_auth_method"] == taken
    assert provider.registrations[0]["token_endpoint_auth_method"] == "none"


# ---- a FHIR server


def smart_configuration(fhir: Site, provider: Site, **members: object) -> None:
    configuration = {**provider.provider(), "capabilities": ["launch-standalone"], **members}
    fhir.documents[f"/fhir/r4{SMART}"] = {name: value for name, value in configuration.items() if value is not None}


@pytest.mark.parametrize("pasted", ["/fhir/r4", "/fhir/r4/", "/fhir/r4/metadata", f"/fhir/r4{SMART}"])
def test_a_fhir_server_is_discovered_and_told_in_the_request(api, provider, pasted):
    smart_configuration(api, provider, issuer=None)
    found = discover(f"{api.url}{pasted}")
    assert (found.issuer, found.fhir_base_url) == (None, f"{api.url}/fhir/r4")
    secret = from_mapping("oauth2", {**fields_of(found), "name": "fhir", "client_id": "app", "scope": "launch/patient"})
    assert secret.base_url == f"{api.url}/fhir/r4"
    flowlet.secrets.add(secret)
    asked = authorization_request(default_vault(), new_flow("fhir", redirect_uri="http://127.0.0.1:1/c", now=0.0))
    assert asked.startswith(f"{provider.url}/authorize?")
    assert parse_qs(urlsplit(asked).query)["aud"] == [f"{api.url}/fhir/r4"]


def test_the_issuer_of_a_fhir_server_is_believed_if_its_own_metadata_agrees(api, provider):
    smart_configuration(api, provider)
    provider.documents[OPENID] = provider.provider(jwks_uri=f"{provider.url}/jwks")
    found = discover(f"{api.url}/fhir/r4")
    assert (found.issuer, found.endpoints["jwks_uri"]) == (provider.url, f"{provider.url}/jwks")


def test_a_fhir_server_cannot_speak_for_an_issuer_with_other_endpoints(api, provider):
    smart_configuration(api, provider, token_endpoint=f"{api.url}/steal", jwks_uri=f"{api.url}/jwks")
    provider.documents[OPENID] = provider.provider()
    found = discover(f"{api.url}/fhir/r4")
    assert found.issuer is None
    assert "jwks_uri" not in found.endpoints


@pytest.mark.parametrize(
    ("supported", "revoking", "asked"),
    [
        (["client_secret_post", "none"], None, ["none"]),
        (["client_secret_post", "none"], ["client_secret_post"], ["client_secret_post"]),
        (["client_secret_basic", "client_secret_post"], ["client_secret_post"], ["client_secret_post"]),
        (["client_secret_basic", "none"], ["client_secret_basic", "none"], ["none"]),
        (["none"], ["private_key_jwt"], ["none"]),
    ],
)
def test_a_client_is_registered_so_that_its_tokens_can_be_ended(supported, revoking, asked):
    with site() as server:
        more = {"revocation_endpoint_auth_methods_supported": revoking} if revoking else {}
        server.documents[RFC8414] = server.provider(
            registration_endpoint=f"{server.url}/register",
            token_endpoint_auth_methods_supported=supported,
            revocation_endpoint=f"{server.url}/revoke",
            **more,
        )
        server.documents["/register"] = asked[0]
        discover(server.url)
        register_client(
            f"{server.url}/register", redirect_uri="http://127.0.0.1:1/c", grant_type="authorization_code", scope="",
            client_name="x",
        )  # fmt: skip
        assert [each["token_endpoint_auth_method"] for each in server.registrations] == asked


@pytest.mark.parametrize("refusal", ["invalid_client_metadata", "invalid_request"])
def test_a_provider_that_takes_no_public_client_is_asked_for_another_one(refusal):
    with site() as server:
        server.refusal = refusal
        server.documents["/register"] = "client_secret_basic"
        fields = register_client(
            f"{server.url}/register", redirect_uri="http://127.0.0.1:1/c", grant_type="authorization_code", scope="",
            client_name="x",
        )  # fmt: skip
        assert fields["token_endpoint_auth_method"] == "client_secret_basic"


@pytest.mark.parametrize(
    ("challenge", "scopes", "filled_in"),
    [
        ('Bearer scope="files:read"', ["files:read", "files:write"], "files:read offline_access"),
        ("Bearer", ["files:read", "files:write"], "files:read files:write offline_access"),
        ("Bearer", None, None),
    ],
)
def test_the_scope_is_what_the_api_asks_for(challenge, scopes, filled_in):
    with site() as server:
        server.challenge = challenge
        server.documents[f"{RESOURCE}/api"] = {
            "resource": f"{server.url}/api",
            "authorization_servers": [f"{server.url}/as"],
            **({"scopes_supported": scopes} if scopes else {}),
        }
        server.documents[f"{RFC8414}/as"] = server.provider(
            "/as", scopes_supported=["files:read", "offline_access", "admin"]
        )
        assert fields_of(discover(f"{server.url}/api")).get("scope") == filled_in
