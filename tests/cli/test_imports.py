"""Settings of other tools as people have them: YAML, variables, Windows line ends; completed from the catalogue."""

from __future__ import annotations

import contextlib
import json

import pytest
from leak_search import leaks

from flowlet_jupyter.cli import main
from flowlet_jupyter.cli.imports import imported
from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.oauth2 import CLIENT_CREDENTIALS, TOKEN_EXCHANGE
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


def postman(auth, *urls, own=None):
    items = [{"name": "r", "request": {"method": "GET", "url": {"raw": url}}} for url in urls]
    if own:
        items.append({"name": "other", "request": {"auth": own, "url": "https://other.example/x"}})
    return json.dumps(
        {"info": {"name": "My API"}, "auth": auth, "item": [{"name": "folder", "item": items}], "name": "My API"}
    )


@pytest.mark.parametrize(
    ("auth", "fields"),
    [
        ({"type": "bearer", "bearer": [{"key": "token", "value": CANARY}]}, {"type": "password", "password": CANARY}),
        ({"type": "basic", "basic": [{"key": "password", "value": CANARY}, {"key": "username", "value": "u"}]},
         {"type": "basic", "username": "u", "password": CANARY}),
        ({"type": "basic", "basic": {"username": "u", "password": CANARY}}, {"type": "basic", "username": "u", "password": CANARY}),
        ({"type": "apikey", "apikey": [{"key": "key", "value": "X-Key"}, {"key": "value", "value": CANARY}]},
         {"type": "api_key", "key": CANARY, "parameter": "X-Key", "location": "header"}),
        ({"type": "apikey", "apikey": [{"key": "key", "value": "k"}, {"key": "value", "value": CANARY}, {"key": "in", "value": "query"}]},
         {"type": "api_key", "key": CANARY, "parameter": "k", "location": "query"}),
    ],
)  # fmt: skip
def test_what_a_postman_collection_sends_as_it_is_becomes_a_secret_for_its_one_host(auth, fields):
    (found,) = imported(postman(auth, "https://api.example:8443/a", "https://u@api.example:8443/b?x={{y}}"))
    assert found == {**fields, "name": "My API", "allowed_hosts": ["api.example:8443"]}


def test_credentials_of_postman_go_to_no_host_that_others_are_for():
    bearer = {"type": "bearer", "bearer": [{"key": "token", "value": CANARY}]}
    other = {"type": "bearer", "bearer": [{"key": "token", "value": "another"}]}
    own, of_one = imported(postman(bearer, "https://api.example/a", own=other))
    assert (own["allowed_hosts"], of_one["allowed_hosts"]) == (["api.example"], ["other.example"])
    (of_several,) = imported(postman(bearer, "https://api.example/a", "https://b.example/a"))
    assert of_several["allowed_hosts"] == []  # which of them is for --host to say
    (unknown,) = imported(postman(bearer, "https://{{host}}/a"))
    assert unknown["allowed_hosts"] == []


def test_a_token_that_many_requests_of_postman_hold_is_one_secret(tmp_path):
    bearer = {"type": "bearer", "bearer": [{"key": "token", "value": CANARY}]}
    items = [{"name": n, "request": {"auth": bearer, "url": "https://api.example/x"}} for n in ("first", "second")]
    file = tmp_path / "collection.json"
    file.write_text(json.dumps({"item": items}))
    assert main(["import", str(file)]) == 0
    assert default_vault().names() == ["first"]
    assert default_vault().get("first").secret.allowed_hosts == ("api.example",)


def test_a_variable_of_postman_is_no_value():
    with pytest.raises(InvalidSecret, match="No OAuth2 settings"):
        imported(
            postman({"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}"}]}, "https://api.example/a")
        )


def places_in(node):
    """Each place in `node`, as the container and the key or index in it."""
    for key, below in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key
        if isinstance(below, dict | list):
            yield from places_in(below)


@pytest.mark.parametrize("odd", [5, True, None, "x", [], {}, [1], {"a": [5]}, "https://[x", "https://[::1"], ids=repr)
def test_a_collection_with_something_else_in_any_place_is_read_or_refused(odd):
    bearer = {"type": "bearer", "bearer": [{"key": "token", "value": CANARY}]}
    basic = {"type": "basic", "basic": {"username": "u", "password": CANARY}}
    document = json.loads(postman(bearer, "https://api.example/a", own=basic))
    document["variable"] = [{"key": "k", "value": "v"}]
    for container, key in list(places_in(document)):
        kept, container[key] = container[key], odd
        with contextlib.suppress(InvalidSecret):
            assert all(isinstance(fields["allowed_hosts"], list) for fields in imported(json.dumps(document)))
        container[key] = kept


def test_a_date_in_yaml_is_no_reason_to_stop():
    assert imported("client_id: c\ntoken_endpoint: https://a.example/t\nmade: 2026-01-02\n")[0]["client_id"] == "c"


def test_a_request_of_postman_that_is_sent_without_names_no_host():
    bearer = {"type": "bearer", "bearer": [{"key": "token", "value": CANARY}]}
    (found,) = imported(postman(bearer, "https://api.example/a", own={"type": "noauth"}))
    assert found["allowed_hosts"] == ["api.example"]


def test_a_file_of_very_many_secrets_is_refused_before_they_are_looked_up():
    requests = [
        {"auth": {"type": "bearer", "bearer": {"token": f"t{number}"}}, "url": "https://api.example/x"}
        for number in range(501)
    ]
    assert len(imported(json.dumps({"item": requests[:500]}))) == 500
    with pytest.raises(InvalidSecret, match="describes 501 secrets; at most 500"):
        imported(json.dumps({"item": requests}))


EXCHANGE = {
    "token_endpoint": TOKEN,
    "client_id": "c",
    "grant_type": TOKEN_EXCHANGE,
    "token_endpoint_auth_method": "none",
}


@pytest.mark.parametrize(
    "settings",
    [
        {**EXCHANGE, "subject_token_file": "/home/ann/.ssh/id_ed25519"},
        {**EXCHANGE, "subject_secret": "github"},
        {"type": "external", "source": "env:GITHUB_TOKEN", "token_endpoint": "", "client_id": ""},
        {"type": "external", "source": "file:/run/secrets/token", "token_endpoint": None, "client_id": None},
        {
            "token_endpoint": TOKEN, "client_id": "c", "grant_type": CLIENT_CREDENTIALS, "client_key_file": "/etc/key.pem",
            "token_endpoint_auth_method": "tls_client_auth", "client_certificate_file": "/etc/certificate.pem",
        },
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_file_does_not_choose_what_is_read_on_this_machine(settings, tmp_path, capsys):
    file = tmp_path / "shared.json"
    harmless = {
        "name": "other",
        "token_endpoint": TOKEN,
        "client_id": "c",
        "grant_type": CLIENT_CREDENTIALS,
        "client_secret": "s",
    }
    hosts = {"allowed_hosts": ["api.evil.example"]}
    file.write_text(json.dumps([{"name": "github-work", **settings, **hosts}, {**harmless, **hosts}]))
    assert main(["import", str(file)]) == 0
    assert default_vault().names() == ["other"]
    assert "names what is on this machine" in capsys.readouterr().err
