"""Secrets that are kept elsewhere: read at each request, shown as such, never written."""

from __future__ import annotations

import keyring
import pytest
import respx
from keyring.errors import KeyringLocked

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import InvalidSecret, SourceUnavailable

CANARY = "canary-value-5e1f"
URL = "https://api.example/me"


def add(source: str, **fields):
    return flowlet.secrets.add(flowlet.External(name="there", source=source, allowed_hosts=("api.example",), **fields))


@respx.mock
def test_an_environment_variable_as_it_is_now(monkeypatch):
    route = respx.get(URL).respond(json={})
    handle = add("env:MY_TOKEN")
    with pytest.raises(SourceUnavailable, match="MY_TOKEN is not set"):
        flowlet.get(URL, secret="there")
    for value in (CANARY, "second"):
        monkeypatch.setenv("MY_TOKEN", value)
        response = flowlet.get(URL, secret="there")
        assert route.calls.last.request.headers["authorization"] == f"Bearer {value}"
        assert "authorization" not in response.request.headers
    assert handle.configuration()["source"] == "env:MY_TOKEN"
    assert CANARY not in repr(handle)


@respx.mock
def test_a_file_under_another_header(tmp_path):
    route = respx.get(URL).respond(json={})
    file = tmp_path / "secret"
    file.write_text(f"{CANARY}\n")
    add(f"file:{file}", header="X-Api-Key", scheme="")
    flowlet.get(URL, secret="there")
    assert route.calls.last.request.headers["x-api-key"] == CANARY
    with pytest.raises(flowlet.HostNotAllowed):
        flowlet.get("https://evil.example/", secret="there")
    for content in (b"", b"\xff\xfe", b"x" * 200_000, b"a\nb"):
        file.write_bytes(content)
        with pytest.raises(SourceUnavailable) as caught:
            flowlet.get(URL, secret="there")
        assert CANARY not in str(caught.value)
    file.unlink()
    with pytest.raises(SourceUnavailable, match="cannot be read"):
        flowlet.get(URL, secret="there")


@respx.mock
def test_another_keyring_entry_is_asked_for_once(monkeypatch):
    route = respx.get(URL).respond(json={})
    asked = []
    monkeypatch.setattr(keyring, "get_password", lambda service, user: asked.append((service, user)) or CANARY)
    add("keyring:github/ann")
    for _ in range(3):
        flowlet.get(URL, secret="there")
    assert route.calls.last.request.headers["authorization"] == f"Bearer {CANARY}"
    assert asked == [("github", "ann")]


def test_a_locked_keyring_is_named(monkeypatch):
    def locked(service, user):
        raise KeyringLocked(CANARY)

    monkeypatch.setattr(keyring, "get_password", locked)
    with pytest.raises(SourceUnavailable, match="unlock it") as caught:
        add("keyring:github/ann").token()
    assert CANARY not in str(caught.value)


@respx.mock
def test_the_state_of_a_hubs_login(monkeypatch):
    handle = add("hub:auth_state.access_token")
    with pytest.raises(SourceUnavailable, match="not a server of a JupyterHub"):
        handle.token()
    monkeypatch.setenv("JUPYTERHUB_API_URL", "http://127.0.0.1:8081/hub/api")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub-token")
    route = respx.get("http://127.0.0.1:8081/hub/api/user").respond(json={"name": "ann"})
    with pytest.raises(SourceUnavailable, match="auth_state"):
        handle.token()
    route.respond(json={"auth_state": {"access_token": CANARY}})
    assert handle.token().reveal() == CANARY
    assert route.calls.last.request.headers["authorization"] == "token hub-token"


@pytest.mark.parametrize("source", ["", "MY_TOKEN", "env:", "exec:rm -rf", "keyring:github", "http://evil.example"])
def test_another_source_is_refused(source):
    with pytest.raises(InvalidSecret) as caught:
        add(source)
    assert caught.value.field == "source"


@pytest.mark.parametrize("header", ["", "Host", "a b", "X\r\nY"])
def test_a_header_that_could_lead_elsewhere_is_refused(header):
    with pytest.raises(InvalidSecret):
        add("env:X", header=header)


def test_an_external_secret_survives_the_vault():
    secret = add("env:MY_TOKEN", scheme="token").vault.get("there").secret
    handle = flowlet.secrets["there"]
    handle.vault._cache.clear()
    assert handle.vault.get("there").secret == secret
    assert handle.status().state == "ready"
