"""Bodies that are tables already, read by the library that the DataFrame belongs to: CSV, Excel, Parquet, Arrow, HTML."""

from __future__ import annotations

import csv
import io
import itertools
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Literal

from flowlet_jupyter.errors import MissingExtra, RequestFailed
from flowlet_jupyter.tables.annotated_csv import as_plain_csv
from flowlet_jupyter.tables.charset import decode
from flowlet_jupyter.tables.delimited import Dialect, dialect_of, without_remarks
from flowlet_jupyter.tables.formats import Body, Format
from flowlet_jupyter.tables.frames import import_library
from flowlet_jupyter.tables.html import table_as_csv

_EMPTY_LINES = re.compile(r"\n(?:\r?\n)+")
_LOOKED_AT = 200  # lines
Library = Literal["pandas", "polars"]
# words for a missing value in a column of numbers, as pandas has them
_WORDS_FOR_MISSING = (
    "#N/A", "#NA", "-NaN", "-nan", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "1.#QNAN", "1.#IND",
)  # fmt: skip
_MISSING = re.compile("|".join(re.escape(word) for word in _WORDS_FOR_MISSING))


def read_table(body: Body, form: Format, library: Library, options: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The DataFrame, and what was seen on the way (separator, decimal mark, encoding).

    `options` are those of the library's own reader. Raises `RequestFailed`, `MissingExtra`.
    """
    module = import_library(library)
    try:
        if form in {"csv", "tsv", "html"}:
            return _read_csv(body, form, module, library, dict(options))
        source = io.BytesIO(body.content)
        if form == "arrow":
            return _read_arrow(body, module, library, options), {}
        if form == "excel" and library == "polars" and not _has("fastexcel"):
            options = {"engine": "openpyxl", **options}
        return _read(getattr(module, f"read_{form}"), source, options), {}
    except (RequestFailed, MissingExtra):
        raise
    except ImportError as error:
        raise MissingExtra(
            f"Reading {form} needs another package: pip install {getattr(error, 'name', '') or error}"
        ) from None
    except Exception as error:  # noqa: BLE001 - each library has its own errors for a body that is not what it says
        first_line = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise RequestFailed(
            f"The body cannot be read as {form}: {first_line} Options of the reader may help: read={{…}}; the text is r.text."
        ) from None


def _read(reader: Callable[..., Any], source: Any, options: Mapping[str, Any]) -> Any:
    return reader(source, **options)


def _has(package: str) -> bool:
    from importlib.util import find_spec

    return find_spec(package) is not None


def _read_arrow(body: Body, module: Any, library: Library, options: Mapping[str, Any]) -> Any:
    is_file = body.content.startswith(b"ARROW1")
    if library == "polars":
        reader = module.read_ipc if is_file else module.read_ipc_stream
        return reader(io.BytesIO(body.content), **options)
    from pyarrow import ipc

    opened = (ipc.open_file if is_file else ipc.open_stream)(io.BytesIO(body.content))
    return opened.read_all().to_pandas(**options)


def _read_csv(
    body: Body, form: Format, module: Any, library: Library, options: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    decoded = decode(body.content, options.pop("encoding", None) or body.charset)
    seen: dict[str, Any] = {"encoding": decoded.encoding + (" (guessed)" if decoded.is_guessed else "")}
    text = decoded.text
    if form == "html":
        text = table_as_csv(text, options.pop("table", None))
    if (plain := as_plain_csv(text)) is not None:
        text, seen["shape"] = plain, "InfluxDB annotated CSV"
    text, named, remarks = (
        without_remarks(text) if "skiprows" not in options and "comment" not in options else (text, None, 0)
    )
    if remarks:
        seen["remarks"] = f"{remarks} {'line' if remarks == 1 else 'lines'} above or below the table left out"
    separator = options.pop("sep", None) or options.pop("separator", None) or options.pop("delimiter", None)
    dialect = dialect_of(
        text,
        separator or named or ("\t" if form == "tsv" else "," if form == "html" else None),
        options.pop("decimal", None),
    )
    seen |= {"sep": dialect.sep, "decimal": dialect.decimal}
    if dialect.texts:
        seen["texts"] = list(dialect.texts)
    if library == "polars":
        types = dict.fromkeys(dialect.texts, module.String) | (options.pop("schema_overrides", None) or {})
        settings = {"infer_schema_length": None, **options}
        if '"' not in text:
            text = _EMPTY_LINES.sub("\n", text)  # of which polars makes rows
        frame = module.read_csv(
            text.encode(),
            separator=dialect.sep,
            schema_overrides=types,
            decimal_comma=dialect.decimal == ",",
            **settings,
        )
        return (frame if options else _with_missing_numbers(frame, types, module)), seen
    return _pandas_csv(text, dialect, module, options), seen


def _pandas_csv(text: str, dialect: Dialect, pandas: Any, options: dict[str, Any]) -> Any:
    sep, decimal, texts = dialect.sep, dialect.decimal, dialect.texts
    types = options.pop("dtype", None)
    if types is None or isinstance(types, Mapping):
        # a duplicate or renamed column has no type of its own: pandas ignores names that it does not meet
        types = dict.fromkeys(texts, str) | dict(types or {})
    settings = {"index_col": False, "sep": sep, "decimal": decimal, "dtype": types, "low_memory": False, **options}
    if not options:
        _refuse_loss(text, sep)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pandas.errors.ParserWarning)  # of empty fields at the ends of rows
        frame = pandas.read_csv(io.StringIO(text), **settings)
    kinds = list(zip(frame.columns, frame.dtypes, strict=True))  # to ask each of very many columns costs a minute
    gaps = [
        name
        for name, kind in kinds
        if name not in (types if isinstance(types, Mapping) else {})
        and kind == "float64"
        and frame[name].isna().any()
        and (frame[name].dropna() % 1 == 0).all()
        and frame[name].notna().any()
    ]
    if gaps and not options:
        # whole numbers with gaps: read once more as what they are, since a float may have changed them already
        again = pandas.read_csv(
            io.StringIO(text), usecols=gaps, dtype_backend="numpy_nullable", sep=sep, decimal=decimal
        )
        for name in gaps:
            if name in again and str(again[name].dtype) == "Int64":
                frame[name] = again[name]
    texts_with_gaps = [
        name for name, kind in kinds if pandas.api.types.is_string_dtype(kind) and frame[name].isna().any()
    ]
    if texts_with_gaps and not options and _MISSING.search(text):
        # among texts NA is one (Namibia, a surname): only an empty field is missing there
        again = pandas.read_csv(
            io.StringIO(text), usecols=texts_with_gaps, dtype=str, sep=sep, keep_default_na=False, na_values=[""]
        )
        for name in texts_with_gaps:
            if name in again:
                frame[name] = again[name]
    return frame


def _refuse_loss(text: str, sep: str) -> None:
    """Raise `RequestFailed` where the first rows have fields beyond the last name, which pandas would leave out of all.

    An empty field is none, and a single row that is too long is an error of pandas' own.
    """
    rows = csv.reader(itertools.islice(io.StringIO(text, newline=""), _LOOKED_AT), delimiter=sep)
    try:
        width = len(next(rows, []))
        is_lost = any(any(field.strip() for field in row[width:]) for row in rows)
    except csv.Error:
        return
    if is_lost:
        raise RequestFailed(
            f"The rows of the CSV have more fields than its header, which has {width}: are there titles above it? "
            'Say how many lines: read={"skiprows": …}; the text is r.text.'
        )


def _with_missing_numbers(frame: Any, types: Mapping[str, Any], polars: Any) -> Any:
    """`frame` with those columns as numbers that are texts only by a word for a missing value among them, as in pandas."""
    for name, kind in frame.schema.items():
        if kind != polars.String or name in types:
            continue
        plain = frame[name].set(frame[name].is_in(_WORDS_FOR_MISSING), None)
        if plain.null_count() in {frame[name].null_count(), len(plain)}:
            continue
        for number in (polars.Int64, polars.Float64):
            cast = plain.cast(number, strict=False)
            if cast.null_count() == plain.null_count():
                frame = frame.with_columns(cast)
                break
    return frame
