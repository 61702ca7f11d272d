"""Columns of ISO 8601 texts as moments, the same for pandas and polars. Pure.

A text that is no date becomes a missing value, counted and said. So does what pandas' nanoseconds do not reach (9999-12-31).
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flowlet_jupyter.tables.columns import MISSING

# RFC 3339's profile of ISO 8601: a date, or a date and time with or without a zone
_ISO_DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,](?P<fraction>\d+))?)?(?P<zone> ?(?:Z|[+-]\d\d(?::?\d\d)?))?)?",
    re.IGNORECASE,
)
# OData 2 and Xero (milliseconds; the offset is for display only), and what mail, HTTP and Twitter write
_SINCE_1970 = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_IN_WORDS = re.compile(
    r"[A-Z][a-z]{2},? (?:(?P<d>\d{1,2}) (?P<mon>[A-Z][a-z]{2}) (?P<y>\d{4}) |(?P<mon2>[A-Z][a-z]{2}) +(?P<d2>\d{1,2}) )"
    r"(?P<t>\d\d:\d\d:\d\d) (?P<z>GMT|UTC|[+-]\d{4})(?: (?P<y2>\d{4}))?"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NAMED_ZONE = re.compile(r" (?:UTC|GMT)$")
_FIRST, _LAST = datetime.datetime(1678, 1, 1), datetime.datetime(2262, 1, 1)  # noqa: DTZ001 - all are UTC or have no zone
_EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - naive on purpose: what is counted from it has no zone
_BAD_SHARE = 10  # one in so many texts may be no date at all


@dataclass(frozen=True)
class Moments:
    """Nanoseconds since 1970 (None: missing) in UTC, or without a zone; `bad` are the texts that are none, and how often."""

    nanoseconds: list[int | None]
    has_zone: bool
    bad: Counter[str]

    def note(self, name: str) -> str | None:
        """A sentence on what became missing in the column `name`, None if nothing did."""
        if not self.bad:
            return None
        shown = ", ".join(repr(text[:40]) for text, _ in self.bad.most_common(3))
        more = ", …" if len(self.bad) > 3 else ""
        total = len(self.nanoseconds)
        return (
            f"{self.bad.total():,} of {total:,} values of {name!r} are no dates here and became missing: {shown}{more}"
        )


def moments_of(values: Sequence[Any]) -> Moments | None:
    """The moments of a column; None if it is no column of dates."""
    texts = [value for value in values if isinstance(value, str)]
    if not texts or not all(isinstance(value, str) or _is_absent(value) for value in values):
        return None
    unique = {text: _moment(text) for text in set(texts)}
    counts = Counter(texts)
    strange = sum(counts[text] for text in unique if not _ISO_DATE.fullmatch(_as_iso(text)))
    dated = sum(counts[text] for text, moment in unique.items() if moment)
    zoned = sum(counts[text] for text, moment in unique.items() if moment and moment[1])
    if not dated or strange * _BAD_SHARE > len(texts):
        return None
    has_zone = zoned * 2 > dated
    if zoned and not has_zone:
        return None  # most have no zone: which moments they are is not known, and those with one cannot join them
    bad: Counter[str] = Counter()
    moments: dict[str, int | None] = {}
    for text, moment in unique.items():
        if moment is None or moment[1] != has_zone:
            moments[text] = None
            bad[text] = counts[text]
        else:
            moments[text] = moment[0]
    return Moments([moments[value] if isinstance(value, str) else None for value in values], has_zone, bad)


def _is_absent(value: Any) -> bool:
    return value is None or value is MISSING or value != value  # noqa: PLR0124 - NaN


def _as_iso(text: str) -> str:
    """A date in another form as ISO 8601; the text itself where it has none of these forms."""
    text = text.strip()
    if text[:1].isdigit():
        return _NAMED_ZONE.sub("Z", text)
    if match := _SINCE_1970.fullmatch(text):
        try:
            return (_EPOCH + datetime.timedelta(milliseconds=int(match[1]))).isoformat() + "Z"
        except OverflowError:
            return text
    match = _IN_WORDS.fullmatch(text)
    month, year = (match["mon"] or match["mon2"], match["y"] or match["y2"]) if match else ("", None)
    if match is None or month not in _MONTHS or year is None:
        return text
    zone = "Z" if match["z"] in {"GMT", "UTC"} else match["z"]
    return f"{year}-{_MONTHS.index(month) + 1:02}-{int(match['d'] or match['d2']):02}T{match['t']}{zone}"


def _moment(text: str) -> tuple[int, bool] | None:
    text = _as_iso(text)
    match = _ISO_DATE.fullmatch(text)
    if not match or text[11:13] == "24":  # newer Pythons take 24:00, pandas does not
        return None
    fraction = match["fraction"] or ""
    plain = text.upper().replace(",", ".").replace(" +", "+").replace(" -", "-").replace(" Z", "Z")
    try:
        when = datetime.datetime.fromisoformat(plain)
        if when.tzinfo is not None:
            when = when.astimezone(datetime.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    if not _FIRST <= when < _LAST:
        return None
    since = when - _EPOCH
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return microseconds * 1000 + int(fraction[6:9].ljust(3, "0")), match["zone"] is not None
