"""The catalogue is data: every entry obeys one schema, names its source, and makes a secret."""

from __future__ import annotations

import datetime
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from catalogue import PROVIDERS, secret_at, values_for

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.compliance import Compliance
from flowlet_jupyter.model.hosts import check_destination
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import host_rules
from flowlet_jupyter.providers import (
    INDEX,
    ends_soon,
    fields_for,
    index_text,
    load_providers,
    parse_provider,
    provider_index,
    provider_keys,
    provider_named,
    search_providers,
    trial_url,
)

GOOD = {
    "title": "Good",
    "source": "https://good.example/docs",
    "authorization_endpoint": "https://{shop}.good.example/authorize",
    "token_endpoint": "https://{shop}.good.example/token",
    "allowed_hosts": ["{shop}.good.example"],
    "parameters": [{"name": "shop", "label": "Shop"}],
}
KEY = {
    "title": "Bank",
    "type": "api_key",
    "source": "https://bank.example/docs",
    "parameter": "X-Bank",
    "prefix": "Token ",
    "api_headers": {"X-Version": "1"},
    "base_url": "https://{region}.bank.example/v1",
    "allowed_hosts": ["{region}.bank.example"],
    "test": "https://{region}.bank.example/v1/me",
    "parameters": [{"name": "region", "label": "Region", "default": "eu"}],
}


def test_there_are_enough_of_both_sorts():
    kinds = [provider.type for provider in PROVIDERS.values()]
    assert len(kinds) >= 400
    assert kinds.count("oauth2") >= 250
    assert len(kinds) - kinds.count("oauth2") >= 150


def test_every_entry_leaves_only_the_values():
    for key, provider in PROVIDERS.items():  # one test: several hundred would be slow to collect
        secret = secret_at(provider)
        assert secret.allowed_hosts, key
        addresses = [getattr(secret, name, None) for name in ("base_url", "token_endpoint", "authorization_endpoint")]
        assert not any("{" in address for address in addresses if address), key
        if provider.type == "oauth2":
            assert secret.provider == key
            assert isinstance(secret.compliance, Compliance)


def test_the_hosts_cover_the_requests_of_every_entry():
    for key, provider in PROVIDERS.items():
        secret = secret_at(provider)
        for address in filter(None, (secret.base_url, trial_url(provider, values_for(provider)))):
            parts = urlsplit(address)
            assert "{" not in address, key
            check_destination(key, host_rules(secret), scheme=parts.scheme, host=parts.hostname, port=parts.port)


def test_no_two_entries_have_one_title():
    titles = [provider.title.casefold() for provider in PROVIDERS.values()]
    assert sorted(titles) == sorted(set(titles))


def test_every_entry_has_a_category():
    for key, provider in PROVIDERS.items():
        assert provider.category, key


def test_most_entries_name_a_request_to_try_the_secret_with():
    named = [key for key, provider in PROVIDERS.items() if trial_url(provider, values_for(provider))]
    assert len(named) >= 480


def test_an_entry_of_a_key_has_the_fields_of_its_kind():
    provider = parse_provider("bank", KEY, "bank.toml")
    fields = fields_for(provider, {})
    assert fields["type"] == "api_key"
    assert (fields["parameter"], fields["prefix"], fields["base_url"]) == (
        "X-Bank",
        "Token ",
        "https://eu.bank.example/v1",
    )
    assert "provider" not in fields
    assert trial_url(provider, {"region": "us"}) == "https://us.bank.example/v1/me"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"type": "external"}, "'type' is one of"),
        ({"token_endpoint": "https://a.example/t"}, "'token_endpoint' is not a field"),
        ({"key": "s3cret"}, "'key' is not a field"),
        ({"header_names": ["X-A"]}, "'header_names' belongs"),
        ({"ends": "soon"}, "'ends' is a day"),
        ({"checked": "2026"}, "'checked' is a month"),
        ({"test": "http://a.example"}, "'test' must be"),
        ({"decided": "because"}, "'decided' must be a table"),
    ],
)
def test_a_wrong_entry_of_a_key_is_refused_by_name(change, says):
    with pytest.raises(InvalidSecret, match=r"file bad\.toml") as caught:
        parse_provider("bad", {**KEY, **change}, "bad.toml")
    assert says in str(caught.value)


def test_what_ends_within_four_months_ends_soon():
    today = datetime.date(2026, 11, 25)
    assert ends_soon("2027-02-16", today)
    assert ends_soon("2026-09-30", today)
    assert not ends_soon("2027-06-01", today)
    assert not ends_soon("", today)


def test_one_entry_is_one_file(tmp_path, monkeypatch):
    folder = tmp_path / "flowlet" / "providers"
    folder.mkdir(parents=True)
    (folder / "broken.toml").write_text("title = ")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    found = provider_named("spotify")
    assert found is not None
    assert found.title == "Spotify"
    assert "broken" in provider_keys()
    assert provider_named("nowhere") is None
    assert provider_named("../catalogue/spotify") is None
    with pytest.raises(InvalidSecret, match=r"broken\.toml cannot be read"):
        provider_named("broken")
    with pytest.raises(InvalidSecret, match=r"broken\.toml cannot be read"):
        provider_index()


