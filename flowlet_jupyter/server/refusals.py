"""Why the last flow of a secret brought no token, for the view that waits for it.

The callback page may be of another origin than the notebook (127.0.0.1 beside localhost), so that no message goes from
tab to tab; the server that served both knows.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from flowlet_jupyter.session import Session, session_of
from flowlet_jupyter.vault import Vault


@dataclass(frozen=True)
class Refusal:
    """When (Unix time, seconds) a flow failed, and why, as its own page says it."""

    time: float
    message: str


class _Refusals:
    """The last refusal of each secret, as long as the server runs."""

    def __init__(self, _session: Session) -> None:
        self.by_secret: dict[str, Refusal] = {}


def note_refusal(vault: Vault, name: str, message: str) -> None:
    """Remember that a flow of the secret `name` failed just now."""
    session_of(vault).part(_Refusals).by_secret[name] = Refusal(time.time(), message)


def forget_refusal(vault: Vault, name: str) -> None:
    """A new flow has begun, or the secret is gone."""
    session_of(vault).part(_Refusals).by_secret.pop(name, None)


def last_refusal(vault: Vault, name: str) -> dict[str, Any] | None:
    """`time` and `message` of the last flow if it failed, ready for JSON."""
    refusal = session_of(vault).part(_Refusals).by_secret.get(name)
    return asdict(refusal) if refusal else None
