"""A response in a notebook: status, what an error means, and the body, headers and request one below the other.

It is what the notebook saves, and needs no script: nothing of the API is run, and none of ours either. Every text is escaped,
HTML is shown as text, SVG only as an image. While the kernel runs, `live` makes tabs of the same parts.
"""

from __future__ import annotations

import base64
import contextlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from flowlet_jupyter import frontend
from flowlet_jupyter.credentials.redaction import is_sensitive
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.frames import table_of, url_of
from flowlet_jupyter.http.shown_request import NOT_SHOWN, shown_request
from flowlet_jupyter.notebook.display import media
from flowlet_jupyter.notebook.display.problem import problem_of
from flowlet_jupyter.notebook.display.summary import size, status_line
from flowlet_jupyter.notebook.display.table import is_table, left_out, table_html
from flowlet_jupyter.notebook.display.text import PARSE_BYTES, TEXT_BYTES, beginning, looked_at
from flowlet_jupyter.notebook.display.tree import tree_html
from flowlet_jupyter.tables.records import find_records

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response

OUTPUT_BYTES = 64_000  # of the whole output: style and the plain text twin included
DEFAULT_ROWS = 20
_HEADERS_BYTES = 6_000
_REQUEST_BYTES = 4_000
_RAW_BYTES = 4_000  # beside a tree, which shows the same
_STYLE = frontend.text("response.css")


_Records = tuple[list[Any], str, str]  # the list, its path, and the form that it had


@dataclass(frozen=True)
class _Part:
    """What becomes a tab: its title and HTML."""

    title: str
    html: str

    def details(self, *, is_open: bool) -> str:
        return (
            f'<details class="part" data-part="{self.title.lower()}"{" open" if is_open else ""}>'
            f"<summary>{self.title}</summary>{self.html}</details>"
        )


def new_identity() -> str:
    """What a live view finds its static one by."""
    return f"flowlet-{uuid.uuid4().hex[:12]}"


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
    around = [_Part("Headers", _headers(response)), _Part("Request", _request(response, name))]
    fixed = sum(len(part.html.encode()) for part in around) + len((_STYLE + head).encode()) + TEXT_BYTES + 800
    body = list(_body(response, name=name, rows=rows, budget=max(output_bytes - fixed, 2_000)))
    titles = [part.title for part in body]
    first = next(title for title in ("Preview", "Table", "Tree", "Raw") if title in titles)
    parts = "".join(part.details(is_open=part.title == first) for part in [*body, *around] if part.html)
    return f'<div class="flowlet-response" id="{identity or new_identity()}" dir="ltr"><style>{_STYLE}</style>{head}{parts}</div>'


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
    return f'{html}<dl class="problem">{_described(facts)}</dl>'


def _described(facts: Sequence[tuple[str, str]]) -> str:
    return "".join(f"<div><dt>{label}</dt><dd>{html}</dd></div>" for label, html in facts if html)


def _headers(response: Response) -> str:
    count = len(response.headers.multi_items())
    rows = _header_rows(
        [(header, NOT_SHOWN if is_sensitive(header) else value) for header, value in response.headers.multi_items()],
        _HEADERS_BYTES,
        "r.headers",
    )
    return f'<table class="headers"><caption>{count} headers</caption><tbody>{rows}</tbody></table>'


def _header_rows(pairs: Sequence[tuple[str, str]], budget: int, rest: str) -> str:
    rows = ""
    for header, value in pairs:
        shown = value if len(value) <= 300 else f"{value[:300]}…"
        row = f'<tr><th scope="row">{escape(header)}</th><td>{escape(shown)}</td></tr>'
        if len((rows + row).encode()) > budget:
            return rows + f"<tr><th scope='row'>…</th><td>more: {rest}</td></tr>"
        rows += row
    return rows


