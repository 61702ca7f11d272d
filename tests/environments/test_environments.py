"""Each environment that notebooks run in, walked through for real or by its nearest real part."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from environments.walks import ENVIRONMENTS, Stage, table_row, walk
from support import free_port

# one of each way to a token; `nox -s environments` walks through all, with their packages
WALKED_ALWAYS = ("vscode", "python", "nbclient", "colab")
DOCUMENT = Path(__file__).parents[2] / "docs" / "environments.md"


@pytest.mark.parametrize("key", ENVIRONMENTS if os.environ.get("FLOWLET_ALL_ENVIRONMENTS") else WALKED_ALWAYS)
def test_an_environment_is_as_the_table_says(key, birdsong, jupyter_folders, tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))
    folder = tmp_path / "work"
    folder.mkdir()
    row = walk(key, Stage(birdsong, folder))
    assert table_row(row) in DOCUMENT.read_text("utf-8"), "run: python docs/make_environments.py"


def test_no_cell_of_the_table_is_blank():
    rows = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert len(rows) >= len(ENVIRONMENTS)
    assert all(cell.strip() for row in rows for cell in row.strip("|").split("|"))
