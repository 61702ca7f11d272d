"""The catalogue, discovery, registration, device flow and revocation through the server."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from servers.atproto import DID, atproto

from flowlet_jupyter.model.oauth2 import CLIENT_CREDENTIALS, DEVICE_CODE
from flowlet_jupyter.vault import default_vault

CANARY = "canary-client-secret-5e1f"
MACHINE = {"client_id": "robot", "client_secret": CANARY, "grant_types": ["client_credentials"],
           "response_types": [], "redirect_uris": []}  # fmt: skip


async def test_a_provider_fills_in_all_but_the_client(server):
    listed = {entry["key"]: entry for entry in (await server.call("GET", "api/providers")).json()}
    assert listed["spotify"]["redirect_rule"] == "not-localhost"
    fields = (await server.call("POST", "api/providers/spotify", json={})).json()
    body = {**fields, "client_id": "id", "client_secret": CANARY}
    made = await server.call("PUT", "api/secrets/spotify", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["authorization_endpoint"] == "https://accounts.spotify.com/authorize"
    assert made.json()["provider"] == "spotify"
    missing = await server.call("POST", "api/providers/shopify", json={"shop": "evil.example/"})
    assert (missing.status_code, missing.json()["field"]) == (400, "shop")
    assert (await server.call("POST", "api/providers/nowhere", json={})).status_code == 404


async def test_a_provider_that_takes_a_key_fills_in_all_but_the_key(server):
    listed = {entry["key"]: entry for entry in (await server.call("GET", "api/providers")).json()}
    assert (listed["anthropic"]["type"], listed["alpaca"]["type"]) == ("api_key", "headers")
    assert listed["alpaca"]["header_names"] == ["APCA-API-KEY-ID", "APCA-API-SECRET-KEY"]
    fields = (await server.call("POST", "api/providers/anthropic", json={})).json()
    made = await server.call("PUT", "api/secrets/model", json={**fields, "key": CANARY})
    assert made.status_code == 201, made.text
    assert made.json()["api_headers"] == {"anthropic-version": "2023-06-01"}
    assert made.json()["base_url"] == "https://api.anthropic.com/v1"
    assert CANARY not in made.text
    secret = default_vault().get("model").secret
    assert (secret.type, secret.parameter) == ("api_key", "x-api-key")


async def test_a_broken_entry_of_an_organisation_leaves_the_others_usable(server, tmp_path, monkeypatch):
    folder = tmp_path / "flowlet" / "providers"
    folder.mkdir(parents=True)
    (folder / "broken.toml").write_text("title = ")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert (await server.call("POST", "api/providers/spotify", json={})).status_code == 200


async def test_a_broken_entry_of_an_organisation_hides_no_secret(server, tmp_path, monkeypatch):
    folder = tmp_path / "jupyter" / "flowlet" / "providers"
    folder.mkdir(parents=True)
    (folder / "broken.toml").write_text("title = ")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    key = {
        "type": "api_key",
        "key": "canary",
        "parameter": "X-Key",
        "allowed_hosts": ["a.example"],
        "base_url": "https://a.example",
    }
    assert (await server.call("PUT", "api/secrets/api", json=key)).status_code == 201
    assert [entry["name"] for entry in (await server.call("GET", "api/secrets")).json()] == ["api"]
    assert (await server.call("GET", "api/secrets/api")).json()["example_url"] == "/"


@pytest.mark.provider
async def test_discovery_registration_and_revocation(server, oidc_provider):
    provider = oidc_provider([MACHINE])
    found = (await server.call("POST", "api/discover", json={"address": provider.issuer})).json()
    assert found["hosts"] == [provider.issuer.removeprefix("http://")]
    body = {**found["fields"], "registration_endpoint": found["registration_endpoint"], "scope": "openid"}
    made = await server.call("PUT", "api/secrets/new", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["client_id"]

    robot = {**found["fields"], "client_id": "robot", "client_secret": CANARY, "grant_type": CLIENT_CREDENTIALS}
    assert (await server.call("PUT", "api/secrets/robot", json=robot)).json()["status"]["state"] == "on_demand"
    obtained = await server.call("POST", "api/secrets/robot/refresh")
    assert obtained.json()["status"]["state"] == "connected"
    asked = await server.call("POST", "api/secrets/robot/introspect")
    assert asked.json() == {"active": True}
    revoked = await server.call("POST", "api/secrets/robot/revoke")
    assert revoked.json()["status"]["state"] == "on_demand"
    assert default_vault().get("robot").token_set is None
    nothing = await server.call("POST", "api/discover", json={"address": f"{provider.issuer}/none"})
    assert nothing.status_code == 502
    assert "says nothing" in nothing.json()["message"]


async def test_an_atproto_account_is_a_secret_that_needs_no_registration(server, monkeypatch):
    with atproto() as pds:
        monkeypatch.setenv("FLOWLET_PLC_DIRECTORY", pds.url)
        monkeypatch.setenv("FLOWLET_HANDLE_RESOLVER", pds.url)
        found = (await server.call("POST", "api/discover", json={"address": "@ann.test"})).json()
        assert found["client_id_metadata_document_supported"]
        assert (await server.call("PUT", "api/secrets/bsky", json=found["fields"])).status_code == 201
        secret = default_vault().get("bsky").secret
        assert (secret.subject, secret.dpop, secret.token_endpoint_auth_method) == (DID, True, "none")
        shown = (await server.call("GET", "api/redirect-uri?secret=bsky")).json()
        assert shown["redirect_uri"].startswith("http://127.0.0.1:")
        assert shown["problem"] is None


async def test_a_handle_is_enough_for_the_entry_of_bluesky(server, monkeypatch):
    with atproto() as pds:
        monkeypatch.setenv("FLOWLET_PLC_DIRECTORY", pds.url)
        monkeypatch.setenv("FLOWLET_HANDLE_RESOLVER", pds.url)
        fields = (await server.call("POST", "api/providers/bluesky", json={"handle": "@ann.test"})).json()
        assert fields["token_endpoint"] == f"{pds.url}/token"  # the account's own, whatever the entry calls usual
        assert (await server.call("PUT", "api/secrets/bsky", json=fields)).status_code == 201
        secret = default_vault().get("bsky").secret
        assert (secret.subject, secret.dpop, secret.base_url) == (DID, True, pds.url)
        unknown = await server.call("POST", "api/providers/bluesky", json={"handle": "nobody.test"})
        assert "Nobody knows the atproto handle @nobody.test" in unknown.json()["message"]
        monkeypatch.setattr("flowlet_jupyter.server.form_api.client_for", lambda *_, **__: {})  # on a hub
        refused = await server.call("POST", "api/providers/bluesky", json={"handle": "ann.test"})
        assert "FLOWLET_CLIENT_ID_URL" in refused.json()["message"]


@pytest.fixture
def issuer():
    """A provider that publishes metadata (RFC 8414), and nothing else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            origin = f"http://127.0.0.1:{self.server.server_port}"
            members = {"issuer": origin, "authorization_endpoint": f"{origin}/a", "token_endpoint": f"{origin}/t"}
            is_metadata = self.path == "/.well-known/openid-configuration"
            self.send_response(200 if is_metadata else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(members if is_metadata else {}).encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


async def test_what_is_discovered_takes_the_entry_of_the_catalogue(server, issuer, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    folder = tmp_path / "flowlet" / "providers"
    folder.mkdir(parents=True)
    (folder / "ours.toml").write_text(
        f"""title = "Ours"
source = "https://docs.example/"
token_endpoint = "{issuer}/t"
discover = "{issuer}"
client_id = "ours"
scope = "birds.read"
allowed_hosts = ["api.example"]

[authorization_parameters]
access_type = "offline"
"""
    )
    fields = (await server.call("POST", "api/discover", json={"address": issuer})).json()["fields"]
    assert (fields["provider"], fields["scope"]) == ("ours", "birds.read")
    assert fields["allowed_hosts"] == ["api.example"]
    assert fields["authorization_parameters"] == {"access_type": "offline"}
    assert (fields["issuer"], fields["authorization_endpoint"]) == (issuer, f"{issuer}/a")
    assert (
        await server.call("POST", "api/providers/ours", json={})
    ).json() == fields  # its own `discover` gives the same


@pytest.mark.provider
async def test_the_device_flow_shows_a_code_and_is_cancelled(server, oidc_provider):
    provider = oidc_provider([{**MACHINE, "grant_types": [DEVICE_CODE]}])
    found = (await server.call("POST", "api/discover", json={"address": provider.issuer})).json()
    body = {**found["fields"], "client_id": "robot", "client_secret": CANARY, "grant_type": DEVICE_CODE}
    await server.call("PUT", "api/secrets/tv", json=body)
    started = (await server.call("POST", "api/secrets/tv/device")).json()
    assert started["verification_uri"] == f"{provider.issuer}/device"
    assert started["qr_code"].startswith("data:image/svg+xml")
    assert CANARY not in str(started)
    assert "device_code" not in started
    assert (await server.call("GET", "api/secrets/tv/device")).json() == {"pending": True, "problem": None}
    assert (await server.call("DELETE", "api/secrets/tv/device")).status_code == 204
    while (await server.call("GET", "api/secrets/tv/device")).json()["pending"]:  # noqa: ASYNC110 - another process answers
        await asyncio.sleep(0.02)
    assert (await server.call("GET", "api/secrets/tv")).json()["status"]["state"] == "no_token"
