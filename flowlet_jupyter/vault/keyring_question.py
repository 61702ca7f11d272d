"""A question to the keyring that ends: its backend is a plug-in, which may hang on a dead D-Bus or raise anything."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from flowlet_jupyter.vault.ending import set_when_ending

_T = TypeVar("_T")
# how keyring's documentation says to turn it off, as it is in containers and on hubs
_TURNED_OFF = frozenset({"keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"})


def ask_keyring(question: Callable[[Any], _T], *, seconds: float) -> tuple[_T | None, str]:
    """What `question` says of the module `keyring`, and what went wrong, empty if nothing did.

    (None, "") where no keyring works on this machine. It waits `seconds`, and no longer than the process lives.
    """
    if "keyring" not in sys.modules and os.environ.get("PYTHON_KEYRING_BACKEND") in _TURNED_OFF:
        return None, ""  # as the import would say, which is a tenth of what a first request waits for
    outcome: list[tuple[_T | None, str]] = []
    done = set_when_ending(threading.Event())

    def ask() -> None:
        try:
            import keyring
            from keyring.errors import NoKeyringError

            try:
                outcome.append((question(keyring), ""))
            except NoKeyringError:
                outcome.append((None, ""))
        except Exception as error:  # noqa: BLE001 - a plug-in's text could quote an entry, so only its kind is named
            logging.getLogger(__name__).debug("the keyring backend raised %s", type(error).__name__)
            outcome.append((None, f"it failed with {type(error).__name__}"))
        finally:
            done.set()

    threading.Thread(target=ask, name="flowlet-keyring", daemon=True).start()
    done.wait(seconds)
    return outcome[0] if outcome else (None, f"it did not answer in {seconds:.0f} s")


def backend_name(keyring: Any) -> str | None:
    """The name of the backend in use, or None if none works on this machine."""
    from keyring.backends import fail, null

    backend = keyring.get_keyring()
    return None if isinstance(backend, fail.Keyring | null.Keyring) else str(backend.name)
