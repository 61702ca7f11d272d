"""What an API says in the body of a success of having failed (GraphQL, Slack, JSON-RPC and their likes). Pure.

By the forms in which APIs say it, not by those of one API; what holds data is never taken for a failure.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from flowlet_jupyter.tables.envelopes import is_spoken, plain
from flowlet_jupyter.tables.error_reasons import (
    FAILURES,
    HEADERS,
    MAX_CHARACTERS,
    OF_AN_ERROR,
    WRAPPERS,
    reason_of,
    texts_by_field,
)
from flowlet_jupyter.tables.foreign_text import in_one_line

# in a status, words that name the failure (REQUEST_DENIED, OVER_QUERY_LIMIT)
_NAMED_FAILURE = re.compile(
    r"[a-z]+(?:_[a-z]+)*?_?(?:denied|error|limit|authorized|forbidden|invalid|failed|request|not_processed|failed_invalid_parameters)",
    re.IGNORECASE,
)
_ALL_IS_WELL = re.compile(
    r"|ok|okay|done|none|normal.*|true|accepted|created|updated|deleted|completed|成功|操作成功"
    r"|(?!.*(?:\bnot?\b|unsuccess|fail|error)).{0,80}success(?:ful(?:ly)?)?(?:\W.{0,40})?",
    re.IGNORECASE,
)
_FLAGS = {"ok", "success", "issuccess", "issuccessful", "succeeded"}  # false: it went wrong
_FALSE = ("false", "False")
_STATES = {"status", "stat", "state", "result", "message", "msg", "object", "type"}
_CODES = {"code", "cod", "status", "statuscode", "httpstatuscode", "ret", "retcode", "resultcode", "returncode"}
_HTTP_FAILURES = {str(status) for status in range(400, 600)}
_OWN_CODES = {"ret", "retcode", "resultcode", "returncode"}  # of the API, in which only 0 is well
_WHY = {
    "message", "messages", "msg", "detail", "details", "reason", "retmsg", "resultmsg", "resultmessage", "returnmsg", "statusmessage",
}  # fmt: skip
# what stands beside an error where there is nothing else in the body; what speaks of a list or of a response does as well
_BESIDE_AN_ERROR = re.compile(
    r"path|request|doc(?:umentation)?(?:ur[il])?|docs|help|termsofuse|licen[sc]es?|servedby|data|results?|response|retryafter|throttle.*|instance"
    r"|cod|hostid|(?:stack)?trace|batchcomplete|sub.*|fbtraceid|context|meta|ttl|logid|execut.*|elapsed|creditcount|messagedata|extensions|retextinfo|status.*|ret(?:code|msg)?|stat"
    r"|(?:result|return)(?:code|msg|message)|reason|detail|details|title|infocode|domain|advice"
)
_COUNT = re.compile(r"total.*|.*total|(?:.*(?<!ac)(?<!dis))?count")
_MAX_LEVELS = 3
_LONGEST_NAME = 100  # of a failure, and of what says that all is well
_MOST_MEMBERS = 40  # of an object that says no more than what went wrong
_NOTE_CHARACTERS = 40  # a body that is one note, and no word or number
_ABOUT_AN_API = re.compile(r"\bAPI\b|\bAPI[ _-]?key|\brate limit|\brequests per\b|\bquota\b", re.IGNORECASE)
# the words that names of errors are made of: IllegalToken, ACCESS_DENIED, not_found
_CODE_OF_AN_ERROR = re.compile(
    r"err|fail|invalid|illegal|missing|denied|unauth|forbidden|no_?(?:t|such)|expire|limit|exceed|unknown|unsupported|too_?many"
    r"|insufficient|mismatch|reject|exception|time_?d?_?out|unavail|throttl|quota|disabled|blocked|suspend|wrong|bad_?", re.IGNORECASE,
)  # fmt: skip


def error_in(body: Any) -> str:
    """What an API says of an error in the body of a success; "" if it says of none.

    GraphQL errors beside data are none: that data is there, see `partial_bodies`. One record that has a member `error` is none
    either.
    """
    if isinstance(body, list) and len(body) == 1 and isinstance(body[0], dict):  # Salesforce, World Bank
        (body,) = body
        if not {name.lower() for name in body} <= {"message", "errorcode", "fields"} or len(body) > 3:
            return ""
        return reason_of(body) if "errorCode" in body or isinstance(body.get("message"), list) else ""
    return (reason_of(body) or "no reason is given") if isinstance(body, dict) and _says_error(body) else ""


def reason_in(body: Any) -> str:
    """The text of a body that was to hold records and holds none: an error that is not known by its form."""
    if isinstance(body, str):
        return in_one_line(body.strip()[:MAX_CHARACTERS])
    return error_in(body) or (reason_of(body) if isinstance(body, dict) else "")


def _says_error(body: Mapping[str, Any], level: int = 0, *, within: str = "") -> bool:
    """Whether an object says that something went wrong, and holds nothing else. `within` is the member that it stands in."""
    if len(body) > _MOST_MEMBERS:
        return False
    members = {plain(str(name)): value for name, value in body.items()}
    if _is_refused_query(members) or _is_one_note(members):
        return True
    if "jsonrpc" in members:
        members.pop("id", None)  # the request's
    if "id" in members:
        return False
    if level and members.keys() == {"message", "value"} and isinstance(members["value"], int):  # GeoNames
        return bool(members["value"])
    content = {name: value for name, value in members.items() if not _is_beside(name, value) and name not in _FLAGS}
    is_envelope, is_header = not level or within in WRAPPERS, within in HEADERS
    if (
        _is_flagged(members, content, is_envelope=is_envelope)
        or _names_failure(members, content, is_header=is_header)
        or (level < _MAX_LEVELS and _is_said_inside(members, content, level))
    ):
        return True
    has_data = bool(content) or any(_is_data(name, value) for name, value in members.items())
    return (
        not has_data
        and not _says_well(members)
        and (_tells_of_an_error(members) or _has_failing_code(members, is_header=is_header))
    )


def _is_beside(name: str, value: Any) -> bool:
    """Whether a member says nothing that would be there without an error."""
    if value in (None, "", [], {}):
        return True
    return _is_name_beside(name)


@functools.lru_cache(maxsize=4096)  # the same names stand on every page
def _is_name_beside(name: str) -> bool:
    return bool(OF_AN_ERROR.fullmatch(name) or _BESIDE_AN_ERROR.fullmatch(name)) or is_spoken(name)


def _is_data(name: str, value: Any) -> bool:
    """Whether a member is what was asked for, or counts it."""
    if _COUNT.fullmatch(name) and isinstance(value, int) and not _BESIDE_AN_ERROR.fullmatch(name):
        return value > 0
    return name in {"data", "result", "results", "response", "items", "value"} and bool(value)


def _is_refused_query(members: Mapping[str, Any]) -> bool:
    """GraphQL: errors, and null in the place of the data."""
    errors, data = members.get("errors"), members.get("data")
    if not isinstance(errors, list) or not errors or "data" not in members:
        return False
    return not data or (isinstance(data, dict) and all(value is None for value in data.values()))


def _is_flagged(members: Mapping[str, Any], content: Mapping[str, Any], *, is_envelope: bool) -> bool:
    """`ok: false`, with a reason where something stands beside it: a launch and a check have their own success.

    `success: 0` may be a number of successes, and is one where anything else is there.
    """
    flags = [members[name] for name in _FLAGS if name in members]
    if any(flag is False or flag in _FALSE for flag in flags) or members.get("response") in _FALSE:
        says_why = _tells_of_an_error(members) or any(members.get(name) for name in ("message", "msg"))
        return says_why or (is_envelope and not content)
    return not content and any(type(flag) is int and flag == 0 for flag in flags) and _says_why(members)


def _names_failure(members: Mapping[str, Any], content: Mapping[str, Any], *, is_header: bool) -> bool:
    """`status: "error"` with a reason, or with nothing where the data would be.

    A payment, a job, a test have such a status too, and values of their own; one that is asked for its status alone has no more.
    """
    if _has_records(members):
        return False
    words = {str(members.get(name, "")).strip().lower() for name in _STATES if isinstance(members.get(name), str)}
    if is_header and words & FAILURES:
        return True
    if words & FAILURES and set(members) <= {"status", "data", "message", "code"} and len(members) > 1:  # JSend
        return True
    if content or not (_says_why(members) or _has_empty_place(members)):
        return False
    if words & FAILURES:
        return True
    named = (members.get(name) for name in ("status", "stat"))
    is_named = any(isinstance(word, str) and _NAMED_FAILURE.fullmatch(word[:_LONGEST_NAME]) for word in named)
    return is_named and not any(_is_data(name, value) for name, value in members.items())


def _says_why(members: Mapping[str, Any]) -> bool:
    """Whether a member is there to say what went wrong; what has a title or a description may be anything."""
    return _tells_of_an_error(members) or any(
        isinstance(members.get(name), str | list | dict) and members[name] for name in _WHY
    )


def _has_empty_place(members: Mapping[str, Any]) -> bool:
    return any(value in ([], {}) or (value is None and _is_data(name, True)) for name, value in members.items())


def _is_said_inside(members: Mapping[str, Any], content: Mapping[str, Any], level: int) -> bool:
    """What wraps the rest (`meta`, `header`, the only member) may say it, where nothing else is there."""
    wrapped = {
        name: value
        for name, value in members.items()
        if isinstance(value, dict) and (name in WRAPPERS or members.keys() - HEADERS == {name})
    }
    others = [name for name in members if name not in wrapped and (name in content or _is_data(name, members[name]))]
    if [*members] == ["data"]:
        return _is_refused_inside(members["data"])
    failing = [name for name, value in wrapped.items() if _says_error(value, level + 1, within=name)]
    beside = [
        name
        for name in wrapped
        if name not in failing and wrapped[name] and name not in {"meta", "header", "head", "status"}
    ]
    return bool(failing) and not others and not beside


def _is_refused_inside(data: Any) -> bool:
    """Whether the data, which is all that there is, is nothing but an error, or (GraphQL) a mutation that was refused."""
    if not isinstance(data, dict):
        return False
    inner = [*data.values()]
    if len(inner) == 1 and isinstance(inner[0], dict):  # what has a state or an error of its own is what was asked for
        lists = [
            value for name, value in inner[0].items() if OF_AN_ERROR.fullmatch(plain(name)) and isinstance(value, list)
        ]
        return any(lists) and _says_error(inner[0], 1)
    return _says_error(data, 1, within="data")


def _says_well(members: Mapping[str, Any]) -> bool:
    """Whether a word in it says that all is well: OK beside a code, say."""
    texts = [members.get(name) for name in (*_WHY, "info", *_STATES, "error", "errorstatus") if name in members]
    error = members.get("error")
    texts.append(error.get("code") if isinstance(error, dict) else None)  # TikTok: an error whose code is ok
    return any(
        isinstance(text, str) and text and _ALL_IS_WELL.fullmatch(text[: _LONGEST_NAME * 2].strip(" .!"))
        for text in texts
    )


def _tells_of_an_error(members: Mapping[str, Any]) -> bool:
    if any(_tells(name, value) for name, value in members.items() if OF_AN_ERROR.fullmatch(name)):
        return True
    # `error: 6` and `error: true` beside a message; beside other numbers and states they count and describe
    flags = (members.get(name) for name in ("error", "iserror", "haserror"))
    is_flagged = any(isinstance(flag, int) and flag for flag in flags)
    return is_flagged and any(
        isinstance(members.get(name), str) and members[name] for name in ("message", "msg", "reason")
    )


def _tells(name: str, value: Any) -> bool:
    """Whether a member that is named after errors tells of one: a number of errors and a measured one do not, a code does."""
    if isinstance(value, bool | float):
        return False
    if isinstance(value, int):
        return value != 0 and name not in {"error", "err"} and not name.endswith("s")
    if isinstance(value, str):
        return bool(value.strip().strip("0")) and not _ALL_IS_WELL.fullmatch(value[: _LONGEST_NAME * 2].strip())
    return bool(reason_of(value)) or (bool(texts_by_field(value)) and name in {"error", "errors"})


def _has_failing_code(members: Mapping[str, Any], *, is_header: bool) -> bool:
    """A code that is neither 0, 1 nor a success of HTTP, with a message; in a header a status of HTTP is enough."""
    if is_header and any(str(members.get(name)) in _HTTP_FAILURES for name in _CODES):
        return True
    is_problem = {"status", "title"} <= members.keys() and any(
        members.get(name) for name in ("detail", "type")
    )  # RFC 9457
    is_flagged = any(members.get(name) is True for name in members if OF_AN_ERROR.fullmatch(name))
    if not (is_problem or is_flagged or any(members.get(name) for name in _WHY)):
        return False
    if any(_is_failing(name, members[name]) for name in _CODES & members.keys()):
        return True
    word = members.get("code")
    return isinstance(word, str) and bool(_CODE_OF_AN_ERROR.search(word))


def _is_failing(name: str, value: Any) -> bool:
    code = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", code):
        return False
    number = int(code[:20])
    is_own = name != "status" and number >= 100 and not re.fullmatch(r"2\d\d(\d\d)?", code)
    return number < 0 or 400 <= number < 600 or is_own or (number > 0 and name in _OWN_CODES)


def _is_one_note(members: Mapping[str, Any]) -> bool:
    """Alpha Vantage: a sentence about the API in the place of the data."""
    return len(members) == 1 and any(
        isinstance(value, str) and len(value) >= _NOTE_CHARACTERS and " " in value and _ABOUT_AN_API.search(value)
        for name, value in members.items()
        if name in {"note", "information"}
    )


def _has_records(members: Mapping[str, Any]) -> bool:
    return any(
        isinstance(value, list) and value and isinstance(value[0], dict)
        for name, value in members.items()
        if not OF_AN_ERROR.fullmatch(name)
    )
