"""Records as a DataFrame. pandas and polars are extras, imported on use."""

from __future__ import annotations

import importlib
import math
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.errors import MissingExtra, RequestFailed
from flowlet_jupyter.tables.columns import MISSING, Columns, columns_of, gc_paused, sparse_columns_of
from flowlet_jupyter.tables.dates import Moments, moments_of

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_INT64 = range(-(2**63), 2**63)
_EXACT_FLOAT = 2**53


def import_library(name: str) -> Any:
    """The optional package `name`. Raises `MissingExtra`, which names the extra."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtra(f'This needs {name}: pip install "flowlet-jupyter[{name}]"') from None


def _rows(records: Sequence[Any]) -> list[dict[str, Any]]:
    return [record if isinstance(record, dict) else {"value": record} for record in records]


def frame_of(records: Sequence[Any], *, dates: bool = False) -> pd.DataFrame:
    """`records` as rows of a pandas DataFrame, nested fields as dotted columns; values that are no objects as `value`.

    Columns and values are those of `pandas.json_normalize`, made in a fraction of its time (benchmarks/exploring.py),
    but for integers: with gaps they are Int64 and not floats, and what 64 bits do not hold keeps all its digits.
    """
    pandas = import_library("pandas")
    rows = _rows(records)
    frame: pd.DataFrame
    if not rows:
        frame = pandas.DataFrame()
        return frame
    try:
        with gc_paused():
            sparse = sparse_columns_of(rows)
            if sparse is None:
                columns = {key: _pandas_values(values, pandas) for key, values in columns_of(rows).items()}
            else:
                columns = {key: _spread(*column, len(rows), pandas) for key, column in sparse.items()}
            frame = pandas.DataFrame(columns, index=range(len(rows)), copy=False)
    except UnicodeEncodeError:
        return frame_of(without_surrogates(rows), dates=dates)
    except ValueError:
        frame = pandas.json_normalize(rows)
    return with_dates(frame) if dates else frame


def without_surrogates(value: Any) -> Any:
    """`value` with U+FFFD for each half of a character: a text that was cut in an emoji, which neither library holds."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {without_surrogates(name): without_surrogates(item) for name, item in value.items()}
    return value


def _pandas_values(values: list[Any], pandas: Any) -> Any:
    """`values` as pandas takes them without changing an integer."""
    kinds = set(map(type, values))
    has_gaps = _ABSENT in kinds
    if int in kinds:
        rest = kinds - {int, _ABSENT, type(None)}
        if not rest and kinds != {int}:
            if all(value in _INT64 for value in values if type(value) is int):
                return _integers_with_gaps(values, pandas)
            return pandas.Series([None if value is MISSING else value for value in values], dtype=object)
        whole = [value for value in values if type(value) is int] if rest == {float} else ()
        if any(abs(value) > _EXACT_FLOAT for value in whole):
            return pandas.Series([None if value is MISSING else value for value in values], dtype=object)
    return [math.nan if value is MISSING else value for value in values] if has_gaps else values


def _spread(indices: list[int], values: list[Any], length: int, pandas: Any) -> Any:
    """A column of which only the `values` at `indices` are there."""
    import numpy

    if set(map(type, values)) == {float}:
        floats = numpy.full(length, math.nan)
        floats[indices] = values
        return floats
    spread = [MISSING] * length
    for index, value in zip(indices, values, strict=True):
        spread[index] = value
    return _pandas_values(spread, pandas)


_ABSENT = type(MISSING)


def _integers_with_gaps(values: list[Any], pandas: Any) -> Any:
    import numpy

    mask = numpy.fromiter((type(value) is not int for value in values), dtype=bool, count=len(values))
    data = numpy.fromiter((value if type(value) is int else 0 for value in values), dtype="int64", count=len(values))
    return pandas.arrays.IntegerArray(data, mask)


def polars_of(records: Sequence[Any], *, dates: bool = False) -> pl.DataFrame:
    """The same as a polars DataFrame."""
    polars = import_library("polars")
    rows = _rows(records)
    try:
        with gc_paused():
            columns = columns_of(rows)
    except ValueError as error:
        raise RequestFailed(f"These records cannot be columns: {error}. Use select() to choose fields first.") from None
    filled: Columns = {
        key: [None if value is MISSING else value for value in values] if MISSING in values else values
        for key, values in columns.items()
    }
    try:
        frame: pl.DataFrame = polars.DataFrame(
            {key: _polars_values(key, values, polars) for key, values in filled.items()}, strict=False
        )
    except UnicodeEncodeError:
        return polars_of(without_surrogates(rows), dates=dates)
    return with_polars_dates(frame) if dates else frame


def _polars_values(key: str, values: list[Any], polars: Any) -> Any:
    kinds = set(map(type, values)) - {type(None)}
    if int in kinds and not kinds - {int, float}:
        whole = [value for value in values if type(value) is int]
        largest = max(map(abs, whole))
        if kinds == {int}:
            if largest >= 2**127:
                return polars.Series(
                    key, [None if value is None else str(value) for value in values], dtype=polars.String
                )
            if min(whole) < -(2**63) or max(whole) >= 2**63:
                return polars.Series(key, values, dtype=polars.Int128)
        elif largest > _EXACT_FLOAT:  # with floats beside it, the digits are kept as text
            return polars.Series(key, [None if value is None else str(value) for value in values], dtype=polars.String)
    # strict=False: a column that mixes numbers and texts becomes text instead of an error
    return polars.Series(key, values, strict=False)


def with_dates(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with its columns of ISO 8601 texts as dates (UTC where they name a zone); what is none is said in `attrs["notes"]`."""
    pandas = import_library("pandas")
    import numpy

    notes = []
    for index, name in enumerate(frame.columns):
        column = frame.iloc[:, index]
        if not (pandas.api.types.is_object_dtype(column.dtype) or pandas.api.types.is_string_dtype(column.dtype)):
            continue
        moments = moments_of([None if value is pandas.NA else value for value in column.tolist()])
        if moments is None:
            continue
        array = numpy.array(
            [numpy.iinfo("int64").min if value is None else value for value in moments.nanoseconds], dtype="int64"
        ).view("datetime64[ns]")
        dated = pandas.Series(array, index=frame.index)
        frame[name] = dated.dt.tz_localize("UTC") if moments.has_zone else dated
        notes += _noted(moments, str(name))
    if notes:
        frame.attrs["notes"] = [*frame.attrs.get("notes", []), *notes]
    return frame


def with_polars_dates(frame: pl.DataFrame) -> pl.DataFrame:
    """The same for polars, where a warning alone says what became missing."""
    polars = import_library("polars")
    for name in [name for name, kind in frame.schema.items() if kind == polars.String]:
        moments = moments_of(frame[name].to_list())
        if moments is not None:
            dated = polars.Series(name, moments.nanoseconds, dtype=polars.Int64).cast(polars.Datetime("ns"))
            frame = frame.with_columns(dated.dt.replace_time_zone("UTC") if moments.has_zone else dated)
            _noted(moments, name)
    return frame


def _noted(moments: Moments, name: str) -> list[str]:
    note = moments.note(name)
    if note is None:
        return []
    warn_caller(note)
    return [note]


def warn_caller(note: str) -> None:
    """Warn whoever called this package: a polars DataFrame has no `attrs` for a note."""
    depth, caller = 2, sys._getframe(1)  # noqa: SLF001 - the warning is the caller's, outside this package
    while caller.f_back is not None and caller.f_globals.get("__name__", "").startswith("flowlet_jupyter"):
        depth, caller = depth + 1, caller.f_back
    warnings.warn(note, stacklevel=depth)
