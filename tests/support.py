"""Servers that tests start: oidc-provider and a Jupyter server; and the switch that forbids skipping."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from filelock import FileLock

from flowlet_jupyter.demo.process import Birdsong
from flowlet_jupyter.model.oauth2 import OAuth2

MUST_RUN_ALL = os.environ.get("FLOWLET_TEST_ALL") == "1"


def skip_or_fail(reason: str) -> None:
    """A missing part skips a test on a developer's machine, and fails it where all must run."""
    if MUST_RUN_ALL:
        pytest.fail(reason)
    pytest.skip(reason)


def eventually(condition: Callable[[], object], *, timeout: float = 60) -> None:
    """Wait until `condition()` holds: what happens in another thread or process has no fixed time."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"not so within {timeout} s"
        time.sleep(0.01)


def interrupt_once(condition: Callable[[], object]) -> None:
    """Send SIGINT to the main thread as soon as `condition()` holds, from a thread beside it."""

    def wait() -> None:
        eventually(condition)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


def name_birdsong(birdsong: Birdsong, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the demo's provider an organisation's entry of the catalogue, in Jupyter's data folder `data`."""
    folder = data / "flowlet" / "providers"
    folder.mkdir(parents=True)
    (folder / "birdsong.toml").write_text(
        f'title = "Birdsong"\nsource = "https://birdsong.example/docs"\nregistration_page = "{birdsong.developer_page}"\n'
        f'authorization_endpoint = "{birdsong.authorization_endpoint}"\ntoken_endpoint = "{birdsong.token_endpoint}"\n'
        f'scope = "tweet.read users.read offline.access"\nbase_url = "{birdsong.url}"\n'
        f'allowed_hosts = ["{birdsong.url.removeprefix("http://")}"]\n[identity]\nurl = "{birdsong.url}/2/users/me"\n'
        'name = "data.username"\n'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(data))


def npm_install(folder: Path, package: str) -> None:
    """Install what the folder's lock file names, once, however many test processes ask for it."""
    if not (shutil.which("node") and shutil.which("npm")):
        skip_or_fail(f"node and npm are needed for {package}")
    with FileLock(folder / ".npm.lock"):
        if not (folder / "node_modules" / package).is_dir():
            subprocess.run(["npm", "ci"], cwd=folder, check=True, timeout=300)


def mypy_cache() -> FileLock:
    """Only one mypy at a time: the second finds in the cache what the first has checked, and does not check it beside it."""
    folder = Path(__file__).parents[1] / ".mypy_cache"
    folder.mkdir(exist_ok=True)
    return FileLock(folder / "tests.lock")


def pip_install(folder: Path) -> None:
    """An environment in the folder with what its requirements.txt names, made once."""
    with FileLock(folder / ".npm.lock"):
        if not (folder / ".venv" / "installed").exists():
            subprocess.run([sys.executable, "-m", "venv", ".venv"], cwd=folder, check=True, timeout=120)
            install = [".venv/bin/python", "-m", "pip", "install", "-q", "-r", "requirements.txt"]
            subprocess.run(install, cwd=folder, check=True, timeout=600)
            (folder / ".venv" / "installed").touch()


class OidcProvider:
    """A running oidc-provider (npm): an authorization server that was written independently of this project."""

    def __init__(self, process: subprocess.Popen, issuer: str) -> None:
        self.process = process
        self.issuer = issuer
        self.events: list[dict] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            if line.startswith("{"):  # it also prints notices
                self.events.append(json.loads(line))

    def grants(self, grant_type: str) -> int:
        return sum(1 for event in self.events if event.get("grant_type") == grant_type)

    def saw(self, event: str, count: int = 1, **members) -> bool:
        """Whether the provider reports `count` such events, which come through a pipe a moment later."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            expected = {"event": event, **members}.items()
            if sum(1 for seen in list(self.events) if expected <= seen.items()) == count:
                return True
            time.sleep(0.02)
        return False

    def issued(self) -> list[str]:
        return [event["value"] for event in self.events if event["event"] == "issued"]

    def secret(self, client_id: str, client_secret: str, **fields) -> dict:
        """The body of a PUT for this provider."""
        return {
            "type": "oauth2",
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "client_id": client_id,
            "client_secret": client_secret,
            "scope": "openid offline_access",
            "base_url": self.issuer,
            **fields,
        }


def birdsong_secret(birdsong: Birdsong, redirect_uri: str) -> OAuth2:
    """The secret `twitter` of an app that is registered at Birdsong with this redirect URI."""
    client_id, client_secret = birdsong.server.provider.register("test", redirect_uri)
    return OAuth2(
        name="twitter",
        authorization_endpoint=birdsong.authorization_endpoint,
        token_endpoint=birdsong.token_endpoint,
        client_id=client_id,
        client_secret=client_secret,
        scope="users.read offline.access",
        base_url=birdsong.url,
    )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class JupyterProcess:
    """A Jupyter server as a user starts it, with JupyterLab or Notebook 7, at DEBUG level, logging into a file."""

    def __init__(
        self,
        folder: Path,
        *,
        base_url: str = "/",
        host: str = "localhost",
        options: list[str] = (),
        command: str = "lab",
    ) -> None:
        self.folder = folder
        self.command = command  # "lab" or "notebook": which front end its pages are
        self.log_file = folder / "server.log"
        self.token = "test-token-0123456789"
        port = free_port()
        self.base = f"http://{host}:{port}{base_url}"
        quiet = Path(os.environ["JUPYTER_CONFIG_DIR"], "lab", "user-settings", "@jupyterlab", "apputils-extension")
        quiet.mkdir(parents=True, exist_ok=True)
        (quiet / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
        page = Path(os.environ["JUPYTER_CONFIG_DIR"], "labconfig", "page_config.json")
        page.parent.mkdir(exist_ok=True)
        page.write_text('{"buildAvailable": false, "buildCheck": false}')  # which starts Node.js in each server
        self.headers = {"Authorization": f"token {self.token}"}
        with self.log_file.open("w") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "jupyter", command, "--no-browser", "--debug", "--allow-root",
                    f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.base_url={base_url}",
                    f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={folder}", *options,
                ],
                stdout=log, stderr=log, cwd=folder, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 120
        while True:
            try:
                if httpx.get(f"{self.base}api/status", headers=self.headers).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(self.log_file.read_text()[-3000:])
            time.sleep(0.1)

    def flowlet(self, path: str) -> str:
        return f"{self.base}flowlet/{path}"

    def put(self, name: str, body: dict) -> httpx.Response:
        return httpx.put(self.flowlet(f"api/secrets/{name}"), headers=self.headers, json=body)

    def stop(self) -> None:
        if self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)


def use_theme(theme: str, isolated) -> None:
    """JupyterLab's light or dark theme, for the servers that this test starts."""
    if theme == "dark":
        settings = isolated / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True, exist_ok=True)
        (settings / "themes.jupyterlab-settings").write_text('{"theme": "JupyterLab Dark"}')


def violations(page, axe: str, within: str = "body", rules: tuple[str, ...] = ()) -> list[str]:
    """What axe-core finds, of any impact, by all its rules or by these alone."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(axe)
    options = {"runOnly": list(rules)} if rules else {}
    found = page.evaluate(
        "([within, options]) => axe.run(within, options).then(result => result.violations)", [within, options]
    )
    return [f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for violation in found for node in violation["nodes"]]  # fmt: skip
