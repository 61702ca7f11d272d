"""JupyterLite: Pyodide itself is not run; the one thing that this package asks of it is its platform."""

from __future__ import annotations

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import VaultError


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
