"""Refresh once: threads, processes, interrupts, refusals. The provider is Birdsong: it rotates, and forgives no reuse."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.authorization_code import authorization_url, new_flow, request_parameters
from flowlet_jupyter.oauth.token_endpoint import exchange_code
from flowlet_jupyter.session.shielded import start_shielded
from flowlet_jupyter.vault import default_vault


def connect(birdsong, scope: str = "tweet.read users.read offline.access") -> OAuth2:
    """Register an app, log ada in, and store the secret `twitter` with its tokens."""
    provider = birdsong.server.provider
    client_id, client_secret = provider.register("test", "http://localhost/callback")
    secret = OAuth2(
        name="twitter",
        authorization_endpoint=birdsong.authorization_endpoint,
        token_endpoint=birdsong.token_endpoint,
        client_id=client_id,
        client_secret=client_secret,
        scope=scope,
        base_url=birdsong.url,
    )
    flow = new_flow("twitter", redirect_uri="http://localhost/callback", now=time.time())
    response = httpx.post(
        authorization_url(secret, request_parameters(secret, flow)),
        data={"username": "ada", "password": "birdsong", "decision": "allow"},
    )
    code = parse_qs(urlsplit(response.headers["location"]).query)["code"][0]
    token_set = exchange_code(
        secret, code=SecretValue(code), code_verifier=flow.code_verifier, redirect_uri=flow.redirect_uri
    )
    default_vault().put(Record(secret=secret, token_set=token_set))
    return secret


def expire() -> None:
    """Make the stored access token look expired."""
    record = default_vault().get("twitter")
    old = record.token_set
    token = TokenSet(
        access_token=old.access_token,
        refresh_token=old.refresh_token,
        scope=old.scope,
        obtained_at=time.time() - 7200,
        expires_at=time.time() - 1,
    )
    default_vault().put(Record(secret=record.secret, token_set=token))


def test_an_expired_token_is_refreshed_by_the_next_request(birdsong):
    connect(birdsong)
    first = default_vault().get("twitter").token_set
    expire()
    assert flowlet.get("/2/users/me", secret="twitter")["data"]["username"] == "ada"
    second = default_vault().get("twitter").token_set
    assert birdsong.refresh_count() == 1
    assert second.refresh_token != first.refresh_token
    assert flowlet.get("/2/users/me", secret="twitter").status_code == 200
    assert birdsong.refresh_count() == 1


def test_a_401_refreshes_once_and_tries_once_more(birdsong):
    connect(birdsong)
    birdsong.server.provider.state["access"].clear()  # the provider has ended the token early
    assert flowlet.get("/2/users/me", secret="twitter").status_code == 200
    assert birdsong.refresh_count() == 1


def test_a_401_that_stays_is_given_back(birdsong):
    connect(birdsong, scope="users.read offline.access")
    calls = []
    original = birdsong.server.provider.user_of

    def refuse(token, scope):
        calls.append(token)
        return original("nobody", scope)

    birdsong.server.provider.user_of = refuse
    assert flowlet.get("/2/users/me", secret="twitter").status_code == 401
    assert len(calls) == 2
    assert birdsong.refresh_count() == 1


def test_without_a_refresh_token_a_401_is_given_back_and_expiry_asks_for_a_person(birdsong):
    connect(birdsong, scope="users.read")
    birdsong.server.provider.state["access"].clear()
    assert flowlet.get("/2/users/me", secret="twitter").status_code == 401
    expire()
    with pytest.raises(flowlet.AuthRequired, match="no refresh token"):
        flowlet.get("/2/users/me", secret="twitter")


def test_a_refused_grant_asks_for_a_person_and_keeps_the_secret(birdsong):
    connect(birdsong)
    birdsong.server.provider.state["grants"].clear()
    expire()
    with pytest.raises(flowlet.AuthRequired, match=r"'twitter'.*invalid_grant.*Request access token") as caught:
        flowlet.get("/2/users/me", secret="twitter")
    assert caught.value.secret_name == "twitter"
    status = flowlet.secrets["twitter"].status()
    assert status.state == "needs_authorization"
    assert default_vault().get("twitter").secret.client_secret


@pytest.mark.slow  # waits as long as it is asked to
def test_a_dead_provider_costs_nothing(birdsong):
    connect(birdsong)
    expire()
    before = default_vault().get("twitter")
    birdsong.server.shutdown()
    birdsong.server.server_close()
    with pytest.raises(flowlet.TokenEndpointError, match="could not be reached"):
        flowlet.secrets["twitter"].refresh()
    assert default_vault().get("twitter") == before


@pytest.mark.slow
def test_storm_of_threads_and_processes_refreshes_once(birdsong, capsys):
    """8 threads x 4 processes on one expired token, rotation with reuse detection and no grace."""
    connect(birdsong)
    expire()
    program = (
        "import sys, threading, time, flowlet_jupyter as flowlet\n"
        "flowlet.secrets['twitter'].status(); print('ready', flush=True); sys.stdin.readline()\n"
        "failures = []\n"
        "def work():\n"
        "    try:\n"
        "        assert flowlet.get('/2/users/me', secret='twitter').status_code == 200\n"
        "    except BaseException as error:\n"
        "        failures.append(repr(error))\n"
        "threads = [threading.Thread(target=work) for _ in range(8)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "import json; print(json.dumps(failures))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    started = time.monotonic()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    failures = [failure for process in processes for failure in json.loads(process.communicate(timeout=100)[0])]
    with capsys.disabled():
        print(
            f"\n  storm: 32 requests, {birdsong.refresh_count()} refresh, {len(failures)} failures, "
            f"{time.monotonic() - started:.2f} s"
        )
    assert failures == []
    assert birdsong.refresh_count() == 1
    assert flowlet.secrets["twitter"].refresh().state == "connected"  # the grant lives


class _SlowTokenEndpoint(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.asked.set()
        time.sleep(1.0)
        body = b'{"access_token": "rotated", "refresh_token": "rotated", "expires_in": 7200}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.slow  # a process of its own
def test_an_interrupt_ends_the_waiting_and_never_the_storing(isolated):
    with ThreadingHTTPServer(("127.0.0.1", 0), _SlowTokenEndpoint) as server:
        server.asked = threading.Event()
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        url = f"http://127.0.0.1:{server.server_port}"
        secret = OAuth2(name="twitter", authorization_endpoint=url, token_endpoint=url, client_id="id")
        default_vault().put(
            Record(
                secret=secret,
                token_set=TokenSet(access_token=SecretValue("old"), refresh_token=SecretValue("old"), expires_at=1.0),
            )
        )
        process = subprocess.Popen(
            [sys.executable, "-c", f"import flowlet_jupyter as f; f.get('{url}/', secret='twitter')"],
            stderr=subprocess.PIPE,
        )
        assert server.asked.wait(30)
        os.kill(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
        server.shutdown()
    assert b"KeyboardInterrupt" in stderr
    assert default_vault().get("twitter").token_set.refresh_token.reveal() == "rotated"


def test_an_edit_waits_for_the_refresh_and_no_record_is_half(birdsong):
    connect(birdsong)
    vault = default_vault()
    with vault.lock("twitter"):
        refreshing = start_shielded(flowlet.secrets["twitter"].refresh, name="test")
        time.sleep(0.2)
        assert not refreshing.done()
        vault.delete("twitter")
    with pytest.raises(flowlet.SecretNotFound):
        refreshing.result(30)
    assert vault.names() == []


def test_work_apart_shows_neither_frames_nor_text_of_unexpected_errors():
    def work():
        canary = "canary-value-5e1f"
        raise ValueError(canary)

    error = start_shielded(work, name="test").exception(10)
    assert isinstance(error, flowlet.FlowletError)
    assert "canary" not in str(error)
    assert error.__traceback__ is None
    assert error.__context__ is None
