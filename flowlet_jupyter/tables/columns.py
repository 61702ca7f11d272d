"""Nested records as columns: what `pandas.json_normalize` gives, made column by column instead of record by record. Pure.

Columns are named with dots (`user.name`); lists stay as they are. A record that lacks a column has `MISSING` there.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

MISSING: Any = object()
ABSENT = type(MISSING)
_BLOCK = 500  # records that the processor's cache holds: a third faster than all at once
_BLOCK_CELLS = 50_000
_SAMPLE = 2_000
_MANY_FIELDS = 200
Columns = dict[str, list[Any]]


@dataclass(slots=True)
class Column:
    """The values of a column, and the types that are among them (`ABSENT` where a record lacks it)."""

    cells: list[Any]
    kinds: set[type]


@contextlib.contextmanager
def gc_paused() -> Iterator[None]:
    """Keep the garbage collector from looking through all records again and again while more are made.

    JSON has no cycles that it could find: reading 300 pages took a fifth longer with it (docs/decisions/0003-exploring.md).
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
    return {key: column.cells for key, column in typed_columns_of(records).items()}


def shown_columns_of(records: Sequence[dict[str, Any]]) -> Columns:
    """`columns_of` for the eye: where two fields have one name, the fields as they are, objects among them."""
    try:
        return columns_of(records)
    except ValueError:
        return dict(_fields(records)) if records else {}


