"""What a response holds as records and as a DataFrame: its body and what it says of it, given to `tables`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from flowlet_jupyter.credentials.redaction import excerpt, redact
from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.tables import formats
from flowlet_jupyter.tables.charset import decode
from flowlet_jupyter.tables.envelopes import is_empty_list
from flowlet_jupyter.tables.error_bodies import error_in
from flowlet_jupyter.tables.formats import Body, Format, unpacked
from flowlet_jupyter.tables.frames import frame_of, polars_of, warn_caller, with_dates, with_polars_dates
from flowlet_jupyter.tables.json_body import kind_of, parse_json
from flowlet_jupyter.tables.lines import of_events, of_ndjson, of_sequence
from flowlet_jupyter.tables.ndjson import polars_of_ndjson
from flowlet_jupyter.tables.packed import frame_of_json
from flowlet_jupyter.tables.partial_bodies import partial_in
from flowlet_jupyter.tables.readers import read_table
from flowlet_jupyter.tables.records import Found, find_records, paths_of_lists
from flowlet_jupyter.tables.selection import WHOLE_BODY, select
from flowlet_jupyter.tables.shapes import Table, tabulate
from flowlet_jupyter.tables.xml import read_xml

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from flowlet_jupyter.http.response import Response

_FILENAME = re.compile(r"""filename\s*=\s*(?:"([^"]*)"|([^;\s]+))""", re.IGNORECASE)
_FILENAME_EXTENDED = re.compile(r"filename\*\s*=\s*[\w-]*'[^']*'([^;\s]+)", re.IGNORECASE)  # RFC 6266
_OF_RECORDS = {"json", "ndjson", "json-seq", "sse", "xml"}


def body_of(response: Response) -> Body:
    """The body of `response` with what its headers and URL say of it."""
    disposition = response.headers.get("content-disposition", "")
    if match := _FILENAME_EXTENDED.search(disposition):
        filename = unquote(match[1])
    elif match := _FILENAME.search(disposition):
        filename = match[1] or match[2] or ""
    else:
        filename = response.url.path.rpartition("/")[2] if response.has_request else ""
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Body(response.content, media_type, response.charset_encoding, filename)


def url_of(response: Response) -> str:
    """The URL that `response` came from; "" where it was made by hand."""
    return str(response.url) if response.has_request else ""


def format_of(response: Response) -> Format:
    """The format of the body: by its first bytes, its media type, its file name, else by how it begins; JSON if in doubt."""
    return formats.format_of(body_of(response))


def error_of(response: Response) -> str:
    """What the API says of an error in the body of a success; "" if it says of none, or the body is not JSON."""
    return _said_in(response, error_in)


def partial_of(response: Response) -> str:
    """What a success with data says of being only a part of what was asked for; "" if it says nothing of it."""
    return _said_in(response, partial_in)


# a body without any of these says of no error
_TELLS = re.compile(
    rb'err|fail|nok|fault|exception|denied|"(?:is)?_?(?:ok|success|succeeded|response|note|information|type|object|ret|sta'
    rb't(?:us)?|result)"|code?"', re.IGNORECASE,
)  # fmt: skip
_LOOKED_THROUGH = 100_000  # bytes: what says of an error holds little else


def failure_of(response: Response) -> str:
    """As `error_of`, for one of many: only a short body that may say of an error is parsed for it."""
    if len(response.content) > _LOOKED_THROUGH or not _TELLS.search(response.content):
        return ""
    return error_of(response)


def _said_in(response: Response, read: Callable[[Any], str]) -> str:
    if response.is_error or format_of(response) != "json":
        return ""
    try:
        return read(response.json())
    except RequestFailed:
        return ""


def records_of(response: Response, path: str | None) -> Found:
    """The records at the JMESPath `path` of a body that holds records, or the likeliest list. Raises `RequestFailed`."""
    table = table_of(response, path)
    return Found(table.records, table.path)


def table_of(response: Response, path: str | None = None) -> Table:
    """The same with the form that the table had ("" for a list of objects). Raises `RequestFailed`, `MissingExtra`."""
    return _table_of(response, unpacked(body_of(response)), path)


def _table_of(response: Response, body: Body, path: str | None) -> Table:  # noqa: PLR0911 - one return a format
    _refuse_error(response)
    form = formats.format_of(body)
    if form == "xml":
        document = read_xml(body.content)
        return Table(document.records, document.path, "XML: elements that repeat")
    if form in {"ndjson", "json-seq", "sse"}:
        text = decode(body.content, body.charset).text
        of = {"ndjson": of_ndjson, "json-seq": of_sequence, "sse": of_events}[form]
        return Table(of(text), "")
    if form != "json":
        frame, _ = read_table(body, form, "pandas", {})
        return Table(frame.to_dict("records"), "")
    parsed = _json(response, body)
    if path != WHOLE_BODY and (message := error_in(parsed)):
        raise RequestFailed(
            f"The API answered {response.status_code} with an error, so there are no records: {message.rstrip('.')}. "
            f"If this is what you asked for, take the body as it is, by the path '{WHOLE_BODY}'."
        )
    if path:
        return _selected(parsed, path)
    if isinstance(parsed, _Lines):
        return Table(parsed.records, "")
    likely = find_records(parsed, url=url_of(response))
    table = tabulate(parsed, likely.records if likely else None)
    if table is not None:
        return table
    if likely is not None:
        return Table(likely.records, likely.path, rivals=likely.rivals)
    if isinstance(parsed, dict):
        return Table([] if is_empty_list(parsed) else [parsed], "")
    raise RequestFailed(f"The body is {kind_of(parsed)}, not a list of records. Its value: r.json()")


