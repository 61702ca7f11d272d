"""What every fault must leave behind, whichever it is."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

import pytest
from servers.oauth_provider import CANARY

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.vault import Vault, default_vault

LONGEST_SECONDS = 60.0  # generous: what is tested here would wait for ever
VALUES = (CANARY, "r1", "r2", "fresh", "old")


@pytest.fixture
def fault(measured):
    """A function that does something under a fault, and gives the error that it named.

    What is stored must be as it was, readable by another process, and free to be used by it; the message must be plain
    and hold no value; and it must come in time.
    """

    def run(
        act: Callable[[], object], expected: type[FlowletError] = FlowletError, *, kept: bool = True
    ) -> FlowletError:
        before = stored_now()
        started = time.monotonic()
        with pytest.raises(expected) as caught:
            act()
        assert time.monotonic() - started < LONGEST_SECONDS
        check_message(caught.value)
        if kept:
            assert stored_now() == before
        check_usable()
        measured("faults", injected=1, lost=0)
        return caught.value

    return run


@pytest.fixture
def withstood(measured):
    """A function that notes a fault after which all goes on; what is stored must be readable and free."""

    def run() -> None:
        check_usable()
        measured("faults", injected=1, lost=0)

    return run


def stored_now() -> Record | None:
    """What another process finds, which has nothing in memory."""
    vault = Vault(default_vault().folder)
    return vault.get("api") if "api" in vault.names() else None


def check_message(error: FlowletError) -> None:
    text = str(error)
    assert text.replace("\n", "").isprintable()
    assert text[0].isupper()
    assert "." in text
    assert "Traceback" not in text
    assert not [value for value in VALUES if value in text.replace("refresh", "").split()]
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert CANARY not in shown


def check_usable() -> None:
    """No lock is left, and the secret can be read and written."""
    vault = Vault(default_vault().folder)
    if "api" not in vault.names():
        return
    with vault.lock("api"):
        vault.put(vault.get("api"))
