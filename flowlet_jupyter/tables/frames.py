"""Records as a DataFrame. pandas and polars are extras, imported on use."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
import math
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.errors import MissingExtra
from flowlet_jupyter.tables.columns import (
    ABSENT,
    MISSING,
    Column,
    gc_paused,
    sparse_columns_of,
    told_apart,
    typed_columns_of,
)
from flowlet_jupyter.tables.dates import Moments, moments_of
from flowlet_jupyter.tables.foreign_text import without_surrogates

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_EXACT_FLOAT = 2**53


def import_library(name: str) -> Any:
    """The optional package `name`. Raises `MissingExtra`, which names the extra."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtra(f'This needs {name}: pip install "flowlet-jupyter[{name}]"') from None


def rows_of(records: Sequence[Any]) -> Sequence[dict[str, Any]]:
    """`records` as rows: values that are no objects as `value`."""
    if set(map(type, records)) == {dict}:
        return records
    return [record if isinstance(record, dict) else {"value": record} for record in records]


def frame_of(records: Sequence[Any], *, dates: bool = False) -> pd.DataFrame:
    """`records` as rows of a pandas DataFrame, nested fields as dotted columns; values that are no objects as `value`.

    Columns and values are those of `pandas.json_normalize`, made in a fraction of its time (`python -m benchmarks frames`),
    but for integers: with gaps they are Int64 and not floats, and what 64 bits do not hold keeps all its digits.
    """
    pandas = import_library("pandas")
    rows = rows_of(records)
    frame: pd.DataFrame
    if not rows:
        frame = pandas.DataFrame()
        return frame
    try:
        with gc_paused():
            sparse = sparse_columns_of(rows)
            if sparse is None:
                columns = {key: pandas_values(column, pandas) for key, column in typed_columns_of(rows).items()}
            else:
                columns = {key: _spread(*column, len(rows), pandas) for key, column in sparse.items()}
            frame = frame_from(columns, len(rows), pandas)
    except UnicodeEncodeError:  # in the name of a column
        return frame_of(without_surrogates(rows), dates=dates)
    except ValueError:  # two fields of one name
        renamed, new = told_apart(rows)
        frame = frame_of(renamed) if new else pandas.json_normalize(rows)
        if new:
            frame.attrs["notes"] = _about_new_names(new)
    return with_dates(frame) if dates else frame


def frame_from(columns: Mapping[str, Any], length: int, pandas: Any) -> pd.DataFrame:
    """The DataFrame of `columns`, which are kept as they are."""
    frame: pd.DataFrame = pandas.DataFrame(columns, index=range(length), copy=False)
    return frame


def pandas_values(column: Column, pandas: Any) -> Any:
    """The values of `column` as pandas would take them, but for integers, which are not changed."""
    values, kinds = column.cells, column.kinds
    if str in kinds and kinds <= _TEXT_OR_NONE:
        return _texts(values, pandas, has_gaps=ABSENT in kinds)
    if len(kinds) == 1 and (array := _array(values, kinds)) is not None:
        return array
    if int in kinds:
        rest = kinds - {int, ABSENT, type(None)}
        if not rest and kinds != {int}:
            integers = _integers_with_gaps(values, pandas)
            return _objects(values, pandas) if integers is None else integers
        whole = [value for value in values if type(value) is int] if rest == {float} else ()
        if any(abs(value) > _EXACT_FLOAT for value in whole):
            return _objects(values, pandas)
    filled = [math.nan if value is MISSING else value for value in values] if ABSENT in kinds else values
    return _array(filled, {float}) if kinds == {float, ABSENT} else filled


_TEXT_OR_NONE = {str, type(None), ABSENT}


def _array(values: list[Any], kinds: set[type]) -> Any:
    """Values of one type as the array that pandas makes of them; None where it makes none, or not always the same."""
    import numpy

    if kinds == {float}:
        return numpy.array(values, dtype="float64")
    if kinds == {bool}:
        return numpy.array(values, dtype="bool")
    if kinds == {int}:
        with contextlib.suppress(OverflowError):
            return numpy.array(values, dtype="int64")
    return None


def packed_values(column: Column) -> Any:
    """The values of `column` in little memory where they are of one simple type, which `unpacked_values` gives back; else as they are."""
    if column.kinds == {str}:
        return column.cells if (array := _arrow_texts(column.cells)) is None else array
    array = _array(column.cells, column.kinds)
    return column.cells if array is None else array


def unpacked_values(packed: Any) -> list[Any]:
    """The values out of `packed_values`."""
    return packed if isinstance(packed, list) else list(packed.tolist())


