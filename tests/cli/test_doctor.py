from __future__ import annotations

import dataclasses
import json
import os
import socket
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flowlet_jupyter.cli import main
from flowlet_jupyter.cli.doctor import diagnosis, files, network
from flowlet_jupyter.cli.doctor.finding import Finding
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Password, Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault import default_vault


@pytest.fixture
def real_lock():
    """For a test that asks whether a lock holds, which takes a process."""


@pytest.fixture(autouse=True)
def lock(request, monkeypatch):
    if "real_lock" not in request.fixturenames:
        monkeypatch.setattr(files, "_of_lock", lambda folder: Finding("lock", "ok", f"not tried in {folder}"))


def put(**token) -> None:
    secret = OAuth2(
        name="api",
        authorization_endpoint="https://login.example.org/authorize",
        token_endpoint="https://login.example.org/token",
        client_id="client",
        client_secret="canary-secret",
        allowed_hosts=("api.example.org",),
        redirect_uris=("http://localhost:8888/flowlet/callback",),
    )
    token_set = TokenSet(access_token=SecretValue("canary-token"), **token) if token else None
    default_vault().put(Record(secret=secret, token_set=token_set))


def finding(subject: str, *, reach: bool = False):
    (found,) = [each for each in diagnosis(reach=reach) if each.subject == subject]
    return found


def states() -> dict[str, str]:
    return {each.subject: each.state for each in diagnosis()}


def test_it_makes_nothing(isolated, jupyter_folders):
    before = sorted(isolated.rglob("*"))
    assert main(["doctor"]) == 0
    assert sorted(isolated.rglob("*")) == before


def test_a_working_place_is_ok_line_by_line(capsys, real_lock):
    put(expires_at=time.time() + 3600, refresh_token=SecretValue("canary-refresh"))
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(("ok   ", "warn ")) for line in lines)
    for subject in ("flowlet-jupyter", "packages", "vault", "master key", "lock", "server extension", "widgets",
                    "redirect URI, no server", "proxies", "certificates", "secret api", "providers"):  # fmt: skip
        assert sum(line[5:].startswith(f"{subject}:") for line in lines) == 1, subject
    assert "canary" not in str(lines)
    assert finding("lock").state == "ok"


