"""Versions, the server extension, the widgets, and which redirect URIs there are."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from jupyter_core.paths import jupyter_config_path, jupyter_path, jupyter_runtime_dir

from flowlet_jupyter.cli.doctor.finding import Finding
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.settings import LOOPBACK_ADDRESS, loopback_port, loopback_redirect_uri

_PACKAGES = (
    "jupyter-server",
    "jupyterlab",
    "ipykernel",
    "anywidget",
    "httpx",
    "authlib",
    "keyring",
    "pandas",
    "polars",
)


def versions() -> Iterator[Finding]:
    """What a bug report needs."""
    own = importlib.metadata.version("flowlet-jupyter")
    yield Finding(
        "flowlet-jupyter", "ok", f"{own}, Python {sys.version.split()[0]}, {platform.system()} {platform.release()}"
    )
    versions = []
    for name in _PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {name}")
    yield Finding("packages", "ok", ", ".join(versions))


def findings() -> Iterator[Finding]:
    """The server extension, the widgets, and the redirect URI of each way to authorize."""
    if _is_extension_enabled():
        yield Finding("server extension", "ok", "enabled for a Jupyter server of this environment")
    else:
        advice = "Run: jupyter server extension enable flowlet_jupyter"
        yield Finding("server extension", "bad", "not enabled in this environment", advice)
    if any((Path(folder) / "anywidget").is_dir() for folder in jupyter_path("labextensions")):
        yield Finding("widgets", "ok", "anywidget's files are there for JupyterLab")
    else:
        advice = "Run, in the environment of JupyterLab: pip install anywidget"
        yield Finding("widgets", "warn", "anywidget's files are not where JupyterLab of this environment looks", advice)
    yield from _of_redirect_uris()


def _is_extension_enabled() -> bool:
    enabled = False
    for folder in reversed(jupyter_config_path()):
        for file in sorted(Path(folder).glob("jupyter_server_config.d/*.json")):
            try:
                extensions = json.loads(file.read_text("utf-8"))["ServerApp"]["jpserver_extensions"]
                enabled = bool(extensions.get("flowlet_jupyter", enabled))
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                continue
    return enabled


def _of_redirect_uris() -> Iterator[Finding]:
    register = "to register where you authorize in the browser"
    if hub := os.environ.get("JUPYTERHUB_BASE_URL"):
        public = (
            os.environ.get("JUPYTERHUB_PUBLIC_HUB_URL", "").rstrip("/")
            or f"https://<the hub's host>{hub.rstrip('/')}/hub"
        )
        yield Finding("redirect URI, hub", "ok", f"{public}/user-redirect/flowlet/callback ({register})")
    for uri in server_redirect_uris():
        yield Finding("redirect URI, server", "ok", f"{uri} ({register})")
    try:
        uri = loopback_redirect_uri()
        with socket.socket() as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK_ADDRESS, loopback_port()))
    except OSError:
        advice = "Stop that program, or set FLOWLET_LOOPBACK_PORT and register the redirect URI of that port."
        yield Finding("redirect URI, no server", "warn", f"{uri} is taken by another program", advice)
    except FlowletError as error:
        yield Finding("redirect URI, no server", "bad", "cannot be known", str(error))
    else:
        yield Finding("redirect URI, no server", "ok", f"{uri} (its port is free)")


def server_redirect_uris() -> Iterator[str]:
    """Those of this user's running Jupyter servers, whose addresses are in their runtime files."""
    for file in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            server = json.loads(file.read_text("utf-8"))
            if os.name == "posix":
                os.kill(int(server["pid"]), 0)  # raises if the server is gone and its file was left behind
            yield f"{server['url']}flowlet/callback"
        except (OSError, ValueError, KeyError, TypeError):
            continue
