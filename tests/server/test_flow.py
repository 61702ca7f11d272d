"""The authorization flow over HTTP: against oidc-provider, and under attack against Birdsong."""

from __future__ import annotations

import asyncio
import logging
import re
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx
import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.oauth.authorization_code import FLOW_LIFETIME_SECONDS
from flowlet_jupyter.oauth.discovery import discover
from flowlet_jupyter.oauth.metadata import fields_of
from flowlet_jupyter.server import authorize
from flowlet_jupyter.vault import default_vault

CANARY = "canary-client-secret-5e1f"


async def submit(browser: httpx.AsyncClient, page: httpx.Response, **fields: str) -> httpx.Response:
    """Send the page's form, as a browser would, and follow redirects within the provider."""
    action = re.search(r'action="([^"]+)"', page.text)[1]
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    return await follow(browser, await browser.post(urljoin(str(page.url), action), data={**hidden, **fields}))


async def follow(browser: httpx.AsyncClient, response: httpx.Response) -> httpx.Response:
    while response.is_redirect and "flowlet/callback" not in response.headers["location"]:
        response = await browser.get(urljoin(str(response.url), response.headers["location"]))
    return response


@pytest.mark.provider
async def test_the_whole_flow_against_oidc_provider(server, oidc_provider):
    redirect_uri = (await server.call("GET", "api/redirect-uri")).json()["redirect_uri"]
    assert redirect_uri == server.url("callback")
    provider = oidc_provider(
        [{"client_id": "notebook", "client_secret": CANARY, "redirect_uris": [redirect_uri]}], access_token_lifetime=2
    )
    put = await server.call("PUT", "api/secrets/oidc", json=provider.secret("notebook", CANARY))
    assert put.status_code == 201
    async with httpx.AsyncClient(timeout=20) as browser:
        start = await browser.get(server.url("authorize/oidc"), headers=server.headers)
        assert start.status_code == 302
        login = await follow(browser, await browser.get(start.headers["location"]))
        consent = await submit(browser, login, prompt="login", login="ann", password="any")
        back = await submit(browser, consent, prompt="consent")
        done = await browser.get(back.headers["location"])
    assert done.status_code == 200
    assert "You can close this tab" in done.text
    status = (await server.call("GET", "api/secrets/oidc")).json()["status"]
    assert (status["state"], status["refresh_token"], status["scope"]) == ("connected", True, "openid")

    me = await flowlet.aget("/me", secret="oidc")
    assert me["sub"] == "ann"
    first = default_vault().get("oidc").token_set
    refreshes = provider.grants("refresh_token")
    await asyncio.sleep(2.1)
    assert (await flowlet.aget("/me", secret="oidc"))["sub"] == "ann"
    assert default_vault().get("oidc").token_set.refresh_token != first.refresh_token
    assert provider.grants("refresh_token") == refreshes + 1
    refreshed = await server.call("POST", "api/secrets/oidc/refresh")
    assert refreshed.json()["status"]["state"] == "connected"


@pytest.mark.provider
async def test_a_pushed_request_with_dpop_and_a_validated_id_token(server, oidc_provider):
    client = {
        "client_id": "notebook", "client_secret": CANARY, "redirect_uris": [server.url("callback")],
        "dpop_bound_access_tokens": True, "require_pushed_authorization_requests": True,
    }  # fmt: skip
    provider = oidc_provider([client], dpop_nonce=True)
    fields = provider.secret("notebook", CANARY, **fields_of(discover(provider.issuer)), dpop=True)
    assert (await server.call("PUT", "api/secrets/oidc", json=fields)).status_code == 201
    async with httpx.AsyncClient(timeout=20) as browser:
        start = await browser.get(server.url("authorize/oidc"), headers=server.headers)
        assert set(parse_qs(urlsplit(start.headers["location"]).query)) == {"client_id", "request_uri"}
        login = await follow(browser, await browser.get(start.headers["location"]))
        consent = await submit(browser, login, prompt="login", login="ann", password="any")
        back = await submit(browser, consent, prompt="consent")
        done = await browser.get(back.headers["location"])
    assert done.status_code == 200, done.text
    assert (await server.call("GET", "api/secrets/oidc")).json()["status"]["identity"] == "ann"
    assert default_vault().get("oidc").token_set.dpop_key is not None
    assert (await flowlet.aget("/me", secret="oidc"))["sub"] == "ann"
    await server.call("POST", "api/secrets/oidc/refresh")
    assert (await flowlet.aget("/me", secret="oidc"))["sub"] == "ann"


