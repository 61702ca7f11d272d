"""The same walk through servers that others wrote; the matrix in docs/standards.md is what the walks give."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from interop import COLUMNS, SERVERS, running, table_row, walk
from support import free_port

pytestmark = [pytest.mark.provider, pytest.mark.slow]
STANDARDS = Path(__file__).parents[2] / "docs" / "standards.md"


@pytest.fixture
def port(monkeypatch):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))


def matrix() -> list[str]:
    text = STANDARDS.read_text("utf-8")
    return text.partition("<!-- matrix -->")[2].partition("<!-- /matrix -->")[0].strip().splitlines()


ALL = os.environ.get("FLOWLET_ALL_SERVERS") == "1"


@pytest.mark.parametrize("name", [name for name, server in SERVERS.items() if ALL or not server.is_long])
def test_a_server_does_what_the_matrix_says(port, name):
    with running(SERVERS[name]) as base:
        row = table_row(walk(SERVERS[name], base))
    assert row in matrix(), "run: python docs/make_matrix.py"


def test_the_matrix_has_these_servers_and_no_others():
    head, _, *rows = matrix()
    assert head == table_row(COLUMNS)
    assert [row.split("|")[1].split()[0] for row in rows] == [server.title.split()[0] for server in SERVERS.values()]
