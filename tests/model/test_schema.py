"""One schema: each way to make a secret takes the same fields and reports the same errors, all at once."""

from __future__ import annotations

import dataclasses
import json
import tomllib

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.cli import main
from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.compliance import Compliance
from flowlet_jupyter.model.labels import KIND_LABELS, LABELS
from flowlet_jupyter.model.schema import as_json, fields_of_kind, from_mapping, to_mapping
from flowlet_jupyter.model.secret import SECRET_TYPES, Record, configuration
from flowlet_jupyter.providers.project_file import as_toml, required_secrets
from flowlet_jupyter.vault import default_vault

CLIENT = {
    "name": "api",
    "authorization_endpoint": "https://login.example.org/authorize",
    "token_endpoint": "https://login.example.org/token",
    "client_id": "client",
    "allowed_hosts": ["api.example.org"],
}
EVERY_KIND = {
    "oauth2": {**CLIENT, "client_secret": "s3cret-value", "dpop": True, "compliance": {"pkce": False}},
    "password": {"name": "api", "password": "s3cret-value", "allowed_hosts": ["a.example"]},
    "basic": {"name": "api", "username": "ann", "password": "s3cret-value", "allowed_hosts": ["a.example"]},
    "headers": {"name": "api", "headers": {"X-Key": "s3cret-value"}, "allowed_hosts": ["a.example"]},
    "api_key": {"name": "api", "key": "s3cret-value", "location": "query", "parameter": "k",
                "allowed_hosts": ["a.example"]},
    "external": {"name": "api", "source": "env:X", "scheme": "", "allowed_hosts": ["a.example"]},
}  # fmt: skip


def errors_of(kind: str, values: dict) -> dict[str, str]:
    with pytest.raises(InvalidSecret) as caught:
        from_mapping(kind, values)
    return caught.value.errors


def test_every_field_of_every_kind_has_a_label():
    assert set(KIND_LABELS) == set(LABELS) == set(SECRET_TYPES) == set(EVERY_KIND)
    for kind, made in SECRET_TYPES.items():
        assert set(LABELS[kind]) == {spec.name for spec in dataclasses.fields(made)}
    assert json.loads(json.dumps(as_json()))["basic"]["label"] == "User name and password (Basic)"


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_secret_survives_its_mapping(kind):
    secret = from_mapping(kind, EVERY_KIND[kind])
    assert from_mapping(kind, json.loads(json.dumps(to_mapping(secret))), set_by="flowlet") == secret
    assert "s3cret-value" not in repr(secret)


def test_all_errors_come_at_once_each_with_its_field():
    found = errors_of(
        "oauth2",
        {"name": "../x", "token_endpoint": "http://x.example/", "resource": "no list", "issuer": "ftp://x", "nope": 1},
    )
    assert set(found) == {
        "name", "token_endpoint", "resource", "issuer", "nope", "authorization_endpoint", "client_id",
    }  # fmt: skip
    assert "https://" in found["token_endpoint"]
    assert found["client_id"] == "The client ID is missing."


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("wrong", [1, 1.5, True, [1], {"a": 1}, [["x"]], {"a": ["s3cret-value"]}])
def test_a_value_of_the_wrong_form_is_an_error_of_its_field(kind, wrong):
    for field in fields_of_kind(kind).values():
        if field.shape == "flag" and wrong is True:
            continue
        with pytest.raises(InvalidSecret) as caught:
            from_mapping(kind, {**EVERY_KIND[kind], field.name: wrong}, set_by="flowlet")
        assert field.name in caught.value.errors
        assert "s3cret-value" not in str(caught.value)


@pytest.mark.parametrize(
    ("pair", "field"),
    [
        ("compliance=abc", "compliance"),
        ('compliance={"nope": 1}', "compliance"),
        ("authorization_parameters=abc", "authorization_parameters"),
        ('token_parameters={"a": 1}', "token_parameters"),
        ("dpop=perhaps", "dpop"),
        ("client_of=api", "client of"),
        ("client_of=other", "client of"),
        ("nope=1", "nope"),
        ("identity_url=javascript:x", "identity url"),
    ],
)
def test_a_wrong_set_is_one_clear_error_and_stores_nothing(pair, field, capsys, tmp_path):
    (tmp_path / "value").write_text("s3cret-value")
    arguments = ["add", "api", "--value-file", str(tmp_path / "value"), "--host", "api.example.org"]
    for name in ("authorization_endpoint", "token_endpoint", "client_id"):
        arguments += ["--set", f"{name}={CLIENT[name]}"]
    assert main([*arguments, "--set", pair]) == 1
    assert field in capsys.readouterr().err
    assert default_vault().names() == []