class _Lines:
    """The records of a body that calls itself JSON and is NDJSON."""

    def __init__(self, records: list[Any]) -> None:
        self.records = records


def _json(response: Response, body: Body) -> Any:
    try:
        if body.content is response.content:
            return response.json()
        return parse_json(body.content, body.charset)
    except (RequestFailed, ValueError, RecursionError) as error:
        text = decode(body.content, body.charset).text
        lines = [line for line in text.split("\n", 2)[:2] if line.strip()]
        if len(lines) == 2 and all(line.lstrip().startswith(("{", "[")) for line in lines):
            try:
                json.loads(lines[0])
            except (ValueError, RecursionError):
                pass
            else:
                return _Lines(of_ndjson(text))
        if isinstance(error, RequestFailed):
            raise
        raise RequestFailed("The unpacked body is not JSON. See r.content") from None


def _selected(parsed: Any, path: str) -> Table:
    selected = select(parsed.records if isinstance(parsed, _Lines) else parsed, path)
    shape = _shape(parsed)
    if selected is None:
        raise RequestFailed(f"The selection {path!r} matches nothing. {shape}")
    if isinstance(selected, list) and any(isinstance(item, dict) for item in selected[:20]):
        return Table(selected, path)
    table = tabulate(selected, None)
    if table is not None:
        return Table(table.records, path, table.shape)
    if isinstance(selected, dict):
        selected = [selected]
    if not isinstance(selected, list):
        raise RequestFailed(f"The selection {path!r} is {kind_of(selected)}, not a list of records. {shape}")
    return Table(selected, path)


def _refuse_error(response: Response) -> None:
    if response.is_error:
        raise RequestFailed(
            f"The API answered {response.status_code} {redact(response.reason_phrase, response)}, so there are no records: "
            f"{excerpt(response, 300)}"
        )


def _shape(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    lists = paths_of_lists(body)
    return f"The body has: {', '.join(list(body)[:20])}." + (
        f" Lists are at: {', '.join(lists[:10])}." if lists else ""
    )


def to_pandas(response: Response, path: str | None, *, dates: bool, read: Mapping[str, Any] | None) -> pd.DataFrame:
    """The body as a pandas DataFrame; `attrs` say how it was read."""
    body, form, options = _opened(response, path, read)
    is_parsed = response.is_parsed and body.content is response.content
    if form == "json" and not is_parsed and (made := frame_of_json(body.content, body.charset, path)) is not None:
        frame, path_of_records = made
        frame.attrs["path"] = path_of_records
        return with_dates(frame) if dates else frame
    if form in _OF_RECORDS:
        table = _table_of(response, body, path)
        _warn_of_a_part(response, form)
        frame = frame_of(table.records, dates=dates)
        frame.attrs["path"] = table.path
        if table.shape:
            frame.attrs["shape"] = table.shape
        if table.rivals:
            frame.attrs["other_lists"] = list(table.rivals)
        _name_rivals(table)
        return frame
    frame, seen = read_table(body, form, "pandas", options)
    frame.attrs |= seen
    return with_dates(frame) if dates else frame


def to_polars(response: Response, path: str | None, *, dates: bool, read: Mapping[str, Any] | None) -> pl.DataFrame:
    """The body as a polars DataFrame."""
    body, form, options = _opened(response, path, read)
    frame: pl.DataFrame | None
    if form in _OF_RECORDS:
        frame = polars_of_ndjson(body.content) if form == "ndjson" else None
        if frame is None:
            table = _table_of(response, body, path)
            _warn_of_a_part(response, form)
            if table.shape:
                warn_caller(f"The body was read as a table of this form: {table.shape}.")
            _name_rivals(table)
            return polars_of(table.records, dates=dates)
    else:
        frame, seen = read_table(body, form, "polars", options)
        if "shape" in seen:
            warn_caller(f"The body was read as a table of this form: {seen['shape']}.")
        if "guessed" in seen.get("encoding", ""):
            warn_caller(f"The body does not say how its text is encoded; it was read as {seen['encoding']}.")
    return with_polars_dates(frame) if dates else frame


def _warn_of_a_part(response: Response, form: Format) -> None:
    if form == "json" and (part := partial_of(response)):
        warn_caller(f"Rows may be missing: {redact(part, response)}.")


def _name_rivals(table: Table) -> None:
    if table.rivals:
        others = ", ".join(table.rivals)
        warn_caller(
            f"The body has several lists. This is the longest, {table.path}; for another one name its path: {others}."
        )


def _opened(
    response: Response, path: str | None, read: Mapping[str, Any] | None
) -> tuple[Body, Format, dict[str, Any]]:
    _refuse_error(response)
    options = dict(read or {})
    body = unpacked(body_of(response), options.pop("member", None))
    form = formats.format_of(body)
    if form in _OF_RECORDS and options:
        if form != "json" or body.media_type.endswith("json"):
            raise RequestFailed(f"The body is {form}, which takes no options of a reader ({', '.join(options)}).")
        form = "csv"  # options of a reader: whoever gives them knows that the text is a table
    if path and form not in {"json", "ndjson", "json-seq", "sse"}:
        raise RequestFailed(f"The body is {form}, which has no path {path!r} in it.")
    return body, form, options
