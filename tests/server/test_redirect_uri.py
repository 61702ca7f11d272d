"""Which redirect URI is used, what is said when the provider will refuse it, and the hand-over between host names."""

from __future__ import annotations

import dataclasses
import hashlib
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from support import birdsong_secret

import flowlet_jupyter as flowlet
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.server.redirect_uri import RedirectPlan, plan_redirect
from flowlet_jupyter.vault import default_vault

LOCAL = "http://localhost:8888/flowlet/callback"
LOOPBACK = "http://127.0.0.1:8888/flowlet/callback"
OTHER = "http://localhost:8889/flowlet/callback"
HTTPS = "https://hub.example/hub/user-redirect/flowlet/callback"
ALLOW = {"username": "ada", "password": "birdsong", "decision": "allow"}


@pytest.mark.parametrize(
    ("here", "registered", "rule", "uri", "problem"),
    [
        (LOCAL, (), "", LOCAL, None),
        (LOCAL, (LOCAL,), "", LOCAL, None),
        (LOCAL, (LOOPBACK,), "", LOOPBACK, None),
        (LOOPBACK, (LOCAL,), "", LOCAL, None),
        (LOCAL, (), "not-localhost", LOOPBACK, None),
        (OTHER, (LOCAL,), "", OTHER, "localhost:8888"),
        (OTHER, (LOCAL,), "any-loopback-port", OTHER, None),
        (HTTPS, (LOCAL,), "any-loopback-port", HTTPS, "localhost:8888"),
        (LOCAL, (), "https", LOCAL, "https://"),
        (HTTPS, (), "https", HTTPS, None),
        (LOCAL, ("Ann-Ann-Run-name",), "opaque", "Ann-Ann-Run-name", None),
    ],
)
def test_the_plan(here, registered, rule, uri, problem):
    plan = plan_redirect(here, registered, rule)
    assert plan.uri == uri
    assert (problem is None) == (plan.problem is None)
    assert (problem or "") in (plan.problem or "")


async def test_a_flow_that_must_return_to_the_other_host_name_is_handed_over(server, birdsong):
    here = server.url("callback")
    there = here.replace("//localhost", "//127.0.0.1")
    secret = dataclasses.replace(birdsong_secret(birdsong, there), redirect_uris=(there,))
    default_vault().put(Record(secret=secret))
    async with httpx.AsyncClient(timeout=20) as browser, httpx.AsyncClient() as stranger:
        start = await browser.get(server.url("authorize/twitter"), headers=server.headers)
        handover = start.headers["location"]
        assert handover.startswith(there.replace("callback", "handover?ticket="))
        taken = await browser.get(handover)
        assert (await stranger.get(handover)).status_code == 400  # the ticket works once
        back = await browser.post(taken.headers["location"], data=ALLOW)
        assert back.headers["location"].startswith(there)
        assert (await browser.get(back.headers["location"])).status_code == 200
    assert flowlet.secrets["twitter"].status().state == "connected"


async def test_another_port_is_explained_before_the_provider_refuses_it(server, birdsong):
    here = server.url("callback")
    former = "http://localhost:1/flowlet/callback"
    secret = dataclasses.replace(birdsong_secret(birdsong, here), redirect_uris=(former,))
    default_vault().put(Record(secret=secret))
    async with httpx.AsyncClient(timeout=20) as browser:
        page = await browser.get(server.url("authorize/twitter"), headers=server.headers)
        assert page.status_code == 200
        assert former in page.text
        assert here in page.text
        start = await browser.get(server.url("authorize/twitter?registered=yes"), headers=server.headers)
        back = await browser.post(start.headers["location"], data=ALLOW)
        assert (await browser.get(back.headers["location"])).status_code == 200
        again = await browser.get(server.url("authorize/twitter"), headers=server.headers)
        assert again.status_code == 302  # it worked, so it is remembered as registered
    assert default_vault().get("twitter").secret.redirect_uris == (former, here)


async def test_on_a_hub_there_is_one_redirect_uri_for_everybody(server, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_BASE_URL", "/jupyter/")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/jupyter/user/ann/")
    shown = (await server.call("GET", "api/redirect-uri")).json()["redirect_uri"]
    assert shown.endswith("/jupyter/hub/user-redirect/flowlet/callback")


async def test_a_named_server_of_a_hub_has_a_redirect_uri_that_leads_to_itself(server, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_BASE_URL", "/jupyter/")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/jupyter/user/ann/second/")
    monkeypatch.setenv("JUPYTERHUB_SERVER_NAME", "second")
    shown = (await server.call("GET", "api/redirect-uri")).json()["redirect_uri"]
    assert shown == server.url("callback")


@pytest.mark.parametrize("headers", [{"X-Forwarded-Proto": "https"}, {"Forwarded": "for=1.2.3.4;proto=https"},
                                     {"X-Scheme": "https"}])  # fmt: skip
async def test_behind_tls_the_form_says_what_to_set(server, headers):
    async with httpx.AsyncClient() as browser:
        shown = (await browser.get(server.url("api/redirect-uri"), headers={**server.headers, **headers})).json()
        assert "trust_xheaders=True" in shown["problem"]
        plain = (await browser.get(server.url("api/redirect-uri"), headers=server.headers)).json()
    assert plain["problem"] is None


