"""NDJSON by polars' own reader, where that gives what reading line by line would.

But for a field that is null in one record and an object in another: line by line its nulls are a column of their own.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.tables.frames import import_library

if TYPE_CHECKING:
    import polars as pl

_FIRST_LONG = 10**15
# whole numbers that a column of floats changes
_LONG_NUMBER = re.compile(rb"[:\[,]\s*-?\d{16,}\s*[,\]}\r\n]")
# of each escape in a text: a pair of surrogates, one that is alone, or any other
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<alone>u[dD][89a-fA-F])|[\s\S])"
)


def polars_of_ndjson(content: bytes) -> pl.DataFrame | None:
    """The records of UTF-8 NDJSON, nested objects as dotted columns; None where only the slow way gets them right."""
    polars = import_library("polars")
    if not content[:100].lstrip().startswith(b"{") or _has_half_a_pair(content):
        return None
    try:
        frame: pl.DataFrame = polars.read_ndjson(io.BytesIO(content), infer_schema_length=None)
    except Exception:  # noqa: BLE001 - a schema that differs from line to line: the slow way says what is wrong
        return None
    columns: dict[str, pl.Series] = {}
    nested: list[pl.Series] = []
    for column in frame.get_columns():
        if isinstance(column.dtype, polars.Struct):
            nested += _leaves(column, polars)
        else:
            columns[column.name] = column
    for column in nested:
        if column.name in columns:
            return None
        columns[column.name] = column
    if any(_may_be_rounded(column, polars) for column in columns.values()) and _LONG_NUMBER.search(content):
        return None
    return polars.DataFrame(list(columns.values())) if columns else None


def _has_half_a_pair(content: bytes) -> bool:
    """Whether a text holds a surrogate without the other one, which polars would read as NUL."""
    if b"\\ud" not in content and b"\\uD" not in content:
        return False
    return any(match["alone"] for match in _ESCAPE.finditer(content))


def _may_be_rounded(column: pl.Series, polars: Any) -> bool:
    """Whether a whole number among the floats of `column` may have lost digits."""
    if column.dtype == polars.Float64:
        largest: Any = column.abs().max()
        return largest is not None and largest >= _FIRST_LONG
    return "Float64" in str(column.dtype)


def _leaves(column: pl.Series, polars: Any) -> list[pl.Series]:
    found: list[pl.Series] = []
    for field in column.struct.fields:
        below = column.struct.field(field).alias(f"{column.name}.{field}")
        found += _leaves(below, polars) if isinstance(below.dtype, polars.Struct) else [below]
    return found
