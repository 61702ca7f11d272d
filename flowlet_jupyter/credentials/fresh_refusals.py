"""Access tokens that an API refused just after they had been refreshed: its 401 is then about something else, such as a right.

Without this, a loop over a thousand records of which some are not for this user refreshes the token at each of them, and
a provider that rotates refresh tokens or limits its token endpoint has reason to end the grant.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flowlet_jupyter.model.value import SecretValue

if TYPE_CHECKING:
    from flowlet_jupyter.session import Session

REMEMBERED_SECONDS = 60.0  # afterwards the token may have been revoked since, and a refresh is worth a try


class FreshRefusals:
    """By name of secret, the last fresh access token that was refused, and when."""

    def __init__(self, _session: Session) -> None:
        self._refused: dict[str, tuple[SecretValue, float]] = {}

    def note(self, name: str, access_token: SecretValue) -> None:
        """An API refused `access_token`, which was refreshed for this very request."""
        self._refused[name] = (access_token, time.monotonic())

    def explains(self, name: str, access_token: SecretValue) -> bool:
        """Whether a refusal of `access_token` is no reason to refresh it."""
        if name not in self._refused:
            return False
        refused, noted_at = self._refused[name]
        return refused == access_token and time.monotonic() - noted_at < REMEMBERED_SECONDS
