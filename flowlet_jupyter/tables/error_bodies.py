"""What an API says in the body of a success of having failed, or given a part only (GraphQL, Slack, JSON-RPC and their likes). Pure.

By the forms in which APIs say it, not by those of one API; what holds data is never taken for a failure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flowlet_jupyter.tables.envelopes import is_spoken, plain
from flowlet_jupyter.tables.foreign_text import in_one_line

_MAX_CHARACTERS = 300
# words by which a member says how it went; in a status others name the failure (REQUEST_DENIED, OVER_QUERY_LIMIT)
_FAILURES = {"error", "fail", "failed", "failure", "nok", "notok"}
_NAMED_FAILURE = re.compile(
    r"[a-z]+(?:_[a-z]+)*?_?(?:denied|error|limit|authorized|forbidden|invalid|failed|request|not_processed|failed_invalid_parameters)",
    re.IGNORECASE,
)
_ALL_IS_WELL = re.compile(
    r"|ok|okay|success(?:ful(?:ly)?)?|successful request|done|none|normal.*|true|成功|操作成功", re.IGNORECASE
)
# members that tell of an error, by their names without signs: error, errors, error_msg, errcode, odata.error, serviceErrorCode
_OF_AN_ERROR = re.compile(
    r"[a-z]*err(?:or)?s?(?:codes?|no|number|msg|messages?|text|string|description|type|details?|summary|info|status|id|data"
    r"|key|response|title|reason|link|causes)?|fault(?:string|code)?|exception"
)
_FLAGS = {"ok", "success", "issuccess", "issuccessful", "succeeded", "response"}  # false: it went wrong
_STATES = {"status", "stat", "state", "result", "message", "msg", "object", "type"}
_CODES = {"code", "status", "statuscode", "httpstatuscode", "ret", "retcode", "resultcode", "returncode"}
_HTTP_FAILURES = {str(status) for status in range(400, 600)}
_OWN_CODES = {"ret", "retcode", "resultcode", "returncode"}  # of the API, in which only 0 is well
_MESSAGES = {"message", "messages", "msg", "detail", "details", "title", "reason", "description", "retmsg", "resultmsg", "resultmessage", "returnmsg", "statusmessage", "info"}  # fmt: skip
# members whose text is the reason, the most telling first, by their names without signs
_REASONS = (
    "error", "errors", "errormessage", "errmsg", "errormsg", "errorstring", "errordescription", "errordetail", "errorsummary", "message",
    "msg", "statusmessage", "retmsg", "resultmsg", "resultmessage", "returnmsg", "detail", "details", "statusdetail", "reason", "fault", "info", "information",
    "note", "title", "description", "exception", "errorcodes", "errorcode", "errortype", "errcode", "code", "type", "key", "value",
)  # fmt: skip
# what stands beside an error where there is nothing else in the body; what speaks of a list or of a response does as well
_BESIDE_AN_ERROR = re.compile(
    r"path|request|doc(?:umentation)?(?:ur[il])?|docs|help|termsofuse|licen[sc]es?|servedby|data|results?|response|retryafter|throttle.*|instance"
    r"|sub.*|fbtraceid|context|meta|ttl|logid|execut.*|elapsed|creditcount|messagedata|extensions|retextinfo|status.*|ret(?:code|msg)?|stat"
    r"|(?:result|return)(?:code|msg|message)|reason|detail|details|title|infocode|domain|advice"
)
_WRAPPERS = {"response", "result", "meta", "header", "head", "status", "responsestatus", "message", "data"}
_MAX_LEVELS = 3
_MOST_MEMBERS = 40  # of an object that says no more than what went wrong
_NOTE_CHARACTERS = 40  # a body that is one note, and no word or number
_MANY_IN_ONE = {"responses", "compositeresponse", "results", "items", ""}


def error_in(body: Any) -> str:
    """What an API says of an error in the body of a success; "" if it says of none.

    GraphQL errors beside data are none: that data is there, see `partial_in`. One record that has a member `error` is none
    either.
    """
    if isinstance(body, list) and len(body) == 1 and isinstance(body[0], dict):  # Salesforce, World Bank
        (body,) = body
        if not {name.lower() for name in body} <= {"message", "errorcode", "fields"} or len(body) > 3:
            return ""
        return _reason(body) if "errorCode" in body or isinstance(body.get("message"), list) else ""
    return (_reason(body) or "no reason is given") if isinstance(body, dict) and _says_error(body) else ""


def partial_in(body: Any) -> str:
    """What a body with data says of being only a part of what was asked for, in words; "" if it says nothing of it."""
    if isinstance(body, list):
        return _failed_parts(body)
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict) and _has_data_beside(body, "errors"):
        return f"the API reports an error beside the data: {(_reason(errors) or str(errors[0]))[:200]}"
    shards = body.get("_shards")
    failed = shards.get("failed") if isinstance(shards, dict) else 0
    remark = body.get("remark")
    stated = (
        (body.get("jobComplete") is False, "jobComplete is false: the query was still running"),
        (body.get("timed_out") is True, "timed_out is true: the search ended before it had seen everything"),
        (isinstance(failed, int) and failed > 0, f"{failed} shards of the index failed"),
        (
            body.get("incomplete_results") is True,
            "incomplete_results is true: the search ended before it had seen everything",
        ),
        (
            bool(body.get("partialFailureError")),
            f"partialFailureError: {_reason(body.get('partialFailureError'))[:200]}",
        ),
        (body.get("hasErrors") is True, "hasErrors is true"),
        (body.get("errors") is True and isinstance(body.get("items"), list), "errors is true"),
        (
            isinstance(remark, str) and remark.startswith("runtime "),
            f"the API remarks: {in_one_line(str(remark)[:200])}",
        ),  # Overpass
    )
    said = next((text for holds, text in stated if holds), "")
    lists = (value for name, value in body.items() if name.lower() in _MANY_IN_ONE and isinstance(value, list))
    return said or _user_errors(body.get("data")) or next(filter(None, map(_failed_parts, lists)), "")


def _has_data_beside(body: Mapping[str, Any], name: str) -> bool:
    return any(value for key, value in body.items() if key != name and isinstance(value, list | dict))


def _user_errors(data: Any) -> str:
    """Shopify and its likes: a mutation that was refused says so inside its own result."""
    if not isinstance(data, dict):
        return ""
    for name, result in data.items():
        errors = result.get("userErrors") if isinstance(result, dict) else None
        if isinstance(errors, list) and errors:
            return f"{name} was refused: {_reason(errors)[:200]}"
    return ""


def _failed_parts(parts: list[Any]) -> str:
    """Many responses in one (the batches of Graph, Salesforce, Facebook): how many of them are errors."""
    if not parts or not all(isinstance(part, dict) and part.keys() & {"body", "headers", "error"} for part in parts):
        return ""
    statuses = [
        part.get("status", part.get("httpStatusCode", part.get("statusCode", part.get("code")))) for part in parts
    ]
    if not all(isinstance(status, int) and 100 <= status < 600 for status in statuses):
        return ""
    failed = [status for status in statuses if status >= 400]
    return f"{len(failed)} of {len(parts)} responses in it are errors (the first: {failed[0]})" if failed else ""


def reason_in(body: Any) -> str:
    """The text of a body that was to hold records and holds none: an error that is not known by its form."""
    if isinstance(body, str):
        return in_one_line(body.strip()[:_MAX_CHARACTERS])
    return error_in(body) or (_reason(body) if isinstance(body, dict) else "")


def _says_error(body: Mapping[str, Any], level: int = 0) -> bool:
    """Whether an object says that something went wrong, and holds nothing else."""
    if len(body) > _MOST_MEMBERS:
        return False
    members = {plain(str(name)): value for name, value in body.items()}
    if _is_refused_query(members) or _is_flagged(members) or _is_one_note(members):
        return True
    if "jsonrpc" in members:
        members.pop("id", None)  # the request's
    if "id" in members:
        return False
    if level and members.keys() == {"message", "value"} and isinstance(members["value"], int):  # GeoNames
        return bool(members["value"])
    content = {name: value for name, value in members.items() if not _is_beside(name, value)}
    if _names_failure(members, content) or (level < _MAX_LEVELS and _is_said_inside(members, content, level)):
        return True
    has_data = bool(content) or any(_is_data(name, value) for name, value in members.items())
    return (
        not has_data
        and not _says_well(members)
        and (_tells_of_an_error(members) or _has_failing_code(members, is_inside=level > 0))
    )


def _is_beside(name: str, value: Any) -> bool:
    """Whether a member says nothing that would be there without an error."""
    if value in (None, "", [], {}):
        return True
    return bool(_OF_AN_ERROR.fullmatch(name) or _BESIDE_AN_ERROR.fullmatch(name)) or is_spoken(name)


def _is_data(name: str, value: Any) -> bool:
    return name in {"data", "result", "results", "response", "items", "value"} and bool(value)


def _is_refused_query(members: Mapping[str, Any]) -> bool:
    """GraphQL: errors, and null in the place of the data."""
    errors, data = members.get("errors"), members.get("data")
    if not isinstance(errors, list) or not errors or "data" not in members:
        return False
    return not data or (isinstance(data, dict) and all(value is None for value in data.values()))


def _is_flagged(members: Mapping[str, Any]) -> bool:
    """`ok: false`; of `success: 0`, which may be a number of successes, only with a reason."""
    flags = [members[name] for name in _FLAGS if name in members]
    if any(flag is False or flag in ("false", "False") for flag in flags):
        return True
    return any(flag == 0 and not isinstance(flag, str | list | dict) for flag in flags) and bool(_reason(members))


def _names_failure(members: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """`status: "error"` with a reason or nothing beside it; a record has a status too, and a name or values of its own."""
    if _has_records(members):
        return False
    words = {str(members.get(name, "")).strip().lower() for name in _STATES if isinstance(members.get(name), str)}
    if words & _FAILURES:
        if set(members) <= {"status", "data", "message", "code"}:  # JSend
            return True
        return not content or (
            "name" not in members and any(members.get(name) for name in members if _gives_reason(name))
        )
    return (
        not content
        and any(_NAMED_FAILURE.fullmatch(str(members.get(name, ""))) for name in ("status", "stat") if name in members)
        and not any(_is_data(name, value) for name, value in members.items())
    )


def _gives_reason(name: str) -> bool:
    return name in _MESSAGES or bool(_OF_AN_ERROR.fullmatch(name))


def _is_said_inside(members: Mapping[str, Any], content: Mapping[str, Any], level: int) -> bool:
    """What wraps the rest (`meta`, `header`, the only member) may say it, where nothing else is there."""
    wrapped = {
        name: value
        for name, value in members.items()
        if isinstance(value, dict) and (name in _WRAPPERS or len(members) == 1 or [*content] == [name])
    }
    others = [name for name in members if name not in wrapped and (name in content or _is_data(name, members[name]))]
    failing = [name for name, value in wrapped.items() if _says_error(value, level + 1)]
    beside = [
        name
        for name in wrapped
        if name not in failing and wrapped[name] and name not in {"meta", "header", "head", "status"}
    ]
    return bool(failing) and not others and not beside


def _says_well(members: Mapping[str, Any]) -> bool:
    """Whether a word in it says that all is well: OK beside a code, say."""
    texts = [members.get(name) for name in (*_MESSAGES, *_STATES, "error", "errorstatus") if name in members]
    error = members.get("error")
    texts.append(error.get("code") if isinstance(error, dict) else None)  # TikTok: an error whose code is ok
    return any(isinstance(text, str) and text and _ALL_IS_WELL.fullmatch(text.strip(" .!")) for text in texts)


def _tells_of_an_error(members: Mapping[str, Any]) -> bool:
    return any(_tells(name, value) for name, value in members.items() if _OF_AN_ERROR.fullmatch(name))


def _tells(name: str, value: Any) -> bool:
    """Whether a member that is named after errors tells of one: a number of errors does not, a code does."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return value != 0 and not name.endswith("s")
    if isinstance(value, str):
        return bool(value.strip().strip("0")) and not _ALL_IS_WELL.fullmatch(value.strip())
    return bool(value)


