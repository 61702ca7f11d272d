"""What of a stored secret ends soon: its provider's way in, its client secret, its grant."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record, configuration
from flowlet_jupyter.providers import Summary, ending_of, provider_index

_CLIENT_SECRET_DAYS = 45
_GRANT_SECONDS = 7 * 86400.0


def entries_that_end() -> list[Summary]:
    """The few entries of the catalogue of which something ends; none where an entry of an organisation's is broken.

    That is no reason to show no secret.
    """
    try:
        return [entry for entry in provider_index() if entry.get("endings")]
    except InvalidSecret:
        return []


def what_ends(record: Record, entries: Sequence[Summary], *, now: float) -> list[str]:
    """A sentence for each thing that ends soon or has ended; `entries` is what `entries_that_end` gives."""
    today = datetime.datetime.fromtimestamp(now, tz=datetime.UTC).date()
    sentences = [ending_of(configuration(record.secret), entries, today)]
    secret, token_set = record.secret, record.token_set
    if isinstance(secret, OAuth2) and secret.client_secret_expires_on:
        day = datetime.date.fromisoformat(secret.client_secret_expires_on)
        if day - today <= datetime.timedelta(days=_CLIENT_SECRET_DAYS):
            verb = "ended" if day < today else "ends"
            sentences.append(f"The client secret {verb} on {day}: make a new one at the provider, and give it here.")
    if (
        token_set is not None
        and token_set.grant_ends_at is not None
        and token_set.grant_ends_at - now <= _GRANT_SECONDS
    ):
        moment = datetime.datetime.fromtimestamp(token_set.grant_ends_at).astimezone()
        verb = "ended" if token_set.grant_ends_at <= now else "ends"
        sentences.append(
            f"The refresh token {verb} on {moment:%Y-%m-%d at %H:%M}: then a user must allow access again."
        )
    return [sentence for sentence in sentences if sentence]
