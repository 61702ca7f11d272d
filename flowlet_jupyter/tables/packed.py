"""A DataFrame of more records than one wants as Python objects at once: packed into arrays, some thousand at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.tables.columns import (
    ABSENT,
    MISSING,
    Column,
    gc_paused,
    is_sparse,
    names_of_one,
    typed_columns_of,
)
from flowlet_jupyter.tables.frames import (
    frame_from,
    import_library,
    joined_values,
    packed_values,
    pandas_values,
    release_unused,
    rows_of,
    unpacked_values,
)
from flowlet_jupyter.tables.json_body import fast_parser, is_utf8, splitter

if TYPE_CHECKING:
    import pandas as pd

_AT_ONCE = 2_000
_LARGE = 1_000_000
_MOST_TEXTS = 20_000


def frame_of_array(content: bytes, charset: str | None) -> pd.DataFrame | None:
    """The DataFrame of a large JSON array of objects, as `frame_of` would make it of the parsed body.

    None where only that way gets it right (no array, not of objects, not UTF-8, mostly gaps), and without msgspec.
    """
    split, parse = splitter(), fast_parser()
    if len(content) < _LARGE or split is None or parse is None or not is_utf8(charset):
        return None
    if not content[:100].lstrip().startswith(b"["):
        return None
    packed = Packed()
    try:
        with gc_paused():
            items = split(content)
            for start in range(0, len(items), _AT_ONCE):
                records = parse(b"[" + b",".join(items[start : start + _AT_ONCE]) + b"]")
                if set(map(type, records)) != {dict} or (not start and is_sparse(records)):
                    return None
                packed.add(records)
            del items
            return packed.frame() if len(packed) > 2 else None
    except (ValueError, RecursionError):
        return None


def frame_of_parts(parts: Iterable[Sequence[Any]]) -> pd.DataFrame | None:
    """The DataFrame of the records of all `parts`; None where two fields have one name."""
    packed = Packed()
    records = itertools.chain.from_iterable(parts)
    with gc_paused():
        while some := rows_of(list(itertools.islice(records, _AT_ONCE))):
            try:
                packed.add(some)
            except ValueError:
                return None
        return packed.frame()


class Packed:
    """Columns that grow record by record. What is of one simple type is kept as an array, all else as it is."""

    def __init__(self) -> None:
        self._pandas = import_library("pandas")
        self._pieces: dict[str, list[tuple[Any, int]]] = {}  # None: so many records lack the field
        self._kinds: dict[str, set[type]] = {}
        self._by_appearance: dict[str, None] = {}
        self._length = 0
        self._texts: dict[str, str] = {}

    def __len__(self) -> int:
        return self._length

    def add(self, records: Sequence[dict[str, Any]]) -> None:
        """Pack some more. Raises `ValueError` where two fields have one name."""
        columns = typed_columns_of(records)
        self._note_order(records, columns)
        for key, column in columns.items():
            if key not in self._pieces:
                self._pieces[key] = [(None, self._length)] if self._length else []
                self._kinds[key] = {ABSENT} if self._length else set()
            packed = self._with_one_of_each(column.cells) if column.kinds == {list} else packed_values(column)
            self._pieces[key].append((packed, len(records)))
            self._kinds[key] |= column.kinds
        for key in self._pieces.keys() - columns.keys():
            self._pieces[key].append((None, len(records)))
            self._kinds[key].add(ABSENT)
        self._length += len(records)

    def _note_order(self, records: Sequence[dict[str, Any]], columns: dict[str, Column]) -> None:
        new = [(key, column.cells) for key, column in columns.items() if key not in self._by_appearance]
        first = {next(index for index, value in enumerate(values) if value is not MISSING) for _, values in new}
        for index in sorted(first):
            self._by_appearance |= dict.fromkeys(names_of_one(records[index]))

    def _with_one_of_each(self, lists: list[list[Any]]) -> list[list[Any]]:
        """`lists` with one object for texts that are equal: tags and the like are few, and each would take 60 bytes again."""
        if len(self._texts) > _MOST_TEXTS:
            return lists
        one = self._texts.setdefault
        return [[one(item, item) if type(item) is str else item for item in items] for items in lists]

    def frame(self) -> pd.DataFrame:
        """The DataFrame; the pieces are used up."""
        has_gaps = any(ABSENT in kinds for kinds in self._kinds.values())
        names = [name for name in (self._by_appearance if has_gaps else self._pieces) if name in self._pieces]
        columns = {name: self._whole(self._pieces.pop(name), self._kinds[name]) for name in names}
        frame = frame_from(columns, self._length, self._pandas)
        if self._length > 10 * _AT_ONCE:
            release_unused()
        return frame

    def _whole(self, pieces: list[tuple[Any, int]], kinds: set[type]) -> Any:
        if len(kinds) == 1:
            arrays = [piece for piece, _ in pieces]
            if all(type(piece) is not list for piece in arrays):
                return joined_values(arrays, self._pandas)
        values: list[Any] = []
        for piece, length in pieces:
            values += [MISSING] * length if piece is None else unpacked_values(piece)
        return pandas_values(Column(values, kinds), self._pandas)
