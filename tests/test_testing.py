"""What users test their own notebooks with."""

from __future__ import annotations

import time

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.model.static import Password
from flowlet_jupyter.testing import put_secret
from flowlet_jupyter.vault import default_vault

pytest_plugins = ["pytester"]
API = {"authorization_endpoint": "https://a.example/a", "token_endpoint": "https://a.example/t", "client_id": "c"}


def test_a_secret_is_stored_with_a_token_set_if_any_member_is_given():
    secret = flowlet.OAuth2(name="api", base_url="https://a.example", **API)
    assert put_secret(secret).status().state == "no_token"
    end = time.time() + 60
    handle = put_secret(
        secret, access_token="token-a", refresh_token=flowlet.SecretValue("r"), expires_at=end, scope="b"
    )
    token_set = handle.vault.get("api").token_set
    assert (token_set.access_token.reveal(), token_set.refresh_token.reveal()) == ("token-a", "r")
    assert (token_set.expires_at, token_set.scope) == (end, "b")
    assert abs(token_set.obtained_at - time.time()) < 60
    assert flowlet.secrets["api"].token().reveal() == "token-a"


def test_a_token_of_a_password_secret_is_a_mistake():
    with pytest.raises(flowlet.InvalidSecret, match="has no token set"):
        put_secret(Password(name="p", password="x", allowed_hosts=("a.example",)), access_token="t")


def test_the_fixtures_connect_a_secret_in_a_vault_of_the_tests_own(flowlet_secret, flowlet_session, tmp_path):
    assert flowlet_session.vault.folder.is_relative_to(tmp_path)
    assert flowlet.get("/2/users/me", secret="birdsong")["data"]["username"] == "ada"
    assert flowlet_secret.refresh().state == "connected"


def test_a_secret_of_a_test_never_gets_into_the_user_s_own_vault(monkeypatch):
    own = default_vault()
    monkeypatch.delenv("FLOWLET_VAULT")
    with pytest.raises(flowlet.UsageError, match="flowlet_session"):
        put_secret(flowlet.OAuth2(name="api", base_url="https://a.example", **API), access_token="t")
    assert own.names() == []
