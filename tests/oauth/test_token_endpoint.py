from __future__ import annotations

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote_plus

import httpx
import pytest
import respx
from leak_search import leaks

from flowlet_jupyter.errors import TokenEndpointError
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth import endpoint
from flowlet_jupyter.oauth.token_endpoint import exchange_code, refresh

TOKEN = "https://auth.example/token"
CANARY = "canary+secret/=5e1f"


def client(**fields) -> OAuth2:
    defaults = {
        "name": "api",
        "authorization_endpoint": "https://auth.example/authorize",
        "token_endpoint": TOKEN,
        "client_id": "an id",
        "client_secret": CANARY,
        "scope": "a b",
    }
    return OAuth2(**{**defaults, **fields})


def exchange(secret: OAuth2 | None = None) -> TokenSet:
    return exchange_code(
        secret or client(),
        code=SecretValue("the-code"),
        code_verifier=SecretValue("the-verifier"),
        redirect_uri="http://localhost:8888/flowlet/callback",
    )


def old_token(**fields) -> TokenSet:
    return TokenSet(access_token=SecretValue("old"), refresh_token=SecretValue("r1"), scope="a", **fields)


@respx.mock
def test_the_code_is_exchanged_as_rfc_6749_says():
    route = respx.post(TOKEN).respond(
        json={"access_token": "t", "token_type": "Bearer", "expires_in": 7200, "refresh_token": "r", "scope": "a"}
    )
    before = time.time()
    token = exchange()
    request = route.calls.last.request
    assert parse_qs(request.content.decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["the-code"],
        "code_verifier": ["the-verifier"],
        "redirect_uri": ["http://localhost:8888/flowlet/callback"],
    }
    # RFC 6749, 2.3.1: both halves form-encoded before they are joined
    assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == (
        b"an+id:canary%2Bsecret%2F%3D5e1f"
    )
    assert request.headers["accept"] == "application/json"
    assert (token.access_token.reveal(), token.refresh_token.reveal(), token.scope) == ("t", "r", "a")
    assert before <= token.obtained_at <= time.time()
    assert token.expires_at == token.obtained_at + 7200


@respx.mock
@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("client_secret_post", {"client_id": ["an id"], "client_secret": [CANARY]}),
        ("none", {"client_id": ["an id"]}),
    ],
)
def test_other_client_authentication_goes_in_the_body(method, body):
    route = respx.post(TOKEN).respond(json={"access_token": "t"})
    exchange(client(token_endpoint_auth_method=method))
    request = route.calls.last.request
    assert "authorization" not in request.headers
    assert body.items() <= parse_qs(request.content.decode()).items()
    assert int(request.headers["content-length"]) == len(request.content)


@respx.mock
def test_a_refresh_replaces_the_refresh_token_and_keeps_it_if_none_comes():
    route = respx.post(TOKEN)
    route.side_effect = [
        httpx.Response(200, json={"access_token": "t2", "refresh_token": "r2"}),
        httpx.Response(200, json={"access_token": "t3"}),
    ]
    second = refresh(client(), token_set=old_token())
    third = refresh(client(), token_set=second)
    assert (second.refresh_token.reveal(), third.refresh_token.reveal()) == ("r2", "r2")
    assert third.scope == "a"  # as granted before, since the answer does not say
    assert parse_qs(route.calls[0].request.content.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["r1"],
    }


@respx.mock
@pytest.mark.parametrize(
    ("expires_in", "lifetime"),
    [(7200, 7200), ("7200", 7200), (1.5, 1.5), (0, None), (-5, None), ("soon", None), (None, None), (True, None),
     (1e12, 100 * 365 * 86400), ("NaN", None), ("inf", None), ([], None)],
)  # fmt: skip
def test_odd_lifetimes(expires_in, lifetime):
    respx.post(TOKEN).respond(json={"access_token": "t", "expires_in": expires_in})
    token = exchange()
    assert token.expires_at == (None if lifetime is None else token.obtained_at + lifetime)


@respx.mock
@pytest.mark.parametrize("token_type", [None, "bearer", "BEARER", "bot", 7])
def test_odd_token_types_are_taken(token_type):
    respx.post(TOKEN).respond(json={"access_token": "t", "token_type": token_type})
    assert exchange().access_token.reveal() == "t"
    assert exchange().scope == "a b"  # as asked, since the answer does not say (RFC 6749, 5.1)


