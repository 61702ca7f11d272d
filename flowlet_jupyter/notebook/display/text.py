"""The plain text twin of a response, for terminals and for front ends without HTML."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.frames import format_of, url_of
from flowlet_jupyter.notebook.display.media import is_binary
from flowlet_jupyter.notebook.display.problem import explanation
from flowlet_jupyter.notebook.display.summary import size, status_line
from flowlet_jupyter.notebook.display.table import is_table, left_out, table_text
from flowlet_jupyter.notebook.display.truncated_json import beginning_of
from flowlet_jupyter.tables.charset import decode
from flowlet_jupyter.tables.foreign_text import for_terminal
from flowlet_jupyter.tables.records import find_records

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response

TEXT_BYTES = 8_000  # the notebook saves it beside the HTML
TEXT_CHARACTERS = 4_000
TEXT_ROWS = 10
# a body longer than this is not parsed for a look at it: its beginning is
PARSE_BYTES = 1_000_000
_BEGINNING_BYTES = 200_000


def response_text(response: Response) -> str:
    """Status line, message and hint of an error, and the body as a table or as text."""
    return within_bytes("\n".join([status_line(response), *explanation(response), body_text(response)]))


def within_bytes(text: str) -> str:
    """`text` in at most `TEXT_BYTES`, with nothing in it that would steer a terminal."""
    encoded = for_terminal(text).encode()
    if len(encoded) <= TEXT_BYTES:
        return encoded.decode()
    return f"{encoded[: TEXT_BYTES - 10].decode(errors='ignore')} …"


def looked_at(response: Response) -> tuple[Any, bool]:
    """The JSON of the body and whether it is all of it; of a very long one that nobody has parsed, its beginning.

    Raises `ValueError` if it is not JSON.
    """
    if format_of(response) != "json":
        raise ValueError("not JSON by its type")
    if not response.is_parsed and len(response.content) > PARSE_BYTES:
        return beginning_of(_text_of(response, _BEGINNING_BYTES)), False
    try:
        return response.json(), True
    except RequestFailed:
        raise ValueError("not JSON") from None


def beginning(response: Response, limit: int) -> str:
    """The first `limit` characters of a text body, and what is left out."""
    head = _text_of(response, 4 * limit + 4)
    if len(head) <= limit and len(response.content) <= 4 * limit:
        return head
    return f"{head[:limit]}\n… {size(max(len(response.content) - limit, 0))} more: r.text"


def _text_of(response: Response, size: int) -> str:
    """The first `size` bytes of the body as `r.text` has them."""
    if len(response.content) <= size:
        return response.text
    return decode(response.content[:size], response.charset_encoding, is_cut=True).text


def body_text(response: Response) -> str:
    """The body as a table or as text, cut where it is long; of one that is no text what it is."""
    if is_binary(response):
        kind = response.headers.get("content-type", "").partition(";")[0] or "binary"
        return f"({kind}, {size(len(response.content))}: r.content, r.save(path))"
    with contextlib.suppress(ValueError, RecursionError):
        value, is_whole = looked_at(response)
        likely = find_records(value, url=url_of(response))
        if likely is not None and is_table(likely.records):
            note = (
                left_out(likely.records, TEXT_ROWS, likely.path)
                if is_whole
                else f"the beginning of {size(len(response.content))}"
            )
            return f"{table_text(likely.records, rows=TEXT_ROWS)}\n({note}: r.to_df(), r.json())"
        text = json.dumps(value, indent=2, ensure_ascii=False)
        if len(text) > TEXT_CHARACTERS or not is_whole:
            return f"{text[:TEXT_CHARACTERS]}\n… more of {size(len(response.content))}: r.json()"
        return text
    return beginning(response, TEXT_CHARACTERS)
