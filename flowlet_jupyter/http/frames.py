"""What a response holds as a DataFrame. pandas and polars are extras, imported on use."""

from __future__ import annotations

import importlib
import io
import json
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from flowlet_jupyter.errors import MissingExtra, RequestFailed
from flowlet_jupyter.http.columns import MISSING, Columns, columns_of, without_collection
from flowlet_jupyter.http.records import Found, error_in, find_records, paths_of_lists
from flowlet_jupyter.http.redaction import excerpt

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from flowlet_jupyter.http.response import Response

Format = Literal["json", "ndjson", "csv", "tsv", "excel", "parquet"]
_FORMATS: dict[str, Format] = {
    "application/x-ndjson": "ndjson", "application/ndjson": "ndjson", "application/jsonl": "ndjson",
    "application/json-lines": "ndjson", "application/x-jsonlines": "ndjson", "text/csv": "csv",
    "application/csv": "csv", "text/tab-separated-values": "tsv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "excel", "application/vnd.ms-excel": "excel",
    "application/vnd.apache.parquet": "parquet", "application/x-parquet": "parquet",
}  # fmt: skip
_ENDINGS: dict[str, Format] = {
    ".csv": "csv", ".tsv": "tsv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".xlsx": "excel", ".xls": "excel",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
# RFC 3339's profile of ISO 8601: a date, or a date and time with or without a zone
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")


def format_of(response: Response) -> Format:
    """The format of the body: by its content type, else by the URL's ending, else by how it begins; JSON if in doubt."""
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type in _FORMATS:
        return _FORMATS[content_type]
    if content_type.endswith("json"):
        return "json"
    path = response.url.path.lower() if response.has_request else ""
    ending = next((form for end, form in _ENDINGS.items() if path.endswith(end)), None)
    if ending:
        return ending
    if response.content.startswith(b"PAR1"):
        return "parquet"
    return "json"


def records_of(response: Response, path: str | None) -> Found:
    """The records at the JMESPath `path` of a JSON or NDJSON body, or the likeliest list. Raises `RequestFailed`."""
    _refuse_error(response)
    if format_of(response) == "ndjson":
        return Found(_of_lines(response), "")
    body = response.json()
    if message := error_in(body):
        raise RequestFailed(
            f"The API answered {response.status_code} with an error, so there are no records: {message}"
        )
    if path:
        found = response.select(path)
        if found is None:
            raise RequestFailed(f"The selection {path!r} matches nothing. {_shape(body)}")
        if isinstance(found, dict):
            found = [found]
        if not isinstance(found, list):
            raise RequestFailed(
                f"The selection {path!r} is {type(found).__name__}, not a list of records. {_shape(body)}"
            )
        return Found(found, path)
    likely = find_records(body)
    if likely is not None:
        return likely
    if isinstance(body, dict):
        return Found([body], "")
    raise RequestFailed(f"The body is {type(body).__name__}, not a list of records.")


def _of_lines(response: Response) -> list[Any]:
    records = []
    for number, line in enumerate(response.text.splitlines(), 1):
        if line.strip():
            try:
                records.append(json.loads(line))
            except (ValueError, RecursionError):
                raise RequestFailed(f"Line {number} of the body is not JSON. See its text: r.text") from None
    return records


def _refuse_error(response: Response) -> None:
    if response.is_error:
        raise RequestFailed(
            f"The API answered {response.status_code} {response.reason_phrase}, so there are no records: "
            f"{excerpt(response, 300)}"
        )


def _shape(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    lists = paths_of_lists(body)
    return f"The body has: {', '.join(list(body)[:20])}." + (
        f" Lists are at: {', '.join(lists[:10])}." if lists else ""
    )


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtra(f'This needs {name}: pip install "flowlet-jupyter[{name}]"') from None


def to_pandas(response: Response, path: str | None, *, dates: bool) -> pd.DataFrame:
    """The body as a pandas DataFrame."""
    form = format_of(response)
    if form in {"json", "ndjson"}:
        found = records_of(response, path)
        frame = frame_of(found.records, dates=dates)
        frame.attrs["path"] = found.path
        return frame
    frame = _read(response, form, path, library="pandas")
    return with_dates(frame) if dates else frame


def to_polars(response: Response, path: str | None, *, dates: bool) -> pl.DataFrame:
    """The body as a polars DataFrame."""
    form = format_of(response)
    if form in {"json", "ndjson"}:
        return polars_of(records_of(response, path).records, dates=dates)
    frame: pl.DataFrame = _read(response, form, path, library="polars")
    return frame


def _read(response: Response, form: Format, path: str | None, *, library: Literal["pandas", "polars"]) -> Any:
    _refuse_error(response)
    if path:
        raise RequestFailed(f"The body is {form}, which has no path {path!r} in it.")
    module = _import(library)
    source = io.BytesIO(response.content)
    try:
        if form in {"csv", "tsv"}:
            separator = "\t" if form == "tsv" else ","
            return module.read_csv(source, **{"sep" if library == "pandas" else "separator": separator})
        return getattr(module, f"read_{form}")(source)
    except ImportError as error:
        raise MissingExtra(
            f"Reading {form} needs another package: pip install {getattr(error, 'name', '') or error}"
        ) from None
    except Exception as error:  # noqa: BLE001 - each library has its own errors for a body that is not what it says
        raise RequestFailed(f"The body cannot be read as {form}: {str(error).splitlines()[0][:200]}") from None


def _rows(records: Sequence[Any]) -> list[dict[str, Any]]:
    return [record if isinstance(record, dict) else {"value": record} for record in records]


def frame_of(records: Sequence[Any], *, dates: bool = False) -> pd.DataFrame:
    """`records` as rows of a pandas DataFrame, nested fields as dotted columns; values that are no objects as `value`.

    Columns and values are those of `pandas.json_normalize`, made in a fraction of its time (benchmarks/frames.py).
    """
    pandas = _import("pandas")
    rows = _rows(records)
    frame: pd.DataFrame
    if not rows:
        frame = pandas.DataFrame()
        return frame
    try:
        with without_collection():
            columns = _filled(columns_of(rows), math.nan)
            frame = pandas.DataFrame(columns, index=range(len(rows)))
    except ValueError:
        frame = pandas.json_normalize(rows)
    return with_dates(frame) if dates else frame


def _filled(columns: Columns, absent: Any) -> Columns:
    return {
        key: [absent if value is MISSING else value for value in values] if MISSING in values else values
        for key, values in columns.items()
    }


def polars_of(records: Sequence[Any], *, dates: bool = False) -> pl.DataFrame:
    """The same as a polars DataFrame."""
    polars = _import("polars")
    rows = _rows(records)
    try:
        columns = columns_of(rows)
    except ValueError as error:
        raise RequestFailed(f"These records cannot be columns: {error}. Use select() to choose fields first.") from None
    # strict=False: a column that mixes numbers and texts becomes text instead of an error
    frame: pl.DataFrame = polars.DataFrame(_filled(columns, None), strict=False, infer_schema_length=None)
    if dates:
        for name in [name for name, values in columns.items() if _are_dates(values)]:
            frame = frame.with_columns(polars.col(name).str.to_datetime(time_zone="UTC", strict=False))
    return frame


def with_dates(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with its columns of ISO 8601 texts as dates (UTC where they name a zone)."""
    pandas = _import("pandas")
    for name in frame.columns:
        values = [value for value in frame[name].tolist() if value is not None and value == value]  # noqa: PLR0124 - NaN
        if _are_dates(values):
            has_zone = any(
                text[10:].rstrip("Z") != text[10:] or "+" in text[10:] or "-" in text[10:] for text in values
            )
            frame[name] = pandas.to_datetime(frame[name], format="ISO8601", utc=has_zone)
    return frame


def _are_dates(values: Sequence[Any]) -> bool:
    given = [value for value in values if value is not MISSING and value is not None]
    return bool(given) and all(isinstance(value, str) and _ISO_DATE.fullmatch(value) for value in given)
