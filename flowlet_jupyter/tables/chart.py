"""Which columns of records make a chart over time: a column of times, one of numbers, and what tells several lines apart. Pure.

A line is drawn only where each moment has one value, so that a list that holds several things never looks like one.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.tables.column_values import is_missing, numbers_of, seconds_of
from flowlet_jupyter.tables.columns import Columns, columns_of

Mark = Literal["line", "points"]
MAX_SERIES = 8
_FEWEST_POINTS = 3  # that are offered as a chart
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_TIME_NAMES = ("time", "timestamp", "datetime", "date", "ts", "t", "day", "month", "year", "epoch", "period", "hour", "week",
               "when", "at", "created", "updated", "published", "dt", "start", "end", "utc")  # fmt: skip
# that it was made says when something happened; that it was changed says less
_BEST_TIMES = ("time", "timestamp", "datetime", "date", "ts", "t", "day", "month", "period", "year")
_LATER = ("updated", "modified", "end", "ended", "closed", "expires", "deleted", "synced", "pushed")
_NOT_MEASURED = re.compile(
    r"(^|_)(ids?|uuid|guid|key|code|number|no|num|zip|phone|version|index|idx|page|offset|position|rank|lat|latitude|lon|lng|"
    r"longitude|port|year|month|day|hour|type|status|interval|build|width|height|revision)$"
)
_BEST_NUMBERS = ("value", "price", "close", "amount", "total", "count", "temperature", "score", "rate", "volume")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class Series:
    """One line: its name, and points of Unix time (seconds) and value, in order of time."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Chart:
    """What is drawn: the columns' names, the series, lines or points, and notes on what was left out."""

    x: str
    y: tuple[str, ...]
    series: tuple[Series, ...]
    mark: Mark
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The chart in one sentence, for whoever does not see it."""
        points = [point for series in self.series for point in series.points]
        first, last = min(points)[0], max(points)[0]
        low, high = min(value for _, value in points), max(value for _, value in points)
        kind = "Line chart" if self.mark == "line" else "Points"
        lines = f", {len(self.series)} series" if len(self.series) > 1 else ""
        return (
            f"{kind} of {', '.join(self.y)} by {self.x}{lines}: {len(points):,} values from {day(first)} to {day(last)}, "
            f"between {low:g} and {high:g}"
        )


def day(seconds: float) -> str:
    """A moment as an ISO date and, unless it is midnight, the time (UTC)."""
    when = _EPOCH + datetime.timedelta(seconds=seconds)
    return when.strftime("%Y-%m-%d" if (when.hour, when.minute, when.second) == (0, 0, 0) else "%Y-%m-%d %H:%M")


def chart_of(records: Sequence[Any], *, x: str | None = None, y: str | Sequence[str] | None = None) -> Chart:
    """The chart of `records`: of the columns `x` (times) and `y` (numbers), or of the likeliest ones.

    Raises `RequestFailed`, which names the columns, if there are no such columns.
    """
    rows = [record for record in records if isinstance(record, dict)]
    if not rows:
        raise RequestFailed("There are no records to plot.")
    try:
        columns = columns_of(rows)
    except ValueError as error:
        raise RequestFailed(f"These records cannot be columns, so there is nothing to plot: {error}.") from None
    times = _times(columns, x)
    names = (y,) if isinstance(y, str) else tuple(y or ())
    if len(names) > MAX_SERIES:
        raise RequestFailed(f"At most {MAX_SERIES} columns are drawn in one chart; y names {len(names)}.")
    numbers = {name: _named_numbers(columns, name) for name in names} or _likeliest_numbers(columns, times.name)
    return _series(columns, times, numbers)


def can_be_charted(records: Sequence[Any]) -> bool:
    """Whether `chart_of` would find columns by itself that say something; looks at the first records only."""
    head = records[:200]
    try:
        chart = chart_of(head)
    except RequestFailed:
        return False
    drawn = sum(len(series.points) for series in chart.series)
    return drawn >= _FEWEST_POINTS and drawn * 2 >= len(head)


# times


@dataclass(frozen=True)
class _Times:
    name: str
    seconds: list[float | None]


def _times(columns: Columns, x: str | None) -> _Times:
    if x is not None:
        seconds = seconds_of(_column(columns, x), is_named=True)
        if seconds is None:
            raise RequestFailed(f"The column {x!r} holds no times. {_listed(columns)}")
        return _Times(x, seconds)
    found = [
        _Times(name, seconds)
        for name, values in columns.items()
        if (seconds := seconds_of(values, is_named=_names_a_time(name))) is not None
        and len({value for value in seconds if value is not None}) > 1
    ]
    if not found:
        raise RequestFailed(
            f"No column holds times that differ, so there is nothing to plot over time. {_listed(columns)}"
        )
    return min(found, key=lambda times: _time_rank(times, list(columns).index(times.name)))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name.rpartition(".")[2])]


def _names_a_time(name: str) -> bool:
    return any(word in _TIME_NAMES for word in _words(name))


def _time_rank(times: _Times, index: int) -> tuple[int, int, int, int]:
    words = _words(times.name)
    best = _BEST_TIMES.index(words[0]) if len(words) == 1 and words[0] in _BEST_TIMES else len(_BEST_TIMES)
    missing = sum(second is None for second in times.seconds)
    return (int(any(word in _LATER for word in words)), best, missing, index)


# numbers


def _named_numbers(columns: Columns, name: str) -> list[float | None]:
    numbers = numbers_of(_column(columns, name), takes_texts=True)
    if numbers is None:
        raise RequestFailed(f"The column {name!r} holds no numbers. {_listed(columns)}")
    return numbers


def _likeliest_numbers(columns: Columns, time: str) -> Mapping[str, list[float | None]]:
    found = {
        name: numbers
        for name, values in columns.items()
        if name != time
        and not (_names_a_time(name) and seconds_of(values, is_named=True) is not None)
        and not _NOT_MEASURED.search("_".join(_words(name)))
        and (numbers := numbers_of(values, takes_texts=True)) is not None
    }
    if not found:
        raise RequestFailed(f"There are times in {time!r}, but no column of numbers to plot. {_listed(columns)}")
    indexes = {name: index for index, name in enumerate(found)}

    def rank(name: str) -> tuple[bool, bool, int, int]:
        words = _words(name)
        best = next((index for index, usual in enumerate(_BEST_NUMBERS) if usual in words), len(_BEST_NUMBERS))
        is_constant = len({number for number in found[name] if number is not None}) < 2
        is_rare = found[name].count(None) * 2 > len(found[name])
        return (is_constant, is_rare, best, indexes[name])

    name = min(found, key=rank)
    return {name: found[name]}


def _column(columns: Columns, name: str) -> list[Any]:
    if name not in columns:
        raise RequestFailed(f"There is no column {name!r}. {_listed(columns)}")
    return columns[name]


def _listed(columns: Columns) -> str:
    listed = ", ".join(f"{name[:40]} ({_kind(values)})" for name, values in list(columns.items())[:20])
    more = ", …" if len(columns) > 20 else ""
    return f"The columns are: {listed}{more}. Name two of them: plot(x=…, y=…)"


def _kind(values: Sequence[Any]) -> str:
    if seconds_of(values, is_named=False) is not None:
        return "times"
    kinds = {type(value) for value in values if not is_missing(value)}
    if not kinds:
        return "empty"
    if kinds <= {int, float}:
        return "numbers"
    names = {str: "text", bool: "true/false", list: "lists", dict: "objects"}
    return names.get(kinds.pop(), "other") if len(kinds) == 1 else "mixed"


# series


def _series(columns: Columns, times: _Times, numbers: Mapping[str, list[float | None]]) -> Chart:
    notes = []
    everything = [
        (second, value) for values in numbers.values() for second, value in zip(times.seconds, values, strict=True)
    ]
    gaps = sum(second is None or value is None for second, value in everything)
    if gaps == len(everything):
        raise RequestFailed(f"No record has both a time in {times.name!r} and a number. {_listed(columns)}")
    if gaps:
        notes.append(f"{gaps:,} of {len(everything):,} values are missing and not drawn.")
    names = tuple(numbers)
    seen = [second for second in times.seconds if second is not None]
    if len(set(seen)) == len(seen):
        series = tuple(Series(name, _points(times.seconds, values)) for name, values in numbers.items())
        return Chart(times.name, names, series, "line", tuple(notes))
    if len(names) == 1 and (groups := _groups(columns, times, names[0])) is not None:
        column, indexes = groups
        values = numbers[names[0]]
        series = tuple(
            Series(label[:60], _points([times.seconds[index] for index in own], [values[index] for index in own]))
            for label, own in indexes.items()
        )
        notes.append(f"One line for each value of {column!r}.")
        return Chart(times.name, names, tuple(one for one in series if one.points), "line", tuple(notes))
    notes.append("Several records have the same time, so they are points and no line.")
    series = tuple(Series(name, _points(times.seconds, values)) for name, values in numbers.items())
    return Chart(times.name, names, series, "points", tuple(notes))


def _points(seconds: Sequence[float | None], values: Sequence[float | None]) -> tuple[tuple[float, float], ...]:
    return tuple(
        sorted(
            (second, value)
            for second, value in zip(seconds, values, strict=True)
            if second is not None and value is not None
        )
    )


def _groups(columns: Columns, times: _Times, number: str) -> tuple[str, dict[str, list[int]]] | None:
    """The column of few texts that makes each time unique within one of its values, and the indexes of each."""
    for name, values in columns.items():
        if name in {times.name, number} or not all(isinstance(value, str) for value in values):
            continue
        if not 2 <= len(set(values)) <= MAX_SERIES:
            continue
        indexes: dict[str, list[int]] = {}
        for index, value in enumerate(values):
            if times.seconds[index] is not None:
                indexes.setdefault(value, []).append(index)
        if all(len({times.seconds[index] for index in own}) == len(own) for own in indexes.values()):
            return name, indexes
    return None
