"""The message in the body of an error response. Pure."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

from flowlet_jupyter.tables.charset import decode
from flowlet_jupyter.tables.foreign_text import in_one_line

_MAX_MESSAGE = 500
_LOOKED_THROUGH = 20_000  # bytes of a page
# the title of an error page, and the message of an XML error (S3, SOAP)
_TITLE = re.compile(r"<title[^>]*>([^<]{1,300})", re.IGNORECASE)
_XML_MESSAGE = re.compile(r"<(?:\w+:)?(?:message|faultstring|error|description)[^>]*>([^<]{1,500})<", re.IGNORECASE)
_SHORT_TEXT = 300
_MAX_DEPTH = 8


def message_of(content: bytes, content_type: str, charset: str | None = None) -> str:
    """The message in the body of an error response, JSON or a page; "" if there is none to be seen.

    `charset` is the one that is declared, or asked for.
    """
    try:
        body = json.loads(decode(content, charset).text)
    except (ValueError, RecursionError):
        return _text_of_page(content, content_type, charset)[:_MAX_MESSAGE]
    return in_one_line(_message_in(body)[:_MAX_MESSAGE])


def _text_of_page(content: bytes, content_type: str, charset: str | None) -> str:
    """The message in a body that is no JSON: the title of a page, the message of an XML error, or all of a short text."""
    media_type = content_type.partition(";")[0].strip().lower()
    text = decode(content[:_LOOKED_THROUGH], charset).text
    if "xml" in media_type or "html" in media_type or text.lstrip().startswith("<"):
        match = _XML_MESSAGE.search(text) if "html" not in media_type else None
        match = match or _TITLE.search(text)
        return " ".join(unescape(match[1]).split()) if match else ""
    return " ".join(text.split()) if media_type in {"", "text/plain"} and len(text) <= _SHORT_TEXT else ""


def _message_in(body: Any, depth: int = 0) -> str:
    """The message in a JSON body: title and detail, `error`, `message`, `errors`, however they are nested."""
    if depth > _MAX_DEPTH:
        return ""
    if isinstance(body, list):
        return "; ".join(filter(None, (_message_in(entry, depth + 1) for entry in body[:3])))
    if isinstance(body, str):
        return body
    if not isinstance(body, dict):
        return ""
    texts = [
        str(body[key])
        for key in ("title", "error", "message", "detail", "error_description", "reason", "description", "msg")
        if isinstance(body.get(key), str | int) and body[key] != ""
    ]
    nested = (body[key] for key in ("error", "errors", "detail") if isinstance(body.get(key), dict | list))
    texts += [_message_in(entry, depth + 1) for entry in nested]
    return ": ".join(filter(None, dict.fromkeys(texts)))
