"""Tables that an API writes in another form than a list of objects, each recognised by its form alone. Pure.

What is only like one of these forms is left as it is: a wrong table must never look right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.tables import dialects
from flowlet_jupyter.tables.envelopes import Remembered, is_about_itself, is_spoken
from flowlet_jupyter.tables.selection import quoted

_MAX_DEPTH = 4
_NAMES = ("columns", "fields", "headers", "header", "cols", "column_names", "columnNames", "Columns", "rowType", "columnHeaders", "meta")  # fmt: skip
_ROWS = ("rows", "data", "values", "data_array", "rowSet", "records", "Rows", "dataset", "result", "results")
_NAME_MEMBERS = ("fieldName", "name", "field", "ColumnName", "id", "key", "column_name", "display_name", "label", "title", "text")  # fmt: skip
_TIMES = {"time", "times", "date", "dates", "timestamp", "timestamps", "datetime", "t", "index", "day", "month", "year"}
_DATE_KEY = re.compile(r"\d{4}-\d\d(-\d\d)?([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_SHORT_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-3]\d(?:[0-2]\d)?)?")  # 20240131, with an hour perhaps
_ID_KEY = re.compile(r"-?\d+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[A-Za-z]+[-_:]?\d+")
_FIRST_TIME = 100_000_000  # 1973, in seconds
_NO_TABLES = {"links", "relationships", "embedded"}
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Table:
    """Records, the JMESPath of the part that they were made of, and the form that it had ("" for a list of records)."""

    records: list[Any]
    path: str
    shape: str = ""
    rivals: tuple[str, ...] = ()  # the paths of lists that may as well have been taken


def tabulate(body: Any, likely: Sequence[Any] | None) -> Table | None:
    """The table in `body` if it has one of the known forms. `likely` is the list that would be taken otherwise.

    Raises `RequestFailed` where several tables stand side by side: which of them is for the caller to say.
    """
    for recognise in dialects.ALL:
        if (known := recognise(body)) is not None:
            return Table(*known)
    for form in (_listed_objects, _split, _header_row, _series_by_date, _by_date, _lists_by_date):
        if (table := _only(form, body)) is not None:
            return table
    # where there is a list of objects, what stands beside it is about the list
    if likely is not None and any(isinstance(record, dict) for record in likely[:20]):
        return None
    named = None if likely else _only(_named_rows, body)
    return named or _only(_parallel, body) or _only(_pairs, body) or _keyed_objects(body)


def _keyed_objects(body: Any) -> Table | None:
    """Objects by key, in a body that says little beside them: what one record has under several names is no table."""
    ask = Remembered()

    def is_about_its_table(name: str, node: Mapping[str, Any]) -> bool:
        if name.lower().lstrip("_") in _NO_TABLES or ask(is_about_itself, node):
            return False
        return all(thing == name for thing in ask(_two_things, node))

    return _only(_by_key, body, is_about_its_table)


def _two_things(node: Mapping[str, Any]) -> list[str]:
    """The first two members of an object that are objects about themselves."""
    things = (
        name
        for name, value in node.items()
        if isinstance(value, dict) and not is_spoken(name) and is_about_itself(value)
    )
    return list(islice(things, 2))


def _only(
    form: Callable[[Any], Table | None],
    body: Any,
    enters: Callable[[str, Mapping[str, Any]], bool] = lambda _name, _node: True,
) -> Table | None:
    matching = [
        Table(table.records, ".".join(part for part in (path, table.path) if part), table.shape)
        for path, node in _nodes(body, "", 0, enters)
        if (table := form(node)) is not None
    ]
    if len(matching) > 1:
        raise RequestFailed(
            f"The body holds {len(matching)} tables ({matching[0].shape}), at: {', '.join(table.path for table in matching[:10])}. Name one as the path."
        )
    return matching[0] if matching else None


def _nodes(
    node: Any, path: str, depth: int, enters: Callable[[str, Mapping[str, Any]], bool]
) -> Iterator[tuple[str, Any]]:
    """`node` and all objects and lists of lists below it, from outside in; not what is inside records."""
    yield path, node
    if depth < _MAX_DEPTH and isinstance(node, dict):
        for key, value in node.items():
            is_grid = isinstance(value, list) and value and isinstance(value[0], list)
            if (isinstance(value, dict) or is_grid) and enters(key, node):
                yield from _nodes(value, f"{path}.{quoted(key)}" if path else quoted(key), depth + 1, enters)


# names here, rows there


def _split(node: Any) -> Table | None:
    """`{columns: [...], rows: [[...]]}`; the names may be one level further down (`meta`, `schema`)."""
    if not isinstance(node, dict):
        return None
    lists = [(key, node[key]) for key in _ROWS if isinstance(node.get(key), list) and _is_grid(node[key])]
    if len(lists) != 1:
        return None
    key, rows = lists[0]
    width = len(rows[0])
    candidates = [names for names in _names_near(node) if len(names) == width]
    unique = list(dict.fromkeys(candidates))
    if len(unique) != 1:
        return None
    return Table([dict(zip(unique[0], row, strict=True)) for row in rows], quoted(key), "columns and rows")


def _named_rows(node: Any) -> Table | None:
    """`{columns: [{name}], rows: [{…}]}`: rows that have their names themselves, in a body that is about a query (Redash)."""
    if not isinstance(node, dict):
        return None
    names = [set(names) for names in _names_near(node)]
    for key in _ROWS:
        rows = node.get(key)
        if isinstance(rows, list) and rows and all(isinstance(row, dict) and set(row) in names for row in rows):
            return Table(rows, quoted(key), "columns and rows")
    return None


def _is_grid(rows: list[Any]) -> bool:
    return (
        bool(rows)
        and all(isinstance(row, list) for row in rows)
        and len({len(row) for row in rows}) == 1
        and bool(rows[0])
    )


def _names_near(node: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, ...]]:
    for key, value in node.items():
        if isinstance(value, list) and key in _NAMES:
            yield from filter(None, [_names_in(value)])
        elif isinstance(value, dict) and depth < 3 and key not in _ROWS:
            yield from _names_near(value, depth + 1)


def _names_in(values: list[Any]) -> tuple[str, ...] | None:
    if values and all(isinstance(value, str) for value in values):
        return tuple(values) if len(set(values)) == len(values) else None
    if values and all(isinstance(value, dict) for value in values):
        for member in _NAME_MEMBERS:
            names = [value.get(member) for value in values]
            if all(isinstance(name, str) and name for name in names) and len(set(names)) == len(names):
                return tuple(map(str, names))
    return None


def _header_row(node: Any) -> Table | None:
    """`[["NAME", "POP"], ["Ohio", "1"]]`: names, and below at least one column that holds no such texts."""
    if not isinstance(node, list) or len(node) < 2 or not _is_grid(node):
        return None
    header, rows = node[0], node[1:]
    if not all(isinstance(name, str) and name.strip() and not _is_value(name) for name in header):
        return None
    if len(set(header)) != len(header) or any(isinstance(cell, dict | list) for row in rows for cell in row):
        return None
    columns = zip(*rows, strict=True)
    # without a column of numbers or dates the first row may as well be data
    if not any(all(_is_value(cell) or cell is None for cell in column) and any(column) for column in columns):
        return None
    return Table([dict(zip(header, row, strict=True)) for row in rows], "", "header row and rows")


def _is_value(cell: Any) -> bool:
    if isinstance(cell, str):
        return bool(_NUMBER.fullmatch(cell) or _DATE_KEY.fullmatch(cell))
    return cell is not None


# columns side by side


def _parallel(node: Any) -> Table | None:
    """`{time: [...], temperature: [...]}`: lists of one length, one of them times (Open-Meteo, market candles)."""
    if not isinstance(node, dict):
        return None
    lists = {key: value for key, value in node.items() if isinstance(value, list)}
    if len(lists) < 2 or len({len(value) for value in lists.values()}) != 1:
        return None
    if any(isinstance(item, dict | list) for value in lists.values() for item in value[:50]):
        return None
    if any(isinstance(value, dict) for value in node.values()):
        return None
    if not any(_are_times(key, value) for key, value in lists.items()):
        return None
    rows = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    return Table(rows, "", "parallel lists")


def _pairs(node: Any) -> Table | None:  # noqa: PLR0911 - one return for each thing that it is not
    """`{prices: [[1700000000000, 1.5], …], volumes: [[1700000000000, 9], …]}`: pairs of a time and a value (CoinGecko)."""
    if not isinstance(node, dict):
        return None
    lists = {key: value for key, value in node.items() if isinstance(value, list)}
    if not lists or any(isinstance(value, dict) for value in node.values()):
        return None
    if not all(value and _is_grid(value) and len(value[0]) == 2 for value in lists.values()):
        return None
    times = [[pair[0] for pair in value] for value in lists.values()]
    if any(own != times[0] for own in times) or not _are_times("time", times[0]) or "time" in lists:
        return None
    if not all(isinstance(time, str) or time > _FIRST_TIME for time in times[0]):
        return None  # small numbers are no times
    if any(isinstance(pair[1], dict | list) for value in lists.values() for pair in value):
        return None
    rows = [
        {"time": time, **{key: value[index][1] for key, value in lists.items()}} for index, time in enumerate(times[0])
    ]
    return Table(rows, "", "pairs of a time and a value")


def _are_times(name: str, values: list[Any]) -> bool:
    if not values:
        return False
    if all(isinstance(value, str) and _DATE_KEY.fullmatch(value) for value in values):
        return True
    is_rising = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return name.lower() in _TIMES and is_rising and (values == sorted(values) or values == sorted(values, reverse=True))


# objects by key


def _by_date(node: Any) -> Table | None:
    """`{"2024-01-02": {"USD": 1.1}}`, or a value at each date."""
    if not isinstance(node, dict) or len(node) < 1 or not all(_DATE_KEY.fullmatch(key) for key in node):
        return None
    if all(isinstance(value, dict) for value in node.values()):
        return Table(_keyed("date", node), "", "objects by date")
    if len(node) > 1 and not any(isinstance(value, dict | list) for value in node.values()):
        return Table([{"date": key, "value": value} for key, value in node.items()], "", "values by date")
    return None


def _series_by_date(node: Any) -> Table | None:
    """`{"T2M": {"20240101": 1.5}, "RH2M": {"20240101": 80}}`: a value of each at each date (NASA POWER)."""
    if (
        not isinstance(node, dict)
        or not all(isinstance(value, dict) and value for value in node.values())
        or "date" in node
    ):
        return None
    dates = dict.fromkeys(date for column in node.values() for date in column)
    are_short = bool(dates) and all(map(_SHORT_DATE.fullmatch, dates))
    # one series of dates in full is a table of its own: values by date
    if not are_short and (len(node) < 2 or not all(map(_DATE_KEY.fullmatch, dates))):
        return None
    if any(isinstance(value, dict | list) for column in node.values() for value in column.values()):
        return None
    rows = [{"date": date} | {name: column.get(date) for name, column in node.items()} for date in sorted(dates)]
    return Table(rows, "", "series by date")


def _lists_by_date(node: Any) -> Table | None:
    """`{"2024-01-02": [{…}, {…}]}`: a list of objects at each date."""
    if not isinstance(node, dict) or not node or not all(map(_DATE_KEY.fullmatch, node)):
        return None
    if not all(isinstance(value, list) for value in node.values()):
        return None
    records = [(key, record) for key, value in node.items() for record in value]
    if not all(isinstance(record, dict) for _, record in records):
        return None
    name = "date"
    while any(name in record for _, record in records):
        name += "_"
    return Table([{name: key, **record} for key, record in records], "", "lists by date")


def rows_like_before(shape: str, names: Sequence[str], node: Any) -> list[Any] | None:
    """The rows of `node`, which stands where an earlier page had a table of that form and is too small to show the form itself.

    `names` are those of the earlier rows; an object that shares none of them is no row. None where it is no such table.
    """
    if node in ({}, []) or (isinstance(node, dict) and all(value == [] for value in node.values())):
        return []
    if not isinstance(node, dict):
        return None
    if shape in {"objects by key", "objects by date"}:
        is_alike = all(isinstance(value, dict) and not value.keys().isdisjoint(names) for value in node.values())
        return _keyed(shape.rpartition(" ")[2], node) if is_alike else None
    if shape == "values by date" and all(map(_DATE_KEY.fullmatch, node)):
        return [{"date": key, "value": value} for key, value in node.items()]
    return None


def _listed_objects(node: Any) -> Table | None:
    """`{"uids": ["7", "3"], "3": {…}, "7": {…}}`: a list of keys, and an object under each of them (NCBI's esummary)."""
    if not isinstance(node, dict):
        return None
    lists = [value for value in node.values() if isinstance(value, list)]
    if len(lists) != 1 or len(lists[0]) != len(node) - 1 or not all(type(key) in (str, int) for key in lists[0]):
        return None
    keys = list(map(str, lists[0]))
    objects = {key: value for key in keys if isinstance(value := node.get(key), dict)}
    if not keys or len(objects) != len(keys):
        return None
    are_named = all(key in (str(each) for each in value.values()) for key, value in objects.items())
    return Table([*objects.values()] if are_named else _keyed("key", objects), "", "objects by listed key")


def _by_key(node: Any) -> Table | None:
    """`{"btc": {"usd": 1}, "eth": {"usd": 2}}`: objects of the same members under keys that are not members themselves."""
    if (
        not isinstance(node, dict)
        or len(node) < 2
        or not all(isinstance(value, dict) and value for value in node.values())
    ):
        return None
    members = [set(value) for value in node.values()]
    common, every = set.intersection(*members), set.union(*members)
    are_ids = all(_ID_KEY.fullmatch(key) for key in node)
    if are_ids:
        is_table = len(common) * 2 >= len(every) and not all(key.isdigit() for key in every)
    elif len(node) > 2:
        is_table = len(common) * 4 >= len(every) * 3
    else:
        is_table = len(common) == len(every)
    return Table(_keyed("key", node), "", "objects by key") if is_table else None


def _keyed(name: str, node: Mapping[str, Any]) -> list[dict[str, Any]]:
    while any(name in value for value in node.values()):
        name += "_"
    return [{name: key, **value} for key, value in node.items()]
