"""The tables of an HTML page. Pure."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

from flowlet_jupyter.errors import RequestFailed

_MAX_SPAN = 1000  # as browsers have it
_MAX_SPANNED = 250_000  # cells that stand in more than one place, each counted for every one


# A tag, and what is not a tag to its end: in time that grows with the page, which `html.parser` takes the square of where
# much is begun and nothing ended. What is begun and not ended is nothing, as in browsers.
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)((?:[^>=]|=\s*\"[^\"]*\"|=\s*'[^']*'|=)*+)>")
_ATTRIBUTE = re.compile(r"([^\s=/\"']++)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'][^\s]*))?")
_RAW = ("script", "style", "title", "textarea")


class _Tables:
    """Collects the cells of each table; one inside a cell counts as a table of its own."""

    def __init__(self) -> None:
        self.tables: list[list[list[tuple[str, int, int]]]] = []
        self._open: list[list[list[tuple[str, int, int]]]] = []
        self._cell: list[str] | None = None
        self._spans = (1, 1)

    def read(self, page: str) -> None:
        """Take in a whole page."""
        at = 0
        while (begins := page.find("<", at)) >= 0:
            self._add_text(page[at:begins])
            if (tag := _TAG.match(page, begins)) is not None:
                at = self._after_tag(page, tag)
            elif page.startswith("<!--", begins):
                at = _after(page, "-->", begins)
            elif page.startswith(("<!", "<?"), begins):
                at = _after(page, ">", begins)
            elif _BEGINNING_OF_A_TAG.match(page, begins):
                at = len(page)
            else:
                self._add_text("<")
                at = begins + 1
        self._add_text(page[at:])
        self._end_cell()

    def _after_tag(self, page: str, tag: re.Match[str]) -> int:
        """Take in a tag; where the page goes on behind it, and behind what it says is no markup."""
        name = tag[2].lower()
        if tag[1]:
            self._end_tag(name)
        elif name in _RAW:
            end = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(page, tag.end())
            return len(page) if end is None else end.start()
        else:
            self._start_tag(name, tag[3])
        return tag.end()

    def _start_tag(self, tag: str, attributes: str) -> None:
        if tag == "table":
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
            spans = {match[1].lower(): match[2] for match in _ATTRIBUTE.finditer(attributes)}
            self._spans = _span(spans.get("colspan")), _span(spans.get("rowspan"))
            self._cell = []
        elif tag == "br" and self._cell is not None:
            self._cell.append(" ")

    def _end_tag(self, tag: str) -> None:
        if tag in {"td", "th", "tr", "table"}:
            self._end_cell()
            if tag == "table" and self._open:
                self._open.pop()

    def _add_text(self, text: str) -> None:
        if self._cell is not None and text:
            self._cell.append(unescape(text))

    def _end_cell(self) -> None:
        if self._cell is not None and self._open and self._open[-1]:
            self._open[-1][-1].append((" ".join("".join(self._cell).split()), *self._spans))
        self._cell = None


_BEGINNING_OF_A_TAG = re.compile(r"</?[a-zA-Z]")


def _after(page: str, ending: str, at: int) -> int:
    end = page.find(ending, at)
    return len(page) if end < 0 else end + len(ending)


def _span(text: str | None) -> int:
    text = (text or "").strip("\"' ")[:9]
    return min(max(int(text), 1), _MAX_SPAN) if text.isascii() and text.isdigit() else 1


def table_as_csv(page: str, number: int | None = None) -> str:
    """One table of the page as CSV: the only one with rows, or the one with this number, from 0. Raises `RequestFailed`."""
    parser = _Tables()
    parser.read(page)
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
    spanned = 0
    for height, cells in enumerate(table):
        row: list[str] = []
        for text, columns, lines in cells:
            spanned += columns * min(lines, len(table) - height) - 1
            if spanned > _MAX_SPANNED:
                raise RequestFailed("The cells of this table span more rows and columns than a table has. See r.text")
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