def test_set_takes_every_shape(capsys, tmp_path):
    (tmp_path / "value").write_text("s3cret-value")
    arguments = ["add", "api", "--value-file", str(tmp_path / "value"), "--host", "api.example.org"]
    for name in ("authorization_endpoint", "token_endpoint", "client_id"):
        arguments += ["--set", f"{name}={CLIENT[name]}"]
    for pair in ('compliance={"pkce": false}', 'authorization_parameters={"prompt": "consent"}', "dpop=true",
                 "resource=https://a.example/ https://b.example/"):  # fmt: skip
        arguments += ["--set", pair]
    assert main(arguments) == 0
    stored = default_vault().get("api").secret
    assert stored.compliance == Compliance(pkce=False)
    assert (stored.dpop, stored.authorization_parameters) == (True, {"prompt": "consent"})
    assert stored.resource == ("https://a.example/", "https://b.example/")


@pytest.mark.parametrize("owner", ["api", "nobody", "other"])
def test_no_record_is_stored_that_could_not_be_opened_again(owner):
    flowlet.secrets.add(flowlet.Password(name="other", password="p", allowed_hosts=("a.example",)))
    with pytest.raises(InvalidSecret) as caught:
        flowlet.secrets.add(flowlet.OAuth2(**{**CLIENT, "client_of": owner, "client_secret": "s3cret-value"}))
    assert caught.value.field == "client_of"
    assert default_vault().names() == ["other"]


def test_an_export_loses_nothing_that_can_be_shared(tmp_path):
    secret = flowlet.OAuth2(
        **{**CLIENT, "allowed_hosts": ("api.example.org",)},
        dpop=True,
        pushed_authorization_request_endpoint="https://login.example.org/par",
        jwks_uri="https://login.example.org/jwks",
        openapi="https://api.example.org/openapi.json",
        authorization_parameters={"prompt": "consent", 'odd "key"': "a\\b\n\x7f"},
        token_parameters={"audience": "api"},
        compliance=Compliance(scope_separator=",", api_headers={"Client-Id": "{client_id}"}, pkce=False),
        identity_url="https://api.example.org/me",
        identity_name="data.name",
        resource=("https://api.example.org/",),
    )
    (tmp_path / "flowlet.toml").write_text(as_toml([configuration(secret)]), "utf-8")
    (entry,) = required_secrets(tmp_path)
    assert from_mapping("oauth2", entry) == secret


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_kind_is_exported_with_what_a_newcomer_needs(kind, tmp_path):
    secret = from_mapping(kind, EVERY_KIND[kind])
    text = as_toml([configuration(secret)])
    assert "s3cret-value" not in text
    (tmp_path / "flowlet.toml").write_text(text, "utf-8")
    (entry,) = required_secrets(tmp_path)
    entry.pop("type", None)
    entry.pop("header_names", None)
    values = {name: EVERY_KIND[kind][name] for name in secret.value_fields if name in EVERY_KIND[kind]}
    own = {"client_id": "client"} if kind == "oauth2" else {}
    assert from_mapping(kind, {**entry, **values, **own}) == secret


def test_what_the_catalogue_knows_is_left_out_and_what_was_changed_is_not(capsys, tmp_path):
    (tmp_path / "value").write_text("s3cret-value")
    value = ["--value-file", str(tmp_path / "value"), "--set", "client_id=i"]
    assert main(["add", "shop", "--provider", "shopify", "--set", "shop=mine", *value]) == 0
    assert main(["add", "music", "--provider", "spotify", "--set", "base_url=https://proxy.example/", *value]) == 0
    capsys.readouterr()
    assert main(["export", "--toml"]) == 0
    tables = tomllib.loads(capsys.readouterr().out)["secrets"]
    assert tables["shop"] == {"provider": "shopify", "parameters": {"shop": "mine"}}
    assert tables["music"]["base_url"] == "https://proxy.example/"
    assert "token_endpoint" not in tables["music"]


def test_an_account_opens_with_its_owners_client():
    flowlet.secrets.add(flowlet.OAuth2(**{**CLIENT, "client_secret": "s3cret-value"}))
    made = flowlet.secrets["api"].add_account("second")
    record = default_vault().get(made.name)
    default_vault().put(Record(secret=record.secret))
    assert default_vault().get("api/second").secret.client_of == "api"
