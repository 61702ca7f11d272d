"""Settings of other tools as people have them: YAML, variables, Windows line ends; completed from the catalogue."""

from __future__ import annotations

import json

import pytest
from leak_search import leaks

from flowlet_jupyter.cli import main
from flowlet_jupyter.cli.imports import imported
from flowlet_jupyter.model.oauth2 import CLIENT_CREDENTIALS
from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-66aa"
TOKEN = "https://auth.example/token"

INSOMNIA_5 = f"""type: collection.insomnia.rest/5.0
name: My collection
collection:
  - url: https://api.example/me
    name: Get me
    method: GET
    authentication:
      type: oauth2
      grantType: client_credentials
      accessTokenUrl: {TOKEN}
      clientId: i5
      clientSecret: {CANARY}
      credentialsInBody: true
"""
POSTMAN = {
    "info": {"name": "My API"},
    "variable": [{"key": "auth", "value": "https://auth.example"}, {"key": "id", "value": "p"}, {"key": "n", "value": 5}],
    "auth": {"type": "oauth2", "oauth2": [
        {"key": "accessTokenUrl", "value": "{{auth}}/token"}, {"key": "clientId", "value": "{{ id }}"},
        {"key": "clientSecret", "value": "{{unknown}}"}, {"key": "grant_type", "value": "client_credentials"},
    ]},
}  # fmt: skip
GOOGLE = {"installed": {"client_id": "g", "client_secret": CANARY, "auth_uri": "https://accounts.google.com/o/oauth2/auth",
                        "token_uri": "https://oauth2.googleapis.com/token", "redirect_uris": ["http://localhost"]}}  # fmt: skip


@pytest.mark.parametrize("change", [str, lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_insomnia_5_as_any_editor_saves_it(change):
    (fields,) = imported(change(INSOMNIA_5))
    assert fields == {
        "name": "Get me", "token_endpoint": TOKEN, "client_id": "i5", "client_secret": CANARY,
        "grant_type": CLIENT_CREDENTIALS, "token_endpoint_auth_method": "client_secret_post",
    }  # fmt: skip


def test_variables_of_a_postman_collection_are_filled_in():
    (fields,) = imported(json.dumps(POSTMAN))
    assert (fields["token_endpoint"], fields["client_id"]) == (TOKEN, "p")
    assert "client_secret" not in fields  # its variable is not in the file


def test_a_file_of_google_ends_in_a_secret_that_works_longer_than_an_hour(tmp_path):
    file = tmp_path / "client_secret.json"
    file.write_text("\ufeff" + json.dumps(GOOGLE), "utf-8")
    assert main(["import", str(file), "--name", "drive"]) == 0
    secret = default_vault().get("drive").secret
    assert secret.provider == "google"
    assert secret.authorization_parameters["access_type"] == "offline"
    assert secret.allowed_hosts == ("*.googleapis.com",)


@pytest.mark.parametrize("control", ["\n", "\r", "\t", "\0", "\x1b[0m"])
def test_a_control_character_at_the_end_of_a_client_secret_is_refused_with_the_reason(control, tmp_path, capsys):
    file = tmp_path / "client_secret.json"
    file.write_text(json.dumps({"installed": {**GOOGLE["installed"], "client_secret": CANARY + control}}))
    assert main(["import", str(file), "--name", "drive"]) == 1
    shown = capsys.readouterr()
    assert "control character" in shown.err
    assert leaks({"shown": (shown.out + shown.err).encode()}, [CANARY]) == []
    assert default_vault().names() == []


@pytest.mark.parametrize("control", ["\n", "\r\n"])
def test_the_line_end_of_a_value_file_is_no_part_of_the_value(control, tmp_path):
    file = tmp_path / "value"
    file.write_bytes((CANARY + control).encode())
    assert main(["add", "x", "--provider", "spotify", "--set", "client_id=i", "--value-file", str(file)]) == 0
    assert default_vault().get("x").secret.client_secret.reveal() == CANARY
