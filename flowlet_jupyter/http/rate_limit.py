"""What a response says of its rate limit: how many calls are left, and when there are more. Pure.

Headers are read by the words of their names, as each API puts the same few together in its own way: `X-RateLimit-Remaining`,
`X-HubSpot-RateLimit-Daily-Remaining`, `anthropic-ratelimit-requests-reset`, `X-AircallApi-Reset`, `X-Toggl-Quota-Resets-In`.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

_EPOCH_BEGINS = 1_000_000_000  # a number from here on is a Unix time, below it a number of seconds
_UNITS = (
    (100_000_000_000_000_000, 1e9),
    (100_000_000_000_000, 1e6),
    (100_000_000_000, 1e3),
)  # nano-, micro-, milliseconds
_LATEST = 4e9  # the year 2096: what is said to be later, or to take longer, is no time
_MAX_HEADER = 10_000  # characters; what is longer is read no further
_MANY = 10**18  # no API counts so far
_DURATION = re.compile(
    r"(?:p?t)?(?:(\d+)(?:d|days?))?(?:(\d+)(?:h|hours?))?(?:(\d+)(?:m|min|minutes?)(?!s))?"
    r"(?:(\d+(?:\.\d+)?)(?:s|secs?|seconds?))?(?:(\d+(?:\.\d+)?)(?:ms|milliseconds?))?"
)
_LIMIT = re.compile(
    r"rate-?limits?|limits?|quota|throttl|credits|api-(?:remaining|reset)|calls|requests-(?:remaining|left)"
)
# what a word of a name says, the most telling first
_ROLES = {
    "remaining": "remaining", "remain": "remaining", "left": "remaining", "reset": "reset", "resets": "reset",
    "resettime": "reset", "retryafter": "retry", "retry": "retry", "used": "used", "usage": "used", "count": "used",
}  # fmt: skip
_PLAIN_WORDS = {
    "x", "rate", "limit", "limits", "after", "in", "at", "time", "ms", "milliseconds", "seconds", "s", "requests", "request", "calls",
    "call", "api", "window", "quota", *_ROLES,
}  # fmt: skip
_LIST = re.compile(r"\d+(?:\s*,\s*\d+)+")  # a number for each of several windows, as Strava has them
_SHARE = re.compile(r"(?<!\d)(\d+)/(\d+)(?![\d.])")  # used of all, as Shopify and Salesforce have them
_STRUCTURED = re.compile(r"\b(limit|remaining|reset|r|t|q)\s*=\s*(\d+)")  # the IETF's drafts: `"default";r=0;t=30`
_REGAINED = re.compile(r'"estimated_time_to_regain_access"\s*:\s*(\d+)')  # of Meta, in minutes
_RETRY_NAMES = (
    "retry-after", "x-retry-after", "x-ratelimit-retry-after", "x-ratelimit-retryafter", "x-rate-limit-retry-after",
    "x-rate-limit-retry-after-seconds", "ratelimit-retry-after",
)  # fmt: skip


@dataclass(frozen=True)
class RateLimit:
    """Calls left of `limit`, and the Unix time at which they are counted anew; None where the API does not say."""

    remaining: int
    limit: int | None = None
    resets_at: float | None = None


@dataclass
class _Bucket:
    """One of the limits that an API counts: by minute, by day, by user, by token."""

    remaining: float | None = None
    limit: float | None = None
    resets_at: float | None = None
    lists: dict[str, list[float]] = field(default_factory=dict)


def rate_limit_of(headers: Mapping[str, str], *, now: float) -> RateLimit | None:
    """The rate limit that `headers` state: the one that is used up, else the plainest; None if they state none."""
    buckets, _ = _buckets(headers, now=now)
    limits = [
        RateLimit(int(bucket.remaining), None if bucket.limit is None else int(bucket.limit), bucket.resets_at)
        for _, bucket in sorted(buckets.items(), key=lambda item: len(item[0]))
        if bucket.remaining is not None and bucket.limit != 0
    ]
    used_up = [limit for limit in limits if limit.remaining <= 0 and limit.resets_at is not None]
    if used_up:
        return max(used_up, key=lambda limit: limit.resets_at or 0.0)
    return limits[0] if limits else None


def retry_after_of(headers: Mapping[str, str], *, now: float) -> float | None:
    """The seconds to wait that `Retry-After` states: a number or a date (RFC 9110, 10.2.3), or a Unix time, as some do."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None and _believable(now + milliseconds / 1000) is not None:
        return max(milliseconds / 1000, 0.0)
    for name in _RETRY_NAMES:
        text = headers.get(name, "")
        if (_number(text) or 0.0) < 0:
            return 0.0
        moment = _moment(text, now=now)
        if moment is not None:
            return max(moment - now, 0.0)
    return None


def pause_of(status: int, headers: Mapping[str, str], *, now: float) -> float:
    """The seconds to wait before the next request, after a response with this status; 0 if nothing asks for a pause."""
    if status in {429, 503} and (retry_after := retry_after_of(headers, now=now)) is not None:
        return retry_after
    texts = dict(headers.items())  # once: httpx decodes them each time
    limit = rate_limit_of(texts, now=now)
    if limit is not None and limit.remaining <= 0 and limit.resets_at is not None:
        return max(limit.resets_at - now, 0.0)
    regained = [
        _count(minutes) for text in texts.values() if "regain_access" in text for minutes in _REGAINED.findall(text)
    ]
    if any(regained):
        return (_believable(now + max(regained) * 60.0) or now) - now
    if status == 429 and limit is None:  # only when calls are counted anew is said, not how many are left
        _, resets = _buckets(texts, now=now)
        return max(min(resets) - now, 0.0) if resets else 0.0
    return 0.0