class Walk:
    """One browser's way through a flow at Birdsong."""

    def __init__(self, server, birdsong) -> None:
        self.server = server
        self.birdsong = birdsong
        self.browser = httpx.AsyncClient(timeout=20)

    async def start(self, name: str = "twitter") -> httpx.Response:
        return await self.browser.get(self.server.url(f"authorize/{name}"), headers=self.server.headers)

    async def to_callback(self, decision: str = "allow") -> str:
        """The URL that the provider sends the browser back to."""
        location = (await self.start()).headers["location"]
        form = {"username": "ada", "password": "birdsong", "decision": decision}
        return (await self.browser.post(location, data=form)).headers["location"]

    async def back(self, url: str) -> httpx.Response:
        return await self.browser.get(url)  # without the server's token: the flow's cookie must do


@pytest.fixture
def walk(server, birdsong):
    client_id, client_secret = birdsong.server.provider.register("test", server.url("callback"))
    secret = OAuth2(
        name="twitter",
        authorization_endpoint=birdsong.authorization_endpoint,
        token_endpoint=birdsong.token_endpoint,
        client_id=client_id,
        client_secret=client_secret,
        scope="tweet.read users.read offline.access",
        base_url=birdsong.url,
    )
    default_vault().put(Record(secret=secret))
    return Walk(server, birdsong)


def stored():
    return default_vault().get("twitter").token_set


