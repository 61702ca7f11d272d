"""A DataFrame of more records than one wants as Python objects at once: packed into arrays, some thousand at a time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.tables.columns import (
    ABSENT,
    MISSING,
    Column,
    gc_paused,
    is_sparse,
    names_of_one,
    typed_columns_of,
)
from flowlet_jupyter.tables.error_bodies import error_in
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
from flowlet_jupyter.tables.json_body import fast_parser, is_utf8, member_splitter, splitter
from flowlet_jupyter.tables.partial_bodies import partial_in
from flowlet_jupyter.tables.records import find_records, paths_of_lists
from flowlet_jupyter.tables.selection import quoted
from flowlet_jupyter.tables.shapes import tabulate

if TYPE_CHECKING:
    import pandas as pd

_AT_ONCE = 2_000
_LARGE = 1_000_000
_MOST_TEXTS = 20_000
_MUCH_BESIDE = 100_000
_LOOKED_AT = 50


@dataclass(frozen=True)
class _Members:
    """The members of a large JSON object: its one long array as a buffer, all else parsed, and of the array its first items."""

    name: str
    items: Any
    beginning: dict[str, Any]


def frame_of_json(content: bytes, charset: str | None, path: str | None) -> tuple[pd.DataFrame, str] | None:
    """The DataFrame of a large JSON body and the path of its records, as `frame_of` would make it of the parsed body.

    Of an array of objects, or of an object with one such array (at `path`, or as its only list). None where only the other
    way gets it right (any other form, items that are no objects, not UTF-8, mostly gaps), and without msgspec.
    """
    parse = fast_parser()
    if len(content) < _LARGE or not is_utf8(charset) or parse is None:
        return None
    try:
        with gc_paused():
            if path is None and content[:100].lstrip().startswith(b"["):
                frame = _frame_of_array(content, parse)
                return frame if frame is None else (frame, "")
            members = _members_of(content, parse)
            if members is None or not _are_the_records(members, path):
                return None
            frame = _frame_of_array(members.items, parse)
            # InfluxDB's form, which may begin with results that hold no series
            if frame is None or (members.name == "results" and "series" in frame):
                return None
            return frame, quoted(members.name)
    except (ValueError, RecursionError, FlowletError):
        return None


def _frame_of_array(content: Any, parse: Callable[[bytes], Any]) -> pd.DataFrame | None:
    packed = Packed()
    items = splitter()(content)
    for start in range(0, len(items), _AT_ONCE):
        records = parse(b"[" + b",".join(items[start : start + _AT_ONCE]) + b"]")
        if set(map(type, records)) != {dict} or (not start and is_sparse(records)):
            return None
        packed.add(records)
    del items
    # two items may be what an array is about, and the array: that is looked at elsewhere
    return packed.frame() if len(packed) > 2 else None


def _members_of(content: bytes, parse: Callable[[bytes], Any]) -> _Members | None:
    buffers = member_splitter()(content)
    if not buffers:
        return None
    name = max(buffers, key=lambda key: len(memoryview(buffers[key])))
    rest = sum(len(memoryview(buffer)) for key, buffer in buffers.items() if key != name)
    if rest > _MUCH_BESIDE or bytes(memoryview(buffers[name])[:1]) != b"[":
        return None
    items = splitter()(buffers[name])
    first = b"[" + b",".join(items[:_LOOKED_AT]) + b"]"
    beginning = {key: parse(first) if key == name else parse(bytes(buffer)) for key, buffer in buffers.items()}
    return _Members(name, buffers[name], beginning)


def _are_the_records(members: _Members, path: str | None) -> bool:
    """Whether the long array is what the other way would take, which its beginning decides for the whole."""
    body, records = members.beginning, members.beginning[members.name]
    if not any(isinstance(record, dict) for record in records[:20]) or error_in(body) or partial_in(body):
        return False
    if path is not None:
        return path == quoted(members.name) == members.name
    if paths_of_lists(body) != [quoted(members.name)] or "dimension" in body:
        return False  # a second list may be names of columns, or the records; a cube counts its values
    likely = find_records(body)
    return likely is not None and likely.records is records and tabulate(body, records) is None


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
