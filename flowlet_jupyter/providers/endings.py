"""Which stored secrets stop working soon, because their provider takes an address or a way in away. No I/O but the index."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from flowlet_jupyter.providers.entry import ends_soon
from flowlet_jupyter.providers.fill import endpoint_pattern


def ending_of(configuration: Mapping[str, Any], index: Iterable[Mapping[str, Any]], today: datetime.date) -> str:
    """A sentence on what the provider of a secret takes away by when, empty if nothing ends within four months.

    An OAuth2 secret is matched by its token endpoint, as the older of two that a provider has may be what it holds; one of
    another kind by its first host. `configuration` is what `secret.configuration` gives, `index` `provider_index()`.
    """
    kind = configuration.get("type")
    held = (
        configuration.get("token_endpoint")
        if kind == "oauth2"
        else next(iter(configuration.get("allowed_hosts", ())), "")
    )
    for entry in index:
        for template, day in entry.get("endings", {}).items() if entry["type"] == kind else ():
            if held and ends_soon(day, today) and endpoint_pattern(template).fullmatch(held):
                has_ended = datetime.date.fromisoformat(day) < today
                verb = "ended" if has_ended else "ends"
                return f"{entry['title']} {verb} this on {day}. {entry['notes']}".strip()
    return ""
