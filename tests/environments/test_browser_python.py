"""JupyterLite, by the one thing that this package asks of it: its platform. `walks.lite` runs Pyodide itself."""

from __future__ import annotations

import contextlib
import threading
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import VaultError
from flowlet_jupyter.session import Session


def test_a_browser_has_no_vault_and_says_so(monkeypatch, birdsong):
    monkeypatch.setattr("sys.platform", "emscripten")
    for use in (
        lambda: flowlet.get(birdsong.url, secret="twitter"),
        lambda: flowlet.secrets["twitter"],
        lambda: flowlet.secrets.add(flowlet.Password(name="x", password="y", allowed_hosts=("a.example",))),
    ):
        with pytest.raises(VaultError, match="no vault in a browser"):
            use()
    assert flowlet.secrets.vault.names() == []


def test_a_browser_sends_by_what_httpx_has_there_and_one_after_the_other(monkeypatch):
    """Pyodide's httpx has `fetch` in the place of these two; there are neither sockets nor threads below."""
    threads = set()

    class Fetch(httpx.BaseTransport):
        def handle_request(self, request):
            threads.add(threading.current_thread())
            if request.url.path == "/refused":
                raise httpx.ConnectError("Failed to fetch")
            return httpx.Response(200, json={"items": [{"id": 1}, {"id": 2}], "total": 2})

    monkeypatch.setattr("sys.platform", "emscripten")
    monkeypatch.setattr(httpx, "HTTPTransport", Fetch)
    with contextlib.closing(Session(Path("/nowhere"))) as session:
        assert flowlet.get("https://api.example/", session=session).status_code == 200
        assert len(flowlet.gather(["https://api.example/1", "https://api.example/2"], session=session).responses) == 2
        assert [page.status_code for page in flowlet.paginate("https://api.example/", session=session)] == [200]
        with pytest.raises(flowlet.RequestFailed, match="CORS"):
            flowlet.get("https://api.example/refused", session=session, retry=0)
    assert threads == {threading.current_thread()}


# built for Pyodide, and in its distribution; and what is built here, and has a pure wheel too
OF_PYODIDE = {"cryptography", "cffi", "pyyaml"} | {"charset-normalizer", "psygnal", "wcwidth"}


def test_all_that_a_browser_installs_is_pure_or_pyodides_own():
    """micropip has wheels of no other kind; it does not come to the first line where one is missing."""
    environment = {"sys_platform": "emscripten", "platform_system": "Emscripten", "os_name": "posix", "extra": ""}
    project = Path(__file__).parents[2] / "pyproject.toml"
    left = list(map(Requirement, tomllib.loads(project.read_text("utf-8"))["project"]["dependencies"]))
    seen, built = set(), set()
    while left:
        requirement = left.pop()
        name = canonicalize_name(requirement.name)
        if name in seen or not (requirement.marker is None or requirement.marker.evaluate(environment)):
            continue
        seen.add(name)
        found = distribution(name)
        if "Root-Is-Purelib: false" in (found.read_text("WHEEL") or ""):
            built.add(name)
        left += map(Requirement, found.requires or ())
    assert "httpx" in seen
    assert built <= OF_PYODIDE
