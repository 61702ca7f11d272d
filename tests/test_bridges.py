"""A secret in other libraries' clients, each the real one: the header is there, the host rule holds, a 401 refreshes."""

from __future__ import annotations

import time

import pandas as pd
import pytest
import requests
from google.auth.transport.requests import AuthorizedSession
from support import birdsong_secret

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import HostNotAllowed, InvalidOption, MissingExtra
from flowlet_jupyter.secret import Record
from flowlet_jupyter.secret_value import SecretValue
from flowlet_jupyter.token_set import TokenSet
from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-5e1f"


@pytest.fixture
def secret(api):
    flowlet.secrets.add(flowlet.Password(name="api", password=CANARY, base_url=api.url))


@pytest.fixture
def twitter(birdsong):
    """An OAuth2 secret whose access token the API no longer takes."""
    secret = birdsong_secret(birdsong, "http://localhost/callback")
    birdsong.server.provider.state["grants"]["g"] = {
        "client_id": secret.client_id, "scope": "users.read offline.access", "username": "ada",
    }  # fmt: skip
    issued = birdsong.server.provider._issue("g")
    tokens = TokenSet(
        access_token=SecretValue("revoked"), refresh_token=SecretValue(issued["refresh_token"]), obtained_at=time.time()
    )
    default_vault().put(Record(secret=secret, token_set=tokens))
    return birdsong


def test_requests(api, secret):
    auth = flowlet.requests_auth("api")
    echoed = requests.get(f"{api.url}/echo", auth=auth, timeout=5).json()
    assert echoed["headers"]["Authorization"] == f"Bearer {CANARY}"
    assert CANARY not in repr(auth) + str(vars(auth))
    with pytest.raises(HostNotAllowed):
        requests.get("https://evil.example/", auth=auth, timeout=5)


def test_requests_refreshes_once_after_a_401(twitter):
    answer = requests.get(f"{twitter.url}/2/users/me", auth=flowlet.requests_auth("twitter"), timeout=5)
    assert answer.json()["data"]["username"] == "ada"
    assert twitter.refresh_count() == 1


def test_requests_would_carry_custom_headers_elsewhere():
    flowlet.secrets.add(flowlet.Headers(name="key", headers={"X-Key": CANARY}, allowed_hosts=("a.example",)))
    with pytest.raises(InvalidOption, match="carry along on a redirect"):
        flowlet.requests_auth("key")


def test_google(twitter):
    credentials = flowlet.google_credentials("twitter")
    session = AuthorizedSession(credentials)
    answer = session.get(f"{twitter.url}/2/users/me", timeout=5)
    assert answer.json()["data"]["username"] == "ada"  # their session refreshes after a 401
    with pytest.raises(HostNotAllowed):
        session.get("https://evil.example/", timeout=5)
    session.close()


def test_azure(api, secret):
    credential = flowlet.azure_credential("api", api.url)
    token = credential.get_token("https://vault.azure.net/.default")
    assert token.token == CANARY
    assert token.expires_on > time.time()
    assert CANARY not in repr(credential)
    with pytest.raises(HostNotAllowed):
        flowlet.azure_credential("api", "https://evil.example/")


def test_pandas_reads_by_the_name_of_the_secret(api, secret):
    address = f"flowlet://{api.url.removeprefix('http://')}"
    frame = pd.read_json(f"{address}/link?p=1", storage_options={"secret": "api"})
    assert len(frame) == 10
    assert api.requests[-1][2]["Authorization"] == f"Bearer {CANARY}"
    with pytest.raises(HostNotAllowed):
        pd.read_json("flowlet://evil.example/x.json", storage_options={"secret": "api"})
    with pytest.raises(flowlet.RequestFailed, match="404"):
        pd.read_json(f"{address}/nothing", storage_options={"secret": "api"})


@pytest.mark.parametrize("package", ["requests", "google", "azure"])
def test_a_library_that_is_missing_is_named(package, secret, api, monkeypatch):
    names = {"requests": "requests.auth", "google": "google.auth", "azure": "azure.core.credentials"}
    monkeypatch.setitem(__import__("sys").modules, names[package], None)
    make = {
        "requests": lambda: flowlet.requests_auth("api"),
        "google": lambda: flowlet.google_credentials("api"),
        "azure": lambda: flowlet.azure_credential("api", api.url),
    }[package]
    with pytest.raises(MissingExtra, match="pip install"):
        make()