def typed_columns_of(records: Sequence[dict[str, Any]], *, block: int = _BLOCK) -> dict[str, Column]:
    """The columns of `records` as `columns_of` gives them, each with its types. Raises `ValueError` as that does."""
    columns: dict[str, Column] = {}
    if records:
        block = max(1, min(block, _BLOCK_CELLS // (len(records[0]) + 1)))
    for start in range(0, len(records), block):
        part = _columns_of_block(records[start : start + block])
        join(columns, part, start, min(start + block, len(records)))
    return columns if all(map(_is_whole, columns.values())) else _in_order_of_appearance(records, columns)


def join(columns: dict[str, Column], part: dict[str, Column], start: int, end: int) -> None:
    """Put `part`, the columns of the records `start` to `end`, behind `columns`, those of all before."""
    for key, column in part.items():
        before = columns.get(key)
        if before is not None:
            before.cells += column.cells
            before.kinds |= column.kinds
        elif start:
            columns[key] = Column([MISSING] * start + column.cells, column.kinds | {ABSENT})
        else:
            columns[key] = column
    if len(part) < len(columns):
        for column in columns.values():
            if len(column.cells) < end:
                column.cells += [MISSING] * (end - start)
                column.kinds.add(ABSENT)


def is_sparse(records: Sequence[dict[str, Any]]) -> bool:
    """Whether records lack most of the fields, or some of very many, by a look at some thousand of them.

    Such are read record by record: field by field, each look at another record is a miss of the processor's cache.
    """
    sample = records[:: len(records) // _SAMPLE + 1]
    present, fields = sum(map(len, sample)), len(set(chain.from_iterable(sample)))
    return present * (1 if fields > _MANY_FIELDS else 4) < fields * len(sample)


def sparse_columns_of(records: Sequence[dict[str, Any]]) -> dict[str, tuple[list[int], list[Any]]] | None:
    """The columns of records that are sparse, each as the indices and the values that are there; None of others.

    Raises `ValueError` as `columns_of` does.
    """
    if not is_sparse(records):
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


def told_apart(records: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """`records` without nesting, and the new names of fields that have the name of another one in the same record.

    The field with its dots in its own name keeps it, the nested one gets underscores behind it, in every record.
    """
    flat = [sorted(_paths(record, ()), key=lambda field: len(field[0]) > 1) for record in records]
    paths: dict[str, list[tuple[str, ...]]] = {}
    doubled = set()
    for fields in flat:
        met = [".".join(path) for path, _ in fields]
        doubled |= {name for name in met if met.count(name) > 1} if len(set(met)) < len(met) else set()
        for (path, _), name in zip(fields, met, strict=True):
            if path not in paths.setdefault(name, []):
                paths[name].append(path)
    new: dict[tuple[str, ...], str] = {}
    for name in doubled:
        for path in sorted(paths[name], key=len)[1:]:
            own = f"{name}_"
            while own in paths or own in new.values():
                own += "_"
            new[path] = own
    rows = [{new.get(path) or ".".join(path): value for path, value in fields} for fields in flat]
    return rows, {own: ".".join(path) for path, own in new.items()}


def _paths(record: dict[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in record.items():
        if type(value) is dict:
            yield from _paths(value, (*above, key))
        else:
            yield (*above, key), value


def _columns_of_block(records: Sequence[dict[str, Any]]) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    nested: dict[str, Column] = {}
    for key, values in _fields(records):
        plain, below = _split(values)
        if plain is not None:
            _put(columns, key, plain)
        if below is not None:
            _flatten(below, f"{key}.", nested)
    for key, column in nested.items():
        _put(columns, key, column)
    return columns


def _fields(records: Sequence[Any]) -> list[tuple[str, list[Any]]]:
    """Each field with its values."""
    keys = list(records[0])
    width = len(keys)
    met = list(chain.from_iterable(records))
    if met == keys * len(records):  # the same fields in the same order, as from most APIs
        values = list(chain.from_iterable(map(dict.values, records)))
        return [(key, values[index::width]) for index, key in enumerate(keys)]
    if set(map(len, records)) == {width}:  # perhaps in another order
        with contextlib.suppress(KeyError):
            return [(key, list(map(itemgetter(key), records))) for key in keys]
    return [(key, _values_of(key, records)) for key in dict.fromkeys(met)]


def _values_of(key: str, records: Sequence[Any]) -> list[Any]:
    try:
        return list(map(itemgetter(key), records))
    except KeyError:
        return [record.get(key, MISSING) for record in records]


def _split(values: list[Any]) -> tuple[Column | None, list[Any] | None]:
    """The values that are no objects, and those that are (the rest of each `MISSING` or empty); None where there are none."""
    kinds = set(map(type, values))
    if dict not in kinds:
        return Column(values, kinds), None
    if kinds == {dict}:
        return None, values
    below = [value if type(value) is dict else {} for value in values]
    plain = [MISSING if type(value) is dict else value for value in values]
    return Column(plain, kinds - {dict} | {ABSENT}), below


def _flatten(records: list[Any], prefix: str, into: dict[str, Column]) -> None:
    for key, values in _fields(records):
        plain, below = _split(values)
        if plain is not None and plain.kinds != {ABSENT}:
            _put(into, prefix + key, plain)
        if below is not None:
            _flatten(below, f"{prefix}{key}.", into)


def _put(columns: dict[str, Column], key: str, column: Column) -> None:
    if key in columns:
        raise ValueError(f"two fields are named {key!r}")
    columns[key] = column


def _is_whole(column: Column) -> bool:
    return ABSENT not in column.kinds


def _in_order_of_appearance(records: Sequence[dict[str, Any]], columns: dict[str, Column]) -> dict[str, Column]:
    """`columns` in the order in which a reader of the records would meet them."""
    first_seen: dict[int, list[str]] = {}
    for key, column in columns.items():
        seen = next((index for index, value in enumerate(column.cells) if value is not MISSING), None)
        if seen is not None:
            first_seen.setdefault(seen, []).append(key)
    ordered: dict[str, Column] = {}
    for index in sorted(first_seen):
        met = [key for key in names_of_one(records[index]) if key in columns]
        ordered |= {key: columns[key] for key in met if key not in ordered}
    return ordered


def names_of_one(record: dict[str, Any]) -> list[str]:
    """The names of the columns of one record, in order."""
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
