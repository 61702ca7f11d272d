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
    """By name of secret and origin of the API, the last fresh access token that was refused, and when.

    What one host of a secret refuses says nothing of another, whose refusal may be the one that a refresh heals.
    """

    def __init__(self, _session: Session) -> None:
        self._refused: dict[tuple[str, str], tuple[SecretValue, float]] = {}

    def note(self, name: str, origin: str, access_token: SecretValue) -> None:
        """The API at `origin` refused `access_token`, which was refreshed for this very request."""
        now = time.monotonic()
        recent = {key: entry for key, entry in list(self._refused.items()) if now - entry[1] < REMEMBERED_SECONDS}
        self._refused = {**recent, (name, origin): (access_token, now)}

    def explains(self, name: str, origin: str, access_token: SecretValue) -> bool:
        """Whether a refusal of `access_token` at `origin` is no reason to refresh it."""
        noted = self._refused.get((name, origin))
        return noted is not None and noted[0] == access_token and time.monotonic() - noted[1] < REMEMBERED_SECONDS

    def replace(self, name: str, old: SecretValue, new: SecretValue) -> None:
        """`new` was refreshed in place of `old`: who refused the one a moment ago is not asked whether it takes the other.

        Two hosts that both refuse for reasons of their own would else have each other's token refreshed in turn.
        """
        for key, (token, noted_at) in list(self._refused.items()):
            if key[0] == name and token == old:
                self._refused[key] = (new, noted_at)
