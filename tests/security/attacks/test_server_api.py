"""The server extension under attack by other sites, other users of the machine and rebound names."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.vault import default_vault

SECRET = {"type": "password", "password": "attackers-value", "allowed_hosts": ["evil.example"]}
CALLS = [
    ("GET", "api/secrets"), ("GET", "api/secrets/mine"), ("PUT", "api/secrets/mine"), ("DELETE", "api/secrets/mine"),
    ("PUT", "api/secrets/new"), ("POST", "api/secrets/mine/refresh"), ("POST", "api/secrets/mine/test"),
    ("POST", "api/secrets/mine/revoke"), ("POST", "api/secrets/mine/introspect"), ("POST", "api/secrets/mine/accounts"),
    ("POST", "api/secrets/mine/device"), ("GET", "api/providers"), ("POST", "api/providers/twitter"),
    ("POST", "api/discover"), ("GET", "api/redirect-uri"), ("GET", "api/schema"), ("GET", "api/vault"),
    ("GET", "authorize/mine"), ("GET", ""), ("GET", "api/nothing"),
]  # fmt: skip
CHANGES = [call for call in CALLS if call[0] != "GET"]
STRANGERS = {
    "nothing": ({}, ""),
    "a wrong token": ({"Authorization": "token wrong"}, ""),
    "an empty token": ({"Authorization": "token"}, ""),
    "a wrong token in the query": ({}, "?token=wrong"),
    "a made-up login cookie": ({"Cookie": "username-localhost=2|1:0|10:1|8:username|4:YWFh|" + "0" * 64}, ""),
    "a user name of its own": ({"X-Forwarded-User": "owner", "Remote-User": "owner"}, ""),
}
OTHER_SITES = {
    "no XSRF token": {},
    "an empty XSRF token": {"X-XSRFToken": ""},
    "a made-up XSRF token": {"X-XSRFToken": "2|aaaaaaaa|" + "0" * 32 + "|1700000000"},
    "an XSRF token of another session": {"X-XSRFToken": "0" * 32},
    "another site's Origin": {"Origin": "https://evil.example"},
    "an opaque Origin": {"Origin": "null"},
    "another site's Referer": {"Referer": "https://evil.example/"},
    "a plain form": {"Content-Type": "text/plain"},
}


@pytest.fixture
def lab(jupyter_lab):
    flowlet.secrets.add(flowlet.Password(name="mine", password="the-owners-value", allowed_hosts=("a.example",)))
    return jupyter_lab()


def assert_untouched() -> None:
    assert default_vault().names() == ["mine"]
    assert default_vault().get("mine").secret.password.reveal() == "the-owners-value"
    assert default_vault().get("mine").secret.allowed_hosts == ("a.example",)


def test_strangers_other_sites_and_rebound_names(lab, attacked):
    tried, wrong = 0, []

    def expect(response: httpx.Response, what: str) -> None:
        nonlocal tried
        tried += 1
        to_login = response.status_code == 302 and "/login" in response.headers["location"]
        if not (response.status_code in {400, 401, 403, 404, 405, 421} or to_login) or "mine" in response.text.replace(
            "/mine", ""
        ):
            wrong.append(f"{what}: {response.status_code}")

    with httpx.Client(timeout=30) as stranger:
        for who, (headers, query) in STRANGERS.items():
            for method, path in CALLS:
                options = {} if method in {"GET", "DELETE"} else {"json": SECRET}
                expect(
                    stranger.request(method, lab.flowlet(path) + query, headers=headers, **options),
                    f"{who}, {method} {path}",
                )
    with httpx.Client(timeout=30) as browser:
        browser.get(f"{lab.base}api/status?token={lab.token}")
        login = browser.get(f"{lab.base}lab?token={lab.token}", follow_redirects=True)
        assert login.status_code == 200
        assert browser.get(lab.flowlet("api/secrets")).status_code == 200, "the control: the browser is logged in"
        for how, headers in OTHER_SITES.items():
            for method, path in CHANGES:
                options = {} if method == "DELETE" else {"content": str(SECRET).replace("'", '"')}
                expect(
                    browser.request(method, lab.flowlet(path), headers=headers, **options), f"{how}, {method} {path}"
                )
        port = urlsplit(lab.base).port
        for host in (
            "evil.example",
            f"evil.example:{port}",
            f"localhost.evil.example:{port}",
            f"127.0.0.1.evil.example:{port}",
        ):
            for method, path in CALLS:
                expect(
                    browser.request(method, lab.flowlet(path), headers={"Host": host}), f"Host {host}, {method} {path}"
                )
    assert wrong == []
    assert_untouched()
    attacked(tried)


REDIRECTING = (
    "next",
    "return",
    "return_to",
    "redirect",
    "redirect_uri",
    "url",
    "continue",
    "here",
    "again",
    "location",
)
TARGETS = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "/%09/evil.example",
)


def test_no_parameter_and_no_link_of_another_site_leads_anywhere(lab, attacked):
    flowlet.secrets.add(
        flowlet.OAuth2(
            name="api", client_id="c", client_secret="a-client-secret", token_endpoint="https://a.example/token",
            authorization_endpoint="https://a.example/authorize",
        )
    )  # fmt: skip
    pages = ("authorize/api", "handover", "callback", "")
    with httpx.Client(timeout=30) as browser:
        for page in pages:
            for parameter in REDIRECTING:
                for target in TARGETS:
                    response = browser.get(
                        lab.flowlet(page), params={parameter: target, "registered": "yes"}, headers=lab.headers
                    )
                    location = response.headers.get("location", "")
                    assert location == "" or location.startswith("https://a.example/authorize?")
                    assert "evil.example" not in location.replace("%", "")
                    assert f'href="{target}' not in response.text
    attacked(len(pages) * len(REDIRECTING) * len(TARGETS))
    _starts_no_flow_unseen(lab, attacked)


def _starts_no_flow_unseen(lab, attacked) -> None:
    """Only a page of ours, or the person who was asked, starts a flow."""
    test = {
        "Sec-Fetch-Site: cross-site": ({"Sec-Fetch-Site": "cross-site"}, ""),
        "Sec-Fetch-Site: same-site": ({"Sec-Fetch-Site": "same-site"}, ""),
        "nothing is said": ({}, ""),
        "another site's Referer": ({"Referer": "https://evil.example/"}, ""),
        "a look-alike Referer": ({"Referer": f"{lab.base.rstrip('/')}.evil.example/"}, ""),
        "a made-up confirmation": ({"Sec-Fetch-Site": "cross-site"}, "?confirmed=" + "0" * 64),
        "an empty confirmation": ({"Sec-Fetch-Site": "cross-site"}, "?confirmed="),
        "confirmed=yes": ({"Sec-Fetch-Site": "cross-site"}, "?confirmed=yes"),
        "registered=yes": ({"Sec-Fetch-Site": "cross-site"}, "?registered=yes"),
        "a provider that would be added": ({"Sec-Fetch-Site": "cross-site"}, "?provider=birdsong"),
    }
    with httpx.Client(timeout=30) as browser:
        browser.get(f"{lab.base}lab?token={lab.token}", follow_redirects=True)
        for name, (headers, query) in test.items():
            response = browser.get(lab.flowlet(f"authorize/api{query}"), headers=headers)
            assert "location" not in response.headers, name
            assert response.status_code == 200, name
        own = browser.get(lab.flowlet("authorize/api"), headers={"Sec-Fetch-Site": "same-origin"})
        assert own.status_code == 302, "the control: our own page starts one"
    attacked(len(test))
