"""How a grant ends, in the spellings that providers have; and what heals itself. The provider is a small real server."""

from __future__ import annotations

import gzip
import logging
import subprocess
import sys
import threading
import time

import pytest
from servers.oauth_provider import FRESH, provider, stored

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import ProviderError, TokenEndpointError
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth import endpoint
from flowlet_jupyter.oauth.authorization_code import new_flow, request_parameters, with_previous_refresh_token
from flowlet_jupyter.oauth.revocation import revoke
from flowlet_jupyter.oauth.token_endpoint import exchange_code, refresh
from flowlet_jupyter.oauth.token_response import error_from_response
from flowlet_jupyter.vault import default_vault

SECRET = OAuth2(name="api", allowed_hosts=("api.example",), client_id="id", token_endpoint="https://api.example/token",
                grant_type="client_credentials", client_secret=SecretValue("s"))  # fmt: skip


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (400, {"error": "invalid_request", "error_description": "gone for good"}),
        (200, {"error": "bad_refresh_token", "error_description": "gone for good"}),
        (200, {"ok": False, "error": "token_revoked", "message": "gone for good"}),
        (200, {"ok": False, "message": "gone for good"}),
        (401, {"status": "BAD_REFRESH_TOKEN", "message": "gone for good"}),
        (400, {"errors": [{"errorType": "invalid_grant", "message": "gone for good"}]}),
        (400, {"error": {"type": "OAuthException", "code": 190, "message": "gone for good"}}),
        (403, b"error=invalid_grant&error_description=gone+for+good"),
        (200, {"error": "invalid_code", "error_description": "gone for good"}),
        (400, {"error": "invalid_grant: Token is gone for good", "error_description": "Token is gone for good"}),
        (
            400,
            {
                "message": "gone for good",
                "errors": [{"resource": "RefreshToken", "field": "refresh_token", "code": "invalid"}],
            },
        ),
    ],
)
def test_a_grant_that_is_over_asks_for_a_person_once_in_the_providers_words(status, content):
    with provider(lambda *_: (status, {}, content)) as (url, paths):
        stored(url)
        for _ in range(2):
            with pytest.raises(flowlet.AuthRequired, match="gone for good"):
                flowlet.get("/me", secret="api")
        assert set(paths) == {"/token"}
        asked = len(paths)
        with pytest.raises(flowlet.AuthRequired):
            flowlet.get("/me", secret="api")
        assert len(paths) == asked
    assert flowlet.secrets["api"].status().state == "needs_authorization"


@pytest.mark.slow  # waits as long as it is asked to
@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_provider_that_fails_for_a_moment_ends_no_request(status):
    times: list[float] = []

    def answer(handler, _):
        if handler.path != "/token":
            return 200, {}, {}
        times.append(time.monotonic())
        return (200, {}, FRESH) if len(times) == 2 else (status, {"Retry-After": "1"}, b"busy")

    with provider(answer) as (url, _):
        stored(url)
        assert flowlet.get("/me", secret="api").status_code == 200
    assert times[1] - times[0] >= 0.9  # as Retry-After says


STRAVA = {"message": "Bad Request", "errors": [{"resource": "Application", "field": "client_id", "code": "invalid"}]}


@pytest.mark.parametrize(
    ("error", "members"),
    [
        (
            "Access Denied",
            {"error_description": "You have made too many requests continuously. Try again after some time."},
        ),
        ("access_denied", {"error_description": "Rate limit exceeded: access_token not expired"}),
        (
            "OAuthException",
            {"error": {"type": "OAuthException", "code": 4, "message": "(#4) Application request limit reached"}},
        ),
        ("OAuthException", {"error": {"type": "OAuthException", "code": 2, "is_transient": True, "message": "Sorry"}}),
    ],
    ids=["zoho", "exact online", "meta limit", "meta transient"],
)
def test_to_be_asked_too_often_keeps_the_grant(error, members):
    found = error_from_response(SECRET, {"error": error, **members}, "It", status=400)
    assert (found.error, found.is_temporary, found.is_grant_over) == (error, True, False)


