"""What a response says of its rate limit: how many calls are left, and when there are more. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

_PREFIXES = ("x-ratelimit-", "ratelimit-", "x-rate-limit-", "x-rate-", "rate-limit-")
_EPOCH_BEGINS = 1_000_000_000  # a number from here on is a Unix time, below it a number of seconds
_MILLISECONDS_BEGIN = 100_000_000_000  # a number from here on is a Unix time in milliseconds
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


@dataclass(frozen=True)
class RateLimit:
    """Calls left of `limit`, and the Unix time at which they are counted anew; None where the API does not say."""

    remaining: int
    limit: int | None = None
    resets_at: float | None = None


def rate_limit_of(headers: Mapping[str, str], *, now: float) -> RateLimit | None:
    """The rate limit that `headers` state, by whichever of the usual names; None if they state none."""
    if not any(name.lower().endswith("remaining") for name in headers):
        return None  # as of most responses, and five look-ups in the headers of each are seen in a series of requests
    for prefix in _PREFIXES:
        remaining = _number(headers.get(f"{prefix}remaining"))
        if remaining is not None:
            resets_at = _moment(headers.get(f"{prefix}reset"), now=now)
            if resets_at is None:
                resets_at = _moment(headers.get(f"{prefix}reset-after"), now=now)
            limit = _number(headers.get(f"{prefix}limit"))
            return RateLimit(int(remaining), None if limit is None else int(limit), resets_at)
    return None


def retry_after_of(headers: Mapping[str, str], *, now: float) -> float | None:
    """The seconds to wait that `Retry-After` states: a number or a date (RFC 9110, 10.2.3), or a Unix time, as some do."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(milliseconds / 1000, 0.0)
    text = headers.get("retry-after", "")
    if (_number(text) or 0.0) < 0:
        return 0.0
    moment = _moment(text, now=now)
    return None if moment is None else max(moment - now, 0.0)


def _moment(text: str | None, *, now: float) -> float | None:
    """The Unix time that `text` states: seconds from now, a Unix time in seconds or milliseconds, a date, a duration."""
    text = (text or "").strip()
    number = _number(text)
    if number is not None:
        if number < 0:
            return None
        if number >= _MILLISECONDS_BEGIN:
            return number / 1000
        return number if number >= _EPOCH_BEGINS else now + number
    if text and (matched := _DURATION.fullmatch(text)):
        hours, minutes, seconds, milliseconds = (float(part or 0) for part in matched.groups())
        return now + hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
    for read in (parsedate_to_datetime, datetime.datetime.fromisoformat):
        try:
            moment = read(text)
        except (TypeError, ValueError, IndexError):
            continue
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)).timestamp()
    return None


def pause_of(status: int, headers: Mapping[str, str], *, now: float) -> float:
    """The seconds to wait before the next request, after a response with this status; 0 if nothing asks for a pause."""
    if status in {429, 503} and (retry_after := retry_after_of(headers, now=now)) is not None:
        return retry_after
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
    return number if abs(number) < 1e15 else None  # NaN is not below anything either
