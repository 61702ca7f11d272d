"""Fixtures for pytest, which finds them by itself: a session of its own, a secret with tokens, and a provider."""

from __future__ import annotations

import base64
import os
import secrets as random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # a test run that uses none of these loads nothing
    from flowlet_jupyter.credentials.handles import SecretHandle
    from flowlet_jupyter.demo.process import Birdsong
    from flowlet_jupyter.session import Session


def pytest_configure() -> None:
    """Send over httpx's own transport, where respx and pytest-httpx see every request, unless the run says otherwise."""
    os.environ.setdefault("FLOWLET_TRANSPORT", "httpx")


@pytest.fixture
def flowlet_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """The default session, with an empty vault that ends with the test; the user's vault and keyring are not touched.

    Kernels and programs that the test starts inherit it. Nobody is asked: a secret without a token raises `AuthRequired`.
    """
    from flowlet_jupyter.session import default_session
    from flowlet_jupyter.session.prompt import NoPrompt

    monkeypatch.setenv("FLOWLET_VAULT", str(tmp_path / "flowlet" / "vault"))
    monkeypatch.setenv("FLOWLET_MASTER_KEY", base64.b64encode(random.token_bytes(32)).decode())
    monkeypatch.delenv("FLOWLET_MASTER_KEY_FILE", raising=False)
    session = default_session()
    session.prompt = NoPrompt()
    yield session
    session.close()


@pytest.fixture
def flowlet_provider(tmp_path: Path) -> Iterator[Birdsong]:
    """Birdsong, a provider and its API, in this process on a free port of loopback."""
    from flowlet_jupyter.demo.process import Birdsong
    from flowlet_jupyter.demo.web import BirdsongServer

    with BirdsongServer(0, tmp_path / "flowlet-provider.json") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield Birdsong(server.origin)
        server.shutdown()
        thread.join()


@pytest.fixture
def flowlet_secret(flowlet_session: Session, flowlet_provider: Birdsong) -> SecretHandle:  # noqa: ARG001 - its vault
    """The secret `birdsong`, connected at `flowlet_provider`: its tokens are real ones, and are refreshed."""
    from flowlet_jupyter.demo.account import connect

    return connect(flowlet_provider, name="birdsong")