def _request(response: Response, name: str) -> str:
    request = shown_request(response)
    if request is None:
        return ""
    url = request.url if len(request.url) <= 1000 else f"{request.url[:1000]}…"
    facts = [
        ("Request", f"<code>{escape(request.method)} {escape(url)}</code>"),
        ("Credentials", escape(request.credentials)),
        ("Redirected by", "<br>".join(f"<code>{escape(hop[:300])}</code>" for hop in request.hops[:5])),
    ]
    headers = _header_rows(request.headers, _REQUEST_BYTES // 2, f"{name}.request.headers")
    body = _cut(escape(request.body[:_REQUEST_BYTES]), _REQUEST_BYTES // 2)
    return (
        f"<dl>{_described(facts)}</dl>"
        + (
            f'<table class="headers"><caption>Headers that were sent</caption><tbody>{headers}</tbody></table>'
            if headers
            else ""
        )
        + (f'<pre tabindex="0" role="region" aria-label="Body that was sent">{body}</pre>' if body else "")
    )


def _cut(escaped: str, budget: int) -> str:
    """Escaped text in at most `budget` bytes; an entity is never cut in two."""
    while len(escaped.encode()) > budget:
        escaped = escaped[: len(escaped) * 2 // 3]
        start = escaped.rfind("&")
        escaped = (escaped if start < 0 or ";" in escaped[start:] else escaped[:start]) + "…"
    return escaped


def _body(response: Response, *, name: str, rows: int, budget: int) -> Iterator[_Part]:
    """The parts that show the body."""
    if media.is_binary(response):
        yield _Part("Preview", _preview(response, name, budget))
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


def _raw(response: Response, budget: int) -> _Part:
    # a character may be six when it is escaped, and four bytes
    text = _cut(escape(beginning(response, budget // 2)), budget - 200)
    return _Part("Raw", f'<pre tabindex="0" role="region" aria-label="Text of the body">{text}</pre>')


def _records_of(response: Response) -> _Records:
    """The records, however they are written; none of a body that is too long for a look."""
    if len(response.content) <= PARSE_BYTES or response.is_parsed:
        with contextlib.suppress(FlowletError):
            table = table_of(response)
            return table.records, table.path, table.shape
    return [], "", ""


def _table_part(found: _Records, *, rows: int, name: str, budget: int, is_whole: bool = True) -> _Part | None:
    records, path, shape = found
    if not is_table(records):
        return None
    table = table_html(records, rows=rows, budget=budget // 2)
    if not table:
        return None
    remark = left_out(records, rows, path) if is_whole else "the first records"
    if shape:  # a path would leave the list as it is
        path, remark = "", f"{remark}, read as {shape}"
    argument = f'"{path}"' if path and '"' not in path else f"'{path}'" if path else ""
    hint = f"<p>{escape(remark)}. As a DataFrame: <code>{escape(f'{name}.to_df({argument})')}</code></p>"
    return _Part(
        "Table", f'<div class="wide" tabindex="0" role="region" aria-label="Table of records">{table}</div>{hint}'
    )


def _json(value: object, response: Response, *, is_whole: bool, name: str, rows: int, budget: int) -> Iterator[_Part]:
    raw = _raw(response, min(_RAW_BYTES, budget // 6))
    budget -= len(raw.html.encode())
    note = (
        "" if is_whole else f"<p>The beginning of {size(len(response.content))}; all of it: {escape(name)}.json()</p>"
    )
    if is_whole:
        found = _records_of(response) if not response.is_error else ([], "", "")
    else:
        likely = find_records(value, url=url_of(response))
        found = (likely.records, likely.path, "") if likely else ([], "", "")
    table = _table_part(found, rows=rows, name=name, budget=budget // 4, is_whole=is_whole)
    budget -= len(table.html.encode()) if table else 0
    tree = _fitting(value, budget - len(note) - 300)
    yield _Part("Tree", f'{note}<div class="tree" tabindex="0" role="region" aria-label="JSON as a tree">{tree}</div>')
    if table:
        yield table
    yield raw


def _fitting(value: object, budget: int) -> str:
    """The tree in at most `budget` bytes; first as if all were ASCII, which most is."""
    html = tree_html(value, budget=budget)
    while len(html.encode()) > budget:
        budget = budget * 2 // 3
        html = tree_html(value, budget=budget)
    return html
