"""What a response says of its rate limit: how many calls are left, and when there are more. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

_PREFIXES = ("x-ratelimit-", "ratelimit-", "x-rate-limit-", "x-rate-", "rate-limit-")
_EPOCH_BEGINS = 1_000_000_000  # a reset above this is a Unix time, below it a number of seconds


@dataclass(frozen=True)
class RateLimit:
    """Calls left of `limit`, and the Unix time at which they are counted anew; None where the API does not say."""

    remaining: int
    limit: int | None = None
    resets_at: float | None = None


def rate_limit_of(headers: Mapping[str, str], *, now: float) -> RateLimit | None:
    """The rate limit that `headers` state, by whichever of the usual names; None if they state none."""
    for prefix in _PREFIXES:
        remaining = _number(headers.get(f"{prefix}remaining"))
        if remaining is not None:
            reset = _number(headers.get(f"{prefix}reset"))
            resets_at = None
            if reset is not None and reset >= 0:
                resets_at = reset if reset >= _EPOCH_BEGINS else now + reset
            limit = _number(headers.get(f"{prefix}limit"))
            return RateLimit(int(remaining), None if limit is None else int(limit), resets_at)
    return None


def retry_after_of(headers: Mapping[str, str], *, now: float) -> float | None:
    """The seconds to wait that `Retry-After` states, as a number or as a date (RFC 9110, 10.2.3)."""
    text = headers.get("retry-after", "").strip()
    seconds = _number(text)
    if seconds is not None:
        return max(seconds, 0.0)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return max(moment.timestamp() - now, 0.0)


def pause_of(status: int, headers: Mapping[str, str], *, now: float) -> float:
    """The seconds to wait before the next request, after an answer with this status; 0 if nothing asks for a pause."""
    if status in {429, 503} and (wanted := retry_after_of(headers, now=now)) is not None:
        return wanted
    limit = rate_limit_of(headers, now=now)
    if limit is not None and limit.remaining <= 0 and limit.resets_at is not None:
        return max(limit.resets_at - now, 0.0)
    return 0.0


def _number(text: str | None) -> float | None:
    # "75, 75;w=60" of the IETF drafts begins with the number
    first = (text or "").split(",")[0].split(";")[0].strip()
    try:
        number = float(first)
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None
