"""A response in a notebook: status, headers, and a table, a tree, an image or text. Small however large the body is.

Nothing of the API is run: every text is escaped, HTML is shown as text, SVG only as an image. The script is ours, the same
for every response, and only adds search and copying; without it (in an untrusted notebook) the tree opens and closes.
"""

from __future__ import annotations

import base64
import contextlib
import uuid
from html import escape
from typing import TYPE_CHECKING

from flowlet_jupyter import frontend
from flowlet_jupyter.credentials.redaction import is_sensitive
from flowlet_jupyter.notebook.display.messages import explanation, size, status_line
from flowlet_jupyter.notebook.display.table import is_table, left_out, table_html
from flowlet_jupyter.notebook.display.text import TEXT_BYTES, beginning, is_binary, looked_at
from flowlet_jupyter.notebook.display.tree import tree_html
from flowlet_jupyter.tables.records import find_records

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response

OUTPUT_BYTES = 64_000  # of the whole output: style, script and the plain text twin included
DEFAULT_ROWS = 20
_HEADERS_BYTES = 6_000
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "image/avif"})
_STYLE = frontend.text("response.css")
_SCRIPT = frontend.text("response.js")


def response_html(
    response: Response,
    *,
    name: str = "r",
    rows: int = DEFAULT_ROWS,
    output_bytes: int = OUTPUT_BYTES,
    open_headers: bool = False,
) -> str:
    """The view; `name` is the variable that a copied path begins with, `rows` those of a table."""
    identity = f"flowlet-{uuid.uuid4().hex[:12]}"
    head = _head(response)
    headers = _headers(response, is_open=open_headers)
    script = _SCRIPT.replace("IDENTITY", identity)
    fixed = sum(len(text.encode()) for text in (_STYLE, script, head, headers)) + TEXT_BYTES + 500
    body, has_tree = _body(response, name=name, rows=rows, budget=max(output_bytes - fixed, 2_000))
    return (
        f'<div class="flowlet-response" id="{identity}" data-name="{escape(name)}"><style>{_STYLE}</style>'
        f"{head}{headers}{body}{f'<script>{script}</script>' if has_tree else ''}</div>"
    )


def _head(response: Response) -> str:
    kind = "bad" if response.is_error else "good"
    explanations = "".join(f"<p>{escape(text)}</p>" for text in explanation(response))
    return f'<code class="status {kind}">{escape(status_line(response)[:2000])}</code>{explanations}'


def _headers(response: Response, *, is_open: bool) -> str:
    rows = ""
    for header, value in response.headers.multi_items():
        shown = "(not shown)" if is_sensitive(header) else value[:300]
        row = f"<tr><th>{escape(header)}</th><td>{escape(shown)}</td></tr>"
        if len(rows) + len(row) > _HEADERS_BYTES:
            rows += "<tr><th>…</th><td>more: r.headers</td></tr>"
            break
        rows += row
    opened = " open" if is_open else ""
    return f"<details{opened}><summary>{len(response.headers)} headers</summary><table class='headers'>{rows}</table></details>"


def _body(response: Response, *, name: str, rows: int, budget: int) -> tuple[str, bool]:
    """The body, and whether the script has something to do."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _IMAGES and len(response.content) * 4 // 3 + 200 < budget:
        data = base64.b64encode(response.content).decode()
        return f'<img alt="{escape(kind)}" src="data:{escape(kind)};base64,{data}">', False
    if is_binary(response):
        text = f"{kind or 'binary'}, {size(len(response.content))}: {name}.content, {name}.save(path)"
        return f"<p>{escape(text)}</p>", False
    with contextlib.suppress(ValueError, RecursionError):
        value, is_whole = looked_at(response)
        return _json(value, response, is_whole=is_whole, name=name, rows=rows, budget=budget), True
    # a character may be six when it is escaped, and four bytes
    text = escape(beginning(response, budget // 2))
    while len(text.encode()) > budget:
        text = text[: len(text) * 2 // 3] + "…"
    return f"<pre>{text}</pre>", False


def _json(value: object, response: Response, *, is_whole: bool, name: str, rows: int, budget: int) -> str:
    # one character of a tree is at most four bytes
    note = (
        "" if is_whole else f"<p>The beginning of {size(len(response.content))}; all of it: {escape(name)}.json()</p>"
    )
    found = find_records(value)
    if found is None or not is_table(found.records):
        return f'{note}<div class="tree">{_fitting(value, budget - len(note))}</div>'
    table = table_html(found.records, rows=rows, budget=budget // 8)
    remark = left_out(found.records, rows, found.path) if is_whole else "the first records"
    path = f'"{found.path}"' if found.path else ""
    hint = escape(f"{remark}. As a DataFrame: {name}.to_df({path})")
    tree = _fitting(value, budget - len(table.encode()) - len(hint.encode()) - len(note) - 200)
    return f'{note}<div class="wide">{table}</div><p>{hint}</p><details><summary>JSON</summary><div class="tree">{tree}</div></details>'


def _fitting(value: object, budget: int) -> str:
    """The tree in at most `budget` bytes; first as if all were ASCII, which most is."""
    html = tree_html(value, budget=budget)
    while len(html.encode()) > budget:
        budget = budget * 2 // 3
        html = tree_html(value, budget=budget)
    return html
