"""The path of somebody who has just found the repository: from `git clone` to the first authenticated response in a browser.

The README's own command, in an environment of its own; pip's cache is as warm as it is. Then the quickstart as its text says,
as fast as a page lets one: what is measured is the machine's part, and how much somebody has to press and to fill in.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.measure import Report

ROOT = Path(__file__).parents[1]
_COMMAND = re.compile(r"<!-- quickstart -->\n```bash\n(.+?)\n```", re.DOTALL)
_SECONDS = 900.0
_TOKEN = "stranger"


def path(report: Report) -> None:
    """The seconds of each part, their sum, and the clicks and fields of the quickstart."""
    found = _COMMAND.search((ROOT / "README.md").read_text("utf-8"))
    assert found is not None
    with tempfile.TemporaryDirectory(prefix="flowlet-stranger-") as folder:
        clock = _Clock(report)
        checkout = Path(folder) / "checkout"
        subprocess.run(["git", "clone", "-q", ROOT, checkout], check=True)
        clock.passed("git clone")
        port = _free_port()
        server = subprocess.Popen(
            ["bash", "-c", found[1]], cwd=checkout, env=_environment(Path(folder), port), start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait_for(f"http://127.0.0.1:{port}/api", server)
            clock.passed("the README's command, until JupyterLab answers")
            hand = _walk(f"http://127.0.0.1:{port}/lab/tree/quickstart.ipynb?token={_TOKEN}", clock)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=30)
    report.say(f"  pressed {hand.pressed} times, filled in {hand.filled} fields")
    report.found("stranger", clock.total)
    report.found("stranger-moves", hand.pressed + hand.filled)


class _Clock:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._last = time.perf_counter()
        self.total = 0.0

    def passed(self, what: str) -> None:
        now = time.perf_counter()
        self._report.say(f"  {what:60} {now - self._last:6.1f} s")
        self.total += now - self._last
        self._last = now


class _Hand:
    """Presses and fills in, and counts. What is pasted was copied by one more press."""

    def __init__(self) -> None:
        self.pressed = 0
        self.filled = 0

    def press(self, target: Any) -> None:
        self.pressed += 1
        target.click()

    def fill(self, target: Any, text: str) -> None:
        self.filled += 1
        target.fill(text)

    def paste(self, page: Any, target: Any) -> None:
        """What was copied last; into one field, whatever it fills in."""
        self.filled += 1
        target.click()
        page.keyboard.press("Control+v")

    def run(self, page: Any, number: int, text: str) -> None:
        """Run a cell and wait for `text` in its output. A notebook that is still drawing itself loses the key: pressed again."""
        cell = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").nth(number)
        self.pressed += 1
        for _ in range(20):
            cell.locator(".cm-content").click()
            page.keyboard.press("Control+Enter")
            page.wait_for_timeout(3000)
            if cell.locator(".jp-InputPrompt").first.inner_text().strip() != "[ ]:":
                break
        cell.locator(".jp-Cell-outputWrapper").get_by_text(text).first.wait_for()


def _walk(address: str, clock: _Clock) -> _Hand:
    """The quickstart, as its text says, until `me` is shown."""
    from playwright.sync_api import sync_playwright

    hand = _Hand()
    chromium = os.environ.get("FLOWLET_TEST_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        context.set_default_timeout(120_000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector('.jp-NotebookPanel .jp-Notebook-ExecutionIndicator[data-status="idle"]')
        clock.passed("until the notebook's kernel is ready")
        hand.run(page, 1, "/developer")
        shown = page.locator(".jp-Cell").nth(1).inner_text()
        hand.run(page, 3, "Add secret")
        hand.press(page.get_by_role("button", name="Add secret"))
        hand.press(page.get_by_role("option", name="Another OAuth2 provider", exact=True))
        form = page.get_by_role("form", name="Add secret")
        redirect_uri = form.get_by_label("Redirect URI").input_value()
        hand.press(form.get_by_role("button", name="Copy"))
        origin = re.search(r"http://127\.0\.0\.1:\d+", shown)
        assert origin is not None, shown
        _register(context, hand, f"{origin[0]}/developer", redirect_uri)
        hand.paste(page, form.get_by_label("Client ID"))
        page.get_by_text("Filled in from").wait_for()
        with context.expect_page() as opened:
            hand.press(form.get_by_role("button", name="Save and request access token"))
        hand.press(opened.value.get_by_role("button", name="Log in and allow"))
        page.get_by_role("region", name="Manage tokens of birdwatch").get_by_text("expires in").wait_for()
        hand.run(page, 5, "200 OK")
        clock.passed("the quickstart, from its first cell to `me`")
        browser.close()
    return hand


def _register(context: Any, hand: _Hand, address: str, redirect_uri: str) -> None:
    """Register an app on Birdsong's page, and copy what it says."""
    page = context.new_page()
    hand.pressed += 1  # the link in the cell's output
    page.goto(address)
    hand.fill(page.get_by_label("Redirect URI"), redirect_uri)
    hand.press(page.get_by_role("button", name="Register"))
    hand.press(page.get_by_role("button", name="Copy"))
    page.get_by_role("button", name="Copied").wait_for()
    page.close()


def _environment(folder: Path, port: int) -> dict[str, str]:
    """The stranger's own, but for where Jupyter and the vault keep their files; and no browser is opened."""
    config = folder / "config"
    config.mkdir()
    (config / "jupyter_server_config.py").write_text(
        f"c.ServerApp.open_browser = False\nc.ServerApp.allow_root = True\nc.ServerApp.port = {port}\n"
        f"c.IdentityProvider.token = '{_TOKEN}'\n"
    )
    own = {
        "JUPYTER_CONFIG_DIR": config, "JUPYTER_DATA_DIR": folder / "data", "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "FLOWLET_VAULT": folder / "vault", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }  # fmt: skip
    left = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return left | {name: str(value) for name, value in own.items()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            raise SystemExit(f"the README's command ended with {server.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("JupyterLab did not come up")
