"""Each environment that notebooks run in, walked through for real or by its nearest real part."""

from __future__ import annotations

from pathlib import Path

import pytest
from environments.walks import PLACES, Stage, table_row, walk
from support import free_port

DOCUMENT = Path(__file__).parents[2] / "docs" / "environments.md"


@pytest.mark.parametrize("key", PLACES)
def test_an_environment_is_as_the_table_says(key, birdsong, jupyter_folders, tmp_path, monkeypatch):
    place = PLACES[key]
    if not place.is_here:
        pytest.skip(f"{place.package} is not installed: nox -s environments")  # also where all tests must run
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))
    folder = tmp_path / "work"
    folder.mkdir()
    row = walk(key, Stage(birdsong, folder))
    assert table_row(row) in DOCUMENT.read_text("utf-8"), "run: python docs/make_environments.py"


def test_no_cell_of_the_table_is_blank():
    rows = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert len(rows) >= len(PLACES)
    assert all(cell.strip() for row in rows for cell in row.strip("|").split("|"))
