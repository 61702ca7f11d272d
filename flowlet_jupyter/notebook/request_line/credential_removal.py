"""Take the credentials out of a request that was read. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, unquote_plus

from flowlet_jupyter.http.outgoing import json_bytes
from flowlet_jupyter.notebook.request_line.pasted_credentials import (
    Location,
    PastedCredential,
    is_credential,
    pasted_value,
    user_and_password,
)
from flowlet_jupyter.notebook.request_line.spec import Body, Draft, FileText, Template
from flowlet_jupyter.notebook.request_line.tokens import MARK, template, with_marks

_ALWAYS_LEFT_OUT = frozenset({"authorization", "proxy-authorization", "cookie"})


def leave_out_credentials(draft: Draft, *, is_command: bool) -> None:
    """Move what is a credential from the request of `draft` to its `left_out`.

    An expression stays where it is, since its value is in no cell; but of a command for a shell (`is_command`) the
    header Authorization goes all the same: documentation writes `$TOKEN` there.
    """
    removed = draft.left_out
    if draft.url is not None:
        draft.url = _clean_url(draft.url, removed)
    for header in list(draft.headers):
        text, _ = with_marks(header[1])
        # clients of .http files encode the pair of "Basic user:password" themselves
        is_pair = bool(re.match(r"basic\s.*[\0\s:]", text, re.IGNORECASE | re.DOTALL))
        is_dropped = header[0].lower() in _ALWAYS_LEFT_OUT and bool(text) and (is_command or is_pair)
        if is_dropped or ("\0" not in text and is_credential(header[0], text)):
            draft.headers.remove(header)
            removed.append(PastedCredential("header", header[0], pasted_value(text)))
    draft.query = [(name, text) for name, text in draft.query if not _take(name, text, "query", removed)]
    location: Location = "form" if draft.as_form or draft.files else "JSON"
    draft.fields = [field for field in draft.fields if not _take(field[0], field[1], location, removed)]
    if draft.body is not None:
        draft.body = _clean_body(draft.body, removed)


def _take(name: str, value: Template | FileText, location: Location, removed: list[PastedCredential]) -> bool:
    text = None if isinstance(value, FileText) else value.plain
    if text is None or not is_credential(name, text):
        return False
    removed.append(PastedCredential(location, name, pasted_value(text)))
    return True


def _clean_url(url: Template, removed: list[PastedCredential]) -> Template:
    text, expressions = with_marks(url)
    if userinfo := re.match(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*)@", text):
        removed.append(user_and_password(unquote(userinfo[2]), "in the URL"))
        text = userinfo[1] + text[userinfo.end() :]
    path, mark, rest = text.partition("?")
    if mark:
        query, hash_mark, fragment = rest.partition("#")
        clean = _clean_pairs(query, "query", removed)
        text = f"{path}?{clean}" if clean or not query else path
        text += hash_mark + fragment
    return template(text, expressions)


def _clean_pairs(text: str, location: Location, removed: list[PastedCredential]) -> str:
    left = []
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if "\0" not in pair and is_credential(unquote_plus(name), unquote_plus(value)):
            removed.append(PastedCredential(location, unquote_plus(name), pasted_value(unquote_plus(value))))
        else:
            left.append(pair)
    return "&".join(left)


def _clean_body(body: Body, removed: list[PastedCredential]) -> Body:
    if body.kind == "multipart":
        empty = template("", [])
        return replace(
            body, parts=tuple(part for part in body.parts if not _take(part.name, part.text or empty, "form", removed))
        )
    if body.text is not None:
        return replace(body, text=_clean_text(body.text, removed))
    whole = body.whole_text
    if whole is None:
        return body
    clean = _clean_text(whole, removed)
    return body if clean == whole else replace(body, pieces=(clean,))


def _clean_text(whole: Template, removed: list[PastedCredential]) -> Template:
    text, expressions = with_marks(whole)
    if text.lstrip()[:1] in {"{", "["}:
        return template(_clean_json(text, removed), expressions)
    if text.startswith("--") and "Content-Disposition: form-data" in text:
        return template(_clean_multipart(text, removed), expressions)
    if re.fullmatch(r"[^\s=&]+=[^\n]*", text):
        return template(_clean_pairs(text, "form", removed), expressions)
    return whole


def _clean_multipart(text: str, removed: list[PastedCredential]) -> str:
    """A body that a browser copied with its boundaries, without the parts that are credentials."""
    boundary = text.split("\n", 1)[0].strip()
    left = []
    for part in re.split(f"(?={re.escape(boundary)})", text):
        field = re.search(r'name="([^"]*)"[^\n]*\n(?:[^\n]*\S[^\n]*\n)*\s*\n(.*?)\r?\n?\Z', part, re.DOTALL)
        if field and "\0" not in field[2] and is_credential(field[1], field[2]):
            removed.append(PastedCredential("form", field[1], pasted_value(field[2])))
        else:
            left.append(part)
    return "".join(left)


def _clean_json(text: str, removed: list[PastedCredential]) -> str:
    before = len(removed)
    try:  # an expression that is a value of its own becomes a text with another mark, and back
        content = json.loads(_BARE_MARK.sub(_hidden_mark, text), strict=False, parse_float=Decimal)
    except (ValueError, RecursionError):
        return text
    cleaned = _clean_node(content, removed)
    if len(removed) == before:
        return text
    written = json_bytes(cleaned, separators=(", ", ": ")).decode()
    return re.sub(r'"\\u0001(\d+)\\u0001"', "\0\\1\0", written).replace("\\u0000", "\0")


_BARE_MARK = re.compile(r'("(?:[^"\\]|\\.)*")|' + MARK.pattern, re.DOTALL)


def _hidden_mark(matched: re.Match[str]) -> str:
    return matched[1] or f'"\1{matched[2]}\1"'


def _clean_node(node: Any, removed: list[PastedCredential]) -> Any:
    if isinstance(node, list):
        return [_clean_node(entry, removed) for entry in node]
    if not isinstance(node, dict):
        return node
    left: dict[str, Any] = {}
    for name, value in node.items():
        if isinstance(value, str) and "\0" not in value and "\1" not in value and is_credential(name, value):
            removed.append(PastedCredential("JSON", name, pasted_value(value)))
        else:
            left[name] = _clean_node(value, removed)
    return left
