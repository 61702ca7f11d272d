"""What a page holds: JSON, lines of JSON, XML or CSV, as what paginators see of it; and the table that all pages make together."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.frames import body_of, format_of
from flowlet_jupyter.tables.charset import decode
from flowlet_jupyter.tables.delimited import dialect_of, without_remarks
from flowlet_jupyter.tables.formats import Body, unpacked
from flowlet_jupyter.tables.frames import frame_of, polars_of, with_dates, with_polars_dates
from flowlet_jupyter.tables.lines import of_events, of_ndjson, of_sequence
from flowlet_jupyter.tables.readers import read_table
from flowlet_jupyter.tables.selection import select
from flowlet_jupyter.tables.shapes import Table, rows_like_before, tabulate
from flowlet_jupyter.tables.xml import read_xml

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response

_LINES = {"ndjson": of_ndjson, "json-seq": of_sequence, "sse": of_events}


@dataclass(frozen=True)
class PageBody:
    """`parsed` is what stands beside the records too; `records` None: they are still to be found in it."""

    parsed: Any
    records: list[Any] | None = None
    path: str = ""
    header: tuple[str, ...] | None = None  # the names of the columns of CSV, whose records are of texts


def read_page(response: Response, path: str | None = None) -> PageBody:
    """The body of a page; `path` is where the first page had its records. Raises `RequestFailed` if it cannot be read."""
    form = format_of(response)
    if form == "json":
        return PageBody(response.json())
    if form not in {*_LINES, "xml", "csv", "tsv", "gzip", "zip"}:
        return PageBody(response.json())  # whose error says what it is
    body = unpacked(body_of(response))
    text = decode(body.content, body.charset).text
    if form in _LINES:
        records = _LINES[form](text)
        return PageBody(records, records)
    if form == "xml":
        document = read_xml(body.content, path)
        if path is None and "/" not in document.path:
            return PageBody(document.about)  # nothing repeats: the document is one record
        return PageBody(document.about, document.records, document.path)
    text, named, _ = without_remarks(text)
    dialect = dialect_of(text, named or ("\t" if form == "tsv" else None))
    header, *rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=dialect.sep) if row] or [[]]
    names = _unique(name.lstrip("\ufeff") for name in header)
    lines = [dict(zip(names, row, strict=False)) for row in rows]
    return PageBody(lines, lines, header=names)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    """The names of columns, each once: a second `a` is `a.1`, as pandas has it."""
    names_so_far: list[str] = []
    for name in names:
        count, own = 0, name
        while own in names_so_far:
            count += 1
            own = f"{name}.{count}"
        names_so_far.append(own)
    return tuple(names_so_far)


class PagedTable:
    """The rows of pages whose bodies have a form of their own: columns beside rows, parallel lists, a product's report."""

    def __init__(self, table: Table, body: Any, *, has_list: bool) -> None:
        self.shape = table.shape
        self.has_list = has_list  # whether the rows are made of a list of records; else of the body as a whole
        self.rows: list[Any] = []
        self._first = body
        self._path = table.path
        self._names = list(table.records[0]) if table.records else []

    def rows_of(self, body: Any, records: Sequence[Any], number: int, path: str | None) -> list[Any]:
        """The rows of page `number`. Raises `RequestFailed` if it has another form than the first."""
        likely = records if self.has_list else []
        table = table_of(body, likely, path) or self._like_the_first(body, likely, path)
        if table is None and not (likely if self.has_list else body):
            return []  # an empty page
        if table is None or table.shape != self.shape:
            rows = rows_like_before(self.shape, self._names, self._part_of(body, path))
            if rows is not None:
                return rows
            raise RequestFailed(
                f"Page {number} has another form than the first, which was: {self.shape}. The pages' records are in .records"
            )
        return table.records

    def _part_of(self, body: Any, path: str | None) -> Any:
        """What stands where the first page had its table."""
        for part in filter(None, (path, self._path)):
            body = select(body, part)
        return body

    def _like_the_first(self, body: Any, records: Sequence[Any], path: str | None) -> Table | None:
        """A page that leaves out the names of the columns, which the first one gave."""
        if isinstance(body, dict) and isinstance(self._first, dict):
            table = table_of({**self._first, **body}, records, path)
            own = (
                body
                if table is None or path
                else {name for name in body if re.match(rf"\"?{re.escape(name)}", table.path)}
            )
            return table if own or (table and not table.path) else None  # not the rows of the first once more
        names = self._names
        if isinstance(body, list) and all(isinstance(row, list) and len(row) == len(names) for row in body):
            rows = body[1:] if body and body[0] == names else body
            return Table([dict(zip(names, row, strict=True)) for row in rows], "", self.shape)
        return None


def table_of(body: Any, records: Sequence[Any], path: str | None) -> Table | None:
    """The table of one page, at the JMESPath `path` if one was asked for; None where it is a list of records."""
    if path is None:
        return tabulate(body, records)
    selected = select(body, path) if path else body
    if isinstance(selected, list) and any(isinstance(item, dict) for item in selected[:20]):
        return None
    return tabulate(selected, None)


def pandas_of(records: Sequence[Any], header: tuple[str, ...] | None, *, dates: bool) -> Any:
    """The DataFrame of all pages' records; those of CSV get their types from all pages together."""
    if header is None:
        return frame_of(records, dates=dates)
    return _read_again(records, header, "pandas", with_dates if dates else None)


def polars_frame_of(records: Sequence[Any], header: tuple[str, ...] | None, *, dates: bool) -> Any:
    """The same as a polars DataFrame."""
    if header is None:
        return polars_of(records, dates=dates)
    return _read_again(records, header, "polars", with_polars_dates if dates else None)


def _read_again(
    records: Sequence[Any], header: tuple[str, ...], library: Any, dated: Callable[[Any], Any] | None
) -> Any:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    writer.writerows([record.get(name, "") for name in header] for record in records)
    frame, _ = read_table(Body(buffer.getvalue().encode(), "text/csv", "utf-8"), "csv", library, {"sep": ","})
    return dated(frame) if dated else frame
