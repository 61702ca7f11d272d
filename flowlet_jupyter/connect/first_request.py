"""The first request with a secret that was just connected, or stored: whether it can be tried, and what to print of it."""

from __future__ import annotations

from flowlet_jupyter.errors import printable
from flowlet_jupyter.http.trial import example_url, try_secret
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.vault import Vault


def can_be_tried(record: Record) -> bool:
    """Whether a secret that was just stored can be tried at once: it is sent as it is, and names what to ask."""
    return not isinstance(record.secret, OAuth2) and example_url(record) is not None


def first_request(vault: Vault, name: str) -> tuple[bool, str]:
    """Send one harmless request with the secret: whether it works, and what to print of it, which steers no terminal.

    Raises as `try_secret`: `UsageError` if the secret names nothing to ask.
    """
    trial = try_secret(vault, name)
    return trial.outcome == "works", printable(str(trial))
