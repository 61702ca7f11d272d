"""`jupyter flowlet` in a shell."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest
import respx

import flowlet_jupyter as flowlet
from flowlet_jupyter.cli import main
from flowlet_jupyter.cli.imports import imported
from flowlet_jupyter.cli.output import for_a_shell
from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.oauth2 import CLIENT_CREDENTIALS, JWT_BEARER, OAuth2
from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-5e1f"
TOKEN = "https://auth.example/token"


@pytest.fixture
def value_file(tmp_path):
    file = tmp_path / "value"
    file.write_text(f"{CANARY}\n")
    return str(file)


@pytest.mark.slow  # a process of its own
def test_jupyter_finds_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "flowlet", "list"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "No secrets yet" in done.stdout


@pytest.mark.parametrize(
    ("said", "in_a_shell"),
    [
        ("No secrets yet. To add one: %flowlet_secret --new", "No secrets yet. To add one: jupyter flowlet add"),
        (
            "It has expired. In JupyterLab run %flowlet_secret my birds and press Request access token.",
            "It has expired. Run: jupyter flowlet authorize my birds",
        ),
        ("is sent to: %flowlet_secret NAME --paste", "is sent to: jupyter flowlet authorize NAME --paste"),
        ("another host, edit the secret: %flowlet_secret a.b", "another host, edit the secret: jupyter flowlet page"),
        ("or key: %flowlet_secret my birds. If it", "or key: jupyter flowlet page. If it"),
        ("run %flowlet_secret x --connect in a notebook", "run %flowlet_secret x --connect in a notebook"),
    ],
)
def test_a_shell_is_told_a_command_of_a_shell(said, in_a_shell):
    assert for_a_shell(said) == in_a_shell


def test_what_a_shell_prints_names_no_magic(capsys):
    assert main(["list"]) == 0
    assert main(["test", "nope"]) == 1
    shown = capsys.readouterr()
    assert "To add one: jupyter flowlet add" in shown.out
    assert "To add one: jupyter flowlet add" in shown.err


def test_add_by_provider_then_list_status_export_and_delete(capsys, value_file):
    assert main(["add", "music", "--provider", "spotify", "--set", "client_id=id", "--value-file", value_file]) == 0
    assert "jupyter flowlet authorize music" in capsys.readouterr().out
    assert default_vault().get("music").secret.client_secret.reveal() == CANARY
    for command in (["list"], ["status", "music"], ["export"], ["providers"]):
        assert main(command) == 0
    shown = capsys.readouterr()
    assert "music" in shown.out
    assert CANARY not in shown.out + shown.err
    assert main(["delete", "music"]) == 0
    assert default_vault().names() == []


def test_a_parameter_of_a_provider(value_file):
    arguments = ["add", "shop", "--provider", "shopify", "--set", "client_id=i", "--value-file", value_file]
    assert main(arguments) == 1
    assert main([*arguments, "--set", "shop=mine"]) == 0
    assert default_vault().get("shop").secret.token_endpoint == "https://mine.myshopify.com/admin/oauth/access_token"


def test_a_provider_that_takes_a_key_asks_for_the_one_value(capsys, value_file):
    assert main(["add", "papers", "--provider", "semantic-scholar", "--value-file", value_file]) == 0
    secret = default_vault().get("papers").secret
    assert (secret.type, secret.parameter, secret.allowed_hosts) == (
        "api_key",
        "x-api-key",
        ("api.semanticscholar.org",),
    )
    assert secret.key.reveal() == CANARY
    assert CANARY not in capsys.readouterr().out


def test_a_name_of_the_catalogue_asks_for_one_value(capsys, value_file):
    assert main(["add", "stripe", "--value-file", value_file]) == 0
    secret = default_vault().get("stripe").secret
    assert (secret.type, secret.base_url) == ("password", "https://api.stripe.com")
    shown = capsys.readouterr().out
    assert "Taken from the catalogue: Stripe (API key)" in shown
    assert "jupyter flowlet add stripe --provider stripe" in shown
    assert CANARY not in shown


def test_what_is_said_of_a_secret_comes_before_the_catalogue(value_file):
    arguments = ["add", "stripe", "--type", "basic", "--set", "username=ann", "--host", "api.other.example"]
    assert main([*arguments, "--value-file", value_file]) == 0
    assert default_vault().get("stripe").secret.allowed_hosts == ("api.other.example",)


def test_what_to_try_is_printed_and_what_ends_is_said(capsys, value_file):
    assert main(["add", "fit", "--provider", "fitbit", "--set", "client_id=i", "--value-file", value_file]) == 0
    shown = capsys.readouterr().out
    assert "Fitbit ends on 2026-09-30" in shown
    assert "https://api.fitbit.com/1/user/-/profile.json" in shown


def test_an_api_that_wants_the_client_secret_on_each_call_is_asked_for_it(value_file):
    assert main(["add", "shop", "--provider", "etsy", "--set", "client_id=i", "--value-file", value_file]) == 0
    assert default_vault().get("shop").secret.client_secret.reveal() == CANARY


def test_a_provider_s_headers_are_asked_for_by_name(tmp_path):
    values = []
    for name in ("APCA-API-KEY-ID", "APCA-API-SECRET-KEY"):
        (tmp_path / name).write_text(f"{CANARY}-{name}")
        values += ["--value-file", f"{name}={tmp_path / name}"]
    assert main(["add", "broker", "--provider", "alpaca", *values]) == 0
    headers = default_vault().get("broker").secret.headers
    assert {name: value.reveal() for name, value in headers.items()} == {
        "APCA-API-KEY-ID": f"{CANARY}-APCA-API-KEY-ID", "APCA-API-SECRET-KEY": f"{CANARY}-APCA-API-SECRET-KEY",
    }  # fmt: skip


def test_providers_are_searched(capsys):
    assert main(["providers", "nasa"]) == 0
    shown = capsys.readouterr().out
    assert "nasa-earthdata" in shown
    assert "spotify" not in shown
    assert main(["providers", "zzzz"]) == 1


@respx.mock
def test_client_credentials_from_the_shell(capsys, value_file):
    respx.post(TOKEN).respond(json={"access_token": CANARY, "expires_in": 60})
    respx.post("https://auth.example/revoke").respond(200)
    respx.post("https://auth.example/introspect").respond(json={"active": True})
    arguments = ["add", "api", "--value-file", value_file, "--host", "api.example"]
    for field in (f"token_endpoint={TOKEN}", f"grant_type={CLIENT_CREDENTIALS}", "client_id=i", "scope=a b",
                  "revocation_endpoint=https://auth.example/revoke",
                  "introspection_endpoint=https://auth.example/introspect"):  # fmt: skip
        arguments += ["--set", field]
    assert main(arguments) == 0
    assert main(["authorize", "api"]) == 0
    assert main(["refresh", "api"]) == 0
    assert main(["status", "api", "--ask"]) == 0
    shown = capsys.readouterr()
    assert "The provider says: active" in shown.out
    assert CANARY not in shown.out + shown.err
    assert main(["token", "api"]) == 0
    assert capsys.readouterr().out == f"{CANARY}\n"
    assert main(["revoke", "api"]) == 0
    assert default_vault().get("api").token_set is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["status", "nobody"], "No secret named 'nobody'"),
        (["add", "x", "--provider", "nowhere"], "There is no provider 'nowhere'"),
        (["add", "x", "--set", "client_secret=abc"], "is never an argument"),
        (["add", "x", "--set", "nonsense"], "FIELD=VALUE"),
        (["import", "/nowhere/at/all"], "cannot be read"),
        (["authorize", "api"], "needs a user at a terminal"),
    ],
)
def test_an_error_is_one_line(capsys, monkeypatch, arguments, says):
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: SIM115 - as a scheduled run has it
    flowlet.secrets.add(OAuth2(name="api", authorization_endpoint="https://auth.example/a", token_endpoint=TOKEN,
                               client_id="i"))  # fmt: skip
    assert main(arguments) == 1
    shown = capsys.readouterr()
    assert says in shown.err
    assert shown.err.count("\n") == 1


def test_an_export_holds_no_value_and_can_be_imported(capsys, tmp_path, value_file):
    main(["add", "music", "--provider", "spotify", "--set", "client_id=id", "--value-file", value_file])
    capsys.readouterr()
    main(["export"])
    text = capsys.readouterr().out
    assert CANARY not in text
    assert json.loads(text)[0]["client_id"] == "id"
    main(["delete", "music"])
    file = tmp_path / "export.json"
    file.write_text(json.dumps([{**json.loads(text)[0], "token_endpoint_auth_method": "none"}]))
    assert main(["import", str(file)]) == 0
    assert default_vault().get("music").secret.base_url == "https://api.spotify.com/v1"


GOOGLE = {"installed": {"client_id": "g", "client_secret": CANARY, "auth_uri": "https://accounts.example/auth",
                        "token_uri": TOKEN, "redirect_uris": ["http://localhost"]}}  # fmt: skip
SERVICE = {"type": "service_account", "project_id": "p", "private_key_id": "k", "private_key": CANARY,
           "client_email": "r@p.example", "token_uri": TOKEN}  # fmt: skip
POSTMAN = {"info": {"name": "My API"}, "auth": {"type": "oauth2", "oauth2": [
    {"key": "accessTokenUrl", "value": TOKEN}, {"key": "authUrl", "value": "https://auth.example/a"},
    {"key": "clientId", "value": "p"}, {"key": "clientSecret", "value": "{{secret}}"},
    {"key": "grant_type", "value": "authorization_code_with_pkce"}, {"key": "client_authentication", "value": "body"},
    {"key": "tokenName", "value": "my api"}]}}  # fmt: skip
INSOMNIA = {"resources": [{"name": "Get me", "authentication": {"type": "oauth2", "grantType": "client_credentials",
            "accessTokenUrl": TOKEN, "clientId": "i", "clientSecret": CANARY, "credentialsInBody": True}}]}  # fmt: skip
JETBRAINS = {"dev": {"Security": {"Auth": {"my-auth": {"Type": "OAuth2", "Grant Type": "Client Credentials",
             "Token URL": TOKEN, "Client ID": "j", "Client Secret": CANARY, "Scope": "a"}}}}}  # fmt: skip
BRUNO = f"""meta {{
  name: Get me
  type: http
}}

