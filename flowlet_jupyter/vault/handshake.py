"""Greetings of widgets: a front end says through the server that it is up, where a busy kernel hears no message.

A greeting is an empty file named after a random number that the kernel made for the widget.
"""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path

from flowlet_jupyter.vault.sealed_file import make_private_folder

_ID = re.compile(r"[0-9a-f]{32}")
_LIFETIME_SECONDS = 60.0


def greet(vault_folder: Path, greeting: str) -> None:
    """Leave the greeting; anything that is not one of ours is ignored. Raises `VaultError`."""
    if not _ID.fullmatch(greeting):
        return
    folder = vault_folder / "greetings"
    make_private_folder(vault_folder)
    make_private_folder(folder)
    with contextlib.suppress(OSError):
        for old in folder.iterdir():
            if time.time() - old.stat().st_mtime > _LIFETIME_SECONDS:
                old.unlink()
        (folder / greeting).touch(mode=0o600)


def has_greeted(vault_folder: Path, greeting: str) -> bool:
    """Whether the greeting was left; it is then taken away."""
    try:
        (vault_folder / "greetings" / greeting).unlink()
    except OSError:
        return False
    return True
