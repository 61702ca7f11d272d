"""Items of a request as HTTPie has them: `q==x`, `Name:value`, `key=value`, `key:=json`, `a[b]=1`, `key@file`. Pure."""

from __future__ import annotations

import json

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.options import HEADER_LINE, ITEM, MakeTemplate
from flowlet_jupyter.notebook.request_line.spec import Draft, FileText, Template
from flowlet_jupyter.notebook.request_line.tokens import quote_excerpt


def read_item(word: str, draft: Draft, make: MakeTemplate) -> None:
    """Take in the item `word`. Raises `RequestSyntaxError`."""
    item = ITEM.fullmatch(word)
    if not item or "\0" in item["key"] or item["value"].startswith("//"):  # a second URL, perhaps
        raise RequestSyntaxError(
            f"{quote_excerpt(word)} is not understood here. Write key==value (query), Name:value (header), key=value or "
            "key:=json (body), key@file (upload). A text with spaces needs quotes."
        )
    key, separator = item["key"], item["separator"]
    if separator == "@":
        draft.files.append((key, _path(item["value"])))
        return
    value = _value(item["value"], make)
    if separator == "==":
        draft.query.append((key, value))
    elif separator == ":":
        if not HEADER_LINE.fullmatch(f"{key}: x"):
            raise RequestSyntaxError(f"{quote_excerpt(key)} cannot be the name of a header.")
        if isinstance(value, FileText):
            raise RequestSyntaxError("A file's content as a header is not read. Read it in Python: {{ text }}.")
        draft.headers.append((key, value))
    else:
        is_json = separator == ":="
        if is_json and isinstance(value, Template) and value.plain is not None:
            check_json(value.plain, f"the value of {quote_excerpt(key)}")
        draft.fields.append((key, value, is_json))


def _value(text: str, make: MakeTemplate) -> Template | FileText:
    return FileText(_path(text[1:])) if text.startswith("@") else make(text)


def _path(text: str) -> str:
    if "\0" in text or not text:
        raise RequestSyntaxError("Behind @ stands the path of a file, literally.")
    return text


def check_json(text: str, what: str) -> None:
    """Raise `RequestSyntaxError` unless `text` is JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestSyntaxError(f"The JSON of {what} is not valid: {str(error)[:100]}.") from None