# how a grant is refused by providers of whom two programs or more say it: whether it passes by itself, and whether it is over
@pytest.mark.parametrize(
    ("status", "error", "description", "outcome", "hint"),
    [
        (400, "invalid_grant", "expired access/refresh token", "over", "Request the access token again"),
        (400, "invalid_grant", "token request is already being processed", "passes", "Try again later"),
        (400, "unknown_error", "retry your request", "passes", "Try again later"),
        (
            400,
            "invalid_grant",
            "ip restricted or invalid login hours",
            "kept",
            "other networks or at other hours",
        ),
        (400, "inactive_user", "user is inactive", "over", "documentation"),
        (400, "invalid_grant", "Incorrect or invalid refresh token", "over", "Request the access token again"),
        (400, "invalid_grant", "Incorrect Token type or clientID", "kept", "check client ID"),
        (400, "invalid_grant", "", "over", "Request the access token again"),
        (400, "unauthorized_client", "", "kept", "not allowed this grant"),
        (
            400,
            "invalid_request",
            "The provided authorization grant or refresh token is invalid, expired or revoked",
            "over",
            "was used, revoked or has expired",
        ),
        (
            401,
            "invalid_request",
            "This request requires an active refresh_token",
            "over",
            "was used, revoked or has expired",
        ),
        (400, "invalid_request", "The redirect_uri is not whitelisted", "over", "redirect URI"),
        (400, "shop_not_permitted", "Client credentials cannot be performed on this shop", "kept", ""),
    ],
    ids=[
        "salesforce",
        "salesforce at the same time",
        "salesforce unknown",
        "salesforce from elsewhere",
        "salesforce user",
        "quickbooks",
        "quickbooks of another client",
        "xero",
        "xero client",
        "linkedin",
        "shopify",
        "shopify redirect",
        "shopify organization",
    ],
)
def test_what_a_refusal_means_is_read_from_code_and_description(status, error, description, outcome, hint):
    members = {"error": error, "error_description": description}
    found = error_from_response(SECRET, members, "It", status=status)
    assert (found.is_temporary, found.is_grant_over) == (outcome == "passes", outcome == "over")
    assert hint in str(found)


def test_a_refresh_that_is_under_way_elsewhere_keeps_the_grant():
    refusals = iter(
        [(400, {"error": "invalid_grant", "error_description": "token request is already being processed"})]
    )

    def answer(handler, _):
        if handler.path != "/token":
            return 200, {}, {}
        status, content = next(refusals, (200, FRESH))
        return status, {}, content

    with provider(answer) as (url, paths):
        stored(url)
        assert flowlet.get("/me", secret="api").status_code == 200
    assert paths.count("/token") == 2
    assert default_vault().get("api").token_set.access_token.reveal() == "fresh"


@pytest.mark.parametrize(
    ("page", "error", "said"),
    [
        (
            b"<html><title>400 - Oauth error app_not_installed</title>Oauth error app_not_installed: It isn&#39;t there</html>",
            "app_not_installed",
            "It isn't there. The app is not installed at the provider",
        ),
        (b"<html><title>400 - Oauth error invalid_request</title>", "invalid_request", "answered invalid_request"),
        (
            b"<html>Oauth error application_cannot_be_found: no such app</html>",
            "application_cannot_be_found",
            "Check client ID",
        ),
        (b"<html>Bad gateway: no Oauth here</html>", "HTTP 400", "not with a token"),
    ],
)
def test_an_error_that_only_a_page_says_is_read(page, error, said):
    with (
        provider(lambda *_: (400, {"Content-Type": "text/html"}, page)) as (url, _),
        pytest.raises(TokenEndpointError) as caught,
    ):
        refresh(stored(url), token_set=default_vault().get("api").token_set)
    assert caught.value.error == error
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("members", "code", "hint"),
    [
        ({"status": "BAD_CLIENT_ID", "message": "missing or unknown client id"}, "BAD_CLIENT_ID", "Check client ID"),
        (STRAVA, "invalid_client", "Check client ID"),
        ({"ok": False, "error": "bad_client_secret"}, "bad_client_secret", "Check client ID"),
        ({"error": "invalid_code"}, "invalid_code", "was used, revoked or has expired"),
        ({"error": "invalid_grant: Token is expired"}, "invalid_grant", "was used, revoked or has expired"),
        (
            {"error": "invalid_grant", "error_description": "rate limit"},
            "invalid_grant",
            "was used, revoked or has expired",
        ),
    ],
)
def test_what_to_do_is_said_of_every_spelling(members, code, hint):
    found = error_from_response(SECRET, members, "It", status=400)
    assert found.error == code
    assert hint in str(found)
    assert found.is_grant_over == ("Check client ID" not in hint)


@pytest.mark.parametrize("content", [{"error": "invalid_client"}, {"error": "unauthorized_client"}, STRAVA])
def test_a_wrong_client_keeps_the_grant(content):
    with provider(lambda *_: (400, {}, content)) as (url, _):
        stored(url)
        with pytest.raises(TokenEndpointError, match=content.get("error", "invalid_client")):
            flowlet.get("/me", secret="api")
    assert default_vault().get("api").token_set.refresh_token.reveal() == "r1"


