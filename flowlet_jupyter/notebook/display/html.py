"""A response in a notebook: status, what an error means, and the body, headers and request one below the other.

It is what the notebook saves, and needs no script: nothing of the API is run, and none of ours either. Every text is escaped,
HTML is shown as text, SVG only as an image. While the kernel runs, `live` makes tabs of the same parts.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.frames import table_of, url_of
from flowlet_jupyter.notebook.display import media
from flowlet_jupyter.notebook.display.parts import (
    DEFAULT_ROWS,
    LEAST_BYTES,
    OUTPUT_BYTES,
    Part,
    bytes_around,
    cut,
    described,
    fitting,
    headers_html,
    request_html,
    table_of_records,
    tree_of,
    view_html,
)
from flowlet_jupyter.notebook.display.problem import problem_of
from flowlet_jupyter.notebook.display.summary import size, status_line
from flowlet_jupyter.notebook.display.table import is_table, left_out, table_html
from flowlet_jupyter.notebook.display.text import PARSE_BYTES, TEXT_BYTES, beginning, looked_at
from flowlet_jupyter.tables.foreign_text import escape
from flowlet_jupyter.tables.records import find_records

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response

_RAW_BYTES = 4_000  # beside a tree, which shows the same
_Records = tuple[list[Any], str, str]  # the list, its path, and the form that it had


def response_html(
    response: Response,
    *,
    name: str = "r",
    rows: int = DEFAULT_ROWS,
    output_bytes: int = OUTPUT_BYTES,
    identity: str = "",
) -> str:
    """The view; `name` is the variable that Python begins with, `rows` those of a table, `identity` its element's id."""
    head = _head(response)
    around = [Part("Headers", headers_html(response)), Part("Request", request_html(response, name))]
    budget = output_bytes - TEXT_BYTES - bytes_around(head, around)
    body = list(_body(response, name=name, rows=rows, budget=max(budget, LEAST_BYTES)))
    return view_html(identity, head, [*body, *around])


def _head(response: Response) -> str:
    problem = problem_of(response)
    kind = "good" if problem is None else "bad"
    html = f'<code class="status {kind}">{escape(status_line(response)[:2000])}</code>'
    if problem is None:
        return html
    facts = [
        ("The API says", f"<bdi>{escape(problem.error_text)}</bdi>" if problem.error_text else ""),
        ("What it means", escape(problem.meaning)),
        ("Next cell to run", f"<code>{escape(problem.next_cell)}</code>" if problem.next_cell else ""),
    ]
    return f'{html}<dl class="problem">{described(facts)}</dl>'


def _body(response: Response, *, name: str, rows: int, budget: int) -> Iterator[Part]:
    """The parts that show the body."""
    if media.is_binary(response):
        yield Part("Preview", _preview(response, name, budget))
        return
    with contextlib.suppress(ValueError, RecursionError):
        value, is_whole = looked_at(response)
        yield from _json(value, response, is_whole=is_whole, name=name, rows=rows, budget=budget)
        return
    table = _table_part(_records_of(response), rows=rows, name=name, budget=budget // 3)
    if table:
        yield table
        budget -= len(table.html.encode())
    yield _raw(response, budget)


def _preview(response: Response, name: str, budget: int) -> str:
    declared = media.media_type_of(response) or "binary"
    text = f"{declared}, {size(len(response.content))}"
    access = f"<p>{escape(text)}: <code>{escape(name)}.content</code>, <code>{escape(name)}.save(path)</code></p>"
    kind, shown = media.kind_of(response), media.shown_type(response)
    if kind is None or kind == "pdf" or len(response.content) * 4 // 3 + 400 > budget:
        return access
    source = f"data:{shown};base64,{base64.b64encode(response.content).decode()}"
    if kind == "audio":
        return f'<audio controls aria-label="{escape(text)}" src="{source}"></audio>{access}'
    return f'<img alt="{escape(text)}" src="{source}">{access}'


def _raw(response: Response, budget: int) -> Part:
    # a character may be six when it is escaped, and four bytes
    text = cut(escape(beginning(response, budget // 2)), budget - 200)
    return Part("Raw", f'<pre tabindex="0" role="region" aria-label="Text of the body">{text}</pre>')


def _records_of(response: Response) -> _Records:
    """The records, however they are written; none of a body that is too long for a look."""
    if len(response.content) <= PARSE_BYTES or response.is_parsed:
        with contextlib.suppress(FlowletError):
            table = table_of(response)
            return table.records, table.path, table.shape
    return [], "", ""


def _table_part(selection: _Records, *, rows: int, name: str, budget: int, is_whole: bool = True) -> Part | None:
    records, path, shape = selection
    if not is_table(records):
        return None
    table = table_html(records, rows=rows, budget=budget // 2)
    if not table:
        return None
    remark = left_out(records, rows, path) if is_whole else "the first records"
    if shape:  # a path would leave the list as it is
        path, remark = "", f"{remark}, read as {shape}"
    argument = f'"{path}"' if path and '"' not in path else f"'{path}'" if path else ""
    return table_of_records(table, remark, f"{name}.to_df({argument})")


def _json(value: object, response: Response, *, is_whole: bool, name: str, rows: int, budget: int) -> Iterator[Part]:
    raw = _raw(response, min(_RAW_BYTES, budget // 6))
    budget -= len(raw.html.encode())
    note = (
        "" if is_whole else f"<p>The beginning of {size(len(response.content))}; all of it: {escape(name)}.json()</p>"
    )
    if is_whole:
        selection = _records_of(response) if not response.is_error else ([], "", "")
    else:
        likely = find_records(value, url=url_of(response))
        selection = (likely.records, likely.path, "") if likely else ([], "", "")
    table = _table_part(selection, rows=rows, name=name, budget=budget // 4, is_whole=is_whole)
    budget -= len(table.html.encode()) if table else 0
    tree = fitting(value, budget - len(note) - 300)
    yield tree_of(tree, note)
    if table:
        yield table
    yield raw
