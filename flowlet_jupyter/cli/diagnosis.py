"""What `jupyter flowlet doctor` says: facts of this environment, each with what to do if it is not as it should be."""

from __future__ import annotations

import datetime
import importlib.metadata
import importlib.util
import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from jupyter_core.paths import jupyter_config_path, jupyter_path

from flowlet_jupyter.credentials.handles import default_secrets
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.model.secret import configuration
from flowlet_jupyter.providers import ending_of, provider_index
from flowlet_jupyter.providers.project_file import FILE_NAME, missing_here
from flowlet_jupyter.settings import LOOPBACK_ADDRESS, loopback_port, loopback_redirect_uri


def diagnosis() -> Iterator[str]:
    """One line a fact; a line that begins with "!" names something to be done."""
    yield f"flowlet-jupyter {importlib.metadata.version('flowlet-jupyter')}, Python {sys.version.split()[0]}"
    yield from _of_vault()
    yield from _of_front_end()
    yield from _of_loopback()
    for extra in ("pandas", "polars"):
        found = importlib.util.find_spec(extra) is not None
        yield f"{extra}: {'there' if found else f'not installed (pip install flowlet-jupyter[{extra}])'}"


def _of_vault() -> Iterator[str]:
    vault = default_secrets().vault
    try:
        names = vault.names()
        yield f"vault: {vault.folder} ({len(names)} secrets); master key: {vault.master_key().location}"
        for entry in missing_here(names):
            yield f"! {entry.get('error') or FILE_NAME + ' here asks for a secret ' + entry['name']}"
    except FlowletError as error:
        yield f"! vault: {error}"
        return
    for name in names:
        try:
            secret = vault.get(name).secret
        except FlowletError as error:
            yield f"! {error}"
            continue
        if ending := ending_of(configuration(secret), provider_index(), datetime.datetime.now(tz=datetime.UTC).date()):
            yield f"! secret '{name}': {ending}"


def _of_front_end() -> Iterator[str]:
    enabled = None
    for folder in reversed(jupyter_config_path()):
        for file in sorted(Path(folder).glob("jupyter_server_config.d/*.json")):
            try:
                extensions = json.loads(file.read_text("utf-8"))["ServerApp"]["jpserver_extensions"]
            except (OSError, ValueError, KeyError, TypeError):
                continue
            enabled = extensions.get("flowlet_jupyter", enabled)
    yield (
        "server extension: enabled for a Jupyter server of this environment"
        if enabled
        else "! server extension: not enabled. Run: jupyter server extension enable flowlet_jupyter"
    )
    has_widgets = any((Path(folder) / "anywidget").is_dir() for folder in jupyter_path("labextensions"))
    yield (
        "widgets: anywidget's files are there for JupyterLab"
        if has_widgets
        else "! widgets: anywidget's files are not where JupyterLab of this environment looks. Run: pip install anywidget"
    )


def _of_loopback() -> Iterator[str]:
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK_ADDRESS, loopback_port()))
    except OSError:
        yield f"! redirect without a Jupyter server: {loopback_redirect_uri()} is taken by another program"
    except FlowletError as error:
        yield f"! redirect without a Jupyter server: {error}"
    else:
        yield f"redirect without a Jupyter server: {loopback_redirect_uri()} (free)"
