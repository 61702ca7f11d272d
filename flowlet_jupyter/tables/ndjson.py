"""NDJSON by polars' own reader, where that gives what reading line by line would."""

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


def polars_of_ndjson(content: bytes) -> pl.DataFrame | None:
    """The records of UTF-8 NDJSON, nested objects as dotted columns; None where only the slow way gets them right."""
    polars = import_library("polars")
    if not content.lstrip().startswith(b"{"):
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
