"""The catalogue is data: every entry obeys one schema, names its source, and makes a secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.compliance import Compliance
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.providers import fields_for, load_providers, parse_provider

GOOD = {
    "title": "Good",
    "source": "https://good.example/docs",
    "authorization_endpoint": "https://{shop}.good.example/authorize",
    "token_endpoint": "https://{shop}.good.example/token",
    "allowed_hosts": ["{shop}.good.example"],
    "parameters": [{"name": "shop", "label": "Shop"}],
}
PROVIDERS = load_providers()


def test_there_are_at_least_sixty():
    assert len(PROVIDERS) >= 60


@pytest.mark.parametrize("key", PROVIDERS)
def test_an_entry_leaves_only_client_id_and_secret(key):
    provider = PROVIDERS[key]
    values = {parameter.name: parameter.default or "tenant.example" for parameter in provider.parameters}
    for parameter in provider.parameters:
        if parameter.kind == "label" and not parameter.default:
            values[parameter.name] = "tenant"
    fields = {"client_id": "id", "client_secret": "secret", **fields_for(provider, values)}
    extra = {"username": "ann", "password": "p"} if fields.get("grant_type") == "password" else {}
    secret = OAuth2(name=key, **fields, **extra)
    assert secret.provider == key
    assert secret.allowed_hosts
    assert "{" not in secret.token_endpoint + str(secret.authorization_endpoint) + str(secret.base_url)
    assert isinstance(secret.compliance, Compliance)


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


def test_the_table_in_the_docs_is_current():
    docs = Path(__file__).parents[2] / "docs"
    made = subprocess.run(
        [sys.executable, "-c", "import make_providers; print(make_providers.page(), end='')"],
        cwd=docs, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (docs / "providers.md").read_text("utf-8") == made.stdout, "run: python docs/make_providers.py"
