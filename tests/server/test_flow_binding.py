"""A flow belongs to one browser, one user and one moment; whoever comes with less gets nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from jupyter_server.auth.identity import IdentityProvider, User
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from flowlet_jupyter.connect import loopback
from flowlet_jupyter.errors import AuthorizationFailed
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.authorization_code import (
    code_of_response,
    complete_flow,
    new_flow,
    pasted_response,
    request_parameters,
)
from flowlet_jupyter.oauth.pending import find_flow, flow_id, remember_flow
from flowlet_jupyter.server.tickets import TICKET_SECONDS, Ticket, issue_ticket, redeem_ticket
from flowlet_jupyter.vault import default_vault
from flowlet_jupyter.vault.master_key import key_file_of

REDIRECT_URI = "http://127.0.0.1:8753/flowlet/callback"


class UserOfHeader(IdentityProvider):
    """A server that tells users apart, here by a header."""

    async def get_user(self, handler):
        name = handler.request.headers.get("X-User")
        return User(name) if name else None


@pytest.fixture
def jp_server_config(request):
    config = {"ServerApp": {"jpserver_extensions": {"flowlet_jupyter": True}}}
    config["ServerApp"] |= getattr(request, "param", {})
    return config


@pytest.fixture
def provider():
    """A token endpoint that takes every code; `codes` are those that it was asked with, `during` runs before it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.server.codes.append(form["code"][0])
            self.server.during()
            body = json.dumps({"access_token": "the-token", "token_type": "Bearer"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.codes, server.during = [], lambda: None
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        url = f"http://127.0.0.1:{server.server_port}"
        secret = OAuth2(
            name="api", authorization_endpoint=f"{url}/authorize", token_endpoint=f"{url}/token", client_id="id",
            base_url=url,
        )  # fmt: skip
        default_vault().put(Record(secret=secret))
        yield server
        server.shutdown()


def stored():
    return default_vault().get("api").token_set


async def started(server, browser: httpx.AsyncClient, **headers: str) -> str:
    """Start a flow; the address that the provider would send the browser back to."""
    response = await browser.get(server.url("authorize/api"), headers={**server.headers, **headers})
    assert response.status_code == 302, response.text
    state = parse_qs(urlsplit(response.headers["location"]).query)["state"][0]
    return f"{server.url('callback')}?code=c&state={state}"


async def test_a_cookie_of_the_right_name_with_another_value_does_not_finish_the_flow(server, provider):
    async with httpx.AsyncClient() as browser, httpx.AsyncClient() as stranger:
        back = await started(server, browser)
        (cookie,) = [each for each in browser.cookies.jar if each.name.startswith("flowlet-")]
        for value in ("", "guess", cookie.value[:-1]):
            refused = await stranger.get(back, headers={"Cookie": f"{cookie.name}={value}"})
            assert refused.status_code == 400
        assert (stored(), provider.codes) == (None, [])
        assert (await browser.get(back)).status_code == 200
    assert stored() is not None


async def test_the_flows_cookie_is_cleared(server, provider):
    async with httpx.AsyncClient() as browser:
        back = await started(server, browser)
        assert [each.name for each in browser.cookies.jar if each.name.startswith("flowlet-")]
        assert (await browser.get(back)).status_code == 200
        assert not [each.name for each in browser.cookies.jar if each.name.startswith("flowlet-")]


async def test_of_two_callbacks_at_once_the_slower_does_not_ask_the_provider(server, provider, monkeypatch):
    unlink = os.unlink

    def slower(path, **options):
        if str(path).endswith(".flow"):  # the other one has removed it a moment ago
            unlink(path, **options)
        unlink(path, **options)

    async with httpx.AsyncClient(timeout=30) as browser:
        back = await started(server, browser)
        with monkeypatch.context() as disk:
            disk.setattr(os, "unlink", slower)
            response = await browser.get(back)
    assert response.status_code == 400
    assert "used already" in response.text
    assert (stored(), provider.codes) == (None, [])


@pytest.mark.parametrize("jp_server_config", [{"identity_provider_class": UserOfHeader}], indirect=True, ids=["users"])
async def test_another_user_cannot_finish_the_flow(server, provider):
    async with httpx.AsyncClient() as browser:
        for other, status in (("bob", 400), ("ann", 200)):
            back = await started(server, browser, **{"X-User": "ann", "Sec-Fetch-Site": "none"})
            assert (await browser.get(back, headers={"X-User": other})).status_code == status
            assert (stored() is not None) is (status == 200)


@pytest.mark.parametrize(("scheme", "is_secure"), [("https", True), ("http", False)])
def test_behind_https_the_cookie_is_secure(provider, scheme, is_secure):
    async def start() -> str:
        server = HTTPServer(loopback._application(default_vault(), "/secret-path/"), xheaders=True)
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/secret-path/flowlet/authorize/api"
        async with httpx.AsyncClient() as browser:
            response = await browser.get(address, headers={"X-Scheme": scheme})
        server.stop()
        return next(each for each in response.headers.get_list("set-cookie") if each.startswith("flowlet-"))

    assert ("Secure" in asyncio.run(start())) is is_secure


def test_a_ticket_ends_after_a_minute():
    vault = default_vault()
    flow = new_flow("api", redirect_uri=REDIRECT_URI, now=time.time())
    now = time.monotonic()
    early, late = (issue_ticket(vault, Ticket(flow, "https://auth.example/", now + TICKET_SECONDS)) for _ in range(2))
    assert redeem_ticket(vault, early, now=now + 59) is not None
    assert redeem_ticket(vault, late, now=now + 61) is None


async def test_a_strangers_state_makes_no_key(server):
    async with httpx.AsyncClient() as stranger:
        assert (await stranger.get(f"{server.url('callback')}?state=x&code=y")).status_code == 400
    assert not key_file_of(default_vault().folder).exists()


def test_a_flow_under_anothers_name_is_not_found():
    vault = default_vault()
    one, two = (new_flow("api", redirect_uri=REDIRECT_URI, now=time.time()) for _ in range(2))
    for flow in (one, two):
        remember_flow(vault, flow)
    folder = vault.folder / "pending"
    os.replace(folder / f"{flow_id(one.state.reveal())}.flow", folder / f"{flow_id(two.state.reveal())}.flow")
    assert find_flow(vault, two.state.reveal(), now=time.time()) is None


def test_a_secret_that_is_edited_during_the_exchange_takes_no_token(provider):
    vault = default_vault()
    secret = vault.get("api").secret
    provider.during = lambda: vault.put(Record(secret=dataclasses.replace(secret, client_id="another")))
    flow = new_flow("api", redirect_uri=REDIRECT_URI, now=time.time())
    with pytest.raises(AuthorizationFailed, match="changed meanwhile"):
        complete_flow(vault, flow, {"code": "c", "state": flow.state.reveal()})
    assert (vault.get("api").secret.client_id, stored()) == ("another", None)


def an_oauth2(**fields) -> OAuth2:
    return OAuth2(name="api", authorization_endpoint="https://auth.example/a", token_endpoint="https://auth.example/t",
                  client_id="id", **fields)  # fmt: skip


def test_a_request_for_an_id_token_has_a_nonce():
    flow = new_flow("api", redirect_uri=REDIRECT_URI, now=0.0)
    assert ("nonce", flow.nonce.reveal()) in request_parameters(an_oauth2(scope="openid"), flow)
    assert not [name for name, _ in request_parameters(an_oauth2(scope="a"), flow) if name == "nonce"]


def test_what_a_provider_says_is_limited():
    with pytest.raises(AuthorizationFailed) as caught:
        code_of_response(an_oauth2(), {"error": "e" * 10_000, "error_description": "d" * 10_000})
    assert len(str(caught.value)) < 1000


def test_a_pasted_address_has_no_user():
    flow = new_flow("api", redirect_uri=REDIRECT_URI, now=0.0)
    address = REDIRECT_URI.replace("//", "//ann@") + f"?code=c&state={flow.state.reveal()}"
    with pytest.raises(AuthorizationFailed, match="not the address"):
        pasted_response(flow, SecretValue(address))
