"""What the values of a column say: moments, numbers, or nothing. Pure."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from flowlet_jupyter.tables.columns import MISSING
from flowlet_jupyter.tables.dates import moments_of

_FIRST, _LAST = 100_000_000, 4_102_444_800  # 1973 to 2100, in seconds
_SCALES = (1, 1_000, 1_000_000, 1_000_000_000)  # epochs in seconds, milliseconds, microseconds, nanoseconds
_NUMERIC = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_RFC_2822 = re.compile(r"[A-Z][a-z]{2},? .*\d\d:\d\d.*")


def seconds_of(values: Sequence[Any], *, is_named: bool) -> list[float | None] | None:
    """Unix times (seconds) of a column; None if it holds none. Numbers are times only if the column's name says so."""
    there = [value for value in values if not is_missing(value)]
    if not there:
        return None
    # what pandas and polars read as dates
    if all(isinstance(value, datetime.date) for value in there):
        return [None if is_missing(value) else _timestamp(value) for value in values]
    moments = moments_of(list(values)) if all(isinstance(value, str) for value in there) else None
    if moments is not None:
        return [None if value is None else value / 1e9 for value in moments.nanoseconds]
    if not is_named:
        return None
    return _epochs(values, there) or _years(values, there) or _by_text(values, there)


def _timestamp(value: datetime.date) -> float:
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC)
    return (value if value.tzinfo else value.replace(tzinfo=datetime.UTC)).timestamp()


def _epochs(values: Sequence[Any], there: Sequence[Any]) -> list[float | None] | None:
    numbers = [_number(value) for value in there]
    for scale in _SCALES:
        if all(number is not None and _FIRST * scale <= number <= _LAST * scale for number in numbers):
            return [None if is_missing(value) else (_number(value) or 0.0) / scale for value in values]
    return None


def _years(values: Sequence[Any], there: Sequence[Any]) -> list[float | None] | None:
    if not all(
        (number := _number(value)) is not None and number.is_integer() and 1000 <= number <= 2262 for value in there
    ):
        return None
    return [
        None
        if is_missing(value)
        else datetime.datetime(int(_number(value) or 0), 1, 1, tzinfo=datetime.UTC).timestamp()
        for value in values
    ]


def _by_text(values: Sequence[Any], there: Sequence[Any]) -> list[float | None] | None:
    """`2024-01` and the dates of e-mail and HTTP (RFC 2822), which Twitter had."""
    if not all(isinstance(value, str) for value in there):
        return None
    seconds: list[float | None] = []
    for value in values:
        if is_missing(value):
            seconds.append(None)
        elif match := _MONTH.fullmatch(value):
            seconds.append(datetime.datetime(int(match[1]), int(match[2]), 1, tzinfo=datetime.UTC).timestamp())
        elif _RFC_2822.fullmatch(value):
            try:
                seconds.append(_timestamp(parsedate_to_datetime(value)))
            except (ValueError, TypeError, OverflowError):
                return None
        else:
            return None
    return seconds


_LARGEST = 1e300  # how far apart two larger ones are is no number; nor is NaN below it


def numbers_of(values: Sequence[Any], *, takes_texts: bool) -> list[float | None] | None:
    """The numbers of a column (finite, or None); None if it holds anything else."""
    there = [value for value in values if not is_missing(value)]
    if not there or not all(_number(value) is not None for value in there):
        return None
    if not takes_texts and any(isinstance(value, str) for value in there):
        return None
    return [None if is_missing(value) else _number(value) for value in values]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not _NUMERIC.fullmatch(value.strip()):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= _LARGEST else None


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing: null, no such member, an empty text, or no finite number."""
    return value is None or value is MISSING or (isinstance(value, float) and not math.isfinite(value)) or value == ""
