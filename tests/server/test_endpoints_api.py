"""What the API and the loopback listener let nobody do: send a stored value elsewhere, be reached or spoken for."""

from __future__ import annotations

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from flowlet_jupyter.model.oauth2 import CREDENTIALED_ENDPOINTS
from flowlet_jupyter.vault.handshake import greet

API = {
    "type": "oauth2",
    "authorization_endpoint": "https://auth.example/authorize",
    "token_endpoint": "https://auth.example/token",
    "client_id": "id",
}


@pytest.mark.parametrize("moved", [*CREDENTIALED_ENDPOINTS, "refresh_endpoint"])
async def test_a_stored_value_is_not_sent_to_a_moved_endpoint_unasked(server, moved):
    await server.call("PUT", "api/secrets/api", json={**API, "client_secret": "canary"})
    elsewhere = "https://evil.example/token"
    change = {"compliance": {moved: elsewhere}} if moved == "refresh_endpoint" else {moved: elsewhere}
    response = await server.call("PUT", "api/secrets/api", json={**API, **change})
    assert (response.status_code, response.json()["field"]) == (400, "client_secret")
    again = await server.call("PUT", "api/secrets/api", json={**API, **change, "client_secret": "entered anew"})
    assert again.status_code == 200


async def test_a_client_is_not_registered_at_an_address_that_is_no_endpoint(server):
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(self.path)
            self.send_response(400)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as registration:
        threading.Thread(target=registration.serve_forever, kwargs={"poll_interval": 0.02}).start()
        for address in (
            f"http://ann@127.0.0.1:{registration.server_port}/",
            "javascript:alert(1)",
            "http://reg.example/",
        ):
            body = {name: value for name, value in API.items() if name != "client_id"}
            response = await server.call("PUT", "api/secrets/api", json={**body, "registration_endpoint": address})
            assert (response.status_code, response.json()["field"]) == (400, "registration_endpoint")
        registration.shutdown()
    assert seen == []


def test_the_loopback_listeners_xsrf_cookie_stays_at_its_secret_path(loopback):
    with httpx.Client() as browser:
        cookies = browser.get(loopback.secrets_url).headers.get_list("set-cookie")
    (xsrf,) = [cookie for cookie in cookies if cookie.startswith("_xsrf=")]
    path = httpx.URL(loopback.base).path
    assert f"path={path}/" in xsrf.lower().replace(path.lower(), path)
    assert "samesite=strict" in xsrf.lower()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
def test_the_loopback_listener_is_on_one_address(loopback):
    port = httpx.URL(loopback.base).port
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", port), timeout=5).close()


@pytest.mark.parametrize("name", ["../evil", "evil", "/no-such-folder/evil", "0" * 31, "0" * 31 + "G"])
def test_a_greeting_cannot_name_another_file(tmp_path, name):
    greet(tmp_path / "vault", name)
    assert list(tmp_path.rglob("*evil*")) == []
    assert not (tmp_path / "vault").exists()