@pytest.mark.parametrize(
    ("uri", "handed_over"),
    [(LOOPBACK, True), (LOCAL, False), (OTHER, False), ("https://evil.example/flowlet/callback", False),
     ("Ann-Ann-Run-name", False), ("http://127.0.0.1:9/flowlet/callback", False)],
)  # fmt: skip
def test_a_ticket_goes_only_to_the_other_name_of_this_machine(uri, handed_over):
    assert RedirectPlan(uri).is_elsewhere(LOCAL) is handed_over


OWN = "0123456789abcdef"


@pytest.mark.parametrize(
    ("here", "registered", "uri"),
    [
        (LOCAL, (f"{LOCAL}/{OWN}",), f"{LOCAL}/{OWN}"),
        (LOCAL, (LOCAL, f"{LOCAL}/{OWN}"), f"{LOCAL}/{OWN}"),
        (LOCAL, (f"{LOOPBACK}/{OWN}",), f"{LOOPBACK}/{OWN}"),
        (OTHER, (f"{LOCAL}/{OWN}",), f"{OTHER}/{OWN}"),
        (LOCAL, (LOCAL,), LOCAL),
        (LOCAL, (), LOCAL),
    ],
)
def test_the_redirect_uri_of_one_provider_is_used_where_it_is_registered(here, registered, uri):
    plan = plan_redirect(here, registered, "", own=f"{here}/{OWN}")
    assert plan.uri == uri
    assert plan.is_elsewhere(here) == uri.startswith(LOOPBACK)


@pytest.mark.parametrize("to", ["its own", "the shared one", "another's"])
async def test_a_response_at_the_redirect_uri_of_another_provider_is_refused(server, birdsong, to):
    default_vault().put(Record(secret=birdsong_secret(birdsong, "http://localhost/unused")))
    asked = await server.call("GET", "api/redirect-uri?secret=twitter")
    own = asked.json()["own_redirect_uri"]
    assert own.startswith(f"{server.url('callback')}/")
    registered = dataclasses.replace(birdsong_secret(birdsong, own), redirect_uris=(own,))
    default_vault().put(Record(secret=registered))
    async with httpx.AsyncClient(timeout=20) as browser:
        start = await browser.get(server.url("authorize/twitter"), headers=server.headers)
        back = (await browser.post(start.headers["location"], data=ALLOW)).headers["location"]
        assert back.startswith(f"{own}?")
        addresses = {"its own": own, "the shared one": server.url("callback"), "another's": own[:-16] + "0" * 16}
        done = await browser.get(back.replace(own, addresses[to]))
    if to == "its own":
        assert done.status_code == 200
        assert default_vault().get("twitter").secret.redirect_uris == (own,)
    else:
        assert done.status_code == 400
        assert "another provider" in done.text
        assert default_vault().get("twitter").token_set is None


@pytest.mark.parametrize("rule", ["", "https", "not-localhost", "any-loopback-port"])
async def test_the_form_shows_what_the_authorization_request_sends(server, birdsong, tmp_path, monkeypatch, rule):
    folder = tmp_path / "data" / "flowlet" / "providers"
    folder.mkdir(parents=True)
    (folder / "house.toml").write_text(
        f'title = "House"\nsource = "https://house.example/docs"\nauthorization_endpoint = "{birdsong.authorization_endpoint}"\n'
        f'token_endpoint = "{birdsong.token_endpoint}"\nallowed_hosts = ["api.house.example"]\nredirect_rule = "{rule}"\n'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "data"))
    shown = (await server.call("GET", "api/redirect-uri?provider=house")).json()
    secret = dataclasses.replace(birdsong_secret(birdsong, shown["redirect_uri"]), provider="house")
    default_vault().put(Record(secret=secret))
    assert (await server.call("GET", "api/redirect-uri?secret=twitter")).json()["redirect_uri"] == shown["redirect_uri"]
    page = await server.call("GET", "authorize/twitter")
    assert ("https:// only" in page.text or "only redirect URIs with https" in page.text) == (rule == "https")
    assert bool(shown["problem"]) == (rule == "https")
    async with httpx.AsyncClient(timeout=20) as browser:
        sent = await browser.get(server.url("authorize/twitter?registered=yes"), headers=server.headers)
        while "handover" in sent.headers["location"]:
            sent = await browser.get(sent.headers["location"])
    assert parse_qs(urlsplit(sent.headers["location"]).query)["redirect_uri"] == [shown["redirect_uri"]]


async def test_the_form_shows_the_redirect_uri_that_is_registered_for_one_provider_only(server, birdsong):
    endpoint = birdsong.authorization_endpoint
    asked = f"api/redirect-uri?authorization_endpoint={quote(endpoint, safe='')}"
    shown = (await server.call("GET", f"{asked}&registering=yes")).json()
    assert shown["redirect_uri"] == shown["own_redirect_uri"] == own_redirect_uri_of(server, endpoint)
    assert (await server.call("GET", asked)).json()["redirect_uri"] == server.url("callback")
    secret = dataclasses.replace(
        birdsong_secret(birdsong, shown["redirect_uri"]), redirect_uris=(shown["redirect_uri"],)
    )
    default_vault().put(Record(secret=secret))
    edited = (await server.call("GET", "api/redirect-uri?secret=twitter")).json()
    assert edited["redirect_uri"] == shown["redirect_uri"]
    sent = await server.call("GET", "authorize/twitter")
    assert parse_qs(urlsplit(sent.headers["location"]).query)["redirect_uri"] == [shown["redirect_uri"]]


def own_redirect_uri_of(server, endpoint: str) -> str:
    return f"{server.url('callback')}/{hashlib.sha256(endpoint.encode()).hexdigest()[:16]}"