def test_a_program_reads_it_as_json_and_by_the_exit_code(capsys, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    assert main(["doctor", "--json"]) == 1
    found = {each["subject"]: each for each in json.loads(capsys.readouterr().out)}
    assert found["certificates"]["state"] == "bad"
    assert "SSL_CERT_FILE" in found["certificates"]["advice"]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize(
    ("break_it", "subject", "state", "says"),
    [
        (lambda vault: vault.folder.chmod(0o755), "vault", "warn", "chmod 700"),
        (lambda vault: vault.key_file.chmod(0o644), "master key", "bad", "chmod 600"),
        (lambda vault: vault.key_file.unlink(), "master key", "bad", "restore FILE"),
        (lambda vault: vault.key_file.write_text("short"), "master key", "bad", "32 bytes"),
        (lambda vault: vault.path_of("api").write_text("damaged"), "secret api", "bad", "backup"),
        (lambda vault: vault.folder.parent.chmod(0o777), "vault", "bad", "chmod go-w"),
        (
            lambda vault: vault.key_file.write_text(f"{vault.key_file.read_text()} {vault.key_file.read_text()}"),
            "master key",
            "warn",
            "rotate-key",
        ),
        (
            lambda vault: os.utime(vault.path_of("api"), (time.time() + 9999,) * 2),
            "clock",
            "warn",
            "clock right",
        ),
    ],
    ids=["folder", "key-mode", "key-lost", "key-broken", "damaged", "parent", "half-rotated", "clock"],
)
def test_what_is_wrong_with_files_is_said_with_what_to_do(break_it, subject, state, says):
    put()
    break_it(default_vault())
    found = [each for each in diagnosis() if each.subject == subject and each.state == state]
    assert any(says in each.advice for each in found), found


def test_a_lock_that_holds_nobody_back_is_noticed(monkeypatch, real_lock):
    put()
    monkeypatch.setattr("flowlet_jupyter.cli.doctor.files.FileLock", lambda *_, **__: threading.Lock())
    assert finding("lock").state == "bad"


@pytest.mark.parametrize(
    ("token", "state"),
    [
        ({}, "warn"),
        ({"expires_at": time.time() - 60}, "bad"),
        ({"expires_at": time.time() + 3600}, "warn"),
        ({"expires_at": time.time() + 99 * 3600}, "ok"),
        ({"expires_at": time.time() - 60, "refresh_token": SecretValue("r")}, "ok"),
        ({"expires_at": time.time() + 3600, "refresh_token": SecretValue("r"), "identity_problem": "no key"}, "warn"),
    ],
    ids=["none", "ended", "ends-soon", "good", "renewable", "identity"],
)
def test_the_state_of_tokens_and_what_to_run(token, state):
    put(**token)
    found = finding("secret api")
    assert found.state == state
    assert ("jupyter flowlet authorize api" in found.advice) == (state != "ok")


def test_the_redirect_uri_of_each_server_and_one_that_nobody_serves(jupyter_folders):
    runtime = jupyter_folders / "runtime"
    (runtime / "jpserver-1.json").write_text(json.dumps({"pid": os.getpid(), "url": "http://localhost:8889/"}))
    (runtime / "jpserver-2.json").write_text(json.dumps({"pid": 2**22 + 1, "url": "http://localhost:7777/"}))
    put()
    found = [*diagnosis()]
    servers = [each.text for each in found if each.subject == "redirect URI, server"]
    assert len(servers) == 1
    assert "http://localhost:8889/flowlet/callback" in servers[0]
    assert any("8888" in each.text and "8889" in each.advice for each in found if each.state == "warn")
    (runtime / "jpserver-1.json").write_text(json.dumps({"pid": os.getpid(), "url": "http://127.0.0.1:8888/"}))
    assert not any("no server runs there" in each.text for each in diagnosis())


def test_the_hub_s_redirect_uri(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_BASE_URL", "/hubs/a/")
    assert "/hubs/a/hub/user-redirect/flowlet/callback" in finding("redirect URI, hub").text


def test_a_taken_port_says_what_to_do(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(taken.getsockname()[1]))
        assert "FLOWLET_LOOPBACK_PORT" in finding("redirect URI, no server").advice


@pytest.mark.parametrize(
    ("proxy", "state"),
    [("http://ann:canary@proxy.example:3128", "ok"), ("foo://proxy.example", "bad"), ("http://proxy:notaport", "bad")],
    ids=["good", "scheme", "port"],
)
def test_a_proxy_is_named_without_its_password(monkeypatch, proxy, state):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    found = finding("proxy for https")
    assert found.state == state
    assert "canary" not in str(found)
    assert "this machine" in finding("proxies").text


class Api(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.server.requests.append((self.path, dict(self.headers)))
        self.server.hang.wait(self.server.seconds)
        self.send_response_only(405)
        self.send_header("Date", formatdate(time.time() - self.server.ahead, usegmt=True))
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def api_server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.requests, server.ahead, server.seconds, server.hang = [], 0, 0, threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.hang.set()
    server.shutdown()
    thread.join()
    server.server_close()


def put_local(server) -> str:
    url = f"http://127.0.0.1:{server.server_port}"
    default_vault().put(Record(secret=Password(name="local", password="canary", base_url=f"{url}/api?key=canary")))
    return url


@pytest.mark.parametrize(("ahead", "state"), [(0, "ok"), (7200, "bad"), (-7200, "bad")])
def test_a_provider_is_asked_without_a_credential_and_says_what_time_it_is(api_server, ahead, state):
    put_local(api_server)
    api_server.ahead = ahead
    found = [*diagnosis(reach=True)]
    assert [each.state for each in found if each.subject == "clock"] == [state]
    assert any("reached (HTTP 405)" in each.text for each in found)
    ((_path, headers),) = api_server.requests
    assert "canary" not in str(headers)
    assert "canary" not in str([dataclasses.asdict(each) for each in found])


def test_nothing_is_asked_unasked(api_server):
    put_local(api_server)
    assert main(["doctor"]) == 0
    assert api_server.requests == []


def test_a_provider_that_never_answers_ends_the_waiting(api_server, monkeypatch):
    put_local(api_server)
    api_server.seconds = 60
    monkeypatch.setattr(network, "REACH_SECONDS", 0.5)
    found = [*diagnosis(reach=True)]
    assert any(each.state == "bad" and "did not answer" in each.text for each in found)


def test_a_provider_that_is_not_there(api_server):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        default_vault().put(
            Record(secret=Password(name="gone", password="x", base_url=f"http://127.0.0.1:{unused.getsockname()[1]}"))
        )
        assert any(each.state == "bad" and each.text == "not reached" for each in diagnosis(reach=True))
        assert "bad" in {each.state for each in diagnosis(reach=True)}
    assert states()["secret gone"] == "ok"