@functools.lru_cache(maxsize=500)  # every response has the same few
def _is_of_limit(header: str) -> bool:
    name = header.lower()
    return _LIMIT.search(name) is not None and name != "retry-after"


def _buckets(headers: Mapping[str, str], *, now: float) -> tuple[dict[str, _Bucket], list[float]]:
    """The limits by what is counted ("" for the plain one), and every moment at which one is counted anew."""
    buckets: dict[str, _Bucket] = {}
    resets: list[float] = []
    for header, long_text in headers.items():
        if not _is_of_limit(header[:_MAX_HEADER]):
            continue
        name, text = header.lower()[:_MAX_HEADER], long_text[:_MAX_HEADER]
        if name in {"ratelimit", "x-ratelimit", "rate-limit"} and "=" in text:
            _read_structured(text, buckets, now=now)
            continue
        parts = re.sub(r"(rate)-?(limit)", r"-\1-\2-", name).split("-")
        role = next((_ROLES[word] for known in _ROLES for word in parts if word == known), "limit")
        bucket = buckets.setdefault(" ".join(word for word in parts if word and word not in _PLAIN_WORDS), _Bucket())
        if _LIST.fullmatch(text.strip()) and role in {"limit", "used"}:
            bucket.lists[role] = [_count(part) for part in text.split(",")]
        elif role == "reset":
            moment = _moment(
                f"{text.strip()}ms" if name.endswith("-ms") and _number(text) is not None else text, now=now
            )
            if moment is not None:
                resets.append(moment)
                bucket.resets_at = moment if bucket.resets_at is None else bucket.resets_at
        elif (share := _SHARE.search(text)) and role != "remaining":
            bucket.limit = _count(share[2])
            bucket.remaining = bucket.limit - _count(share[1])
        elif role in {"remaining", "limit"} and (number := _number(text)) is not None and getattr(bucket, role) is None:
            setattr(bucket, role, number)
    for bucket in buckets.values():
        _finish(bucket, resets, buckets.get("", bucket))
    return buckets, resets


def _finish(bucket: _Bucket, resets: list[float], plain: _Bucket) -> None:
    """Fill in what follows from the rest: what is left where only the use is said, and the one reset that there is."""
    limits, used = bucket.lists.get("limit"), bucket.lists.get("used")
    if bucket.remaining is None and limits and used and len(limits) == len(used):
        bucket.limit, bucket.remaining = min(
            ((limit, limit - so_far) for limit, so_far in zip(limits, used, strict=True)), key=lambda pair: pair[1]
        )
    elif limits and bucket.limit is None:
        bucket.limit = limits[0]
    if bucket.remaining is not None and bucket.resets_at is None:
        bucket.resets_at = plain.resets_at if plain.resets_at is not None else resets[0] if len(resets) == 1 else None


def _read_structured(text: str, buckets: dict[str, _Bucket], *, now: float) -> None:
    """The IETF's `RateLimit` header, of one policy or several; of an earlier draft `limit=10, remaining=5, reset=3`."""
    policies = [text] if "remaining" in text else re.split(r",(?=\s*\")", text)
    for number, policy in enumerate(policies):
        parameters = {name: _count(value) for name, value in _STRUCTURED.findall(policy)}
        remaining, reset = (
            parameters.get("remaining", parameters.get("r")),
            parameters.get("reset", parameters.get("t")),
        )
        if remaining is not None:
            buckets["" if number == 0 else f"policy {number}"] = _Bucket(
                remaining,
                parameters.get("limit", parameters.get("q")),
                None if reset is None else _believable(now + reset),
            )


def _moment(text: str | None, *, now: float) -> float | None:
    """The Unix time that `text` states: seconds from now, a Unix time (also in smaller units), a date, a duration."""
    text = (text or "")[:_MAX_HEADER].strip()
    number = _number(text)
    if number is not None:
        if number < 0:
            return None
        number = next((number / unit for begins, unit in _UNITS if number >= begins), number)
        return _believable(number if number >= _EPOCH_BEGINS else now + number)
    duration = text.lower().replace(" ", "")
    if duration and (matched := _DURATION.fullmatch(duration)) and any(matched.groups()):
        days, hours, minutes, seconds, milliseconds = (float(part or 0) for part in matched.groups())
        return _believable(now + days * 86400 + hours * 3600 + minutes * 60 + seconds + milliseconds / 1000)
    for read in (parsedate_to_datetime, datetime.datetime.fromisoformat):
        try:
            moment = read(text.removesuffix(" UTC") if read is not parsedate_to_datetime else text)
        except (TypeError, ValueError, IndexError, OverflowError):
            continue
        return _believable((moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)).timestamp())
    return None


def _believable(moment: float) -> float | None:
    """`moment` if it can be waited for."""
    return moment if moment <= _LATEST else None


def _count(digits: str) -> float:
    """The number that `digits` write, however many they are."""
    return float(min(int(digits[:30]), _MANY))


def _number(text: str | None) -> float | None:
    # "75, 75;w=60" of the IETF drafts begins with the number
    first = (text or "").split(",")[0].split(";")[0].strip()
    try:
        number = float(first)
    except ValueError:
        return None
    return number if abs(number) < 1e19 else None  # NaN is not below anything either