def joined_values(arrays: Sequence[Any], pandas: Any) -> Any:
    """Packed values of one type, none of them a list, as one array of pandas."""
    import numpy

    if isinstance(arrays[0], numpy.ndarray):
        return numpy.concatenate(arrays)
    import pyarrow

    return pandas.array(pyarrow.concat_arrays(arrays), dtype=_kind_of_texts())


def release_unused() -> None:
    """Give back what Arrow and the C library keep of pieces that were joined: up to as much again as the frame."""
    if (pyarrow := sys.modules.get("pyarrow")) is not None:
        pyarrow.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError, TypeError):  # only glibc keeps so much, and only it has this
        ctypes.CDLL(None).malloc_trim(0)


def _texts(values: list[Any], pandas: Any, *, has_gaps: bool) -> Any:
    texts = [None if value is MISSING else value for value in values] if has_gaps else values
    kind = _kind_of_texts()
    if not hasattr(kind, "storage"):  # objects, before pandas 3
        return [math.nan if value is MISSING else value for value in values] if has_gaps else values
    try:
        array = _arrow_texts(texts)
        return pandas.array(texts if array is None else array, dtype=kind)
    except UnicodeEncodeError:  # half a character, which is in JSON but in no UTF-8: nor could the frame be saved
        return pandas.array(without_surrogates(texts), dtype=kind)


def _arrow_texts(texts: list[Any]) -> Any:
    """Texts as an Arrow array, where pandas keeps them so; None where it does not, or they are in no UTF-8."""
    if getattr(_kind_of_texts(), "storage", "") != "pyarrow":
        return None
    import pyarrow

    with contextlib.suppress(UnicodeEncodeError):
        return pyarrow.array(texts, type=pyarrow.large_string())
    return None


@functools.cache
def _kind_of_texts() -> Any:
    """What this version of pandas makes of texts: its own type since pandas 3, on Arrow where that is installed."""
    return import_library("pandas").Series(["a"]).dtype


def _objects(values: list[Any], pandas: Any) -> Any:
    return pandas.Series([None if value is MISSING else value for value in values], dtype=object)


def _spread(indices: list[int], values: list[Any], length: int, pandas: Any) -> Any:
    """A column of which only the `values` at `indices` are there."""
    import numpy

    kinds = set(map(type, values))
    if kinds == {float}:
        floats = numpy.full(length, math.nan)
        floats[indices] = values
        return floats
    if kinds == {int}:
        with contextlib.suppress(OverflowError):
            mask, data = numpy.ones(length, dtype="bool"), numpy.zeros(length, dtype="int64")
            data[indices] = numpy.array(values, dtype="int64")
            mask[indices] = False
            return pandas.arrays.IntegerArray(data, mask) if len(values) < length else data
    spread = [MISSING] * length
    for index, value in zip(indices, values, strict=True):
        spread[index] = value
    return pandas_values(Column(spread, kinds | ({ABSENT} if len(values) < length else set())), pandas)


def _integers_with_gaps(values: list[Any], pandas: Any) -> Any:
    """An array of Int64; None where 64 bits do not hold a value."""
    import numpy

    try:
        data = numpy.array([value if type(value) is int else 0 for value in values], dtype="int64")
    except OverflowError:
        return None
    mask = numpy.array([type(value) is not int for value in values], dtype="bool")
    return pandas.arrays.IntegerArray(data, mask)


def polars_of(records: Sequence[Any], *, dates: bool = False) -> pl.DataFrame:
    """The same as a polars DataFrame."""
    polars = import_library("polars")
    rows = rows_of(records)
    try:
        with gc_paused():
            columns = typed_columns_of(rows)
    except ValueError:  # two fields of one name
        renamed, new = told_apart(rows)
        for note in _about_new_names(new):
            warn_caller(f"{note}.")
        return polars_of(renamed, dates=dates)
    try:
        frame: pl.DataFrame = polars.DataFrame(
            {key: _polars_values(key, column, polars) for key, column in columns.items()}, strict=False
        )
    except UnicodeEncodeError:
        return polars_of(without_surrogates(rows), dates=dates)
    return with_polars_dates(frame) if dates else frame


def _about_new_names(new: Mapping[str, str]) -> list[str]:
    return [f"two fields are named {name!r}: the one further inside is {own!r}" for own, name in new.items()]


def _polars_values(key: str, column: Column, polars: Any) -> Any:
    values, kinds = column.cells, column.kinds - {type(None), ABSENT}
    if ABSENT in column.kinds:
        values = [None if value is MISSING else value for value in values]
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
