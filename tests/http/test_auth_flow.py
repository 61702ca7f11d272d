"""A secret in clients of one's own and in SDKs: sync and async, renewed, under the rule at each request; and what ends."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import HostNotAllowed, InvalidOption, InvalidSecret
from flowlet_jupyter.http.retries import LONGEST_WAIT_SECONDS
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth import dpop
from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-5e1f"


@pytest.fixture
def api():
    """An API whose access token is `fresh`; `/token` gives it. `nonce` is what a DPoP proof must name, if anything."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status, body=None, **headers):
            content = json.dumps(body or {}).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self):
            server = self.server
            server.seen.append((self.path, dict(self.headers)))
            if self.path.startswith("/limited"):
                return self.answer(429, Retry_After="0.01")
            if server.nonce:
                proof = self.headers.get("DPoP", "..").split(".")[1]
                claims = json.loads(base64.urlsafe_b64decode(proof + "=" * (-len(proof) % 4)) or b"{}")
                if claims.get("nonce") != server.nonce:
                    return self.answer(401, WWW_Authenticate='DPoP error="use_dpop_nonce"', DPoP_Nonce=server.nonce)
                return self.answer(200, {"ok": True})
            known = self.headers.get("Authorization") in {"Bearer fresh", f"Bearer {CANARY}"}
            return self.answer(200 if known else 401, {"ok": known})

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.server.seen.append((self.path, dict(self.headers)))
            self.answer(200, {"access_token": "fresh", "token_type": "Bearer", "expires_in": 3600})

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.seen, server.nonce = [], None
        server.url = f"http://127.0.0.1:{server.server_port}"
        server.paths = lambda: [path for path, _ in server.seen]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        yield server
        server.shutdown()


def connected(api, **token) -> None:
    secret = flowlet.OAuth2(
        name="api", authorization_endpoint=f"{api.url}/a", token_endpoint=f"{api.url}/token", client_id="id",
        base_url=api.url, dpop="dpop_key" in token,
    )  # fmt: skip
    defaults = {"access_token": SecretValue("old"), "refresh_token": SecretValue("r1"), "obtained_at": time.time()}
    default_vault().put(Record(secret=secret, token_set=TokenSet(**{**defaults, **token})))


def test_an_async_client_of_ones_own_has_the_secret_the_rule_and_the_refresh(api):
    connected(api)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(auth=flowlet.auth("api")) as client:
            response = await client.get(f"{api.url}/me")
            with pytest.raises(HostNotAllowed):
                await client.get("https://evil.example/")
            return response

    assert asyncio.run(ask()).json() == {"ok": True}
    assert api.paths() == ["/me", "/token", "/me"]
    assert api.seen[0][1]["Authorization"] == "Bearer old"


def test_an_async_client_of_ones_own_waits_for_a_token_that_has_ended(api):
    connected(api, expires_at=1.0)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(auth=flowlet.auth("api")) as client:
            return await client.get(f"{api.url}/me")

    assert asyncio.run(ask()).json() == {"ok": True}
    assert api.paths() == ["/token", "/me"]


def test_a_client_of_ones_own_refreshes_after_a_401(api):
    connected(api)
    with httpx.Client(auth=flowlet.auth("api")) as client:
        assert client.get(f"{api.url}/me").json() == {"ok": True}
    assert api.paths() == ["/me", "/token", "/me"]


def test_a_secret_that_was_edited_since_is_not_carried_along(api):
    """A token that is bound to a key is sent with a proof, which a redirect would carry along."""
    connected(api)
    auth = flowlet.auth("api")
    connected(api, dpop_key=dpop.new_key())
    with httpx.Client(auth=auth) as client, pytest.raises(InvalidOption, match="carry along on a redirect"):
        client.get(f"{api.url}/me")
    assert api.seen == []


def test_an_apis_dpop_nonce_is_used_without_a_refresh(api):
    api.nonce = "the-nonce"
    connected(api, dpop_key=dpop.new_key())
    assert flowlet.get("/me", secret="api").json() == {"ok": True}
    assert api.paths() == ["/me", "/me"]


def test_azure_gets_no_token_once_its_host_is_no_longer_allowed(api):
    secret = flowlet.Password(name="api", password=CANARY, base_url=api.url)
    default_vault().put(Record(secret=secret))
    credential = flowlet.azure_credential("api", api.url)
    assert credential.get_token("scope").token == CANARY
    edited = flowlet.Password(name="api", password=CANARY, allowed_hosts=("a.example",))
    default_vault().put(Record(secret=edited))
    with pytest.raises(HostNotAllowed):
        credential.get_token("scope")


def test_azure_gets_no_token_that_is_not_sent_as_bearer(api, monkeypatch):
    monkeypatch.setenv("THE_KEY", CANARY)
    for secret in (
        flowlet.Basic(name="api", username="ann", password=CANARY, base_url=api.url),
        flowlet.External(name="api", source="env:THE_KEY", scheme="Token", base_url=api.url),
        flowlet.ApiKey(name="api", key=CANARY, location="basic", parameter="{key}:", base_url=api.url),
        flowlet.ApiKey(name="api", key=CANARY, parameter="Authorization", prefix="Token ", base_url=api.url),
    ):
        default_vault().put(Record(secret=secret))
        with pytest.raises(InvalidSecret, match="only bearer tokens"):
            flowlet.azure_credential("api", api.url)


def test_an_api_that_refuses_for_ever_is_given_up(api):
    gathered = flowlet.gather([f"{api.url}/limited?n={number}" for number in range(2)], retry=0)
    assert [outcome.status_code for outcome in gathered] == [429, 429]
    assert gathered.complete
    assert 2 < len(api.seen) < 20
    assert LONGEST_WAIT_SECONDS <= 900
