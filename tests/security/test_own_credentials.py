"""What is a credential in a user's own request, without a named secret, is in nothing that is written down of it."""

from __future__ import annotations

import json

import httpx
import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.http.curl_export import without_credentials

VALUE = "canary-own-value-7d21"
OWN = {
    "Bearer": {"headers": {"Authorization": f"Bearer {VALUE}"}},
    "a header": {"headers": {"X-Api-Key": VALUE}},
    "a cookie": {"headers": {"Cookie": f"lang=en; session={VALUE}; theme=dark"}},
    "a form": {"data": {"user": "ann", "password": VALUE}},
    "JSON": {"json": {"client_secret": VALUE, "name": "ann"}},
    "JSON below": {"json": {"auth": [{"api_key": VALUE}]}},
    "the query": {"params": {"api_key": VALUE, "q": "birds"}},
}


@pytest.mark.parametrize("way", OWN)
@pytest.mark.parametrize("repeats", ["its body", "a header", "a cookie"])
def test_a_recording_has_no_credential_of_the_user(way, repeats, api_that_repeats):
    with flowlet.recording() as har:
        response = flowlet.post(f"{api_that_repeats}/{repeats.replace(' ', '-')}", **OWN[way])
    assert VALUE in response.text or VALUE in str(response.headers)
    written = json.dumps(har.to_dict())
    assert VALUE not in written
    assert "its user" in written  # the rest is there


@pytest.fixture
def api_that_repeats(respx_mock):
    def repeat(request: httpx.Request) -> httpx.Response:
        body = "you sent it, its user"
        if request.url.path == "/its-body":
            return httpx.Response(200, text=f"{body}: {VALUE}")
        header = (
            ("Set-Cookie", f"session={VALUE}; Path=/") if request.url.path == "/a-cookie" else ("X-You-Sent", VALUE)
        )
        return httpx.Response(200, text=body, headers=[header])

    respx_mock.route(host="api.example").mock(side_effect=repeat)
    return "https://api.example"


@pytest.mark.parametrize(
    ("url", "content", "kind"),
    [
        (f"https://a.example/x?q=birds&api_key={VALUE}", None, ""),
        (f"https://a.example/x?q=birds&access_token={VALUE}#end", None, ""),
        (f"https://ann:{VALUE}@a.example/x?q=birds", None, ""),
        ("https://a.example/x?q=birds", f"user=ann&password={VALUE}".encode(), "application/x-www-form-urlencoded"),
        (
            "https://a.example/x?q=birds",
            json.dumps({"a": {"client_secret": VALUE}}).encode(),
            "application/json; charset=utf-8",
        ),
    ],
)
def test_a_command_or_code_has_no_credential_of_the_user(url, content, kind):
    shown, body = without_credentials(url, content, kind)
    assert VALUE not in f"{shown} {body!r}"
    assert "q=birds" in shown


@pytest.mark.parametrize(
    "url", ["https://a.example/x?page_token=abcdef&q=a%20b+c", "https://ann@a.example:8443/x?q=%2F"]
)
def test_a_url_without_a_credential_stays_as_it_is(url):
    assert without_credentials(url, b"password=abcdefgh", "text/plain") == (url, b"password=abcdefgh")