def test_the_index_lists_an_organisation_s_entries_too(tmp_path, monkeypatch):
    folder = tmp_path / "flowlet" / "providers"
    folder.mkdir(parents=True)
    (folder / "bank.toml").write_text(
        'title = "Our bank"\ntype = "password"\nsource = "https://our.example/"\nallowed_hosts = ["api.our.example"]\n'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    keys = [entry["key"] for entry in provider_index()]
    assert set(keys) == {*PROVIDERS, "bank"}
    assert [entry["key"] for entry in search_providers("our bank", provider_index())] == ["bank"]
    assert next(entry["key"] for entry in search_providers("finance", provider_index())) != "bank"
    (folder / "zz.toml").write_text(
        'title = "Zz money"\ntype = "password"\nsource = "https://our.example/"\ncategory = "finance"\nallowed_hosts = ["api.our.example"]\n'
    )
    assert search_providers("finance", provider_index())[0]["key"] == "zz"


@pytest.mark.parametrize(
    ("text", "first"),
    [("stripe", "stripe"), ("nasa", "nasa"), ("GitHub Ent", "github-enterprise"), ("graph.microsoft", "microsoft")],
)
def test_a_search_finds_words_where_they_begin(text, first):
    found = [entry["key"] for entry in search_providers(text, provider_index())]
    assert first in (found if "." in text else found[:1])


def test_a_search_without_a_word_of_any_entry_finds_nothing():
    assert search_providers("zzzz", provider_index()) == []


def test_the_index_is_current():
    assert INDEX.read_text("utf-8") == index_text(), "run: python docs/make_providers.py"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"source": None}, "'source' is missing"),
        ({"source": "somebody said so"}, "provider's own page"),
        ({"title": 1}, "'title' is missing"),
        ({"token_endpoint": ""}, "'token_endpoint' is missing"),
        ({"colour": "red"}, "'colour' is not a field"),
        ({"allowed_hosts": []}, "'allowed_hosts'"),
        ({"redirect_rule": "sometimes"}, "'redirect_rule'"),
        ({"paging": {"style": "guess"}}, "'paging.style'"),
        ({"compliance": {"scope_seperator": ","}}, "scope_seperator"),
        ({"parameters": [{"nome": "x"}]}, "nome"),
        ({"scope": ["a"]}, "'scope' must be a text"),
    ],
)
def test_a_wrong_entry_is_refused_by_name(change, says):
    table = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(InvalidSecret, match=r"file bad\.toml") as caught:
        parse_provider("bad", table, "bad.toml")
    assert says in str(caught.value)


@pytest.mark.parametrize("value", ["evil.example/", "a.b", "a/b", "a@b", "-a", "a%2eb", "a b", ""])
def test_a_parameter_cannot_leave_its_label(value):
    with pytest.raises(InvalidSecret) as caught:
        fields_for(parse_provider("good", GOOD, "good.toml"), {"shop": value})
    assert caught.value.field == "shop"


def test_a_parameter_fills_endpoints_and_hosts():
    fields = fields_for(parse_provider("good", GOOD, "good.toml"), {"shop": "my-shop"})
    assert fields["token_endpoint"] == "https://my-shop.good.example/token"
    assert fields["allowed_hosts"] == ("my-shop.good.example",)


def test_an_organisation_adds_and_overrides(tmp_path, monkeypatch):
    folder = tmp_path / "flowlet" / "providers"
    folder.mkdir(parents=True)
    entry = (
        'title = "{title}"\nsource = "https://wiki.our.example/api"\nclient_id = "shared"\n'
        'authorization_endpoint = "https://login.our.example/authorize"\ntoken_endpoint = "https://login.our.example/token"\n'
        'token_endpoint_auth_method = "none"\nallowed_hosts = ["api.our.example"]\n'
    )
    (folder / "our-api.toml").write_text(entry.replace("{title}", "Our API"))
    (folder / "github.toml").write_text(entry.replace("{title}", "Our GitHub"))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    providers = load_providers()
    assert providers["github"].title == "Our GitHub"
    secret = OAuth2(name="ours", **fields_for(providers["our-api"], {}))  # a public client: nothing is left to fill in
    assert (secret.client_id, secret.token_endpoint_auth_method) == ("shared", "none")
    (folder / "broken.toml").write_text("title = ")
    with pytest.raises(InvalidSecret, match=r"broken\.toml cannot be read"):
        load_providers()


def test_no_entry_repeats_a_default():
    for key, provider in PROVIDERS.items():
        declared = provider.fields.get("compliance", {})
        assert OAuth2(
            name="x", client_id="i", client_secret="s", token_endpoint="https://a.example/",
            authorization_endpoint="https://a.example/", compliance=declared,
        ).compliance.declared() == declared, key  # fmt: skip


def test_the_hint_of_a_host_shows_a_host():
    hints = [
        (key, parameter.hint) for key, provider in PROVIDERS.items() for parameter in provider.parameters
        if parameter.kind == "host" and parameter.hint
    ]  # fmt: skip
    assert [key for key, hint in hints if "." not in hint] == []


def test_a_graph_entry_asks_who_one_is_only_with_the_scope_for_it():
    for key, provider in PROVIDERS.items():
        if provider.test == "https://graph.microsoft.com/v1.0/me" and provider.type == "oauth2":
            assert "User.Read" in provider.fields["scope"], key


@pytest.mark.slow  # a process of its own
def test_the_table_in_the_docs_is_current():
    docs = Path(__file__).parents[2] / "docs"
    made = subprocess.run(
        [sys.executable, "-c", "import make_providers; print(make_providers.page(), end='')"],
        cwd=docs, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (docs / "providers.md").read_text("utf-8") == made.stdout, "run: python docs/make_providers.py"
