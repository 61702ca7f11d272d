"""An API that no longer takes the access token, in whatever way it says so: a refresh, and the request once more."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json

import httpx
import pytest
from servers.oauth_provider import FRESH, provider, stored

import flowlet_jupyter as flowlet
from flowlet_jupyter.credentials import fresh_refusals
from flowlet_jupyter.credentials.token_refusal import MAX_BODY_BYTES, is_refused_in_body
from flowlet_jupyter.errors import AuthRequired
from flowlet_jupyter.http.auth import auth
from flowlet_jupyter.http.client import async_client
from flowlet_jupyter.model.compliance import Compliance
from flowlet_jupyter.providers import fields_for, load_providers

OWN_WAY = {"expired_token_member": "error.code", "expired_token_values": ["190"]}
SENT_BY = ("flowlet", "async", "auth", "async auth")


def send(by: str, url: str) -> httpx.Response:
    """The response to a GET with the secret `api`, sent by one of the ways that there are."""
    if by == "flowlet":
        return flowlet.get("/me", secret="api")
    if by == "auth":
        with httpx.Client(auth=auth("api")) as client:
            return client.get(f"{url}/me")

    async def ask() -> httpx.Response:
        client = async_client("api") if by == "async" else httpx.AsyncClient(auth=auth("api"))
        async with client:
            return await client.get(f"{url}/me")

    return asyncio.run(ask())


def api(status: int, content: object, *, headers: dict[str, str] | None = None):
    """An API that says `content` to the old token, and whose token endpoint gives a fresh one."""

    def answer(handler, _):
        if handler.path == "/token":
            return 200, {}, FRESH
        if handler.headers.get("Authorization") == "Bearer fresh":
            return 200, {"Content-Type": "application/json"}, {"ok": True}
        return status, {"Content-Type": "application/json", **(headers or {})}, content

    return provider(answer)


@pytest.mark.parametrize("by", SENT_BY)
@pytest.mark.parametrize("status", [200, 400, 403])
def test_what_the_catalogue_names_is_refreshed_in_any_client(by, status):
    with api(status, {"error": {"code": 190, "message": "has ended"}}) as (url, paths):
        stored(url, expires_at=None, compliance=OWN_WAY)
        assert send(by, url).json() == {"ok": True}
        assert paths == ["/me", "/token", "/me"]


@pytest.mark.parametrize(
    "content",
    [
        {"error": "invalid_token", "error_description": "has ended"},
        {"error": {"code": "invalid_token"}},
        {"errors": [{"errorType": "expired_token"}]},
        {"code": "TOKEN_EXPIRED"},
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403])
def test_invalid_token_in_a_body_only_is_refreshed(status, content):
    with api(status, content) as (url, paths):
        stored(url, expires_at=None)
        assert flowlet.get("/me", secret="api").status_code == 200
        assert paths == ["/me", "/token", "/me"]


@pytest.mark.parametrize(
    ("status", "headers", "content"),
    [
        (200, {}, {"error": {"code": 191}}),
        (200, {}, {"error": "invalid_token"}),
        (404, {}, {"error": {"code": 190}}),
        (403, {"Content-Type": "text/html"}, {"error": "invalid_token"}),
        (403, {}, {"error": "insufficient_scope"}),
        (403, {}, {"error": "invalid_token", "more": "x" * MAX_BODY_BYTES}),
        (403, {"Content-Encoding": "gzip"}, gzip.compress(b'{"error": "invalid_token", "more": "' + b" " * 9_000_000)),
        (403, {}, b"[1"),
    ],
    ids=["code", "status 200", "status 404", "media type", "scope", "long", "bomb", "no JSON"],
)
def test_another_response_is_given_back_as_it_came(status, headers, content):
    with api(status, content, headers=headers) as (url, paths):
        stored(url, expires_at=None, compliance=OWN_WAY)
        response = flowlet.client("api").send(flowlet.client("api").build_request("GET", "/me"), stream=True)
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        assert b"".join(response.iter_raw()) == sent
        assert paths == ["/me"]


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_token_that_stays_refused_is_tried_once_more_only(encoding):
    content = json.dumps({"error": {"code": 190}}).encode()
    packed = gzip.compress(content) if encoding == "gzip" else content

    def answer(handler, _):
        if handler.path == "/token":
            return 200, {}, FRESH
        return 400, {"Content-Type": "text/javascript; charset=UTF-8", "Content-Encoding": encoding}, packed

    with provider(answer) as (url, paths):
        stored(url, expires_at=None, compliance=OWN_WAY)
        response = flowlet.get("/me", secret="api")
        assert (response.status_code, response.json()) == (400, {"error": {"code": 190}})
        assert paths == ["/me", "/token", "/me"]


def refusing_api(status: int = 401):
    """An API that refuses every token, and whose token endpoint gives another one each time."""
    count = itertools.count()

    def answer(handler, _):
        if handler.path == "/token":
            return 200, {}, {**FRESH, "access_token": f"fresh-{next(count)}"}
        return status, {"Content-Type": "application/json"}, {"error": "invalid_token"}

    return provider(answer)


@pytest.mark.parametrize("by", SENT_BY)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_that_a_refresh_does_not_heal_is_no_reason_for_the_next_refresh(by, status):
    with refusing_api(status) as (url, paths):
        stored(url, expires_at=None)
        assert [send(by, url).status_code for _ in range(4)] == [status] * 4
        assert paths.count("/token") == 1


def refusing_at_first(origins: set[str]):
    """An API of several ports: each in `origins` refuses what it gets, the others take `fresh-1` only."""
    count = itertools.count()

    def answer(handler, _):
        if handler.path == "/token":
            return 200, {}, {**FRESH, "access_token": f"fresh-{next(count)}"}
        is_taken = handler.headers["Host"] not in origins and handler.headers.get("Authorization") == "Bearer fresh-1"
        return (200 if is_taken else 401), {"Content-Type": "application/json"}, {}

    return provider(answer)


@pytest.mark.parametrize("by", ["flowlet", "async"])
def test_a_refusal_of_one_host_does_not_keep_another_from_the_refresh_that_it_needs(by):
    refusing: set[str] = set()
    with refusing_at_first(refusing) as (url, paths):
        elsewhere = url.replace("127.0.0.1", "localhost")
        refusing.add(url.removeprefix("http://"))
        stored(url, expires_at=None, allowed_hosts=[each.removeprefix("http://") for each in (url, elsewhere)])

        def ask(address: str) -> int:
            if by == "flowlet":
                return flowlet.get(f"{address}/me", secret="api").status_code
            return asyncio.run(flowlet.aget(f"{address}/me", secret="api")).status_code

        assert [ask(url), ask(elsewhere)] == [401, 200]
        assert paths.count("/token") == 2
        assert [ask(url), ask(elsewhere), ask(url)] == [401, 200, 401]  # refused still, and no reason to refresh again
        assert paths.count("/token") == 2


def test_two_hosts_that_refuse_in_turn_refresh_once_each():
    refusing: set[str] = set()
    with refusing_at_first(refusing) as (url, paths):
        elsewhere = url.replace("127.0.0.1", "localhost")
        refusing |= {each.removeprefix("http://") for each in (url, elsewhere)}
        stored(url, expires_at=None, allowed_hosts=[each.removeprefix("http://") for each in (url, elsewhere)])
        for _ in range(3):
            assert [flowlet.get(f"{each}/me", secret="api").status_code for each in (url, elsewhere)] == [401, 401]
        assert paths.count("/token") == 2


def test_a_grant_that_ended_after_a_fresh_refusal_asks_for_authorization():
    ended = []

    def answer(handler, _):
        if handler.path == "/token":
            return (400, {}, {"error": "invalid_grant"}) if ended else (200, {}, FRESH)
        return 401, {}, {}

    with provider(answer) as (url, _):
        elsewhere = url.replace("127.0.0.1", "localhost")
        stored(url, expires_at=None, allowed_hosts=[each.removeprefix("http://") for each in (url, elsewhere)])
        assert flowlet.get(f"{url}/me", secret="api").status_code == 401
        ended.append(True)
        with pytest.raises(AuthRequired):
            flowlet.get(f"{elsewhere}/me", secret="api")


def test_many_refused_requests_at_once_refresh_once():
    with refusing_api() as (url, paths):
        stored(url, expires_at=None)
        gathered = flowlet.gather([f"/items/{number}" for number in range(40)], secret="api", concurrency=8)
        assert {response.status_code for response in gathered} == {401}
        assert paths.count("/token") < 4  # those that were under way when the first found out


def test_what_refuses_a_fresh_token_is_asked_with_another_after_a_while_or_after_connecting(monkeypatch):
    with refusing_api() as (url, paths):
        stored(url, expires_at=None)
        flowlet.get("/me", secret="api")
        stored(url, expires_at=None)  # connected anew: another token, of which nothing is known
        flowlet.get("/me", secret="api")
        assert paths.count("/token") == 2
        monkeypatch.setattr(fresh_refusals, "REMEMBERED_SECONDS", 0.0)
        flowlet.get("/me", secret="api")
        assert paths.count("/token") == 3


@pytest.mark.parametrize(
    ("key", "status", "content"),
    [
        ("slack", 200, {"ok": False, "error": "token_expired"}),
        ("slack", 200, {"ok": False, "error": "invalid_auth"}),
        ("facebook", 400, {"error": {"type": "OAuthException", "code": 190, "error_subcode": 463}}),
        ("instagram", 400, {"error": {"type": "OAuthException", "code": 190}}),
        ("withings", 200, {"status": 401, "body": {}, "error": "XRequestID: Not provided invalid_token"}),
        ("figma", 403, {"status": 403, "err": "Token expired"}),
    ],
)
def test_the_catalogue_knows_how_an_api_says_that_a_token_has_ended(key, status, content):
    switches = fields_for(load_providers()[key], {})["compliance"]
    known = {name: value for name, value in switches.items() if name.startswith("expired_token_")}
    with api(status, content) as (url, paths):
        stored(url, expires_at=None, compliance=known)
        assert flowlet.get("/me", secret="api").status_code == 200
        assert paths == ["/me", "/token", "/me"]


@pytest.mark.parametrize(
    "body",
    [
        {"error": "invalid_token"},
        {"error": {"code": "TOKEN_EXPIRED"}},
        {"error": {"code": "access_token_invalid", "message": "m"}},  # TikTok
        {"error": {".tag": "expired_access_token", "type": "expired_access_token"}},  # Dropbox
        {"errors": [{"code": "ExpiredAuthenticationToken"}]},  # Azure
        {"errorType": "expired_token"},
    ],
)
def test_the_usual_codes_of_an_ended_token_are_known(body):
    content = json.dumps(body).encode()
    assert is_refused_in_body(400, content, Compliance())
    assert not is_refused_in_body(200, content, Compliance())


@pytest.mark.parametrize(
    "body", [{"error": "invalid_request"}, {"code": "token"}, {"error": {"code": 190}}, ["invalid_token"]]
)
def test_other_errors_are_none_of_the_token(body):
    assert not is_refused_in_body(400, json.dumps(body).encode(), Compliance())
