"""A terminal IPython: a kernel without a server connects by loopback, device code and paste."""

from __future__ import annotations

import re
import sys
from urllib.parse import urljoin

import httpx
import pexpect
import pytest
from support import birdsong_secret, free_port

import flowlet_jupyter as flowlet
from flowlet_jupyter.model.oauth2 import DEVICE_CODE, OAuth2
from flowlet_jupyter.oauth.discovery import discover, fields_of
from flowlet_jupyter.settings import loopback_redirect_uri

ALLOW = {"username": "ada", "password": "birdsong", "decision": "allow"}


@pytest.fixture
def twitter(birdsong, monkeypatch):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))
    flowlet.secrets.add(birdsong_secret(birdsong, loopback_redirect_uri()))


@pytest.fixture
def terminal():
    command = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"]
    shell = pexpect.spawn(sys.executable, command, timeout=40, encoding="utf-8", dimensions=(50, 300))
    shell.expect(r"In \[1\]:")
    shell.sendline("%load_ext flowlet_jupyter")
    shell.expect(r"In \[2\]:")
    yield shell
    shell.close(force=True)


def test_a_request_waits_for_the_loopback_redirect_and_goes_on(twitter, terminal):
    terminal.sendline("r = %flowlet_request /2/users/me -s twitter")
    terminal.expect(r"(http://127\.0\.0\.1:\d+/\S+/flowlet/authorize/twitter)")
    with httpx.Client() as browser:
        back = browser.post(browser.get(terminal.match[1]).headers["location"], data=ALLOW)
        assert browser.get(back.headers["location"]).status_code == 200
    terminal.expect("is connected; the request goes on")
    terminal.expect(r"In \[3\]:")
    terminal.sendline("r['data']['username']")
    terminal.expect("'ada'")


def test_an_interrupt_ends_the_waiting(twitter, terminal):
    terminal.sendline("%flowlet_secret twitter --connect")
    terminal.expect("To stop, interrupt")
    terminal.sendintr()
    terminal.expect("waiting was interrupted")
    terminal.expect(r"In \[3\]:")


def test_paste_neither_shows_nor_keeps_the_address(twitter, terminal, isolated):
    terminal.sendline("%flowlet_secret twitter --paste")
    terminal.expect(r"1\. Open (\S+)")
    link = terminal.match[1]
    terminal.expect("Address: ")
    address = httpx.post(link, data=ALLOW).headers["location"]
    terminal.sendline(address)
    terminal.expect("secret 'twitter': access token obtained")
    assert re.search(r"code=([^&]+)", address)[1] not in terminal.before
    assert flowlet.get("/2/users/me", secret="twitter")["data"]["username"] == "ada"
    history = isolated / "ipython" / "profile_default" / "history.sqlite"
    assert re.search(r"code=([^&]+)", address)[1].encode() not in (history.read_bytes() if history.exists() else b"")


@pytest.mark.provider
def test_a_device_code(oidc_provider, terminal):
    client = {"client_id": "tv", "grant_types": [DEVICE_CODE], "response_types": [], "redirect_uris": [],
              "token_endpoint_auth_method": "none"}  # fmt: skip
    provider = oidc_provider([client])
    fields = fields_of(discover(provider.issuer)) | {"token_endpoint_auth_method": "none"}
    flowlet.secrets.add(
        OAuth2(name="tv", client_id="tv", grant_type=DEVICE_CODE, scope="openid", base_url=provider.issuer, **fields)
    )
    terminal.sendline("r = %flowlet_request /me -s tv")
    terminal.expect(r"enter the code (\S+)")
    with httpx.Client(follow_redirects=True, timeout=20) as browser:
        page = browser.get(f"{provider.issuer}/device?user_code={terminal.match[1]}")
        for fields in (
            {},
            {"confirm": "yes"},
            {"prompt": "login", "login": "ann", "password": "x"},
            {"prompt": "consent"},
        ):
            if "Success" in page.text:
                break
            action = re.search(r'action="([^"]+)"', page.text)[1]
            hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
            page = browser.post(urljoin(str(page.url), action), data={**hidden, **fields})
    terminal.expect("is connected; the request goes on")
    terminal.sendline("r['sub']")
    terminal.expect("'ann'")
