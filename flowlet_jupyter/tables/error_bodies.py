"""What an API says of an error: in the body of a success (GraphQL's, Slack's, JSON-RPC's and their likes), and of a failure. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from flowlet_jupyter.tables.charset import decode

_MAX_CHARACTERS = 300
_MAX_MESSAGE = 500
_LOOKED_THROUGH = 20_000  # bytes of a page
# the title of an error page, and the message of an XML error (S3, SOAP)
_TITLE = re.compile(r"<title[^>]*>([^<]{1,300})", re.IGNORECASE)
_XML_MESSAGE = re.compile(r"<(?:\w+:)?(?:message|faultstring|error|description)[^>]*>([^<]{1,500})<", re.IGNORECASE)
_SHORT_TEXT = 300
_MAX_DEPTH = 8
_REFUSED = re.compile(
    r"(?:request_)?(?:denied|not_processed|failed_invalid_parameters)|over_(?:query|daily)_limit|invalid_request|unknown_error"
)
_FAILURES = {"error", "fail", "failed", "failure", "nok", "notok"}
# members whose text is the reason, the most telling first
_REASONS = (
    "error", "errors", "error message", "errormessage", "error_message", "message", "msg", "errmsg", "error_description", "detail",
    "details", "reason", "resultmsg", "resultmessage", "fault", "info", "information", "note", "title", "description", "exception", "code", "type", "key", "value",
)  # fmt: skip
_NAMES_OF_ERRORS = {"error", "errors", "error message", "errormessage", "error_message", "errmsg", "fault", "exception", "error_code", "errorcode"}  # fmt: skip
# members that stand beside an error where there is nothing else in the body
_BESIDE_AN_ERROR = _NAMES_OF_ERRORS | set(_REASONS) | {
    "ok", "success", "status", "stat", "statuscode", "status_code", "errcode", "path", "timestamp", "request_id", "requestid", "trace_id",
    "traceid", "documentation_url", "doc_url", "help", "servedby", "jsonrpc", "data", "result", "results", "extensions", "warning", "warnings",
    "retry_after", "instance", "subcode", "error_subcode", "fbtrace_id", "@context", "meta", "error_uri", "time",
}  # fmt: skip


def error_in(body: Any) -> str:
    """What an API says of an error in the body of a success; "" if it says of none.

    GraphQL errors beside data are none: that data is there. One record that has a member `error` is none either.
    """
    if isinstance(body, list) and len(body) == 1 and isinstance(body[0], dict):  # Salesforce, World Bank
        (body,) = body
        if not {name.lower() for name in body} <= {"message", "errorcode", "fields"} or len(body) > 3:
            return ""
        return _reason(body) if "errorCode" in body or isinstance(body.get("message"), list) else ""
    if not isinstance(body, dict):
        return ""
    members = {str(name).lower(): value for name, value in body.items()}
    if _is_refused_query(members) or _says_no(members) or _is_only_an_error(members):
        return _reason(body) or "no reason is given"
    return _error_inside(members)


def _error_inside(members: Mapping[str, Any]) -> str:
    """What an error says that stands alone, or in the part of a body that says how it went: nothing else is in it."""
    told = {name: value for name, value in members.items() if value not in (None, "", [], {})}
    if len(told) == 1 and isinstance(text := told.get("information", told.get("note")), str):  # Alpha Vantage
        return text[:_MAX_CHARACTERS]
    parts = {name: value for name, value in told.items() if isinstance(value, dict)}
    heads = [parts[name] for name in ("header", "status", "meta") if name in parts]
    others = {name: value for name, value in told.items() if name not in {"header", "status", "meta", "ok", "success"}}
    if not others and any(map(_is_head_of_an_error, heads)):
        return next((text for head in heads if (text := _reason(head, 1))), "")
    if len(others) != 1 or others.keys() != parts.keys() - {"header", "status", "meta"}:
        return ""
    (inner,) = others.values()
    below = {str(name).lower(): value for name, value in inner.items()}
    if _NAMES_OF_ERRORS.isdisjoint(below) or not _is_only_an_error(below):
        return _error_inside(below) if below.keys() == {"header"} else ""
    return _reason(inner, 1)


def _is_head_of_an_error(head: Mapping[str, Any]) -> bool:
    """Whether what stands in the place of the data's head says that there are none: a code that is not 0, `isSuccessful: false`."""
    members = {str(name).lower().replace("_", ""): value for name, value in head.items()}
    code = members.get("resultcode", members.get("value") if "message" in members else None)
    says_no = any(members.get(name) is False for name in ("issuccessful", "issuccess", "success", "ok"))
    return says_no or (isinstance(code, int | str) and not re.fullmatch(r"0+|2\d\d|", str(code)))


