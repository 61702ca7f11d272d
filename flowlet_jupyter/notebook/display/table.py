"""Records as a small table, in HTML and as text. Every text is escaped. Pure, and without pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowlet_jupyter.notebook.display.cells import cut, text_of
from flowlet_jupyter.tables.columns import shown_columns_of
from flowlet_jupyter.tables.foreign_text import escape

MAX_COLUMNS = 12
_CELL_CHARACTERS = 60
_TEXT_CELL_CHARACTERS = 24
_TEXT_WIDTH = 118


def is_table(records: Sequence[Any]) -> bool:
    """Whether `records` are worth a table: two objects or more."""
    return len(records) > 1 and all(isinstance(record, dict) for record in records[:20])


def table_html(records: Sequence[dict[str, Any]], *, rows: int, budget: int) -> str:
    """The first `rows` records as an HTML table of at most `budget` characters."""
    while rows:
        html = _html(records, rows)
        if len(html) <= budget:
            return html
        rows //= 2
    return ""


def _html(records: Sequence[dict[str, Any]], rows: int) -> str:
    names, lines = cells_of(records, rows, _CELL_CHARACTERS)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def table_text(records: Sequence[dict[str, Any]], *, rows: int) -> str:
    """The first `rows` records as lines of text, as many columns as fit."""
    names, lines = cells_of(records, rows, _TEXT_CELL_CHARACTERS)
    widths = [max(len(row[index]) for row in (names, *lines)) for index in range(len(names))]
    while len(widths) > 1 and sum(widths) + 2 * len(widths) > _TEXT_WIDTH:
        widths.pop()
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in (names, *lines)
    )


def cells_of(records: Sequence[dict[str, Any]], rows: int, characters: int) -> tuple[list[str], list[list[str]]]:
    """The names of at most `MAX_COLUMNS` columns and the cells of the first `rows` records, each one line of so many characters."""
    shown = records[:rows]
    columns = shown_columns_of(shown)
    names = list(columns)[:MAX_COLUMNS]
    heads = [_cut(name, characters) for name in names]
    lines = [[_cut(text_of(columns[name][index]), characters) for name in names] for index in range(len(shown))]
    return heads, lines


def _cut(text: str, characters: int) -> str:
    """`text` in one line, short enough."""
    return cut(" ".join(text.split()) if len(text) < 10 * characters else text[: 2 * characters], characters)


def left_out(records: Sequence[dict[str, Any]], rows: int, path: str) -> str:
    """What the table does not show, in words."""
    columns = len({key for record in records[:rows] for key in record})
    where = f" of {path}" if path else ""
    caption = f"{len(records):,} records{where}"
    if len(records) > rows:
        caption += f", the first {rows} shown"
    return caption + (f"; more columns than {MAX_COLUMNS}" if columns > MAX_COLUMNS else "")
