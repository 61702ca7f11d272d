"""The reason that a body gives for a failure, and the names under which APIs write it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flowlet_jupyter.tables.envelopes import plain
from flowlet_jupyter.tables.foreign_text import in_one_line

MAX_CHARACTERS = 300
_MOST_MEMBERS = 200  # of an object that gives a reason
# words by which a member says that it went wrong
FAILURES = {"error", "err", "fail", "failed", "failure", "nok", "notok", "not_ok"}
# members that tell of an error, by their names without signs: error, errors, error_msg, errcode, odata.error, serviceErrorCode
OF_AN_ERROR = re.compile(
    r"(?!std)[a-z]*err(?:or)?s?(?:codes?|no|number|msg|messages?|text|string|description|type|details?|summary|info|status|id|data"
    r"|key|response|title|reason|link|causes)?|fault(?:string|code)?|exception"
)
# of a response: what stands in them is about it
HEADERS = {"meta", "header", "head", "status", "responsestatus", "message"}
WRAPPERS = HEADERS | {"response", "result", "data"}
# members whose text is the reason, the most telling first, by their names without signs
_REASONS = (
    "error", "errors", "errormessage", "errmsg", "errormsg", "errorstring", "errordescription", "errordetail", "errorsummary", "message",
    "msg", "statusmessage", "retmsg", "resultmsg", "resultmessage", "returnmsg", "detail", "details", "statusdetail", "reason", "fault", "info", "information",
    "note", "title", "description", "exception", "errorcodes", "errorcode", "errortype", "errcode", "code", "type", "key", "value",
)  # fmt: skip


def reason_of(node: Any, depth: int = 0) -> str:
    """The first text that gives a reason, however it is nested."""
    if isinstance(node, str | int) and not isinstance(node, bool):
        return in_one_line(str(node)[:MAX_CHARACTERS])
    if isinstance(node, list):
        return next((text for entry in node[:3] if (text := reason_of(entry, depth + 1))), "")
    if not isinstance(node, dict) or depth > 4 or len(node) > _MOST_MEMBERS:
        return ""
    members = {plain(str(name)): value for name, value in node.items()}
    names = [name for name in _REASONS if members.get(name) and not isinstance(members[name], bool)]
    names += [name for name in members if name not in names and OF_AN_ERROR.fullmatch(name) and members[name]]
    inside = [name for name, value in members.items() if isinstance(value, dict) and name not in names]
    inside = [name for name in inside if name in WRAPPERS or _names_errors(members[name]) or len(members) == 1]
    names += sorted(inside, key=lambda name: not _names_errors(members[name]))
    names += [name for name in ("result",) if isinstance(members.get(name), str) and members[name]]
    names.sort(key=lambda name: _says_little(members[name]))
    if depth:  # inside an error its message says more than its name
        names.sort(key=lambda name: name not in {"message", "msg", "detail"})
    found = next((text for name in names if (text := reason_of(members[name], depth + 1))), "")
    of_fields = (texts_by_field(members.get(name))[:MAX_CHARACTERS] for name in ("error", "errors"))
    return found or next(filter(None, of_fields), "")


def texts_by_field(errors: Any) -> str:
    """What a framework says of each field of a form: `{"email": ["is taken"]}`; "" if that is not all that there is."""
    if not isinstance(errors, dict) or len(errors) > _MOST_MEMBERS:
        return ""
    texts = {name: text[0] if isinstance(text, list) and text else text for name, text in errors.items()}
    if not all(isinstance(text, str) for text in texts.values()):
        return ""
    return in_one_line("; ".join(f"{name}: {text}" for name, text in texts.items()))


def _says_little(value: Any) -> bool:
    """Whether a value is less of a reason than any text: a number (Last.fm's `error: 6` beside its message), or `NOTOK`."""
    return isinstance(value, int) or (isinstance(value, str) and (value.isdigit() or value.lower() in FAILURES))


def _names_errors(node: Mapping[str, Any]) -> bool:
    return any(OF_AN_ERROR.fullmatch(plain(str(name))) for name in node)