@respx.mock
@pytest.mark.parametrize(
    ("response", "says"),
    [
        (httpx.Response(400, json={"error": "invalid_client"}), "Check client ID and client secret"),
        (httpx.Response(200, json={"error": "invalid_grant", "error_description": "gone"}), "invalid_grant: gone"),
        (httpx.Response(400, json={"error": "strange_one"}), "strange_one"),
        (httpx.Response(500, text="<h1>oops</h1>"), "HTTP 500"),
        (httpx.Response(503, json={"error": "x"}), "HTTP 503"),
        (httpx.Response(429, text="slow down"), "HTTP 429"),
        (httpx.Response(302, headers={"Location": "https://evil.example/"}), "HTTP 302"),
        (httpx.Response(200, text="<html>login</html>"), "JSON object"),
        (httpx.Response(200, text=""), "JSON object"),
        (httpx.Response(200, json=["t"]), "JSON object"),
        (httpx.Response(200, text="[" * 100000), "JSON object"),
        (httpx.Response(200, content=b"\xff\xfe{"), "JSON object"),
        (httpx.Response(200, json={}), "without an access token"),
        (httpx.Response(200, json={"access_token": 5}), "without an access token"),
        (httpx.Response(200, json={"access_token": "a\r\nX: 1"}), "cannot be sent"),
        (httpx.Response(200, json={"access_token": "ü"}), "cannot be sent"),
        (httpx.Response(200, json={"access_token": "t", "token_type": "mac"}), "type mac"),
        (httpx.Response(200, content=b"x" * 2_000_000), "could not be reached"),
        (httpx.ConnectError("refused"), "could not be reached"),
        (httpx.ReadTimeout("slow"), "did not answer in time"),
        (httpx.RemoteProtocolError("broken"), "could not be reached"),
    ],
)
def test_wrong_answers_are_named_errors_without_values(response, says):
    route = respx.post(TOKEN)
    route.side_effect = [response]
    chosen = client(token_endpoint_auth_method="client_secret_post")  # so that no other authentication is tried
    with pytest.raises(TokenEndpointError, match=says) as caught:
        exchange(chosen)
    assert "Secret 'api'" in str(caught.value)
    assert CANARY not in str(caught.value)
    assert "the-code" not in str(caught.value)
    assert len(route.calls) == 1  # a redirect is not followed: the client secret would go with it


@respx.mock
def test_a_provider_that_repeats_what_it_was_sent_does_not_leak_it():
    def repeat(request: httpx.Request) -> httpx.Response:
        error_text = f"no grant for {request.content.decode()} and {CANARY}"
        return httpx.Response(400, json={"error": "invalid_grant", "error_description": error_text})

    respx.post(TOKEN).mock(side_effect=repeat)
    with pytest.raises(TokenEndpointError, match="invalid_grant") as caught:
        exchange(client(token_endpoint_auth_method="client_secret_post"))
    for value in (CANARY, quote_plus(CANARY), "the-code", "the-verifier"):
        assert value not in str(caught.value)
    assert "(value of the secret)" in str(caught.value)


FORMS = {
    "raw": lambda header, form: form,
    "JSON-escaped": lambda header, form: json.dumps(form).replace("/", "\\u002f"),
    "the Basic pair": lambda header, form: header,
    "hex": lambda header, form: CANARY.encode().hex(),
    "base64": lambda header, form: base64.b64encode(f"x{CANARY}".encode()).decode(),
}


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
@pytest.mark.parametrize("nested", ["text", "list"])
@pytest.mark.parametrize("form", FORMS)
@respx.mock
def test_no_form_of_what_was_sent_is_in_an_error(form, nested, method):
    def repeat(request: httpx.Request) -> httpx.Response:
        text = FORMS[form](request.headers.get("Authorization", ""), request.content.decode())
        error = {"error": "invalid_grant", "error_description": text}
        return httpx.Response(400, json={"errors": [{**error, "message": text}]} if nested == "list" else error)

    respx.post(TOKEN).mock(side_effect=repeat)
    with pytest.raises(TokenEndpointError) as caught:
        exchange(client(token_endpoint_auth_method=method))
    for value in (CANARY, quote_plus(CANARY), "the-code", "the-verifier"):
        assert leaks({"message": str(caught.value).encode()}, [value]) == []


@respx.mock
def test_the_errors_code_is_kept_for_the_caller():
    respx.post(TOKEN).respond(400, json={"error": "invalid_grant"})
    with pytest.raises(TokenEndpointError) as caught:
        refresh(client(), token_set=old_token())
    assert caught.value.error == "invalid_grant"


class _Drip(BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.02)
        except OSError:
            pass

    def log_message(self, *_):
        pass


def test_a_server_that_drips_is_given_up(monkeypatch):
    monkeypatch.setattr(endpoint, "DEADLINE_SECONDS", 0.3)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Drip) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        started = time.monotonic()
        with pytest.raises(TokenEndpointError, match="did not answer in time"):
            exchange(client(token_endpoint=f"http://127.0.0.1:{server.server_port}/"))
        assert time.monotonic() - started < 60  # it drips for ever
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "code"), [(429, "rate_limited"), (400, "temporarily_unavailable"), (429, "invalid_client")]
)
@respx.mock
def test_what_goes_by_itself_is_tried_again_later_and_nothing_else_is_advised(status, code):
    respx.post(TOKEN).respond(status, json={"error": code})
    with pytest.raises(TokenEndpointError, match=r"Try again later\.$") as raised:
        refresh(client(), token_set=old_token())
    assert raised.value.is_temporary
