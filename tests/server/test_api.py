from __future__ import annotations

import httpx
import pytest

from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-5e1f"
TWITTER = {
    "type": "oauth2",
    "authorization_endpoint": "https://x.com/i/oauth2/authorize",
    "token_endpoint": "https://api.twitter.com/2/oauth2/token",
    "client_id": "abc",
    "client_secret": CANARY,
    "scope": "users.read offline.access",
}


async def test_a_secret_is_created_listed_changed_and_deleted(server):
    assert (await server.call("GET", "api/secrets")).json() == []
    created = await server.call("PUT", "api/secrets/twitter", json=TWITTER)
    assert created.status_code == 201
    shown = (await server.call("GET", "api/secrets/twitter")).json()
    assert shown["status"].pop("identity") is None
    assert {key: value for key, value in shown.items() if value not in (None, [], {}, False, "", "GET")} == {
        "type": "oauth2",
        "name": "twitter",
        "authorization_endpoint": TWITTER["authorization_endpoint"],
        "token_endpoint": TWITTER["token_endpoint"],
        "client_id": "abc",
        "has_client_secret": True,
        "scope": "users.read offline.access",
        "token_endpoint_auth_method": "client_secret_basic",
        "allowed_hosts": ["api.twitter.com"],
        "grant_type": "authorization_code",
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "status": {
            "state": "no_token", "access_token": False, "refresh_token": False, "scope": "",
            "obtained_at": None, "connected_at": None, "expires_at": None, "problem": None, "identity_problem": None,
        },
    }  # fmt: skip
    assert [secret["name"] for secret in (await server.call("GET", "api/secrets")).json()] == ["twitter"]
    changed = await server.call("PUT", "api/secrets/twitter", json={**shown, "scope": "users.read"})
    assert changed.status_code == 200
    assert default_vault().get("twitter").secret.client_secret.reveal() == CANARY  # kept, since none was given
    assert (await server.call("DELETE", "api/secrets/twitter")).status_code == 204
    assert (await server.call("GET", "api/secrets/twitter")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"type": "password", "password": CANARY, "allowed_hosts": ["api.example.org"]},
        {"type": "basic", "username": "u", "password": CANARY, "base_url": "https://api.example.org"},
        {"type": "headers", "headers": {"X-Key": CANARY, "X-Two": "b"}, "allowed_hosts": ["*.example.org"]},
    ],
    ids=lambda body: body["type"],
)
async def test_other_kinds_keep_their_value_too(server, body):
    created = await server.call("PUT", "api/secrets/a%2Fb", json=body)
    assert created.status_code == 201, created.text
    assert CANARY not in created.text
    assert created.json()["name"] == "a/b"
    assert created.json()["status"]["state"] == "ready"
    before = default_vault().get("a/b").secret
    again = await server.call("PUT", "api/secrets/a%2Fb", json=created.json())
    assert again.status_code == 200, again.text
    assert default_vault().get("a/b").secret == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**TWITTER, "token_endpoint": "http://api.twitter.com/"}, "token_endpoint"),
        ({**TWITTER, "authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
        ({**TWITTER, "client_id": ""}, "client_id"),
        ({**TWITTER, "client_secret": CANARY + "\n"}, "client_secret"),
        ({**TWITTER, "client_secret": CANARY + "\0"}, "client_secret"),
        ({**TWITTER, "allowed_hosts": "api.twitter.com"}, "allowed_hosts"),
        ({**TWITTER, "scope": ["a"]}, "scope"),
        ({**TWITTER, "type": "magic"}, "type"),
        ({**TWITTER, "name": "other"}, "name"),
        ({**TWITTER, "passwort": "x"}, "passwort"),
        ({"type": "password", "allowed_hosts": ["a.example"]}, "password"),
        ({"type": "headers", "headers": {"X": 1}, "allowed_hosts": ["a.example"]}, "headers"),
        ([], None),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_stored(server, body, field):
    response = await server.call("PUT", "api/secrets/twitter", json=body)
    assert response.status_code == 400
    assert response.json()["field"] == field
    assert response.json()["error"] == "InvalidSecret"
    assert CANARY not in response.text
    assert default_vault().names() == []


async def test_a_new_secret_does_not_overwrite(server):
    await server.call("PUT", "api/secrets/twitter", json=TWITTER)
    response = await server.call("PUT", "api/secrets/twitter", json=TWITTER, headers={"If-None-Match": "*"})
    assert (response.status_code, response.json()["field"]) == (400, "name")


async def test_a_stored_client_secret_is_not_sent_to_a_new_place_unasked(server):
    await server.call("PUT", "api/secrets/twitter", json=TWITTER)
    body = {**TWITTER, "token_endpoint": "https://evil.example/token"}
    del body["client_secret"]
    response = await server.call("PUT", "api/secrets/twitter", json=body)
    assert (response.status_code, response.json()["field"]) == (400, "client_secret")


@pytest.mark.parametrize("path", ["api/secrets", "api/secrets/x", "api/redirect-uri", "api/vault", "authorize/x"])
async def test_without_a_login_there_is_nothing(server, path):
    async with httpx.AsyncClient() as client:
        response = await client.get(server.url(path))
    assert response.status_code in {302, 403}
    assert "login" in response.headers.get("location", "login")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "api/secrets/twitter"), ("DELETE", "api/secrets/twitter"), ("POST", "api/secrets/twitter/refresh")],
)
async def test_a_change_needs_the_xsrf_token(server, method, path):
    await server.call("PUT", "api/secrets/twitter", json=TWITTER)
    async with httpx.AsyncClient() as browser:
        token = server.headers["Authorization"].split()[1]
        await browser.get(f"{server.base}?token={token}", follow_redirects=True)  # logged in by cookie, as browsers are
        assert (await browser.get(server.url("api/secrets"))).status_code == 200
        refused = await browser.request(method, server.url(path), json=TWITTER)
        assert refused.status_code == 403
        await browser.get(f"{server.base}lab/tree", follow_redirects=True)
        xsrf = browser.cookies.get("_xsrf")
        if method == "PUT" and xsrf:
            allowed = await browser.put(server.url(path), json=TWITTER, headers={"X-XSRFToken": xsrf})
            assert allowed.status_code == 200
    assert default_vault().names() == ["twitter"]