auth:oauth2 {{
  grant_type: client_credentials
  access_token_url: {TOKEN}
  client_id: b
  client_secret: {CANARY}
  scope: a b
}}
"""


@pytest.mark.parametrize(
    ("text", "client_id", "grant_type"),
    [
        (json.dumps(GOOGLE), "g", None),
        (json.dumps(SERVICE), "r@p.example", JWT_BEARER),
        (json.dumps(POSTMAN), "p", "authorization_code"),
        (json.dumps(INSOMNIA), "i", CLIENT_CREDENTIALS),
        (json.dumps(JETBRAINS), "j", CLIENT_CREDENTIALS),
        (BRUNO, "b", CLIENT_CREDENTIALS),
    ],
    ids=["google", "service account", "postman", "insomnia", "jetbrains", "bruno"],
)
def test_settings_of_other_tools(text, client_id, grant_type, tmp_path, capsys):
    (fields,) = imported(text)
    assert (fields["client_id"], fields.get("grant_type"), fields["token_endpoint"]) == (client_id, grant_type, TOKEN)
    assert "{{secret}}" not in fields.values()
    file = tmp_path / "settings"
    file.write_text(text)
    if "client_secret" not in fields and "private_key" not in fields:
        return  # Postman's stands in a variable, so nothing could be stored
    assert main(["import", str(file), "--name", "from-elsewhere"]) == 0
    assert default_vault().get("from-elsewhere").secret.client_id == client_id
    shown = capsys.readouterr()
    assert CANARY not in shown.out + shown.err


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "auth:oauth2 {", '{"client_id": 1}', "[" * 100000])
def test_a_file_without_settings_is_a_clear_error(text):
    with pytest.raises(InvalidSecret, match="No OAuth2 settings"):
        imported(text)


@pytest.fixture
def team_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("builtins.input", lambda _question: next(responses))
    responses = iter(["", "no", "y"])
    text = '[secrets.music]\nprovider = "spotify"\nclient_id = "shared"\nallowed_hosts = ["api.spotify.com"]\n'
    (tmp_path / "flowlet.toml").write_text(text)
    return tmp_path


def test_a_newcomer_approves_the_hosts_of_flowlet_toml(team_folder, capsys, value_file):
    assert main(["list"]) == 0
    assert "missing here (flowlet.toml): music" in capsys.readouterr().out
    for _ in ("empty", "no"):
        assert main(["add", "music", "--value-file", value_file]) == 1
        assert "allowed_hosts: api.spotify.com" in capsys.readouterr().out
        assert default_vault().names() == []
    assert main(["add", "music", "--value-file", value_file]) == 0
    stored = default_vault().get("music").secret
    assert (stored.client_id, stored.allowed_hosts) == ("shared", ("api.spotify.com",))
    capsys.readouterr()
    assert main(["export", "--toml"]) == 0
    shown = capsys.readouterr().out
    assert '[secrets."music"]' in shown
    assert CANARY not in shown


def test_the_doctor_says_where_everything_is(capsys, monkeypatch):
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert str(default_vault().folder) in shown
    assert "server extension: enabled" in shown
    assert "anywidget's files are there" in shown
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(taken.getsockname()[1]))
        main(["doctor"])
    assert "is taken by another program" in capsys.readouterr().out


def test_the_password_grant_comes_with_a_warning(capsys, value_file):
    arguments = ["add", "old", "--set", "grant_type=password", "--set", "client_id=i", "--set", "username=ann",
                 "--set", "token_endpoint=https://auth.example/token", "--value-file", value_file,
                 "--value-file", f"client_secret={value_file}"]  # fmt: skip
    assert main(arguments) == 0
    assert "OAuth 2.1 has dropped it" in capsys.readouterr().out
    stored = default_vault().get("old").secret
    assert (stored.password.reveal(), stored.client_secret.reveal()) == (CANARY, CANARY)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["--set", f"grant_type={JWT_BEARER}"], "private_key"),
        (
            ["--set", "grant_type=client_credentials", "--set", "token_endpoint_auth_method=private_key_jwt"],
            "private_key",
        ),
        (["--set", "grant_type=refresh_token", "--set", "token_endpoint_auth_method=none"], "refresh_token"),
    ],
)
def test_each_grant_asks_for_its_value(value_file, arguments, field):
    fixed = ["--set", "client_id=i", "--set", "token_endpoint=https://auth.example/token", "--value-file", value_file]
    assert main(["add", "api", *arguments, *fixed]) == 0
    assert getattr(default_vault().get("api").secret, field).reveal() == CANARY


def test_headers_from_the_shell(value_file, capsys):
    arguments = ["add", "key", "--type", "headers", "--header", "X-Key", "--header", "X-Other", "--host", "a.example"]
    assert main([*arguments, "--value-file", f"X-Key={value_file}", "--value-file", f"X-Other={value_file}"]) == 0
    assert list(default_vault().get("key").secret.headers) == ["X-Key", "X-Other"]
    assert CANARY not in capsys.readouterr().out


def test_headers_that_flowlet_toml_asks_for(team_folder, monkeypatch, value_file):
    text = '[secrets.key]\ntype = "headers"\nheader_names = ["X-Key"]\nallowed_hosts = ["a.example"]\n'
    (team_folder / "flowlet.toml").write_text(text)
    monkeypatch.setattr("builtins.input", lambda _question: "y")
    assert main(["add", "key", "--value-file", value_file]) == 0
    assert default_vault().get("key").secret.headers["X-Key"].reveal() == CANARY


def test_an_api_key_from_the_shell(value_file, capsys):
    arguments = ["add", "weather", "--type", "api_key", "--set", "parameter=appid", "--set", "location=query"]
    assert main([*arguments, "--host", "api.weather.example", "--value-file", value_file]) == 0
    stored = default_vault().get("weather").secret
    assert (stored.parameter, stored.location, stored.key.reveal()) == ("appid", "query", CANARY)
    assert CANARY not in capsys.readouterr().out
    assert main(["add", "x", "--type", "api_key", "--set", "key=abc"]) == 1
    assert "is never an argument" in capsys.readouterr().err