@pytest.mark.parametrize(
    "content",
    [
        {"data": FRESH},
        {"authed_user": FRESH},
        {"accessToken": "fresh", "refreshToken": "r2", "expiresIn": 3600},
        b"access_token=fresh&refresh_token=r2&expires=3600",
    ],
)
def test_a_token_in_other_shapes_is_read_whatever_its_media_type(content):
    with provider(lambda *_: (200, {"Content-Type": "text/html"}, content)) as (url, _):
        fresh = refresh(stored(url), token_set=default_vault().get("api").token_set)
    assert (fresh.access_token.reveal(), fresh.refresh_token.reveal()) == ("fresh", "r2")
    assert fresh.expires_at == fresh.obtained_at + 3600


def test_an_unreadable_response_says_which_members_came():
    with (
        provider(lambda *_: (200, {}, {"colour": "red", "shape": 1})) as (url, _),
        pytest.raises(TokenEndpointError, match="colour, shape"),
    ):
        refresh(stored(url), token_set=default_vault().get("api").token_set)


@pytest.mark.parametrize(
    ("moment", "at"),
    [("2100-01-01T00:00:00", 4102444800), ("Fri, 01 Jan 2100 00:00:00 GMT", 4102444800), (4102444800000, 4102444800)],
)
def test_ends_are_read_as_dates_without_zone_http_dates_and_milliseconds(moment, at):
    with provider(lambda *_: (200, {}, {"access_token": "t", "expires_at": moment})) as (url, _):
        assert refresh(stored(url), token_set=default_vault().get("api").token_set).expires_at == at


@pytest.mark.parametrize("taken", ["post", "client_id"])
def test_a_client_authentication_that_is_not_taken_heals_itself_and_is_remembered(taken):
    def answer(handler, members):
        right = (
            "client_secret" in members
            if taken == "post"
            else ("client_id" in members and "Authorization" in handler.headers)
        )
        return (200, {}, FRESH) if right else (401, {}, {"error": "invalid_client"})

    with provider(answer) as (url, paths):
        secret = stored(url)
        first = refresh(secret, token_set=default_vault().get("api").token_set)
        tried = len(paths)
        refresh(secret, token_set=first)
        assert (tried > 1, len(paths)) == (True, tried + 1)


def test_a_client_authentication_that_a_person_chose_is_the_only_one():
    with provider(lambda *_: (401, {}, {"error": "invalid_client"})) as (url, paths):
        with pytest.raises(TokenEndpointError):
            refresh(
                stored(url, token_endpoint_auth_method="client_secret_post"),
                token_set=default_vault().get("api").token_set,
            )
        assert len(paths) == 1


@pytest.mark.parametrize("status", [400, 403])
def test_a_token_that_the_api_calls_invalid_is_refreshed(status):
    def answer(handler, _):
        if handler.path == "/token":
            return 200, {}, FRESH
        good = handler.headers.get("Authorization") == "Bearer fresh"
        return (200, {}, {}) if good else (status, {"WWW-Authenticate": 'Bearer error="invalid_token"'}, {})

    with provider(answer) as (url, _):
        stored(url, expires_at=None)
        assert flowlet.get("/me", secret="api").status_code == 200


def test_a_file_is_sent_again_and_a_generator_says_that_the_token_is_fresh(tmp_path):
    got: list[bool] = []

    def answer(handler, _):
        if handler.path == "/token":
            return 200, {}, FRESH
        good = handler.headers.get("Authorization") == "Bearer fresh"
        got.append(good)
        return 200 if good else 401, {}, {"length": handler.headers.get("Content-Length")}

    path = tmp_path / "upload.bin"
    path.write_bytes(b"12345")
    with provider(answer) as (url, _):
        stored(url, expires_at=None)
        with path.open("rb") as file:
            assert flowlet.put("/up", secret="api", content=file).status_code == 200
        stored(url, expires_at=None)
        with pytest.raises(flowlet.FlowletError, match=r"fresh now.*repeat the call"):
            flowlet.put("/up", secret="api", content=iter([b"abc"]))
        assert flowlet.put("/up", secret="api", content=iter([b"abc"])).status_code == 200