def _has_failing_code(members: Mapping[str, Any], *, is_inside: bool) -> bool:
    """A code that is neither 0, 1 nor a success of HTTP, with a message; in a header a status of HTTP is enough."""
    if is_inside and any(str(members.get(name)) in _HTTP_FAILURES for name in _CODES):
        return True
    if not any(members.get(name) for name in _MESSAGES) and not any(
        members.get(name) is True for name in members if _OF_AN_ERROR.fullmatch(name)
    ):
        return False
    for name in _CODES & members.keys():
        code = str(members[name])
        if isinstance(members[name], bool) or not re.fullmatch(r"-?\d+", code):
            continue
        number = int(code[:20])
        if (
            number < 0
            or (number and name in _OWN_CODES)
            or (name != "status" and number >= 100 and not re.fullmatch(r"2\d\d(\d\d)?", code))
        ):
            return True
        if 400 <= number < 600:
            return True
    word = members.get("code")
    return isinstance(word, str) and len(members) > 2 and bool(re.fullmatch(r"[A-Za-z][\w.-]{4,}", word))


def _is_one_note(members: Mapping[str, Any]) -> bool:
    """Alpha Vantage: a sentence in the place of the data."""
    return len(members) == 1 and any(
        isinstance(value, str) and len(value) >= _NOTE_CHARACTERS and " " in value
        for name, value in members.items()
        if name in {"note", "information"}
    )


