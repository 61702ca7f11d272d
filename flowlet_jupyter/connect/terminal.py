"""The prompt of a terminal: a link to this process, or a code to enter."""

from __future__ import annotations

import sys

from flowlet_jupyter.connect.wait import authorize_by
from flowlet_jupyter.connect.way import way_without_server
from flowlet_jupyter.errors import AuthRequired
from flowlet_jupyter.vault import Vault


class TerminalPrompt:
    """Prints the way; raises `AuthRequired` where no terminal is."""

    def authorize(self, vault: Vault, needed: AuthRequired) -> None:
        """Return when the secret has a token; raise `needed` without a user, or after ten minutes."""
        if not sys.stdin.isatty():
            raise needed
        way = way_without_server(vault.get(needed.secret_name).secret)
        authorize_by(way, vault, needed, _PrintedLine())


class _PrintedLine:
    """A line that a countdown rewrites where it stands; elsewhere than on a terminal only what is new is printed."""

    def __init__(self) -> None:
        self._width = 0  # of the countdown that stands there

    def show(self, text: str, *, is_countdown: bool = False) -> None:
        if is_countdown and not sys.stdout.isatty():
            return
        text = f"{text} To stop: Ctrl+C" if is_countdown else text
        start = f"\r{' ' * self._width}\r" if self._width else ""
        self._width = len(text) if is_countdown else 0
        print(f"{start}{text}", end="" if is_countdown else "\n", flush=True)  # noqa: T201 - a terminal's display
