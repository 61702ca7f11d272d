"""The tables of an HTML page. Pure."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser

from flowlet_jupyter.errors import RequestFailed

_MAX_SPAN = 1000  # as browsers have it


class _Tables(HTMLParser):
    """Collects the cells of each table; one inside a cell counts as a table of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[tuple[str, int, int]]]] = []
        self._open: list[list[list[tuple[str, int, int]]]] = []
        self._cell: list[str] | None = None
        self._spans = (1, 1)
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style"}:
            self._hidden += 1
        elif tag == "table":
            self._end_cell()
            table: list[list[tuple[str, int, int]]] = []
            self.tables.append(table)
            self._open.append(table)
        elif tag == "tr" and self._open:
            self._end_cell()
            self._open[-1].append([])
        elif tag in {"td", "th"} and self._open:
            self._end_cell()
            if not self._open[-1]:
                self._open[-1].append([])
            given = dict(attrs)
            self._spans = _span(given.get("colspan")), _span(given.get("rowspan"))
            self._cell = []
        elif tag == "br" and self._cell is not None:
            self._cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._hidden = max(self._hidden - 1, 0)
        elif tag in {"td", "th", "tr", "table"}:
            self._end_cell()
            if tag == "table" and self._open:
                self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._hidden:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is not None and self._open and self._open[-1]:
            self._open[-1][-1].append((" ".join("".join(self._cell).split()), *self._spans))
        self._cell = None


def _span(text: str | None) -> int:
    return min(max(int(text), 1), _MAX_SPAN) if text and text.isascii() and text.isdigit() else 1


def table_as_csv(page: str, number: int | None = None) -> str:
    """One table of the page as CSV: the only one with rows, or the one with this number, from 0. Raises `RequestFailed`."""
    parser = _Tables()
    parser.feed(page)
    parser.close()
    tables = [table for table in parser.tables if sum(bool(row) for row in table) > 1]
    if not tables:
        raise RequestFailed("The body is an HTML page without a table. See its text: r.text")
    if number is None and len(tables) > 1:
        heads = "; ".join(
            f"{index}: {', '.join(cell[0][:20] for cell in table[0][:4])}" for index, table in enumerate(tables[:8])
        )
        raise RequestFailed(
            f'The page holds {len(tables)} tables ({heads}). Name one by its number: read={{"table": 0}}'
        )
    if number is not None and not 0 <= number < len(tables):
        raise RequestFailed(f"The page has no table {number}; it holds {len(tables)}, counted from 0.")
    buffer = io.StringIO()
    csv.writer(buffer).writerows(_filled([row for row in tables[number or 0] if row]))
    return buffer.getvalue()


def _filled(table: list[list[tuple[str, int, int]]]) -> list[list[str]]:
    """The rows with each cell in all the positions that it spans."""
    below: dict[tuple[int, int], str] = {}
    rows: list[list[str]] = []
    for height, cells in enumerate(table):
        row: list[str] = []
        for text, columns, lines in cells:
            while (height, len(row)) in below:
                row.append(below[height, len(row)])
            for _ in range(columns):
                for line in range(1, min(lines, len(table) - height)):
                    below[height + line, len(row)] = text
                row.append(text)
        while (height, len(row)) in below:
            row.append(below[height, len(row)])
        rows.append(row)
    return rows
