"""The listener of a process without a Jupyter server."""

from __future__ import annotations

import dataclasses
import socket
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from support import birdsong_secret, free_port

import flowlet_jupyter as flowlet
from flowlet_jupyter.connect.loopback import open_loopback
from flowlet_jupyter.errors import AuthorizationFailed, FlowletError
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.authorization_code import new_flow, pasted_response
from flowlet_jupyter.settings import loopback_port, loopback_redirect_uri
from flowlet_jupyter.vault import default_vault

ALLOW = {"username": "ada", "password": "birdsong", "decision": "allow"}


@pytest.fixture
def port(monkeypatch):
    port = free_port()
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(port))
    return port


@pytest.fixture
def twitter(birdsong, port):
    flowlet.secrets.add(birdsong_secret(birdsong, loopback_redirect_uri()))


def test_a_whole_flow_and_then_nobody_listens(twitter, port):
    with open_loopback(default_vault()) as loopback, httpx.Client() as browser:
        start = browser.get(loopback.authorize_url("twitter"))
        back = browser.post(start.headers["location"], data=ALLOW)
        assert back.headers["location"].startswith(loopback.redirect_uri)
        assert browser.get(back.headers["location"]).status_code == 200
    assert flowlet.get("/2/users/me", secret="twitter")["data"]["username"] == "ada"
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        pass


def test_what_is_public_does_not_tell_the_secret_path(twitter, port):
    origin = f"http://127.0.0.1:{port}"
    with open_loopback(default_vault()) as loopback, httpx.Client() as stranger:
        path = loopback.base.removeprefix(origin)
        assert len(path) > 30
        for public in (
            "/flowlet/callback",
            "/flowlet/callback?state=x&code=y",
            "/flowlet/page/page.css",
            "/",
            "/flowlet/",
        ):
            response = stranger.get(origin + public)
            assert path.strip("/") not in response.text + str(response.headers.raw)
        assert stranger.get(f"{origin}/flowlet/api/secrets").status_code == 404
        assert stranger.get(f"{loopback.base}/flowlet/api/secrets").status_code == 200
        for host in ("evil.example", f"evil.example:{port}"):
            refused = stranger.get(f"{loopback.base}/flowlet/api/secrets", headers={"Host": host})
            assert refused.status_code in {403, 421}
            assert "twitter" not in refused.text


def test_another_browser_cannot_finish_the_flow(twitter):
    with open_loopback(default_vault()) as loopback, httpx.Client() as browser, httpx.Client() as stranger:
        start = browser.get(loopback.authorize_url("twitter"))
        back = browser.post(start.headers["location"], data=ALLOW).headers["location"]
        assert stranger.get(back).status_code == 400
        assert flowlet.secrets["twitter"].status().state == "no_token"
        assert browser.get(back).status_code == 200


def test_a_taken_port_is_an_error_and_never_another_port(port):
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(FlowletError, match=f"{port} is taken"),
        open_loopback(default_vault()),
    ):
        pass


@pytest.mark.parametrize("text", ["", "x", "0", "70000", "-1"])
def test_a_port_that_is_none(monkeypatch, text):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", text)
    with pytest.raises(FlowletError, match="neither a port nor"):
        loopback_port()


def test_a_free_port_where_the_provider_takes_any(birdsong, monkeypatch):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", "free")
    assert loopback_redirect_uri() == "http://127.0.0.1/flowlet/callback"
    flowlet.secrets.add(birdsong_secret(birdsong, loopback_redirect_uri()))
    with open_loopback(default_vault()) as loopback, httpx.Client() as browser:
        start = browser.get(loopback.authorize_url("twitter"))
        asked = parse_qs(urlsplit(start.headers["location"]).query)["redirect_uri"]
        assert asked == [loopback.redirect_uri]
        assert urlsplit(loopback.redirect_uri).port


STATE = "a-fixed-state"  # the tests' names hold it, and parallel workers must agree on them
FLOW = dataclasses.replace(
    new_flow("api", redirect_uri="http://127.0.0.1:8753/flowlet/callback", now=0.0), state=SecretValue(STATE)
)


@pytest.mark.parametrize(
    "text",
    [
        "  {uri}?code=c&state={state}\n", "'{uri}?code=c&state={state}'", '"{uri}?code=c&state={state}"',
        "<{uri}?code=c&state={state}>", "127.0.0.1:8753/flowlet/callback?code=c&state={state}",
        "http://localhost:8753/flowlet/callback?code=c&state={state}", "localhost:8753/flowlet/callback?code=c&state={state}",
    ],
)  # fmt: skip
def test_a_pasted_address_is_read(text):
    pasted = SecretValue(text.format(uri=FLOW.redirect_uri, state=STATE))
    assert pasted_response(FLOW, pasted) == {"code": "c", "state": STATE}


@pytest.mark.parametrize(
    "address",
    [
        "", "c", f"http://127.0.0.1:8754/flowlet/callback?code=c&state={STATE}",
        f"https://127.0.0.1:8753/flowlet/callback?code=c&state={STATE}", f"{FLOW.redirect_uri}?code=c",
        f"{FLOW.redirect_uri}?code=c&state=other", f"{FLOW.redirect_uri}?code=c&code=d&state={STATE}",
        f"http://127.0.0.1:8753@evil.example/flowlet/callback?code=c&state={STATE}", "http://[",
    ],
)  # fmt: skip
def test_another_address_is_refused(address):
    with pytest.raises(AuthorizationFailed) as caught:
        pasted_response(FLOW, SecretValue(address))
    assert STATE not in str(caught.value)
