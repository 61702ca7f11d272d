"""Start Birdsong as a process of its own, so that it outlives a kernel restart as a real provider would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_data_dir

DEFAULT_PORT = 8754
_START_SECONDS = 15.0


@dataclass(frozen=True)
class Birdsong:
    """A running Birdsong. `url` is its origin; `developer_page` is where one registers an app."""

    url: str

    @property
    def developer_page(self) -> str:
        """The page that gives client IDs and client secrets."""
        return f"{self.url}/developer"

    @property
    def authorization_endpoint(self) -> str:
        """Where the browser is sent."""
        return f"{self.url}/i/oauth2/authorize"

    @property
    def token_endpoint(self) -> str:
        """Where codes and refresh tokens are exchanged."""
        return f"{self.url}/2/oauth2/token"

    @property
    def device_authorization_endpoint(self) -> str:
        """Where a device asks for a code (RFC 8628)."""
        return f"{self.url}/2/oauth2/device"

    def set_access_token_lifetime(self, seconds: int) -> None:
        """Let access tokens end `seconds` from when they are issued; those that live longer are shortened too."""
        _call(self.url, "/demo/settings", {"access_token_lifetime": seconds})

    def refresh_count(self) -> int:
        """How many refreshes have succeeded so far."""
        return int(_call(self.url, "/demo/settings")["refresh_count"])

    def stop(self) -> None:
        """End the process."""
        _call(self.url, "/demo/stop", {})

    def _repr_html_(self) -> str:
        link = f'<a href="{self.developer_page}" target="_blank" rel="noopener">{self.developer_page}</a>'
        rows = (
            ("Developer page", link),
            ("Authorization URI", self.authorization_endpoint),
            ("Token endpoint", self.token_endpoint),
            ("API", self.url),
        )
        cells = "".join(
            f"<tr><th style='text-align:left'>{label}</th><td style='text-align:left'>{text}</td></tr>"
            for label, text in rows
        )
        return f"<table>{cells}</table>"


def start(port: int = DEFAULT_PORT, *, state: Path | None = None) -> Birdsong:
    """Birdsong on `port` of this machine: the one that runs already, else a new process.

    Its registered apps and tokens are kept in `state` and survive a restart. Raises `RuntimeError` if something else
    listens on the port.
    """
    birdsong = Birdsong(f"http://127.0.0.1:{port}")
    if _is_birdsong(birdsong.url):
        return birdsong
    state = state or Path(jupyter_data_dir()) / "flowlet" / f"birdsong-{port}.json"
    state.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(  # noqa: S603 - our own module, no shell, no text from outside
        [sys.executable, "-m", "flowlet_jupyter.demo", "--port", str(port), "--state", str(state)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if _is_birdsong(birdsong.url):
            return birdsong
        if process.poll() is not None:
            raise RuntimeError(f"Birdsong could not start: is something else listening on port {port}? Try another.")
        time.sleep(0.05)
    raise RuntimeError(f"Birdsong did not start within {_START_SECONDS:.0f} seconds.")


def _is_birdsong(url: str) -> bool:
    try:
        return bool(_call(url, "/demo/settings")["birdsong"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _call(url: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})  # noqa: S310 - loopback http
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy
    with opener.open(request, timeout=5) as response:
        return dict(json.load(response))