async def test_every_answer_is_kept_out_of_caches_frames_and_referrers(server):
    for path in ("api/secrets", "api/secrets/nope", "authorize/nope", "callback", "page/page.css"):
        headers = (await server.call("GET", path)).headers
        assert headers["cache-control"] == "no-store", path
        assert headers["referrer-policy"] == "no-referrer", path
        assert "frame-ancestors 'self'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers.get("access-control-allow-origin", "") == "", path


async def test_damage_is_said_of_the_one_secret_only(server):
    await server.call("PUT", "api/secrets/twitter", json=TWITTER)
    await server.call("PUT", "api/secrets/other", json=TWITTER)
    (default_vault().folder / "other.jwe").write_text("broken")
    listed = (await server.call("GET", "api/secrets")).json()
    assert [secret["name"] for secret in listed] == ["other", "twitter"]
    assert "cannot be opened" in listed[0]["error"]
    assert (await server.call("GET", "api/secrets/other")).status_code == 500
    assert (await server.call("DELETE", "api/secrets/other")).status_code == 204
    assert (await server.call("GET", "api/secrets")).json()[0]["name"] == "twitter"


async def test_the_status_view_says_where_the_key_is(server):
    vault = (await server.call("GET", "api/vault")).json()
    assert vault["folder"] == str(default_vault().folder)
    assert "no keyring works here" in vault["master_key"]


async def test_refresh_without_a_token_asks_for_a_person(server):
    await server.call("PUT", "api/secrets/twitter", json=TWITTER)
    response = await server.call("POST", "api/secrets/twitter/refresh")
    assert (response.status_code, response.json()["error"]) == (409, "AuthRequired")
    assert (await server.call("POST", "api/secrets/nope/refresh")).status_code == 404
    assert (await server.call("GET", "api/nope")).status_code == 404


@pytest.mark.parametrize(
    "body", ['{"password": "canary-value-5e1f"', "canary-value-5e1f", "[" * 100_000 + "canary-value-5e1f"]
)
async def test_a_body_that_is_no_json_is_in_no_log(server, body, caplog):
    caplog.set_level(1)
    response = await server.call("PUT", "api/secrets/a", content=body)
    assert response.status_code == 400
    assert CANARY not in caplog.text + response.text
