"""The harmless request: as whom it connects, or what the API says; and never a value of the secret."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from servers.answering import Answer, answering

import flowlet_jupyter as flowlet
from flowlet_jupyter.cli import main
from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.http.account_name import account_in
from flowlet_jupyter.http.trial import try_secret
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.static import ApiKey, Basic, Password
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.providers.entry import parse_provider
from flowlet_jupyter.providers.matching import HarmlessRequest, harmless_request
from flowlet_jupyter.testing import put_secret
from flowlet_jupyter.vault import default_vault

CANARY = "canary/value+5e1f=77"
PAGE = {"Content-Type": "text/html; charset=utf-8"}


@pytest.fixture
def server():
    with answering() as started:
        yield started


def tried(server, answer: Answer, path: str = "/v1/me"):
    server.answer = answer
    flowlet.secrets.add(Password(name="api", password=SecretValue(CANARY), base_url=f"{server.url}{path}"))
    return try_secret(default_vault(), "api")


@pytest.mark.parametrize(
    ("body", "path", "identity"),
    [
        ({"id": 7, "email": "ann@example.org", "name": "Ann"}, "/v1/me", "ann@example.org"),
        ({"login": "ann", "email": None}, "/user", "ann"),
        ({"data": {"id": "2", "name": "Ann", "username": "ann"}}, "/2/users/me", "ann"),
        ({"user": {"display_name": "Ann B."}}, "/v1/token", "Ann B."),
        ({"ok": True, "user": "U1", "team": "T"}, "/api/auth.test", ""),
        ({"data": {"viewer": {"login": "ann"}}}, "/graphql", "ann"),
        ({"data": {"type": "user", "attributes": {"full_name": "Ann B"}}}, "/api/me", "Ann B"),
        ({"me": {"givenName": "Ann", "familyName": "B"}}, "/", "Ann B"),
        ({"emailAddress": "ann@example.org"}, "/rest/api/3/myself", "ann@example.org"),
        ([{"firstName": "Ann", "lastName": "B"}], "/v1/profile", "Ann B"),
        ({"name": "Ann's company"}, "/v1/account", "Ann's company"),
        ({"userPrincipalName": "ann@a.example"}, "/v1.0/me", "ann@a.example"),
        ({"name": "Ann\n\u202eB"}, "/user.json", "Ann �B"),
        # of something else
        ({"name": "node-1", "cluster_name": "c"}, "/", ""),
        ({"data": [{"id": "gpt", "name": "gpt"}]}, "/v1/models", ""),
        ([{"email": "bob@example.org"}, {"email": "ann@example.org"}], "/v1/users", ""),
        ({"owner": {"login": "bob"}, "name": "repository"}, "/repos/1", ""),
        ({"email": True, "name": {"a": 1}}, "/me", ""),
        ("ann", "/me", ""),
        (None, "/me", ""),
    ],
)
def test_the_account_is_named_however_the_api_spells_it(body, path, identity):
    assert account_in(body, url=f"https://api.example{path}?fields=a") == identity


def test_the_entrys_own_path_comes_first_and_a_wrong_one_does_no_harm():
    body = {"email": "ann@example.org", "body": {"user": {"id": 7}}, "names": ["a"]}
    assert account_in(body, path="body.user.id") == "7"
    assert account_in(body, path="names") == "ann@example.org"
    assert account_in(body, path="nothing.here || ]") == "ann@example.org"


def test_it_says_as_whom_it_connects(server):
    trial = tried(server, Answer(b'{"email": "ann@example.org"}'))
    assert (trial.outcome, trial.identity) == ("works", "ann@example.org")
    assert str(trial) == f"Connected as ann@example.org. 200 from {server.url[7:]}/v1/me"


def test_where_nobody_is_named_it_says_that_it_works(server):
    trial = tried(server, Answer(b'{"items": []}'), "/v1/items")
    assert str(trial) == f"It works: 200 from {server.url[7:]}/v1/items"


REFUSED = [
    (401, b'{"error": {"code": 401, "message": "Invalid API key <b>"}}', {}, "refused", "Invalid API key <b>", "copied whole"),
    (401, b'{"error": "invalid_token", "error_description": "ended"}', {}, "refused", "invalid_token: ended", "copied whole"),
    (401, b"Bad key", {"Content-Type": "text/plain"}, "refused", "Bad key", "copied whole"),
    (403, b"", {"WWW-Authenticate": 'Bearer scope="read:user"'}, "refused", "", "lacks a scope: read:user"),
    (403, b'{"message": "No"}', {"Content-Type": "application/json"}, "refused", "No", "does not allow"),
    (404, b"<html><title>Not here</title>", PAGE, "unclear", "Not here", "base URL"),
    (429, b"{}", {"Retry-After": "30"}, "unclear", "", "try again in 30 s"),
    (302, b"", {"Location": "https://login.example/?next=%2F"}, "unclear", "", "sends on to login.example"),
    (503, b"<fault><message>Down</message></fault>", {"Content-Type": "text/xml"}, "unclear", "Down", "later"),
    (400, b'{"errors": [{"detail": "q is missing"}]}', {}, "unclear", "q is missing", "one of your own"),
    (200, b'{"ok": false, "error": "invalid_auth"}', {}, "refused", "invalid_auth", "The API answered 200 and says"),
    (200, b'{"Error Message": "the parameter apikey is invalid"}', {}, "refused", "the parameter apikey", "says that it failed"),
    (200, b"<!DOCTYPE html><title>Log in</title>", PAGE, "unclear", "Log in", "A web page"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "headers", "outcome", "error_text", "step"), REFUSED)
def test_a_failure_has_the_apis_words_and_the_next_step(server, status, body, headers, outcome, error_text, step):  # noqa: PLR0917 - pytest gives them by name
    trial = tried(server, Answer(body, status, headers))
    assert (trial.status, trial.outcome) == (status, outcome)
    assert error_text in trial.error_text
    assert step in trial.next_step
    assert str(trial).startswith(f"{status} ")
    assert error_text in str(trial)


def test_an_access_token_that_is_refused_is_to_be_requested_again(server):
    server.answer = Answer(b'{"detail": "token revoked"}', 401)
    secret = OAuth2(name="bird", client_id="x", token_endpoint=f"{server.url}/token", authorization_endpoint=f"{server.url}/a",
                    base_url=server.url, identity_url=f"{server.url}/me")  # fmt: skip
    put_secret(secret, access_token=CANARY)
    trial = try_secret(default_vault(), "bird")
    assert "Request an access token again" in trial.next_step
    assert "token revoked" in trial.error_text


def test_the_user_is_remembered_with_the_token(server):
    server.answer = Answer(b'{"profile": {"nick": "ann7"}}')
    secret = OAuth2(name="bird", client_id="x", token_endpoint=f"{server.url}/token", authorization_endpoint=f"{server.url}/a",
                    base_url=server.url, identity_url=f"{server.url}/me", identity_name="profile.nick")  # fmt: skip
    put_secret(secret, access_token=CANARY)
    assert try_secret(default_vault(), "bird").identity == "ann7"
    assert flowlet.secrets["bird"].status().identity == "ann7"


def repeated(form):
    return lambda headers, path: form((headers["Authorization"] or headers["X-Key"] or path).rpartition(" ")[2])


ECHOES = {
    "as it is": (200, repeated(lambda value: json.dumps({"email": value}).encode()), {}),
    "in a name": (200, repeated(lambda value: json.dumps({"user": {"name": f"x {value} y"}}).encode()), {}),
    "in an error": (401, repeated(lambda value: json.dumps({"error": {"message": f"bad key {value}"}}).encode()), {}),
    "escaped": (401, repeated(lambda value: ('{"message": "' + "".join(f"\\u{ord(c):04x}" for c in value) + '"}').encode()), {}),
    "in base64": (401, repeated(lambda value: json.dumps({"detail": base64.b64encode(value.encode()).decode()}).encode()), {}),
    "in an error of a success": (200, repeated(lambda value: json.dumps({"ok": False, "error": value}).encode()), {}),
    "in a page": (500, repeated(lambda value: f"<title>{value}</title>".encode()), PAGE),
    "packed": (401, repeated(lambda value: gzip.compress(json.dumps({"message": value}).encode())), {"Content-Encoding": "gzip"}),
    "cut in two": (401, repeated(lambda value: (b" " * (64_000 - 8)) + value.encode()), {"Content-Type": "text/plain"}),
}  # fmt: skip


@pytest.mark.parametrize("name", ECHOES)
@pytest.mark.parametrize("kind", ["bearer", "basic", "header", "query"])
def test_an_api_that_repeats_the_value_does_not_show_it(server, capsys, name, kind):
    status, body, headers = ECHOES[name]
    server.answer = Answer(body, status, headers)
    value, url = SecretValue(CANARY), f"{server.url}/v1/me"
    flowlet.secrets.add({
        "bearer": lambda: Password(name="api", password=value, base_url=url),
        "basic": lambda: Basic(name="api", username="ann", password=value, base_url=url),
        "header": lambda: ApiKey(name="api", key=value, base_url=url, parameter="X-Key"),
        "query": lambda: ApiKey(name="api", key=value, base_url=url, parameter="k", location="query"),
    }[kind]())  # fmt: skip
    trial = try_secret(default_vault(), "api")
    main(["test", "api"])
    shown = f"{trial!r}{trial}{capsys.readouterr().out}"
    for part in (CANARY, CANARY[:8], base64.b64encode(CANARY.encode()).decode()[:12], "canary%2Fvalue"):
        assert part not in shown


def test_of_a_long_body_only_the_beginning_is_read(server):
    trial = tried(server, Answer(b"[" + b"1," * 5_000_000 + b"1]"), "/v1/numbers")
    assert trial.outcome == "works"


def test_a_packed_body_is_not_unpacked_without_end(server):
    bomb = gzip.compress(b'{"email": "ann@example.org", "x": "' + b"a" * 50_000_000 + b'"}')
    trial = tried(server, Answer(bomb, 200, {"Content-Encoding": "gzip"}))
    assert (trial.outcome, trial.identity) == ("works", "")


def test_the_apis_words_are_bounded_and_steer_no_terminal(server):
    error_text = "a\x1b[2J\u202e" + "very " * 500
    trial = tried(server, Answer(json.dumps({"message": error_text}).encode(), 401))
    assert len(trial.error_text) < 310
    assert str(trial).isprintable()


def test_the_command_says_it_and_fails_where_it_does_not_work(server, capsys):
    tried(server, Answer(b'{"login": "ann"}'), "/user")
    assert main(["test", "api"]) == 0
    assert capsys.readouterr().out.startswith("Connected as ann. 200 from ")
    server.answer = Answer(b'{"message": "Bad credentials"}', 401)
    assert main(["test", "api"]) == 1
    assert "Bad credentials" in capsys.readouterr().out


def test_the_catalogues_entry_says_what_to_ask_and_where_the_user_stands(tmp_path, monkeypatch):
    folder = tmp_path / "flowlet" / "providers"
    folder.mkdir(parents=True)
    (folder / "house.toml").write_text(
        'title = "House"\nsource = "https://house.example/"\ntype = "password"\nbase_url = "https://{site}.house.example/v1"\n'
        'allowed_hosts = ["{site}.house.example"]\ntest = "https://{site}.house.example/v1/keys/1"\n'
        '[identity]\nname = "key.owner"\n[[parameters]]\nname = "site"\nlabel = "Site"\n'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    shown = {"type": "password", "allowed_hosts": ["oslo.house.example"], "base_url": "https://oslo.house.example/v1"}
    asked = harmless_request(shown)
    assert (asked.url, asked.identity_name) == ("https://oslo.house.example/v1/keys/1", "key.owner")
    assert harmless_request({**shown, "allowed_hosts": ["oslo.other.example"]}) == HarmlessRequest()
    assert harmless_request({**shown, "type": "basic"}) == HarmlessRequest()


def test_an_entry_of_a_key_names_no_request_for_the_identity():
    entry = {"title": "x", "source": "https://x.example/", "type": "password", "allowed_hosts": ["x.example"]}
    with pytest.raises(InvalidSecret, match="the request is 'test'"):
        parse_provider("x", {**entry, "identity": {"url": "https://x.example/me"}}, "x.toml")
