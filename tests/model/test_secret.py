from __future__ import annotations

import copy
import json
import pickle

import pytest

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.fields import checked_name
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record, configuration
from flowlet_jupyter.model.static import Basic, Headers, Password
from flowlet_jupyter.model.status import status_of
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue

CANARY = "canary-value-5e1f"


def oauth2(**fields) -> OAuth2:
    return OAuth2(
        **{
            "name": "twitter",
            "authorization_endpoint": "https://x.com/i/oauth2/authorize",
            "token_endpoint": "https://api.twitter.com/2/oauth2/token",
            "client_id": "abc",
            "client_secret": CANARY,
            **fields,
        }
    )


def test_a_value_shows_itself_to_nobody():
    value = SecretValue(CANARY)
    shown = [
        repr(value),
        str(value),
        f"{value}",
        f"{value:>40}",
        "%s %r" % (value, value),
        repr([value]),
        str(vars(oauth2())),
    ]
    assert not any(CANARY in text for text in shown)
    assert value.reveal() == CANARY
    assert copy.deepcopy(value).reveal() == CANARY


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_value_is_not_pickled(protocol):
    for thing in (SecretValue(CANARY), oauth2(), TokenSet(access_token=SecretValue(CANARY))):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(thing, protocol)


def test_a_value_is_not_json_and_has_no_hash():
    with pytest.raises(TypeError):
        json.dumps(SecretValue(CANARY))
    with pytest.raises(TypeError):
        hash(SecretValue(CANARY))
    assert SecretValue("a") == SecretValue("a")
    assert SecretValue("a") != SecretValue("b")
    assert SecretValue("a") != "a"


def test_oauth2_defaults_to_the_token_endpoints_host_and_basic():
    secret = oauth2()
    assert secret.allowed_hosts == ("api.twitter.com",)
    assert secret.token_endpoint_auth_method == "client_secret_basic"
    assert oauth2(client_secret=None).token_endpoint_auth_method == "none"
    assert oauth2(base_url="https://api.x.com/2").allowed_hosts == ("api.twitter.com", "api.x.com")


def test_other_secrets_default_to_the_base_urls_host_or_need_one():
    assert Password(name="a", password="x", base_url="https://api.example.org/v1").allowed_hosts == ("api.example.org",)
    with pytest.raises(InvalidSecret) as caught:
        Basic(name="a", username="u", password="x")
    assert caught.value.field == "allowed_hosts"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("authorization_endpoint", "javascript:alert(1)"),
        ("authorization_endpoint", "file:///etc/passwd"),
        ("authorization_endpoint", "https://x.com/a#b"),
        ("authorization_endpoint", "https://user:pw@x.com/"),
        ("authorization_endpoint", "http://x.com/"),
        ("authorization_endpoint", ""),
        ("token_endpoint", "http://169.254.169.254/latest"),
        ("token_endpoint", "https://x.com\\@evil/"),
        ("token_endpoint", "https://x.com/a b"),
        ("token_endpoint", "https://x.com:port/"),
        ("client_id", " "),
        ("token_endpoint_auth_method", "magic"),
        ("name", "../x"),
        ("allowed_hosts", ("https://api.twitter.com",)),
    ],
)
def test_a_wrong_field_is_named(field, value):
    with pytest.raises(InvalidSecret) as caught:
        oauth2(**{field: value})
    assert caught.value.field == field
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X Y": "v"},
        {"Host": "evil"},
        {"Content-Length": "1"},
        {"X-Key": "a\r\nX-Evil: 1"},
        {"X-Key": "ä"},
        {"X-Key": ""},
    ],
)
def test_headers_that_cannot_be_sent_are_refused(headers):
    with pytest.raises(InvalidSecret) as caught:
        Headers(name="a", headers=headers, allowed_hosts=("a.example",))
    assert caught.value.field == "headers"


@pytest.mark.parametrize("name", ["twitter", "twitter/work", "Über 9", "a" * 70, "日本", "con", "a%2fb", "a.b"])
def test_a_name_may_be(name):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " a",
        "a ",
        ".",
        "..",
        ".a",
        "../x",
        "/x",
        "\\x",
        "a\0b",
        "a\nb",
        "a\u202eb",
        "a\u200bb",
        "x" * 101,
        "日" * 24,
        "\ud800",
    ],
)
def test_a_name_may_not_be(name):
    with pytest.raises(InvalidSecret):
        checked_name(name)


def test_configuration_has_no_value():
    for secret in (
        oauth2(),
        Password(name="a", password=CANARY, allowed_hosts=("a.example",)),
        Basic(name="a", username="u", password=CANARY, allowed_hosts=("a.example",)),
        Headers(name="a", headers={"X-Key": CANARY}, allowed_hosts=("a.example",)),
    ):
        assert CANARY not in json.dumps(configuration(secret))


@pytest.mark.parametrize(
    ("lifetime", "age", "expected"),
    [(7200, 7100, False), (7200, 7171, True), (5, 4, False), (5, 4.6, True), (None, 1e9, False)],
)
def test_a_token_is_renewed_a_little_before_its_end(lifetime, age, expected):
    expires_at = None if lifetime is None else 1000.0 + lifetime
    token = TokenSet(access_token=SecretValue("t"), obtained_at=1000.0, expires_at=expires_at)
    assert token.needs_refresh(now=1000.0 + age) is expected


@pytest.mark.parametrize(
    ("seconds", "span"),
    [(119, "119 s"), (3599, "59 min"), (3600, "1 h 00 min"), (172_799, "47 h 59 min"), (172_800, "2 days")],
)
def test_the_time_that_is_left_is_said_in_the_largest_unit_that_helps(seconds, span):
    token = TokenSet(access_token=SecretValue(CANARY), obtained_at=0.0, expires_at=float(seconds))
    assert f"expires in {span}," in status_of(Record(secret=oauth2(), token_set=token), now=0).summary(now=0)


def test_status_says_what_a_person_needs_to_know():
    token = TokenSet(access_token=SecretValue(CANARY), scope="a b", obtained_at=0.0, expires_at=7200.0)
    assert status_of(Record(secret=oauth2()), now=0).summary() == "no access token yet"
    assert status_of(Record(secret=oauth2(), token_set=token), now=0).summary(now=0) == (
        "access token obtained, expires in 2 h 00 min, no refresh token"
    )
    assert status_of(Record(secret=oauth2(), token_set=token), now=7200).state == "needs_authorization"
    assert "invalid_grant" in status_of(Record(secret=oauth2(), grant_error="invalid_grant"), now=0).summary()