def _has_records(members: Mapping[str, Any]) -> bool:
    return any(
        isinstance(value, list) and value and isinstance(value[0], dict)
        for name, value in members.items()
        if not _OF_AN_ERROR.fullmatch(name)
    )


def _reason(node: Any, depth: int = 0) -> str:
    """The first text that gives a reason, however it is nested."""
    if isinstance(node, str | int) and not isinstance(node, bool):
        return in_one_line(str(node)[:_MAX_CHARACTERS])
    if isinstance(node, list):
        return next((text for entry in node[:3] if (text := _reason(entry, depth + 1))), "")
    if not isinstance(node, dict) or depth > 4:
        return ""
    members = {plain(str(name)): value for name, value in node.items()}
    names = [name for name in _REASONS if members.get(name) and not isinstance(members[name], bool)]
    names += [name for name in members if name not in names and _OF_AN_ERROR.fullmatch(name) and members[name]]
    taken = set(names)  # of which there may be as many as members
    inside = [name for name, value in members.items() if isinstance(value, dict) and name not in taken]
    inside = [name for name in inside if name in _WRAPPERS or _names_errors(members[name]) or len(members) == 1]
    names += sorted(inside, key=lambda name: not _names_errors(members[name]))
    names += [name for name in ("result",) if isinstance(members.get(name), str) and members[name]]
    names.sort(key=lambda name: _says_little(members[name]))
    if depth:  # inside an error its message says more than its name
        names.sort(key=lambda name: name not in {"message", "msg", "detail"})
    return next((text for name in names if (text := _reason(members[name], depth + 1))), "")


def _says_little(value: Any) -> bool:
    """Whether a value is less of a reason than any text: a number (Last.fm's `error: 6` beside its message), or `NOTOK`."""
    return isinstance(value, int) or (isinstance(value, str) and (value.isdigit() or value.lower() in _FAILURES))


def _names_errors(node: Mapping[str, Any]) -> bool:
    return any(_OF_AN_ERROR.fullmatch(plain(str(name))) for name in node)
