"""Whether an API's response says that it no longer takes the access token (RFC 6750, 3.1, and what others make of it). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from flowlet_jupyter.model.challenge import challenge_of
from flowlet_jupyter.model.compliance import Compliance

MAX_BODY_BYTES = 65_536  # a body that says so is short; of a longer one only the beginning would be looked at

# the code of RFC 6750, 3.1, and its usual synonyms, where a 400 or 403 has it in its body only; letters and digits alone
_CODES = frozenset({
    "invalidtoken", "tokenexpired", "expiredtoken", "tokeninvalid", "accesstokenexpired", "expiredaccesstoken",
    "invalidaccesstoken", "accesstokeninvalid", "authtokenexpired", "expiredauthtoken", "invalidauthtoken", "jwtexpired",
    "authenticationtokenexpired", "expiredauthenticationtoken", "invalidauthenticationtoken", "oauthtokenexpired",
})  # fmt: skip
_CODE_MEMBERS = ("error", "code", "error_code", "errorCode", "type", "errorType")
_JSON = re.compile(r"[/+](json|javascript)\b", re.IGNORECASE)


def is_refused(status: int, headers: Mapping[str, str]) -> bool:
    """Whether status and headers say so already."""
    if status in {400, 403}:
        return challenge_of(headers).error == "invalid_token"
    return status == 401 and not challenge_of(headers).needs_user


def is_body_needed(status: int, headers: Mapping[str, str], compliance: Compliance) -> bool:
    """Whether the body may say so: it is JSON, is not known to be long, and the status leaves it open."""
    is_open = status in {400, 403} or (200 <= status < 300 and bool(compliance.expired_token_member))
    if not is_open:
        return False
    length = headers.get("Content-Length", "")
    is_long = length.isdigit() and (len(length) > 9 or int(length) > MAX_BODY_BYTES)
    return not is_long and bool(_JSON.search(headers.get("Content-Type", "")))


def is_refused_in_body(status: int, body: bytes, compliance: Compliance) -> bool:
    """Whether the JSON of `body` says so, in the API's own way or, in a 400 or 403, in a usual one."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(members, dict):
        return False
    if compliance.expired_token_member:
        member: Any = members
        for name in compliance.expired_token_member.split("."):
            member = member.get(name) if isinstance(member, dict) else None
        if _text(member) in {value.lower() for value in compliance.expired_token_values}:
            return True
    return status in {400, 403} and any(re.sub(r"[^a-z0-9]", "", _text(code)) in _CODES for code in _codes(members))


def _codes(members: dict[str, Any]) -> list[Any]:
    """What may be an error code: of the object, of its `error`, of the first of its `errors`."""
    errors = members.get("errors")
    inner = [members.get("error"), errors[0] if isinstance(errors, list) and errors else errors]
    return [each.get(name) for each in (members, *inner) if isinstance(each, dict) for name in _CODE_MEMBERS]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, str | int) and not isinstance(value, bool) else ""
