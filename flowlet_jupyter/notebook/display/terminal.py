"""A response, or many, in a terminal's IPython: drawn by Rich as a table or a tree. Text of an API is text there, never markup."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from flowlet_jupyter.connect.console import console
from flowlet_jupyter.http.frames import url_of
from flowlet_jupyter.model.wording import counted
from flowlet_jupyter.notebook.display import json_nodes
from flowlet_jupyter.notebook.display.problem import problem_of
from flowlet_jupyter.notebook.display.series import series_of
from flowlet_jupyter.notebook.display.summary import size, status_line
from flowlet_jupyter.notebook.display.table import cells_of, is_table
from flowlet_jupyter.notebook.display.text import TEXT_ROWS, body_text, looked_at
from flowlet_jupyter.tables.columns import shown_columns_of
from flowlet_jupyter.tables.foreign_text import for_terminal
from flowlet_jupyter.tables.records import find_records

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text
    from rich.tree import Tree

    from flowlet_jupyter.http.gather import Gathered
    from flowlet_jupyter.http.page_reader import PageReader
    from flowlet_jupyter.http.response import Response

_CELL_CHARACTERS = 40
_CUT_CHARACTERS = 12  # a column that is cut shows as many
_GAP = 2  # between two columns
_LINES, _ITEMS, _LEVELS = 40, 20, 4  # of a tree
_LEAF_CHARACTERS = 200


def drawn_response(response: Response) -> str:
    """Status line, what an error means, and the body as a table, a tree or text."""
    return _drawn(_parts_of(response))


def drawn_series(value: PageReader | Gathered) -> str:
    """Which responses, how complete, and the first records."""
    return _drawn(_parts_of_series(value))


def _drawn(parts: Iterator[RenderableType]) -> str:
    colours = str(getattr(get_ipython(), "colors", "")).lower()
    file = io.StringIO()
    drawing = console(file, has_colours=colours != "nocolor")
    for part in parts:
        drawing.print(part)
    return file.getvalue().rstrip("\n")


def _parts_of(response: Response) -> Iterator[RenderableType]:
    problem = problem_of(response)
    yield _text(status_line(response), "bold green" if problem is None else "bold red")
    if problem is not None:
        yield from _facts(
            [("The API says", problem.error_text), ("What it means", problem.meaning), ("Next", problem.next_cell)]
        )
    try:
        value, is_whole = looked_at(response)
        likely = find_records(value, url=url_of(response))
    except (ValueError, RecursionError):  # no JSON, or none that can be walked through
        yield _text(body_text(response))
        return
    part = "" if is_whole else f"the beginning of {size(len(response.content))}"
    if likely is None or not is_table(likely.records):
        yield _tree(value)
        if part:
            yield _text(f"{part}: r.json()", "dim")
        return
    table = _table(likely.records)
    yield table
    caption = _caption(likely.records, likely.path, table)
    yield _text(f"{caption}{f' at {part}' if part else ''}: r.to_df(), r.json()", "dim")


def _parts_of_series(value: PageReader | Gathered) -> Iterator[RenderableType]:
    series = series_of(value)
    yield _text(series.summary, {"good": "bold green", "waits": "bold yellow"}.get(series.level, "bold red"))
    next_call = f"{series.default_name}.{series.next_method}" if series.next_method else ""
    yield from _facts([*series.facts, ("Next", next_call)])
    shown = series.shown_rows
    if is_table(shown):
        table = _table(shown)
        yield table
        yield _text(_caption(shown, "", table), "dim")


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(for_terminal(text), style=style)


def _facts(facts: Sequence[tuple[str, str]]) -> Iterator[Text]:
    from rich.text import Text

    for label, text in facts:
        if text:
            yield Text.assemble((f"{label}: " if label else "", "bold"), for_terminal(text))


def _table(records: Sequence[dict[str, Any]]) -> Table:
    """The first records, as many columns as fit side by side; the last is cut where enough of it can be seen."""
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table

    names, lines = cells_of(records, TEXT_ROWS, _CELL_CHARACTERS)
    names, lines = [for_terminal(name) for name in names], [[for_terminal(cell) for cell in line] for line in lines]
    left = console().width
    widths: list[int] = []
    for index in range(len(names)):
        wanted = max(cell_len(row[index]) for row in (names, *lines))
        if widths and left < min(wanted, _CUT_CHARACTERS) + _GAP:
            break
        widths.append(min(wanted, max(left - _GAP, 1)))
        left -= wanted + _GAP
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1), show_edge=False)
    for name, width in zip(names, widths, strict=False):
        table.add_column(_text(name), no_wrap=True, overflow="ellipsis", max_width=width)
    for line in lines:
        table.add_row(*(_text(cell) for cell in line[: len(widths)]))
    return table


def _caption(records: Sequence[dict[str, Any]], path: str, table: Table) -> str:
    """Which records these are, and what of them did not fit."""
    caption = counted(len(records), "record") + (f" of {path}" if path else "")
    if len(records) > TEXT_ROWS:
        caption += f", the first {TEXT_ROWS} shown"
    left = len(shown_columns_of(records[:TEXT_ROWS])) - len(table.columns)
    return caption + (f", {counted(left, 'more column')}" if left else "")


def _tree(value: Any) -> RenderableType:
    from rich.tree import Tree

    shown = json_nodes.node(value, count=_ITEMS, levels=_LEVELS, budget=_LINES)
    if not shown.get("items"):
        return _leaf(shown)
    tree = Tree(_text(_kind(shown), "dim"), guide_style="dim")
    _grow(tree, shown)
    return tree


def _grow(tree: Tree, shown: dict[str, Any]) -> None:
    from rich.text import Text

    for key, below in shown["items"]:
        label = Text.assemble((f"{for_terminal(str(key))}: ", "bold"), _leaf(below))
        branch = tree.add(label)
        if below.get("items"):
            _grow(branch, below)
    if (more := shown["size"] - len(shown["items"])) > 0:
        tree.add(_text(f"… {more:,} more", "dim"))


def _leaf(shown: dict[str, Any]) -> Text:
    if "size" in shown:
        return _text(_kind(shown), "dim")
    text = shown["text"][:_LEAF_CHARACTERS]
    is_cut = "more" in shown or len(shown["text"]) > _LEAF_CHARACTERS
    is_text = shown["type"] == "string"
    return _text(f'"{text}{"…" if is_cut else ""}"' if is_text else text, "green" if is_text else "cyan")


def _kind(shown: dict[str, Any]) -> str:
    return f"{{{shown['size']:,}}}" if shown["type"] == "object" else f"[{shown['size']:,}]"
