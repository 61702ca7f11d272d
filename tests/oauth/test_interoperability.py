"""The same walk through servers that others wrote; the matrix in docs/standards.md is what the walks give."""

from __future__ import annotations

import pytest
from interop import SERVERS, running, walk
from support import free_port

pytestmark = [pytest.mark.provider, pytest.mark.slow]


@pytest.fixture
def port(monkeypatch):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))


@pytest.mark.parametrize("name", SERVERS)
def test_the_walk(port, name):
    with running(SERVERS[name]) as base:
        print(walk(SERVERS[name], base))