def test_a_refresh_token_of_another_person_is_not_kept():
    old = TokenSet(access_token=SecretValue("a"), refresh_token=SecretValue("r"), subject="1", identity="ann")
    new = TokenSet(access_token=SecretValue("b"), subject="1")
    assert with_previous_refresh_token(new, old).refresh_token == old.refresh_token
    assert with_previous_refresh_token(TokenSet(access_token=SecretValue("b"), subject="2"), old).refresh_token is None
    assert with_previous_refresh_token(TokenSet(access_token=SecretValue("b")), old).previous_identity == "ann"


def test_a_gzip_bomb_is_not_unpacked():
    bomb = gzip.compress(b" " * 50_000_000)
    with (
        provider(lambda *_: (200, {"Content-Encoding": "gzip"}, bomb)) as (url, _),
        pytest.raises(ProviderError, match="could not be reached"),
    ):
        endpoint.send("GET", url, failed="it")


def test_headers_that_drip_and_endless_interim_responses_are_given_up(monkeypatch):
    monkeypatch.setattr(endpoint, "DEADLINE_SECONDS", 0.5)

    def drip(handler, _):
        try:
            while True:
                handler.wfile.write(b"HTTP/1.1 102 Processing\r\n\r\n")
                handler.wfile.flush()
                time.sleep(0.02)
        except OSError:
            return 200, {}, {}

    with provider(drip) as (url, _):
        before = threading.active_count()
        with pytest.raises(ProviderError, match="did not answer in time"):
            endpoint.send("GET", url, failed="it")
        end = time.monotonic() + 10
        while threading.active_count() > before and time.monotonic() < end:  # nothing is left reading
            time.sleep(0.02)
        assert threading.active_count() <= before


def test_a_refresh_by_get_puts_no_value_into_any_log(caplog):
    with provider(lambda *_: (200, {}, FRESH)) as (url, paths), caplog.at_level(1):
        for name in list(logging.Logger.manager.loggerDict):
            caplog.set_level(1, logger=name)
        secret = stored(url, token_endpoint_auth_method="client_secret_post", compliance={"refresh_method": "GET"})
        old = TokenSet(access_token=SecretValue("t"), refresh_token=SecretValue("canary-refresh-token"))
        refresh(secret, token_set=old)
        assert paths == ["/token"]
    assert any(record.name.startswith("http") for record in caplog.records)  # the log was on
    assert "canary" not in caplog.text


def test_an_id_token_that_cannot_be_checked_costs_only_the_identity():
    with provider(lambda *_: (200, {}, {**FRESH, "id_token": "e30.e30."})) as (url, _):
        secret = stored(url, scope="openid")
        token_set = exchange_code(
            secret, code=SecretValue("c"), code_verifier=SecretValue("v"), redirect_uri="http://localhost/"
        )
    default_vault().put(Record(secret=secret, token_set=token_set))
    assert "identity not proven" in flowlet.secrets["api"].status().summary()
    flow = new_flow("api", redirect_uri="http://localhost/", now=0.0)
    assert "nonce" in dict(request_parameters(secret, flow))  # whenever openid is asked for


def test_revoking_what_ended_already_is_a_success():
    responses = iter([(200, {}, {}), (400, {}, {"error": "invalid_request"})])
    with provider(lambda *_: next(responses)) as (url, paths):
        revoke(stored(url, revocation_endpoint=f"{url}/revoke"), default_vault().get("api").token_set)
        assert paths == ["/revoke", "/revoke"]


def test_a_refresh_without_a_refresh_token_says_what_is_so():
    secret = stored("http://127.0.0.1:9")
    default_vault().put(Record(secret=secret, token_set=TokenSet(access_token=SecretValue("lives"))))
    with pytest.raises(flowlet.AuthRequired, match="no refresh token") as caught:
        flowlet.secrets["api"].refresh()
    assert "expired" not in str(caught.value)


@pytest.mark.slow  # a process of its own
def test_a_process_that_ends_does_not_wait_for_a_provider_that_hangs():
    release = threading.Event()

    def hang(*_):
        release.wait(60)
        return 200, {}, {}

    program = (
        "import sys, time\nfrom flowlet_jupyter.session.shielded import start_shielded\n"
        "from flowlet_jupyter.oauth.endpoint import send\n"
        "start_shielded(lambda: send('GET', sys.argv[1], failed='it'), name='test'); time.sleep(0.5)\n"
    )
    with provider(hang) as (url, paths):
        ended = subprocess.run([sys.executable, "-c", program, url], timeout=20, check=False)  # its own limit is 40 s
        release.set()
        assert (ended.returncode, len(paths)) == (0, 1)
