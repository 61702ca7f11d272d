"""Birdsong's data: tweets made up from a few phrases, the same at every start."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

_FIRST = ("A wren", "The blackbird", "One robin", "A pair of swifts", "The nightingale", "Some starlings")
_DID = ("sang before dawn", "answered from the hedge", "changed key at noon", "kept silent", "copied a phone")
_WHERE = ("by the river", "on the north roof", "in the old orchard", "near the station", "at 52° N")


def tweets_of(user_id: str, count: int = 42) -> list[dict[str, Any]]:
    """All tweets of a user, newest first, in the shape of Twitter's API v2."""
    choose = random.Random(user_id)  # noqa: S311 - made-up birds, not cryptography
    newest = datetime(2026, 11, 1, 18, 30, tzinfo=UTC)
    return [
        {
            "id": str(1985000000000000000 - index),
            "text": f"{choose.choice(_FIRST)} {choose.choice(_DID)} {choose.choice(_WHERE)}.",
            "created_at": (newest - timedelta(hours=index * 7)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "public_metrics": {
                "like_count": choose.randrange(200),
                "reply_count": choose.randrange(20),
                "retweet_count": choose.randrange(50),
            },
        }
        for index in range(count)
    ]
