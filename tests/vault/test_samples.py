"""A vault that an earlier version wrote opens, with every value, and can be written again."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from flowlet_jupyter.model.external import External
from flowlet_jupyter.model.static import Basic, Headers, Password
from flowlet_jupyter.vault.store import Vault

sys.path.insert(0, str(Path(__file__).parent))
from write_sample import KEY, SAMPLES, contents, shape


@pytest.fixture
def old_vault(tmp_path) -> Vault:
    folder = tmp_path / "old"
    shutil.copytree(SAMPLES / "five_kinds", folder)
    return Vault(folder, environment={"FLOWLET_MASTER_KEY": KEY})


def test_all_kinds_of_an_old_vault_open(old_vault):
    assert old_vault.names() == [
        "basic", "external", "headers", "oauth", "oauth-refused", "oauth/second", "password",
    ]  # fmt: skip
    secrets = {name: old_vault.get(name).secret for name in old_vault.names()}
    password, basic = secrets["password"], secrets["basic"]
    headers, external = secrets["headers"], secrets["external"]
    assert isinstance(password, Password)
    assert password.password.reveal() == "sample-password"
    assert isinstance(basic, Basic)
    assert (basic.username, basic.password.reveal()) == ("ann", "sample-basic-password")
    assert basic.allowed_hosts == ("api.example.org",)
    assert isinstance(headers, Headers)
    assert {name: value.reveal() for name, value in headers.headers.items()} == {
        "X-Api-Key": "sample-header-value",
        "X-App": "sample-app-value",
    }
    assert isinstance(external, External)
    assert (external.source, external.header, external.scheme) == ("env:SAMPLE_TOKEN", "X-Token", "")


def test_the_client_its_tokens_and_its_accounts_open(old_vault):
    record = old_vault.get("oauth")
    secret, token_set = record.secret, record.token_set
    assert secret.client_secret.reveal() == "sample-client-secret"
    assert (secret.dpop, secret.openapi, secret.jwks_uri) == (True, "openapi.json", "https://login.example.org/jwks")
    assert secret.authorization_parameters == {"prompt": "consent"}
    assert secret.resource == ("https://api.example.org/",)
    assert secret.compliance.scope_separator == ","
    assert secret.compliance.kept_parameters == ("realmId",)
    assert token_set.access_token.reveal() == "sample-access-token"
    assert token_set.refresh_token.reveal() == "sample-refresh-token"
    assert (token_set.expires_at, token_set.identity) == (1700003600.0, "@ann")
    assert token_set.parameters == {"realmId": "42"}
    second = old_vault.get("oauth/second")
    assert second.secret.client_of == "oauth"
    assert second.secret.client_secret.reveal() == "sample-client-secret"
    assert second.token_set.access_token.reveal() == "sample-second-token"
    assert old_vault.get("oauth-refused").grant_error == "invalid_grant"


def test_what_was_read_from_an_old_vault_is_the_same_after_it_is_written(old_vault):
    for name in old_vault.names():
        record = old_vault.get(name)
        old_vault.put(record)
        again = Vault(old_vault.folder, environment={"FLOWLET_MASTER_KEY": KEY})
        assert again.get(name) == record


def written_samples() -> list[Path]:
    return sorted(folder for folder in SAMPLES.iterdir() if (folder / "contents.json").is_file())


def differences(expected, found, where="") -> list[str]:
    """What `expected` has and `found` has not, or has otherwise; more may be there."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            each
            for name in expected
            for each in (
                differences(expected[name], found[name], f"{where}.{name}") if name in found else [f"{where}.{name}"]
            )
        ]
    return [] if expected == found else [where]


@pytest.mark.parametrize("sample", written_samples(), ids=lambda folder: folder.name)
def test_every_member_that_an_earlier_version_wrote_is_read(sample, tmp_path):
    folder = tmp_path / "old"
    shutil.copytree(sample, folder)
    vault = Vault(folder, environment={"FLOWLET_MASTER_KEY": KEY})
    expected = json.loads((sample / "contents.json").read_text())
    assert vault.names() == sorted(expected)
    for name in expected:
        found = json.loads(json.dumps(contents(vault.get(name))))
        assert differences({**expected[name], "schema": found["schema"]}, found) == []


def test_a_record_of_a_new_form_has_a_sample():
    known = [json.loads((sample / "shape.json").read_text()) for sample in written_samples()]
    assert shape() in known, (
        "The form of a record has changed, and no sample shows it: run  python tests/vault/write_sample.py NAME  and "
        "commit it. If an earlier version could misread what is now written, raise SCHEMA in vault/records.py first."
    )
