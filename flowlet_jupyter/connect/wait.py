"""Wait until a secret has a usable token, whoever stores it; and what both prompts have in common."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any, Protocol

from flowlet_jupyter.errors import AuthRequired
from flowlet_jupyter.vault import Vault

WAIT_SECONDS = 600.0
_POLL_SECONDS = 0.25


class Line(Protocol):
    """One line that says what is waited for."""

    def show(self, text: str, *, is_countdown: bool = False) -> None:
        """Replace the line; a countdown comes every second, and how to stop stands behind it."""


class Way(Protocol):
    """One way to authorize a secret: shows it, and says whether it led to a token."""

    def __call__(self, vault: Vault, name: str, line: Line) -> bool:
        """Whether the secret has a token now."""


def authorize_by(way: Way, vault: Vault, needed: AuthRequired, line: Line) -> None:
    """Go one way and say how it ends. Raises `needed` if nobody came in time."""
    name = needed.secret_name
    try:
        is_connected = way(vault, name, line)
    except KeyboardInterrupt:
        line.show(f"Secret '{name}': waiting was interrupted; the request was not sent.")
        raise
    if not is_connected:
        line.show(f"Secret '{name}': nobody authorized it in {WAIT_SECONDS / 60:.0f} minutes.")
        raise needed
    line.show(f"Secret '{name}' is connected; the request goes on.")


def wait_for_token(
    vault: Vault, name: str, line: Line, *, until: float | None = None, finished: Future[Any] | None = None
) -> bool:
    """Whether a token came by `until` (Unix time; in ten minutes). The vault file's change is noticed, whoever wrote it."""
    before = vault.get(name).token_set
    end = time.time() + WAIT_SECONDS if until is None else until
    shown = -1
    while (left := int(end - time.time())) > 0:
        token = vault.get(name).token_set
        if token is not None and token != before:
            return True
        if finished is not None and finished.done():
            finished.result()  # raises why it ended
        if left != shown:
            shown = left
            line.show(
                f"Secret '{name}': waiting for authorization, {left // 60}:{left % 60:02d} left.",
                is_countdown=True,
            )
        time.sleep(_POLL_SECONDS)
    return False