def reason_in(body: Any) -> str:
    """The text of a body that was to hold records and holds none: an error that is not known by its form."""
    if isinstance(body, str):
        return body.strip()[:_MAX_CHARACTERS]
    return error_in(body) or (_reason(body) if isinstance(body, dict) else "")


def message_of(content: bytes, content_type: str, charset: str | None = None) -> str:
    """The message in the body of an error response, JSON or a page; "" if there is none to be seen.

    `charset` is the one that is declared, or asked for.
    """
    try:
        body = json.loads(decode(content, charset).text)
    except (ValueError, RecursionError):
        return _text_of_page(content, content_type, charset)[:_MAX_MESSAGE]
    return _message_in(body)[:_MAX_MESSAGE]


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


def _is_refused_query(members: Mapping[str, Any]) -> bool:
    """GraphQL: errors, and null in the place of the data."""
    errors, data = members.get("errors"), members.get("data")
    if not isinstance(errors, list) or not errors or "data" not in members:
        return False
    return not data or (isinstance(data, dict) and all(value is None for value in data.values()))


def _says_no(members: Mapping[str, Any]) -> bool:
    if any(members.get(name) in (False, "false", "False") for name in ("ok", "success", "issuccess", "succeeded")):
        # 0 equals False: `success: 0` says no as well
        return True
    if "id" in members or _has_records(members):
        return False
    states = [str(members.get(name, "")).lower() for name in ("status", "stat", "state")]
    return any(state in _FAILURES or _REFUSED.fullmatch(state) for state in states)


def _is_only_an_error(members: Mapping[str, Any]) -> bool:
    members = {
        name: value for name, value in members.items() if value not in (None, "", [], {}) or name in _BESIDE_AN_ERROR
    }
    if not set(members) <= _BESIDE_AN_ERROR | {"id"} or ("id" in members and "jsonrpc" not in members):
        return False
    if any(members.get(name) for name in ("data", "result", "results")):
        return False
    message = members.get("message") or members.get("msg") or members.get("detail") or members.get("title")
    status = members.get("status", members.get("statuscode"))
    if message and (_says_failed(members) or (isinstance(status, int) and 400 <= status < 600)):
        return True
    code = members.get("errcode")
    return any(members.get(name) for name in _NAMES_OF_ERRORS) or (isinstance(code, int) and code != 0)


def _says_failed(members: Mapping[str, Any]) -> bool:
    """Whether a `code` beside empty data says that nothing came of it (0 and 2xx say that all is well)."""
    code = members.get("code")
    if isinstance(code, bool) or "data" not in members or not isinstance(code, int | str):
        return False
    return not re.fullmatch(r"|0+|ok|success|2\d\d(\d\d)?", str(code).lower())


def _has_records(members: Mapping[str, Any]) -> bool:
    return any(
        isinstance(value, list) and value and isinstance(value[0], dict)
        for name, value in members.items()
        if name not in _NAMES_OF_ERRORS
    )


def _reason(node: Any, depth: int = 0) -> str:
    """The first text that gives a reason, however it is nested."""
    if isinstance(node, str | int) and not isinstance(node, bool):
        return str(node)[:_MAX_CHARACTERS]
    if isinstance(node, list):
        return next((text for entry in node[:3] if (text := _reason(entry, depth + 1))), "")
    if not isinstance(node, dict) or depth > 4:
        return ""
    members = {str(name).lower(): value for name, value in node.items()}
    names = [name for name in _REASONS if members.get(name)]
    names.sort(key=lambda name: isinstance(members[name], int))  # a text says more than a number
    if depth:  # inside an error its message says more than its name
        names.sort(key=lambda name: name not in {"message", "msg", "detail"})
    return next((text for name in names if (text := _reason(members[name], depth + 1))), "")
