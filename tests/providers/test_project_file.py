"""`flowlet.toml` beside a notebook: offered, never trusted, and no place for a value."""

from __future__ import annotations

import string
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowlet_jupyter as flowlet
from flowlet_jupyter.model.secret import configuration
from flowlet_jupyter.model.static import Headers
from flowlet_jupyter.providers.project_file import as_toml, missing_here, required_secrets
from flowlet_jupyter.vault import default_vault

CANARY = "canary-5e1f"


def entries(folder, text: str) -> list[dict]:
    (folder / "flowlet.toml").write_text(text, "utf-8")
    return required_secrets(folder)


def test_what_is_missing_is_named_and_what_is_there_is_not(tmp_path):
    flowlet.secrets.add(flowlet.Password(name="there", password="p", allowed_hosts=("a.example",)))
    text = '[secrets.there]\ntype = "password"\n[secrets.twitter]\nprovider = "twitter"\nscope = "a b"\n'
    entries(tmp_path, text)
    assert missing_here(default_vault().names(), tmp_path) == [
        {"name": "twitter", "provider": "twitter", "scope": "a b"}
    ]
    assert default_vault().names() == ["there"]


def test_no_file_asks_for_nothing(tmp_path):
    assert required_secrets(tmp_path) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f'client_secret = "{CANARY}"', "renew it at the provider"),
        (f'password = "{CANARY}"', "renew it at the provider"),
        (f'headers = {{ "X-Key" = "{CANARY}" }}', "not a field"),
        ('token_endpoint = "http://evil.example/token"', "must use https"),
        ('token_endpoint = "javascript:alert(1)"', "must start with https"),
        ('allowed_hosts = ["https://a.example/"]', "is not a host"),
        ('allowed_hosts = ["*.org"]', "would allow too much"),
        ('source = "env:AWS_SECRET_ACCESS_KEY"', "not a field"),
        ('compliance = { token_header = "Host" }', "cannot be part of a secret"),
        ('compliance = { refresh_endpoint = "http://evil.example/" }', "must use https"),
        ("compliance = 1", "wrong form"),
        ('client_of = "other"', "not a field"),
        ('type = "telepathy"', "The type is one of"),
        ("scope = 1", "wrong form"),
    ],
)
def test_a_wrong_entry_says_why_and_spares_the_others(tmp_path, line, says):
    wrong, good = entries(tmp_path, f'[secrets.bad]\n{line}\n[secrets.good]\nprovider = "github"\n')
    assert says in wrong["error"]
    assert "bad" in wrong["error"]
    assert CANARY not in str(wrong)
    assert good == {"name": "good", "provider": "github"}


@pytest.mark.parametrize("text", ["secrets = 1", "[secrets", "\ufeff\0", "[secrets]\n'' = 1", "x = 1" + " " * 100_001])
def test_a_broken_file_is_one_clear_error(tmp_path, text):
    (found,) = entries(tmp_path, text)
    assert "flowlet.toml" in found["error"]


def test_a_team_exports_what_a_newcomer_is_asked_for(tmp_path):
    made = [
        flowlet.OAuth2(name="music/work", provider="spotify", client_id="mine", client_secret=CANARY, scope="a b",
                       authorization_endpoint="https://accounts.spotify.com/authorize",
                       token_endpoint="https://accounts.spotify.com/api/token", allowed_hosts=("api.spotify.com",)),
        flowlet.OAuth2(name="ours", client_id="public", token_endpoint="https://login.example/token",
                       authorization_endpoint="https://login.example/auth", allowed_hosts=("api.example",)),
        Headers(name='quoted "name"', headers={"X-Key": CANARY}, allowed_hosts=("b.example:8443",)),
    ]  # fmt: skip
    text = as_toml(map(configuration, made))
    assert CANARY not in text
    music, ours, key = entries(tmp_path, text)
    assert music["provider"] == "spotify"
    assert "client_id" not in music  # each newcomer has a client of their own; a public client is everybody's
    assert "token_endpoint" not in music
    assert (ours["client_id"], ours["token_endpoint"]) == ("public", "https://login.example/token")
    assert (key["type"], key["header_names"], key["allowed_hosts"]) == ("headers", ["X-Key"], ["b.example:8443"])


@given(st.text(alphabet=string.printable, max_size=40))
def test_any_scope_survives_the_file(scope):
    text = as_toml([{"name": "x", "type": "oauth2", "scope": " ".join(scope.split())}])
    assert tomllib.loads(text)["secrets"]["x"].get("scope", "") == " ".join(scope.split())