async def test_authorize_sets_a_cookie_that_only_the_callback_gets(walk):
    response = await walk.start()
    cookie = next(c for c in response.headers.get_list("set-cookie") if c.startswith("flowlet-"))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=600" in cookie
    assert "Path=/user/ann/flowlet/callback" in cookie
    query = parse_qs(urlsplit(response.headers["location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == [walk.server.url("callback")]


async def test_the_callback_needs_no_login_but_the_flows_cookie(walk):
    url = await walk.to_callback()
    async with httpx.AsyncClient() as stranger:
        assert (await stranger.get(url)).status_code == 400
    assert stored() is None
    done = await walk.back(url)  # the flow is still its owner's
    assert done.status_code == 200
    assert stored() is not None
    assert "script-src 'self'" in done.headers["content-security-policy"]


async def test_a_callback_works_once(walk):
    url = await walk.to_callback()
    first, second = await asyncio.gather(walk.back(url), walk.back(url))
    assert sorted([first.status_code, second.status_code]) == [200, 400]
    assert (await walk.back(url)).status_code == 400
    assert (await flowlet.aget("/2/users/me", secret="twitter")).status_code == 200  # the grant was not revoked


@pytest.mark.parametrize("change", [{"state": "x"}, {"state": ""}, {"iss": "https://evil.example"}, {"code": ""}])
async def test_a_forged_response_stores_nothing(walk, change):
    parts = urlsplit(await walk.to_callback())
    query = {key: values[0] for key, values in parse_qs(parts.query).items()} | change
    response = await walk.back(f"{walk.server.url('callback')}?{urlencode(query)}")
    assert response.status_code == 400
    assert stored() is None


async def test_a_repeated_parameter_is_refused(walk):
    url = await walk.to_callback()
    assert (await walk.back(f"{url}&code=attackers")).status_code == 400
    assert stored() is None
    assert (await walk.back(url)).status_code == 200


async def test_a_code_of_another_flow_does_not_fit(walk):
    """Code injection: PKCE binds the code to the flow."""
    one, two = urlsplit(await walk.to_callback()), urlsplit(await walk.to_callback())
    mixed = parse_qs(one.query) | {"code": parse_qs(two.query)["code"]}
    response = await walk.back(f"{walk.server.url('callback')}?{urlencode({k: v[0] for k, v in mixed.items()})}")
    assert response.status_code == 400
    assert "invalid_grant" in response.text
    assert stored() is None


async def test_a_flow_expires(walk, monkeypatch):
    url = await walk.to_callback()
    real = authorize.time.time
    with monkeypatch.context() as later:
        later.setattr(authorize.time, "time", lambda: real() + FLOW_LIFETIME_SECONDS + 5)
        assert (await walk.back(url)).status_code == 400
    assert stored() is None


async def test_a_denial_is_said_with_a_hint(walk):
    response = await walk.back(await walk.to_callback("deny"))
    assert response.status_code == 400
    assert "access_denied" in response.text
    assert "Request access token again" in response.text


async def test_what_the_provider_says_is_text(walk):
    start = await walk.start()
    state = parse_qs(urlsplit(start.headers["location"]).query)["state"][0]
    attack = "<script>alert(1)</script>\"'"
    query = urlencode(
        {"state": state, "error": attack, "error_description": attack, "error_uri": "javascript:alert(1)"}
    )
    response = await walk.back(f"{walk.server.url('callback')}?{query}")
    assert response.status_code == 400
    assert "<script>alert" not in response.text
    assert "&lt;script&gt;alert(1)" in response.text
    assert "javascript:" not in response.text
    missing = await walk.start(name="%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert missing.status_code == 404
    assert "<script>alert" not in missing.text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_link_on_another_site_shows_a_page_first(walk, site):
    response = await walk.browser.get(
        walk.server.url("authorize/twitter"), headers={**walk.server.headers, "Sec-Fetch-Site": site}
    )
    assert response.status_code == 200
    assert "A link on another page" in response.text
    assert 'href="/user/ann/flowlet/authorize/twitter?confirmed=' in response.text
    assert not any(cookie.startswith("flowlet-") for cookie in response.headers.get_list("set-cookie"))
    assert not (default_vault().folder / "pending").exists()


async def test_a_secret_that_was_edited_meanwhile_takes_no_token(walk):
    url = await walk.to_callback()
    before = (await walk.server.call("GET", "api/secrets/twitter")).json()
    await walk.server.call("DELETE", "api/secrets/twitter")
    assert (await walk.back(url)).status_code == 400
    assert default_vault().names() == []
    assert before["status"]["state"] == "no_token"


async def test_an_edit_of_the_client_drops_its_tokens_and_another_edit_keeps_them(walk):
    await walk.back(await walk.to_callback())
    shown = (await walk.server.call("GET", "api/secrets/twitter")).json()
    response = await walk.server.call("PUT", "api/secrets/twitter", json={**shown, "allowed_hosts": ["a.example"]})
    assert response.json()["status"]["state"] == "connected"
    dropped = await walk.server.call("PUT", "api/secrets/twitter", json={**shown, "client_id": "other"})
    assert dropped.json()["status"]["state"] == "no_token"


async def test_other_kinds_have_nothing_to_authorize(walk):
    await walk.server.call(
        "PUT", "api/secrets/key", json={"type": "password", "password": "x", "allowed_hosts": ["a.example"]}
    )
    assert (await walk.start(name="key")).status_code == 400


async def test_no_log_line_holds_code_state_or_token(walk, caplog):
    caplog.set_level(logging.DEBUG)
    url = await walk.to_callback()
    await walk.back(url.replace("code=", "code=x"))  # a failing callback, and its Referer
    await walk.browser.get(walk.server.url("authorize/nope"), headers={**walk.server.headers, "Referer": url})
    url = await walk.to_callback()
    await walk.back(url)
    query = parse_qs(urlsplit(url).query)
    token = stored()
    ours = "\n".join(
        record.getMessage()
        for record in caplog.records
        if not record.name.startswith(("httpx", "httpcore"))  # the test's own browser
    )
    assert "GET /user/ann/flowlet/callback" in ours
    for value in (
        query["code"][0],
        query["state"][0],
        token.access_token.reveal(),
        token.refresh_token.reveal(),
        default_vault().get("twitter").secret.client_secret.reveal(),
    ):
        assert value not in ours


async def test_a_browser_that_does_not_say_where_it_comes_from_is_asked_once(walk):
    """Logged in by cookie, without Sec-Fetch-Site: a stranger's link looks the same."""
    await walk.browser.get(
        f"{walk.server.url('').split('/flowlet')[0]}/login?token={walk.server.headers['Authorization'].split()[1]}"
    )
    address = walk.server.url("authorize/twitter")
    asked = await walk.browser.get(address)
    assert "A link on another page" in asked.text
    assert not (default_vault().folder / "pending").exists()
    forged = await walk.browser.get(f"{address}?confirmed=guess")
    assert "A link on another page" in forged.text
    link = re.search(r'href="[^"]*(\?confirmed=[0-9a-f]+)"', asked.text)[1]
    assert (await walk.browser.get(address + link)).status_code == 302


async def test_a_callback_of_a_stranger_makes_nothing_and_tells_nothing(walk, tmp_path, monkeypatch):
    folder = default_vault().folder
    for state in ("", "?state=x", "?state=x&code=y"):
        async with httpx.AsyncClient() as stranger:
            page = await stranger.get(walk.server.url(f"callback{state}"))
        assert page.status_code == 400
        assert str(folder) not in page.text
        assert str(folder.parent) not in page.text


async def test_a_refusal_is_kept_for_the_view_that_waits_until_the_next_request(walk):
    await walk.back(await walk.to_callback("deny"))
    shown = (await walk.server.call("GET", "api/secrets/twitter")).json()
    assert "access_denied" in shown["refusal"]["message"]
    assert (await walk.server.call("PUT", "api/secrets/twitter", json=shown)).status_code == 200
    await walk.start()
    assert (await walk.server.call("GET", "api/secrets/twitter")).json()["refusal"] is None
