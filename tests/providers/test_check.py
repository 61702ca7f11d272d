"""The script that holds the catalogue against other projects, on small copies of what their files look like."""

from __future__ import annotations

import json

import pytest

from flowlet_jupyter.providers import check, parse_provider
from flowlet_jupyter.providers.check import compared_with, differing, verdicts_of
from flowlet_jupyter.providers.sources import normalized, openapi_carriers, plain_key, read_claims

SHOP = {
    "title": "Shop",
    "source": "https://shop.example/docs",
    "authorization_endpoint": "https://{host}/oauth/authorize",
    "token_endpoint": "https://api.shop.example/oauth/token",
    "base_url": "https://api.shop.example/v1",
    "allowed_hosts": ["api.shop.example"],
    "parameters": [{"name": "host", "label": "Host", "kind": "host"}],
}
BANK = {
    "title": "Bank", "type": "api_key", "source": "https://bank.example/docs", "parameter": "X-Bank-Key",
    "base_url": "https://api.bank.example", "allowed_hosts": ["api.bank.example"],
}  # fmt: skip
NANGO = """\
shop-oauth:
    auth_mode: OAUTH2
    authorization_url: https://${connectionConfig.host}/oauth/authorize || https://shop.example/oauth/authorize
    token_url: https://api.shop.example/oauth/token
    proxy:
        base_url: https://api.shop.example
bank-api-key:
    auth_mode: API_KEY
    proxy:
        base_url: https://api.bank.example
        headers:
            x-bank-key: ${apiKey}
"""
GRANT = {"shop": {"oauth": 2, "authorize_url": "https://old.shop.example/authorize",
                  "access_url": "https://api.shop.example/oauth/token"},
         "ancient": {"oauth": 1, "access_url": "https://ancient.example/t"}}  # fmt: skip
BACKEND = 'URL = "https://api.shop.example/oauth/token"\nOTHER = f"https://{host}/oauth/authorize/"\n'
N8N = "properties: { headers: { 'X-Bank-Key': '={{$credentials.apiKey}}' } }, test: { baseURL: 'https://api.bank.example' }"


@pytest.fixture
def folder(tmp_path):
    files = {
        "nango/packages/providers/providers.yaml": NANGO,
        "grant/config/oauth.json": json.dumps(GRANT),
        "core/social_core/backends/shop.py": BACKEND,
        "n8n/dist/credentials/BankApi.credentials.js": N8N,
        "elsewhere/readme.md": "https://api.shop.example/oauth/token",
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text(text)
    return tmp_path


def test_each_fact_says_who_agrees_and_who_differs(folder):
    verdicts = verdicts_of(parse_provider("shop", SHOP, "shop.toml"), read_claims([folder]))
    by_fact = {verdict.fact: verdict for verdict in verdicts}
    assert by_fact["token_endpoint"].agree == ("Nango", "grant", "python-social-auth")
    assert by_fact["authorization_endpoint"].agree == ("Nango", "python-social-auth")
    assert by_fact["authorization_endpoint"].differ == {"grant": "https://old.shop.example/authorize"}
    assert compared_with(verdicts) == ["Nango", "python-social-auth"]
    assert differing(verdicts) == "grant: authorization_endpoint"
    assert "differ: grant has https://old.shop.example/authorize" in str(by_fact["authorization_endpoint"])


def test_the_carrier_of_a_key_is_compared_by_its_name(folder):
    claims = read_claims([folder])
    found = verdicts_of(parse_provider("bank", BANK, "bank.toml"), claims)
    assert compared_with(found) == ["Nango", "n8n"]
    other = verdicts_of(parse_provider("bank", {**BANK, "parameter": "X-Other"}, "bank.toml"), claims)
    assert compared_with(other) == []
    assert differing(other) == "Nango: parameter; n8n: parameter"


def test_what_one_project_says_is_marked(folder):
    (folder / "n8n/dist/credentials/BankApi.credentials.js").unlink()
    verdicts = verdicts_of(parse_provider("bank", BANK, "bank.toml"), read_claims([folder]))
    assert all(str(verdict).endswith("one source") for verdict in verdicts)
    nobody = verdicts_of(parse_provider("bank", BANK, "bank.toml"), [])
    assert all(str(verdict).endswith("no source") for verdict in nobody)


def test_the_script_fails_if_an_entry_claims_what_is_not_so(folder, capsys):
    assert check.main([str(folder), "--only", "stripe-key"]) == 0
    assert "of Nango, grant, n8n, python-social-auth" in capsys.readouterr().out
    wrong = GRANT | {"github": {"oauth": 2, "authorize_url": "https://a.example/a", "access_url": "https://a.example/t"}}
    (folder / "grant/config/oauth.json").write_text(json.dumps(wrong))
    assert check.main([str(folder), "--only", "github"]) == 1
    assert "which is not so" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://${connectionConfig.subdomain}.a.example/t", "https://{subdomain}.a.example/t/"),
        ("https://[subdomain].a.example/t?x=1", "https://%s.a.example/t"),
        ("https://A.example/T", "https://a.example/t"),
    ],
)
def test_addresses_are_compared_without_the_names_of_what_is_filled_in(one, other):
    assert normalized(one) == normalized(other)


def test_names_are_compared_without_how_they_are_authorized():
    assert plain_key("AirtableOAuth2Api") == plain_key("airtable") == plain_key("airtable-api-key")
    assert plain_key("SurveyMonkey") == plain_key("survey-monkey")


def test_an_openapi_document_names_its_headers():
    schemes = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "token": {"type": "http", "scheme": "bearer"}}
    assert openapi_carriers({"components": {"securitySchemes": schemes}}) == {"x-key", "authorization"}
    assert openapi_carriers({}) == frozenset()
