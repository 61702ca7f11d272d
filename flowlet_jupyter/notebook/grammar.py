"""The grammar of `%flowlet_request`: text in, a frozen `RequestSpec` out. Pure: no IPython, no I/O, no evaluation."""

from __future__ import annotations

import json

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.curl import is_curl, read_curl
from flowlet_jupyter.notebook.options import HEADER_LINE, ITEM, MakeTemplate, read_option, set_out
from flowlet_jupyter.notebook.request_spec import METHODS, Body, Draft, RequestSpec, Template
from flowlet_jupyter.notebook.words import lift_expressions, shown, template, words


def parse(line: str, cell: str | None = None) -> RequestSpec:
    """The request that a line magic's line, or a cell magic's line and cell, describes. Raises `RequestSyntaxError`."""
    if "\0" in line or "\0" in (cell or ""):
        raise RequestSyntaxError("The request holds a NUL character.")
    draft = Draft()
    if cell is None and is_curl(line):
        read_curl(line, draft)
    else:
        _read_line(line, draft)
    if cell is not None:
        if draft.url is None and is_curl(cell):
            read_curl(cell, draft)
        else:
            _read_cell(cell, draft)
    return draft.finished()


def _read_line(line: str, draft: Draft) -> None:
    marked, expressions = lift_expressions(line)
    found = words(marked)

    def make(text: str) -> Template:
        return template(text, expressions)

    if len(found) > 1 and found[1] == "<<":
        set_out(found[0], draft)
        del found[:2]
    position = 0
    while position < len(found):
        word = found[position]
        position += 1
        if word.startswith("-") and word != "-":
            position = read_option(word, found, position, draft, make)
        elif draft.url is None and draft.method is None and word.upper() in METHODS:
            draft.method = word.upper()
        elif draft.url is None:
            draft.url = make(word)
        else:
            _read_item(word, draft, make)


def _read_item(word: str, draft: Draft, make: MakeTemplate) -> None:
    item = ITEM.fullmatch(word)
    if not item or "\0" in item["key"] or item["value"].startswith("//"):  # a second URL, perhaps
        raise RequestSyntaxError(
            f"{shown(word)} is not understood here. Write key==value (query), Name:value (header), key=value or "
            "key:=json (body), key@file (upload). A text with spaces needs quotes."
        )
    key, separator = item["key"], item["separator"]
    if separator == "@":
        if "\0" in item["value"] or not item["value"]:
            raise RequestSyntaxError("Behind @ stands the path of a file, literally.")
        draft.files.append((key, item["value"]))
        return
    value = make(item["value"])
    if separator == "==":
        draft.query.append((key, value))
    elif separator == ":":
        if not HEADER_LINE.fullmatch(f"{key}: x"):
            raise RequestSyntaxError(f"{shown(key)} cannot be the name of a header.")
        draft.headers.append((key, value))
    else:
        is_json = separator == ":="
        if is_json and value.plain is not None:
            _check_json(value.plain, f"the value of {shown(key)}")
        draft.fields.append((key, value, is_json))


def _read_cell(cell: str, draft: Draft) -> None:
    lines = cell.lstrip("\n").split("\n")
    if draft.url is None:
        first = lines.pop(0).strip() if lines else ""
        method, _, rest = first.partition(" ")
        if method.upper() in METHODS and rest:
            draft.method, first = method.upper(), rest.strip()
        if not first:
            raise RequestSyntaxError("There is no URL: write METHOD URL on the first line or at the start of the cell.")
        draft.url = template(*lift_expressions(first))
    while lines and (header := HEADER_LINE.fullmatch(lines[0].rstrip())):
        draft.headers.append((header[1], template(*lift_expressions(header[2]))))
        lines.pop(0)
    text = "\n".join(lines).strip("\n")
    if text.strip():
        if draft.body is not None or draft.fields or draft.files:
            raise RequestSyntaxError("The request has a body twice: on the first line and in the cell. Leave one out.")
        draft.body = Body("auto", text=template(*lift_expressions(text)))


def _check_json(text: str, what: str) -> None:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestSyntaxError(f"The JSON of {what} is not valid: {str(error)[:100]}.") from None
