"""What waits for a provider, and for how long; and what is remembered of how it takes the client."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time

import pytest
from servers.oauth_provider import CANARY, FRESH, provider, stored
from support import eventually

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import AuthorizationFailed, TokenEndpointError
from flowlet_jupyter.http.client import async_client
from flowlet_jupyter.model.oauth2 import DEVICE_CODE, OAuth2
from flowlet_jupyter.oauth import device
from flowlet_jupyter.oauth.authorization_code import authorization_request, complete_flow, new_flow
from flowlet_jupyter.vault import default_vault


def test_a_request_with_little_time_does_not_wait_for_a_provider_that_is_busy():
    with provider(lambda *_: (503, {"Retry-After": "5"}, b"busy")) as (url, paths):
        stored(url)
        with pytest.raises(TokenEndpointError, match="503"):
            flowlet.get("/me", secret="api", timeout=1)
        assert paths == ["/token"]


@pytest.mark.parametrize("by", ["sync", "async"])
def test_a_request_with_little_time_ends_before_a_refresh_that_hangs_and_the_token_is_stored(by):
    release = threading.Event()

    def answer(handler, _):
        if handler.path == "/token":
            release.wait(60)
        return 200, {}, FRESH

    async def ask():
        async with async_client("api", timeout=0.2) as client:
            await client.get("/me")

    with provider(answer) as (url, paths):
        stored(url)
        with pytest.raises(TokenEndpointError, match="takes too long"):
            flowlet.get("/me", secret="api", timeout=0.2) if by == "sync" else asyncio.run(ask())
        assert not release.is_set()
        release.set()
        eventually(lambda: default_vault().get("api").token_set.access_token.reveal() == "fresh")
        assert flowlet.get("/me", secret="api").status_code == 200
        assert paths == ["/token", "/me"]


WAITS_FOR_A_LOCK = """
from flowlet_jupyter.session.shielded import start_shielded
from flowlet_jupyter.vault import default_vault
def hold():
    with default_vault().lock("api"):
        pass
start_shielded(hold, name="test")
start_shielded(hold, name="test")
print("begun", flush=True)
"""
WAITS_FOR_A_PERSON = """
from flowlet_jupyter.oauth.device import start_device_flow
from flowlet_jupyter.vault import default_vault
start_device_flow(default_vault(), "tv")
print("begun", flush=True)
"""


@pytest.mark.slow  # a process of its own
def test_a_thread_that_waits_for_a_lock_ends_with_its_process():
    with default_vault().lock("api"):
        ended = subprocess.run(
            [sys.executable, "-c", WAITS_FOR_A_LOCK], timeout=40, check=False, capture_output=True, text=True
        )  # the lock's own limit is 90 s
    assert (ended.returncode, ended.stdout) == (0, "begun\n")


def device_secret(url: str, **fields) -> None:
    endpoints = {"token_endpoint": f"{url}/token", "device_authorization_endpoint": f"{url}/device"}
    flowlet.secrets.add(OAuth2(name="tv", grant_type=DEVICE_CODE, client_id="id", base_url=url, **endpoints, **fields))


def code(interval: float) -> dict[str, object]:
    return {"device_code": "d", "user_code": "AB-CD", "verification_uri": "https://g.example/", "interval": interval}


@pytest.mark.slow  # a process of its own
def test_a_device_flow_ends_with_its_process():
    with provider(lambda *_: (200, {}, code(60))) as (url, paths):
        device_secret(url)
        ended = subprocess.run(
            [sys.executable, "-c", WAITS_FOR_A_PERSON], timeout=40, check=False, capture_output=True, text=True
        )
        assert (ended.returncode, ended.stdout, paths) == (0, "begun\n", ["/device"])


@pytest.mark.parametrize("status", [500, 502])
def test_a_device_flow_whose_token_endpoint_fails_says_so_after_three_tries(status):
    def answer(handler, _):
        return (200, {}, code(0.05)) if handler.path == "/device" else (status, {}, b"broken")

    with provider(answer) as (url, paths):
        device_secret(url)
        flow = device.start_device_flow(default_vault(), "tv")
        with pytest.raises(AuthorizationFailed, match=f"HTTP {status}"):
            flow.finished.result(30)
        assert paths == ["/device", "/token", "/token", "/token"]


def only_by_post(handler, members):
    """A provider that takes the client secret in the body only, and no refresh token."""
    if handler.path == "/me":
        return 200, {}, {}
    if members.get("client_secret") != CANARY:
        return 401, {}, {"error": "invalid_client"}
    if members.get("grant_type") == "refresh_token":
        return 400, {}, {"error": "invalid_grant"}
    responses = {"/par": {"request_uri": "urn:x:1"}, "/device": code(0.01), "/token": FRESH}
    return 200, {}, responses[handler.path]


def test_what_worked_for_a_pushed_request_is_remembered_for_the_code_and_after_a_refused_grant():
    with provider(only_by_post) as (url, paths):
        stored(url, pushed_authorization_request_endpoint=f"{url}/par")
        default_vault().put(type(record := default_vault().get("api"))(secret=record.secret))
        flow = new_flow("api", redirect_uri="http://localhost/cb", now=time.time())
        authorization_request(default_vault(), flow)
        assert paths == ["/par", "/par"]  # the other way after the first was refused
        complete_flow(default_vault(), flow, {"code": "c"})
        assert paths[2:] == ["/token"]
        with pytest.raises(flowlet.AuthRequired):
            flowlet.secrets["api"].refresh()
        assert paths[3:] == ["/token"]
        authorization_request(default_vault(), flow)
        assert paths[4:] == ["/par"]


def test_what_worked_for_a_device_code_is_remembered_for_its_token():
    with provider(only_by_post) as (url, paths):
        device_secret(url, client_secret=CANARY)
        for expected in (["/device", "/device", "/token"], ["/device", "/token"]):
            paths.clear()
            flow = device.start_device_flow(default_vault(), "tv")
            assert flow.finished.result(30).access_token.reveal() == "fresh"
            assert paths == expected


@pytest.mark.parametrize("error", ["invalid_token", "invalid_grant", "token_revoked", "not_found"])
def test_a_token_that_the_provider_no_longer_knows_is_revoked(error):
    with provider(lambda *_: (400, {}, {"error": error})) as (url, paths):
        stored(url, revocation_endpoint=f"{url}/revoke")
        assert flowlet.secrets["api"].revoke().state == "no_token"
        assert set(paths) == {"/revoke"}
