"""The grammar of `%flowlet_request`: text in, a frozen `RequestSpec` out. Pure: no IPython, no I/O, no evaluation."""

from __future__ import annotations

import json
import re

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.credential_removal import leave_out_credentials
from flowlet_jupyter.notebook.request_line.curl import is_curl, read_curl
from flowlet_jupyter.notebook.request_line.options import HEADER_LINE, ITEM, MakeTemplate, read_option, set_out
from flowlet_jupyter.notebook.request_line.spec import METHODS, Body, Draft, RequestSpec, Template
from flowlet_jupyter.notebook.request_line.tokens import lift_expressions, shown, template, words


def parse(line: str, cell: str | None = None) -> RequestSpec:
    """The request that a line magic's line, or a cell magic's line and cell, describes. Raises `RequestSyntaxError`."""
    if "\0" in line or "\0" in (cell or ""):
        raise RequestSyntaxError("The request holds a NUL character.")
    draft = Draft()
    for text in (line, cell or ""):
        if other := re.match(
            r"\s*(?:[$%]\s+)?(wget|https?|fetch|await fetch|Invoke-\w+|iwr|irm|\$session)\b(?!:)(\s|\()", text
        ):
            raise RequestSyntaxError(f"A command of {other[1]} is not read here. Copy it as cURL (bash) instead.")
    if cell is None and is_curl(line):
        read_curl(line, draft)
    else:
        _read_line(line, draft)
    if cell is not None:
        if draft.url is None and is_curl(cell):
            read_curl(cell, draft)
        else:
            _read_cell(cell, draft)
    leave_out_credentials(draft, is_command=is_curl(line) or is_curl(cell or ""))
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
    if separator == "==" and item["value"].startswith("@"):
        raise RequestSyntaxError(f"{shown(word)}: a file's content as a parameter is not read. Write {{{{ text }}}}.")
    if separator in {"=", ":="} and "[" in key and not draft.as_form:
        raise RequestSyntaxError(f"{shown(word)}: nested fields are not read. Write the JSON: --json '{{…}}'")
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
    lines = cell.replace("\r\n", "\n").lstrip("\n").split("\n")
    if draft.url is None:
        _skip_comments(lines)
        for start, what in _UNREAD.items():
            if any(re.match(start, text.rstrip()) for text in lines):
                raise RequestSyntaxError(
                    f"{what} Put each request in a cell of its own, and write {{{{ name }}}} for a value."
                )
        first = lines.pop(0).strip() if lines else ""
        method, _, rest = first.partition(" ")
        if method.upper() in METHODS and rest:
            draft.method, first = method.upper(), rest.strip()
        if not first:
            raise RequestSyntaxError("There is no URL: write METHOD URL on the first line or at the start of the cell.")
        while lines and re.match(r"\s+[?&]", lines[0]):  # a query over several lines
            first += lines.pop(0).strip()
        first = re.sub(r"\s+HTTP/[\d.]+$", "", first)
        draft.url = template(*lift_expressions(first))
        _skip_comments(lines)
    while lines and (header := HEADER_LINE.fullmatch(lines[0].rstrip())):
        draft.headers.append((header[1], template(*lift_expressions(header[2]))))
        lines.pop(0)
    text = "\n".join(lines).strip("\n")
    if text.strip():
        if draft.body is not None or draft.fields or draft.files:
            raise RequestSyntaxError("The request has a body twice: on the first line and in the cell. Leave one out.")
        if found := re.fullmatch(r"<\s+(\S+)", text.strip()):  # the content of a file
            draft.body = Body("auto", file=found[1])
            return
        draft.body = Body("auto", text=template(*lift_expressions(text)))


_UNREAD = {
    r"###": "A cell holds one request, and there is a ### for another.",
    r"@\w[\w.-]*\s*=": "Variables of .http files (@name = value) are Python's here.",
    r">\s*\{%|>\s*\S+\.js$|<\s*\{%": "Scripts of .http files (response handlers) are not run.",
    r"<@": "A file with variables in it (<@) is not read.",
}


def _skip_comments(lines: list[str]) -> None:
    while lines and (re.match(r"#|//", lines[0]) and not lines[0].startswith("###")):
        lines.pop(0)
    if lines and lines[0].strip().startswith("###"):
        lines.pop(0)  # the name of the first request
        _skip_comments(lines)


def _check_json(text: str, what: str) -> None:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestSyntaxError(f"The JSON of {what} is not valid: {str(error)[:100]}.") from None
