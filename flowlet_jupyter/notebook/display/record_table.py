"""Records as a table that is sorted, filtered and read a page at a time. Pure, and without pandas."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flowlet_jupyter.notebook.display.cells import cut, is_missing, text_of
from flowlet_jupyter.notebook.display.json_nodes import Key
from flowlet_jupyter.tables.columns import shown_columns_of
from flowlet_jupyter.tables.dates import moments_of

_CELL_CHARACTERS = 200
_TYPED_ROWS = 2_000
_COMPARISON = re.compile(r"(>=|<=|!=|=|>|<)\s*(.+)")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# what a spreadsheet would take for a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, kw_only=True)
class Order:
    """What of the table is shown: filters by column ("" is all columns), and the column that it is sorted by."""

    sort: str | None = None
    is_descending: bool = False
    filters: Mapping[str, str] = field(default_factory=dict)


class RecordTable:
    """The `records`, flattened: nested fields are dotted columns."""

    def __init__(self, records: Sequence[dict[str, Any]]) -> None:
        self.records = records
        self.columns = shown_columns_of(records)
        self._order: tuple[Order, list[int]] | None = None

    @cached_property
    def types(self) -> dict[str, str]:
        """What each column holds, in one word."""
        return {name: type_of(values) for name, values in self.columns.items()}

    def indexes(self, order: Order) -> list[int]:
        """The indexes of the records that pass the filters, sorted. What is missing comes last either way."""
        if self._order is None or self._order[0] != order:
            indexes = self._filtered(order.filters)
            if order.sort in self.columns:
                indexes = self._sorted(indexes, self.columns[order.sort], is_descending=order.is_descending)
            self._order = (order, indexes)
        return self._order[1]

    def _filtered(self, filters: Mapping[str, str]) -> list[int]:
        indexes = list(range(len(self.records)))
        for name, text in filters.items():
            if not text.strip():
                continue
            passes = passing(text)
            if name:
                values = self.columns.get(name, [])
                indexes = [index for index in indexes if index < len(values) and passes(values[index])]
            else:
                folded = text.strip().casefold()
                indexes = [
                    index
                    for index in indexes
                    if any(folded in text_of(values[index]).casefold() for values in self.columns.values())
                ]
        return indexes

    @staticmethod
    def _sorted(indexes: list[int], values: list[Any], *, is_descending: bool) -> list[int]:
        there = [index for index in indexes if not is_missing(values[index])]
        gone = [index for index in indexes if is_missing(values[index])]
        are_numbers = all(isinstance(values[index], str) and _NUMBER.fullmatch(values[index]) for index in there)
        key = _numeric_text if are_numbers else _sort_key
        return sorted(there, key=lambda index: key(values[index]), reverse=is_descending) + gone

    def rows(self, order: Order, *, start: int, count: int, columns: int) -> list[tuple[int, list[str | None]]]:
        """`count` rows from `start`: the record's index, and its cells as text (None: missing)."""
        shown = list(self.columns.values())[:columns]
        return [
            (
                index,
                [
                    None if is_missing(values[index]) else cut(text_of(values[index]), _CELL_CHARACTERS)
                    for values in shown
                ],
            )
            for index in self.indexes(order)[start : start + count]
        ]

    def as_tsv(self, order: Order) -> str:
        """All rows as text that a spreadsheet takes; what would be a formula there is marked as text by an apostrophe."""
        lines = ["\t".join(map(_tsv_cell, self.columns))]
        lines += [
            "\t".join(_tsv_cell(values[index]) for values in self.columns.values()) for index in self.indexes(order)
        ]
        return "\n".join(lines)

    def keys_of(self, index: int, column: str) -> list[Key]:
        """The keys that lead from the record to the value of a dotted column; none if it lacks it."""
        return list(_keys_of(self.records[index], column) or ())


def _keys_of(record: Any, column: str) -> tuple[Key, ...] | None:
    if not isinstance(record, dict):
        return None
    if column in record:
        return (column,)
    for key, below in record.items():
        if column.startswith(f"{key}."):
            rest = _keys_of(below, column[len(key) + 1 :])
            if rest is not None:
                return (key, *rest)
    return None


def type_of(values: Sequence[Any]) -> str:
    """What a column holds: whole, number, text, date, true/false, list, object, mixed or empty."""
    there = [value for value in values[:_TYPED_ROWS] if not is_missing(value)]
    kinds = {_TYPES.get(type(value), "other") for value in there}
    if not kinds:
        return "empty"
    if kinds <= {"whole", "number"}:
        return "number" if "number" in kinds else "whole"
    if len(kinds) > 1:
        return "mixed"
    if kinds == {"text"} and moments_of(there) is not None:
        return "date"
    return kinds.pop()


_TYPES = {
    bool: "true/false", int: "whole", float: "number", str: "text", list: "list", dict: "object",
}  # fmt: skip


def passing(text: str) -> Callable[[Any], bool]:
    """The filter that `text` means: `>5`, `<=2024-01-31`, `=ann`, `!=x`, or what a cell holds, whatever the case."""
    comparison = _COMPARISON.fullmatch(text.strip())
    if comparison is None:
        folded = text.strip().casefold()
        return lambda value: folded in text_of(value).casefold()
    sign, operand = comparison[1], comparison[2].strip()
    number = float(operand) if _NUMBER.fullmatch(operand) else None

    def passes(value: Any) -> bool:
        if is_missing(value):
            return sign == "!="
        if number is not None and isinstance(value, int | float):
            return _compare(sign, value, number)
        if number is not None and isinstance(value, str) and _NUMBER.fullmatch(value):
            return _compare(sign, float(value), number)
        return _compare(sign, text_of(value).casefold(), operand.casefold())

    return passes


def _compare(sign: str, left: Any, right: Any) -> bool:
    if sign in {"=", "!="}:
        return bool((left == right) == (sign == "="))
    if sign.startswith(">"):
        return bool(left > right or (sign == ">=" and left == right))
    return bool(left < right or (sign == "<=" and left == right))


def _sort_key(value: Any) -> tuple[int, Any]:
    if isinstance(value, int | float):  # true and false are 1 and 0
        return 0, value
    return 1, text_of(value).casefold()


def _numeric_text(value: str) -> tuple[int, Any]:
    return 0, float(value)


def _tsv_cell(value: Any) -> str:
    text = text_of(value)
    if isinstance(value, str) and text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        text = f"'{text}"
    return re.sub(r"[\t\r\n]+", " ", text)
