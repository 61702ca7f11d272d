"""Nested records as columns: what `pandas.json_normalize` gives, made column by column instead of record by record. Pure.

Columns are named with dots (`user.name`); lists stay as they are. A record that lacks a column has `MISSING` there.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

MISSING: Any = object()
_BLOCK = 500
Columns = dict[str, list[Any]]


@contextlib.contextmanager
def gc_paused() -> Iterator[None]:
    """Keep the garbage collector from looking through all records again and again while more are made.

    JSON has no cycles that it could find: reading 300 pages took a fifth longer with it (benchmarks/exploring.py).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def columns_of(records: Sequence[dict[str, Any]]) -> Columns:
    """The columns of `records`, in the order in which pandas has them: plain fields before nested ones.

    Raises `ValueError` where two fields have one name (`{"a.b": 1, "a": {"b": 2}}`), which only the record decides.
    """
    columns: Columns = {}
    nested: Columns = {}
    for key, values in _fields(records):
        plain, below = _split(values)
        if plain is not None:
            _put(columns, key, plain)
        if below is not None:
            _flatten(below, f"{key}.", nested)
    for key, values in nested.items():
        _put(columns, key, values)
    return columns if all(map(_is_whole, columns.values())) else _in_order_of_appearance(records, columns)


def sparse_columns_of(records: Sequence[dict[str, Any]]) -> dict[str, tuple[list[int], list[Any]]] | None:
    """The columns of `records` that are mostly gaps, each as the indices and the values that are there; None of others.

    Raises `ValueError` as `columns_of` does.
    """
    if sum(map(len, records)) * 4 >= len(set(chain.from_iterable(records))) * len(records):
        return None
    columns: dict[str, tuple[list[int], list[Any]]] = {}
    for index, record in enumerate(records):
        for key, value in _flat(record):
            indices, values = columns.setdefault(key, ([], []))
            if indices and indices[-1] == index:
                raise ValueError(f"two fields are named {key!r}")
            indices.append(index)
            values.append(value)
    return columns


def _flat(record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    nested = []
    for key, value in record.items():
        if type(value) is dict:
            nested.append((f"{key}.", value))
        else:
            yield key, value
    for prefix, value in nested:
        yield from _below(value, prefix)


def _below(record: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if type(value) is dict:
            yield from _below(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _fields(records: Sequence[Any]) -> list[tuple[str, list[Any]]]:
    """Each field with its values."""
    keys = list(records[0]) if records else []
    if set(map(len, records)) == {len(keys)}:  # the same fields in all, as from most APIs
        with contextlib.suppress(KeyError):
            return _same_fields(records, keys)
    names = dict.fromkeys(chain.from_iterable(records))
    return [(key, [record.get(key, MISSING) for record in records]) for key in names]


def _same_fields(records: Sequence[Any], keys: list[str]) -> list[tuple[str, list[Any]]]:
    """Field by field of some hundred records at a time, which the processor's cache holds: a third faster than of all at once."""
    fields: list[tuple[str, list[Any], Callable[[Any], Any]]] = [(key, [], itemgetter(key)) for key in keys]
    for start in range(0, len(records), _BLOCK):
        block = records[start : start + _BLOCK]
        for _, values, value_of in fields:
            values.extend(map(value_of, block))
    return [(key, values) for key, values, _ in fields]


def _split(values: list[Any]) -> tuple[list[Any] | None, list[Any] | None]:
    """The values that are no objects, and those that are (the rest of each `MISSING` or empty); None where there are none."""
    kinds = set(map(type, values))
    if dict not in kinds:
        return values, None
    if kinds == {dict}:
        return None, values
    below = [value if type(value) is dict else {} for value in values]
    return [MISSING if type(value) is dict else value for value in values], below


def _flatten(records: list[Any], prefix: str, into: Columns) -> None:
    for key, values in _fields(records):
        plain, below = _split(values)
        if plain is not None and (below is None or any(value is not MISSING for value in plain)):
            _put(into, prefix + key, plain)
        if below is not None:
            _flatten(below, f"{prefix}{key}.", into)


def _put(columns: Columns, key: str, values: list[Any]) -> None:
    if key in columns:
        raise ValueError(f"two fields are named {key!r}")
    columns[key] = values


def _is_whole(values: list[Any]) -> bool:
    return type(MISSING) not in set(map(type, values))  # `in` would compare each value


def _in_order_of_appearance(records: Sequence[dict[str, Any]], columns: Columns) -> Columns:
    """`columns` in the order in which a reader of the records would meet them."""
    first_seen: dict[int, list[str]] = {}
    for key, values in columns.items():
        seen = next((index for index, value in enumerate(values) if value is not MISSING), None)
        if seen is not None:
            first_seen.setdefault(seen, []).append(key)
    ordered: Columns = {}
    for index in sorted(first_seen):
        met = [key for key in _keys_of_one(records[index]) if key in columns]
        ordered |= {key: columns[key] for key in met if key not in ordered}
    return ordered


def _keys_of_one(record: dict[str, Any]) -> list[str]:
    plain = [key for key, value in record.items() if type(value) is not dict]
    nested: list[str] = []

    def walk(value: dict[str, Any], prefix: str) -> None:
        for key, below in value.items():
            if type(below) is dict:
                walk(below, f"{prefix}{key}.")
            else:
                nested.append(prefix + key)

    for key, value in record.items():
        if type(value) is dict:
            walk(value, f"{key}.")
    return plain + nested
