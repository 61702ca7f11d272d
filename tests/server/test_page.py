"""The page with all secrets: on a Jupyter server, and on the listener of a process that has none."""

from __future__ import annotations

import re
import time

import httpx
from support import eventually, free_port

from flowlet_jupyter.connect.loopback import Loopback, hold_loopback, open_loopback
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.static import Password
from flowlet_jupyter.providers import load_providers
from flowlet_jupyter.vault import default_vault

CANARY = "canary-5e1f"
ENTRY = """
title = "Our API"
source = "https://wiki.our.example/api"
client_id = "shared"
authorization_endpoint = "https://login.our.example/authorize"
token_endpoint = "https://login.our.example/token"
token_endpoint_auth_method = "none"
allowed_hosts = ["api.our.example"]
"""


async def test_the_page_has_no_script_but_ours_and_no_value(server):
    default_vault().put(Record(secret=Password(name="note", password=CANARY, allowed_hosts=("a.example",))))
    page = await server.call("GET", "")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "note" not in page.text
    for file in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        response = await server.call("GET", file.partition("/flowlet/")[2])
        assert response.status_code == 200, file
        assert CANARY not in response.text


async def test_the_page_needs_a_login(server):
    async with httpx.AsyncClient() as stranger:
        assert (await stranger.get(server.url(""))).status_code in {302, 403}


def test_a_secret_is_stored_through_the_loopback_page_by_its_own_script_only(loopback):
    body = {"type": "password", "password": CANARY, "allowed_hosts": ["a.example"]}
    address = f"{loopback.base}/flowlet/api/secrets/note"
    with httpx.Client() as browser:
        assert browser.get(loopback.secrets_url).status_code == 200
        assert browser.put(address, json=body).status_code == 403  # no XSRF token: not our script
        xsrf = {"X-XSRFToken": browser.cookies["_xsrf"]}
        assert browser.put(address, json=body, headers=xsrf).status_code == 201
    assert default_vault().get("note").secret.password.reveal() == CANARY


def test_one_listener_serves_all_who_wait_in_a_process(loopback):
    held = hold_loopback(default_vault(), seconds=0.1)
    with open_loopback(default_vault()) as second:
        assert second == held == loopback
        time.sleep(0.2)  # the page's time is over, but two still wait
        assert httpx.get(held.secrets_url).status_code == 200


def test_the_page_closes_by_itself(monkeypatch):
    def is_served(held: Loopback) -> bool:
        try:
            return browser.get(held.secrets_url).status_code == 200
        except httpx.TransportError:  # refused, or cut off in the moment of closing
            return False

    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))
    with httpx.Client() as browser:
        # a busy machine may not come to ask before the time is over
        held = next(
            held for seconds in (0.3, 3, 30) if is_served(held := hold_loopback(default_vault(), seconds=seconds))
        )
        eventually(lambda: not is_served(held))


async def test_an_organisations_public_client_connects_by_one_click(server, tmp_path, monkeypatch):
    folder = tmp_path / "flowlet" / "providers"
    folder.mkdir(parents=True)
    (folder / "ours.toml").write_text(ENTRY)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert [key for key, provider in load_providers().items() if provider.is_ready] == ["ours"]
    listed = (await server.call("GET", "api/providers")).json()
    assert [entry["key"] for entry in listed if entry["is_ready"]] == ["ours"]

    from_elsewhere = {"Sec-Fetch-Site": "cross-site"}
    refused = await server.call("GET", "authorize/ours?provider=ours", headers=from_elsewhere)
    assert refused.status_code == 404
    assert default_vault().names() == []
    unfinished = await server.call("GET", "authorize/spotify?provider=spotify")  # its client is not given
    assert unfinished.status_code == 404
    started = await server.call("GET", "authorize/ours?provider=ours")
    assert started.headers["location"].startswith("https://login.our.example/authorize?")
    stored = default_vault().get("ours").secret
    assert isinstance(stored, OAuth2)
    assert (stored.client_id, stored.allowed_hosts) == ("shared", ("api.our.example",))
