"""Script in every text that a provider, an API or a stranger gives, in a real browser: it is shown, and never runs."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from support import free_port

import flowlet_jupyter as flowlet
from flowlet_jupyter.connect.loopback import open_loopback
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.notebook.display.html import response_html
from flowlet_jupyter.vault import default_vault

pytestmark = pytest.mark.browser

RUN = "window.hit=1"
PAYLOADS = (
    f"<script>{RUN}</script>", f"<img src=x onerror={RUN}>", f"<svg onload={RUN}>", f'"><script>{RUN}</script>',
    f"'-{RUN}-'", f"javascript:{RUN}", f'" onfocus={RUN} autofocus="', f"</title><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>", f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>", f"<!--><script>{RUN}</script>",
    f"{{{{{RUN}}}}}", f"${{{RUN}}}", f"<details open ontoggle={RUN}>", f"<a href=javascript:{RUN}>x</a>", f"&lt;script&gt;{RUN}&lt;/script&gt;",
)  # fmt: skip
FOREIGN = "[onerror],[onload],[onfocus],[ontoggle],iframe,img[src=x],a[href^='javascript:'],svg[onload]"


@pytest.fixture
def page(chromium):
    context = chromium.new_context()
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    opened.on("dialog", lambda dialog: dialog.dismiss())
    yield opened
    context.close()


def assert_nothing_ran(page) -> None:
    page.wait_for_timeout(20)
    assert page.evaluate("window.hit") is None
    assert page.evaluate("selector => document.querySelectorAll(selector).length", FOREIGN) == 0


def test_the_control_such_script_runs_where_it_is_not_escaped(page):
    ran = 0
    for payload in PAYLOADS:
        page.set_content(f"<p>{payload}</p>")
        page.wait_for_timeout(50)
        ran += page.evaluate("window.hit") == 1
    assert ran >= 6


def oauth2(name: str, **fields) -> flowlet.OAuth2:
    given = {"authorization_endpoint": "https://a.example/a", "token_endpoint": "https://a.example/t", "client_id": "c"}
    return flowlet.OAuth2(name=name, token_endpoint_auth_method="none", **{**given, **fields})


def test_what_a_provider_answers_with(page, monkeypatch, measured):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))
    default_vault().put(Record(secret=oauth2("api")))
    tried = 0
    with open_loopback(default_vault()) as listener:
        for payload in PAYLOADS:
            for text in ("error", "error_description", "error_uri", "state", "code"):
                response = page.request.get(listener.authorize_url("api"), max_redirects=0)
                state = parse_qs(urlsplit(response.headers["location"]).query)["state"][0]
                parameters = {"error": "access_denied", "state": state} | {text: payload}
                page.goto(f"{listener.redirect_uri}?{urlencode(parameters)}")
                assert_nothing_ran(page)
                tried += 1
    measured("attacks", tried=tried, stopped=tried)


def test_names_scopes_users_and_hosts_in_the_page_of_secrets(page, monkeypatch, measured):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))
    for payload in PAYLOADS:
        tokens = TokenSet(
            access_token=SecretValue("an-access-token"), scope=payload, identity=payload, identity_problem=payload,
            obtained_at=time.time(),
        )  # fmt: skip
        default_vault().put(Record(secret=oauth2(f"a{payload}", scope=payload, client_id=payload), token_set=tokens))
    with open_loopback(default_vault()) as listener:
        page.goto(listener.secrets_url)
        page.get_by_text("Connected as").nth(len(PAYLOADS) - 1).wait_for()
        assert_nothing_ran(page)
        for name in PAYLOADS:
            page.goto(listener.authorize_url(f"not there {name}"))
            assert_nothing_ran(page)
    measured("attacks", tried=5 * len(PAYLOADS), stopped=5 * len(PAYLOADS))


@pytest.mark.parametrize(
    "media_type", ["text/html", "application/json", "text/plain", "image/svg+xml", "application/xml", "text/csv", "x/y"]
)
def test_what_an_api_answers_with(page, media_type, measured):
    """The views of all responses in one page, without any policy, as an exported notebook has them."""
    import datetime
    import json

    import httpx

    views = []
    for payload in PAYLOADS:
        body = json.dumps({payload: [{payload: payload}]}) if "json" in media_type else payload
        header = payload.encode("ascii", "replace").decode()
        request = httpx.Request("GET", f"https://a.example/?q={payload}")
        response = flowlet.Response(
            400, content=body.encode(), headers={"content-type": f"{media_type}; x={header}", "X-Note": header},
            request=request, extensions={"reason_phrase": header.encode()},
        )  # fmt: skip
        response.elapsed = datetime.timedelta(seconds=1)
        response.secret_name = payload
        views.append(response_html(response))
    page.set_content("\n".join(views))
    assert_nothing_ran(page)
    measured("attacks", tried=3 * len(PAYLOADS), stopped=3 * len(PAYLOADS))
