"""`jupyter flowlet probe`: what a provider offers, and what this client does with it."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from interop import SERVERS, running

import flowlet_jupyter as flowlet
from flowlet_jupyter.cli import main

EVIL = "\x1b[2J\x1b]0;title\x07\u202e| `x` <script>alert(1)</script> [link](https://evil.example) " + "long " * 5000


@contextmanager
def provider(change):
    """A server whose metadata are what `change` makes of the usual; yields its address and the requests that came."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments):
            pass

        def do_GET(self):
            requests.append(self.path)
            usual = {"issuer": url, "authorization_endpoint": f"{url}/authorize", "token_endpoint": f"{url}/token"}
            self.send_response(200 if "openid-configuration" in self.path else 404)
            self.end_headers()
            self.wfile.write(json.dumps(change(usual)).encode())

        do_POST = do_GET

    requests: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield url, requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def table(text: str) -> dict[str, tuple[str, str]]:
    """The rows of the printed table, by their first cell: what is offered, and what is done."""
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines()]
    assert {len(row) for row in rows} == {3}, text
    return {first.strip(): (offer.strip(), use.strip()) for first, offer, use in rows[2:]}


@pytest.mark.provider
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("oidc", {
            "Discovery": "OpenID Connect", "Grants": "client_credentials for the client itself",
            "Pushed authorization requests": "pushes the request", "DPoP": "ES256",
            "`iss` in the response": "refuses a response without it", "Registration": "RFC 7591",
            "Introspection": "yes", "ID token": "RS256", "PKCE": "sends S256",
        }),
        ("django_oauth_toolkit", {
            "Discovery": "OpenID Connect and RFC 8414", "Revocation": "ends refresh token and access token",
            "ID token": "checks RS256, HS256", "DPoP": "uses bearer tokens", "Registration": "needs a client ID",
            "Grants": "device_code by a code on another device",
        }),
        ("mcp_sdk", {
            "Discovery": "RFC 9728, RFC 8414", "Registration": "registers a client",
            "Client authentication": "client_secret_post where that is refused", "ID token": "asks for none",
        }),
    ],
    ids=["oidc-provider", "django-oauth-toolkit", "MCP SDK"],
)  # fmt: skip
def test_a_server_that_others_wrote(capsys, name, expected):
    with running(SERVERS[name]) as base:
        assert main(["probe", f"{base}{SERVERS[name].address}"]) == 0
    rows = table(capsys.readouterr().out)
    for row, text in expected.items():
        assert text in " | ".join(rows[row]), (row, rows[row])


def test_a_provider_that_says_little(capsys):
    with provider(lambda usual: usual) as (url, requests):
        assert main(["probe", url]) == 0
    rows = table(capsys.readouterr().out)
    assert rows["PKCE"] == ("none named", "sends S256, which a server that does not know it ignores")
    assert rows["Revocation"] == ("no", "forgets tokens, and cannot end them at the provider")
    assert rows["Registration"][0] == "no"
    assert all("/.well-known/" in path for path in requests)
    assert not flowlet.secrets  # nothing is stored


@pytest.mark.parametrize(
    ("members", "row", "text"),
    [
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE", "may be refused"),
        ({"dpop_signing_alg_values_supported": ["RS256"]}, "DPoP", "leave the secret's `dpop` off"),
        ({"require_pushed_authorization_requests": True}, "Pushed authorization requests", "cannot push"),
        ({"id_token_signing_alg_values_supported": ["none"]}, "ID token", "can check none of these"),
        ({"id_token_signing_alg_values_supported": ["RS256"]}, "ID token", "knows no keys"),
        ({"grant_types_supported": ["client_credentials"]}, "Grants", "authorization_code is not named"),
        ({"token_endpoint_auth_methods_supported": ["none", "private_key_jwt"]}, "Client authentication", "as a public client: none"),
        ({"token_endpoint_auth_methods_supported": ["client_secret_post"]}, "Client authentication", "client_secret_post"),
        ({"client_id_metadata_document_supported": True}, "Registration", "client ID metadata document"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(capsys, members, row, text):
    with provider(lambda usual: usual | members) as (url, _):
        assert main(["probe", url]) == 0
    assert text in " | ".join(table(capsys.readouterr().out)[row])


def test_a_providers_text_is_short_and_changes_neither_terminal_nor_report(capsys):
    lists = ("grant_types_supported", "code_challenge_methods_supported", "dpop_signing_alg_values_supported",
             "token_endpoint_auth_methods_supported", "id_token_signing_alg_values_supported")  # fmt: skip
    with provider(lambda usual: usual | dict.fromkeys(lists, [EVIL[:300]] * 100)) as (url, _):
        assert main(["probe", url]) == 0
    printed = capsys.readouterr().out
    assert all(each.isprintable() or each == "\n" for each in printed)
    assert max(map(len, printed.splitlines())) < 4000
    assert not re.search(r"(?<!\\)[<\[]", printed)
    table(printed)


def test_an_error_that_repeats_a_providers_text_does_not_change_the_terminal(capsys):
    with provider(lambda usual: usual | {"issuer": EVIL}) as (url, _):
        assert main(["probe", url]) == 1
    printed = capsys.readouterr().err
    assert "of another issuer" in printed
    assert all(each.isprintable() or each == "\n" for each in printed)
    assert len(printed) < 1000


def test_an_address_without_metadata_is_an_error(capsys):
    with provider(lambda _: {}) as (url, _):
        assert main(["probe", url]) == 1
    assert "says nothing of its OAuth2 endpoints" in capsys.readouterr().err
