"""The parts that the views of a response and of many responses are made of. Every text is escaped. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowlet_jupyter import frontend
from flowlet_jupyter.credentials.redaction import is_sensitive
from flowlet_jupyter.http.shown_request import NOT_SHOWN, shown_request
from flowlet_jupyter.notebook.display.tree import tree_html
from flowlet_jupyter.tables.foreign_text import escape

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response

OUTPUT_BYTES = 64_000  # of the whole output: style and the plain text twin included
LEAST_BYTES = 2_000  # of the body, whatever stands around it
DEFAULT_ROWS = 20
STYLE = frontend.text("response.css")
_HEADERS_BYTES = 6_000
_REQUEST_BYTES = 4_000
_FRAME_BYTES = 800  # the elements around head and parts


@dataclass(frozen=True)
class Part:
    """What becomes a tab: its title and HTML."""

    title: str
    html: str

    def details(self, *, is_open: bool) -> str:
        """The part as it is saved: it opens without a script."""
        return (
            f'<details class="part" data-part="{self.title.lower()}"{" open" if is_open else ""}>'
            f"<summary>{self.title}</summary>{self.html}</details>"
        )


def new_identity() -> str:
    """What a live view finds its static one by."""
    return f"flowlet-{uuid.uuid4().hex[:12]}"


def view_html(identity: str, head: str, parts: Sequence[Part]) -> str:
    """The whole of a view: the first part that has something to see is open."""
    titles = [part.title for part in parts]
    first = next(title for title in ("Preview", "Table", "Tree", "Raw", *titles) if title in titles)
    shown = "".join(part.details(is_open=part.title == first) for part in parts if part.html)
    return f'<div class="flowlet-response" id="{identity or new_identity()}" dir="ltr"><style>{STYLE}</style>{head}{shown}</div>'


def bytes_around(head: str, parts: Sequence[Part]) -> int:
    """The bytes that a view has beside its body: the style, what stands above, and these other parts."""
    return sum(len(part.html.encode()) for part in parts) + len((STYLE + head).encode()) + _FRAME_BYTES


def table_of_records(table: str, remark: str, frame: str) -> Part:
    """The tab of a table: what it leaves out, and the expression that gives all of it as a DataFrame."""
    hint = f"<p>{escape(remark)}. As a DataFrame: <code>{escape(frame)}</code></p>"
    return Part(
        "Table", f'<div class="wide" tabindex="0" role="region" aria-label="Table of records">{table}</div>{hint}'
    )


def tree_of(html: str, note: str = "") -> Part:
    """The tab of a tree."""
    return Part("Tree", f'{note}<div class="tree" tabindex="0" role="region" aria-label="JSON as a tree">{html}</div>')


def described(facts: Sequence[tuple[str, str]]) -> str:
    """Terms and what is said of each, which is HTML; those of which nothing is said are left out."""
    return "".join(f"<div><dt>{label}</dt><dd>{html}</dd></div>" for label, html in facts if html)


def headers_html(response: Response, caption: str = "") -> str:
    """The headers of a response, without credentials; `caption` instead of their number."""
    count = len(response.headers.multi_items())
    rows = _header_rows(
        [(header, NOT_SHOWN if is_sensitive(header) else value) for header, value in response.headers.multi_items()],
        _HEADERS_BYTES,
        "r.headers",
    )
    return f'<table class="headers"><caption>{escape(caption) or f"{count} headers"}</caption><tbody>{rows}</tbody></table>'


def _header_rows(pairs: Sequence[tuple[str, str]], budget: int, rest: str) -> str:
    rows = ""
    for header, value in pairs:
        shown = value if len(value) <= 300 else f"{value[:300]}…"
        row = f'<tr><th scope="row">{escape(header)}</th><td>{escape(shown)}</td></tr>'
        if len((rows + row).encode()) > budget:
            return rows + f"<tr><th scope='row'>…</th><td>more: {rest}</td></tr>"
        rows += row
    return rows


def request_html(response: Response, name: str) -> str:
    """The request of a response, without credentials; "" if it is not known."""
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
    body = cut(escape(request.body[:_REQUEST_BYTES]), _REQUEST_BYTES // 2)
    return (
        f"<dl>{described(facts)}</dl>"
        + (
            f'<table class="headers"><caption>Headers that were sent</caption><tbody>{headers}</tbody></table>'
            if headers
            else ""
        )
        + (f'<pre tabindex="0" role="region" aria-label="Body that was sent">{body}</pre>' if body else "")
    )


def cut(escaped: str, budget: int) -> str:
    """Escaped text in at most `budget` bytes; an entity is never cut in two."""
    while len(escaped.encode()) > budget:
        escaped = escaped[: len(escaped) * 2 // 3]
        start = escaped.rfind("&")
        escaped = (escaped if start < 0 or ";" in escaped[start:] else escaped[:start]) + "…"
    return escaped


def fitting(value: object, budget: int) -> str:
    """`value` as a tree in at most `budget` bytes; first as if all were ASCII, which most is."""
    html = tree_html(value, budget=budget)
    while len(html.encode()) > budget:
        budget = budget * 2 // 3
        html = tree_html(value, budget=budget)
    return html
