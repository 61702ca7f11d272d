"""The grammar of `%flowlet_request`: text in, a frozen `RequestSpec` out. Pure: no IPython, no I/O, no evaluation."""

from __future__ import annotations

from collections.abc import Mapping

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.commands import reader_of
from flowlet_jupyter.notebook.request_line.credential_removal import leave_out_credentials
from flowlet_jupyter.notebook.request_line.http_file import read_headers_and_body, read_http, split_requests
from flowlet_jupyter.notebook.request_line.items import read_item
from flowlet_jupyter.notebook.request_line.options import read_option, set_out
from flowlet_jupyter.notebook.request_line.spec import METHODS, Draft, RequestSpec, Template
from flowlet_jupyter.notebook.request_line.tokens import extract_placeholders, split_tokens, template


def parse(line: str, cell: str | None = None) -> RequestSpec:
    """The one request that the texts describe, see `parse_all`. Raises `RequestSyntaxError` if there are several."""
    requests = parse_all(line, cell)
    if len(requests) > 1:
        raise RequestSyntaxError(f"There are {len(requests)} requests in the cell, and one is expected.")
    return requests[0]


def parse_all(line: str, cell: str | None = None) -> tuple[RequestSpec, ...]:
    """The requests that a line magic's line, or a cell magic's line and cell, describes: several where `###` separates them.

    The options of the line belong to each. Raises `RequestSyntaxError`.
    """
    if "\0" in line or "\0" in (cell or ""):
        raise RequestSyntaxError("The request holds a NUL character.")
    if cell is None:
        return (_finished(line, "", None),)
    if _of_line(line).url is not None or reader_of(cell) is not None:
        return (_finished(line, cell, None),)
    texts, variables = split_requests(cell)
    requests = tuple(_finished(line, text, variables) for text in texts or [""])
    if len(requests) > 1 and requests[0].save is not None:
        raise RequestSyntaxError("--save is for one request, and there are several in the cell.")
    return requests


def _finished(line: str, text: str, variables: Mapping[str, str] | None) -> RequestSpec:
    """The request of the line and of `text`, which belongs to a file with `variables`."""
    draft = _of_line(line)
    read_command = reader_of(text) if draft.url is None else None
    if read_command is not None:
        read_command(text, draft)
    elif draft.url is not None:
        read_headers_and_body(text.replace("\r\n", "\n").lstrip("\n").split("\n"), draft)
    elif variables is not None:
        read_http(text, variables, draft)
    leave_out_credentials(draft, is_command=read_command is not None or reader_of(line) is not None)
    return draft.finished()


def _of_line(line: str) -> Draft:
    draft = Draft()
    read_command = reader_of(line)
    if read_command is not None:
        read_command(line, draft)
    else:
        _read_line(line, draft)
    return draft


def _read_line(line: str, draft: Draft) -> None:
    marked, expressions = extract_placeholders(line)
    tokens = split_tokens(marked)

    def make(text: str) -> Template:
        return template(text, expressions)

    if len(tokens) > 1 and tokens[1] == "<<":
        set_out(tokens[0], draft)
        del tokens[:2]
    position = 0
    while position < len(tokens):
        word = tokens[position]
        position += 1
        if word.startswith("-") and word != "-":
            position = read_option(word, tokens, position, draft, make)
        elif draft.url is None and draft.method is None and word.upper() in METHODS:
            draft.method = word.upper()
        elif draft.url is None:
            draft.url = make(word)
        else:
            read_item(word, draft, make)
