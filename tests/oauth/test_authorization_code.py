from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
from urllib.parse import parse_qs, urlsplit

import pytest

from flowlet_jupyter.errors import AuthorizationFailed
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.oauth.authorization_code import (
    FLOW_LIFETIME_SECONDS,
    authorization_url,
    code_of_response,
    new_flow,
    request_parameters,
)
from flowlet_jupyter.oauth.pending import claim_flow, find_flow, remember_flow
from flowlet_jupyter.vault import Vault

SECRET = OAuth2(
    name="api",
    authorization_endpoint="https://auth.example/authorize?tenant=a",
    token_endpoint="https://auth.example/token",
    client_id="id",
    scope="a b",
)
NOW = 1_000_000.0


def flow(**fields):
    return new_flow("api", redirect_uri="http://localhost:8888/flowlet/callback", now=NOW, **fields)


def test_the_request_has_what_rfc_6749_and_7636_ask_for():
    started = flow()
    parts = urlsplit(authorization_url(SECRET, request_parameters(SECRET, started)))
    digest = hashlib.sha256(started.code_verifier.reveal().encode()).digest()
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://auth.example/authorize"
    assert parse_qs(parts.query) == {
        "tenant": ["a"],
        "response_type": ["code"],
        "client_id": ["id"],
        "redirect_uri": ["http://localhost:8888/flowlet/callback"],
        "scope": ["a b"],
        "state": [started.state.reveal()],
        "code_challenge": [base64.urlsafe_b64encode(digest).rstrip(b"=").decode()],
        "code_challenge_method": ["S256"],
    }
    assert len(started.code_verifier.reveal()) >= 43


def test_each_flow_is_random_and_shows_nothing():
    one, two = flow(), flow()
    assert len({value.reveal() for value in (one.state, two.state, one.browser, two.browser)}) == 4
    assert one.state.reveal() not in repr(one)


def test_the_code_is_taken():
    assert code_of_response(SECRET, {"code": "c"}).reveal() == "c"
    assert code_of_response(SECRET, {"code": "c", "iss": "https://auth.example/realm"}).reveal() == "c"


@pytest.mark.parametrize(
    "issuer", ["https://evil.example", "http://auth.example", "https://auth.example:8443", "", "x"]
)
def test_another_issuer_is_refused(issuer):
    with pytest.raises(AuthorizationFailed, match="another provider"):
        code_of_response(SECRET, {"code": "c", "iss": issuer})


def test_the_providers_error_comes_with_a_hint():
    with pytest.raises(AuthorizationFailed, match=r"access_denied: no thanks\. Access was not allowed") as caught:
        code_of_response(SECRET, {"error": "access_denied", "error_description": "no thanks"})
    assert caught.value.error == "access_denied"
    with pytest.raises(AuthorizationFailed, match="no authorization code"):
        code_of_response(SECRET, {})


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path / "vault", environment={})


def test_a_flow_is_remembered_sealed_and_used_once(vault):
    started = flow(user="ann")
    remember_flow(vault, started)
    state = started.state.reveal()
    again = Vault(vault.folder, environment={})  # as after a restart of the server
    assert find_flow(again, state, now=NOW + 1) == started
    for path in vault.folder.rglob("*"):
        assert path.is_dir() or state.encode() not in path.read_bytes()
        assert state not in path.name
    assert claim_flow(again, state) is True
    assert claim_flow(vault, state) is False
    assert find_flow(vault, state, now=NOW + 1) is None


def test_a_flow_ends_after_ten_minutes(vault):
    started = flow()
    remember_flow(vault, started)
    assert find_flow(vault, started.state.reveal(), now=NOW + FLOW_LIFETIME_SECONDS) is not None
    assert find_flow(vault, started.state.reveal(), now=NOW + FLOW_LIFETIME_SECONDS + 1) is None
    assert find_flow(vault, started.state.reveal(), now=NOW - 5) is None


@pytest.mark.parametrize("state", ["", "x", "../../api", "\ud800", "a" * 10000])
def test_an_unknown_state_finds_nothing(vault, state):
    remember_flow(vault, flow())
    assert find_flow(vault, state, now=NOW) is None


def test_old_flows_are_swept(vault):
    old = flow()
    remember_flow(vault, old)
    for file in (vault.folder / "pending").iterdir():
        os.utime(file, (NOW - 5000, NOW - 5000))
    remember_flow(vault, dataclasses.replace(flow(), started_at=NOW))
    assert len(list((vault.folder / "pending").iterdir())) == 1


def test_the_names_of_the_first_version_are_still_there():
    from flowlet_jupyter.oauth import authorization, authorization_code, completion

    for old in (authorization, completion):
        assert all(getattr(old, name) is getattr(authorization_code, name) for name in old.__all__)
