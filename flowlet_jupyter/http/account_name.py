"""Whose account an API's response is about, as the API names it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import jmespath
from jmespath.exceptions import JMESPathError

from flowlet_jupyter.errors import printable

_MAX_CHARACTERS = 100
_MAX_DEPTH = 3
# names as they are compared: in lower case, letters and digits only; the most telling first
_OF_A_USER = (
    "email", "emailaddress", "primaryemail", "useremail", "accountemail", "mail", "userprincipalname", "login", "username",
    "preferredusername", "userlogin", "screenname", "handle", "nickname", "acct",
)  # fmt: skip
# what other things have as well: said of an account only where the address or the member around it speaks of one
_OF_ANYTHING = ("displayname", "fullname", "realname", "name", "businessname", "companyname", "organizationname")
_FIRST_AND_LAST = (("firstname", "lastname"), ("givenname", "familyname"), ("givenname", "surname"))
# members that hold the account, and whether they say that it is one
_WRAPPERS = {
    "data": False, "result": False, "response": False, "body": False, "attributes": False, "resource": False,
    "user": True, "me": True, "account": True, "viewer": True, "currentuser": True, "profile": True, "self": True,
    "athlete": True, "authenticateduser": True, "identity": True,
}  # fmt: skip
_ACCOUNT_PATH = re.compile(
    r"/(?:me|self|whoami(?:-v\d)?|who-am-i|user|userinfo|users/(?:me|self|current|@me|~)|profile|account|accounts/me|myself|current|viewer|athlete|member"
    r"|current[-_]?user|user[-_]info|account[-_]?info(?:rmation)?|get_?account|get_?me|auth\.test)(?:\.(?:json|php|xml))?/?$",
    re.IGNORECASE,
)


def account_in(body: Any, *, url: str = "", path: str = "") -> str:
    """The account that the response to `url` is about, by its e-mail address, login or name; "" if it names none.

    `path` is the JMESPath that the secret or its catalogue entry gives. A list is about nobody: of its records none is
    the user's own.
    """
    if path:
        try:
            selected = jmespath.search(path, body)
        except (JMESPathError, RecursionError, TypeError, AttributeError, ValueError):
            selected = None
        if text := _text(selected):
            return text
    is_account = _ACCOUNT_PATH.search(urlsplit(url).path) is not None
    if is_account and isinstance(body, list) and len(body) == 1:
        (body,) = body
    held = list(_held(body, is_account=is_account))
    for members, _ in held:
        if text := _first(members, _OF_A_USER):
            return text
    for members, is_own in held:
        if is_own and (
            text := _first(members, _OF_ANYTHING[:3]) or _whole_name(members) or _first(members, _OF_ANYTHING[3:])
        ):
            return text
    return ""


def _held(body: Any, *, is_account: bool, depth: int = 0) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """The objects that may be the account, the outer before the inner, each with whether something says that it is one."""
    if not isinstance(body, dict):
        return
    members = {re.sub(r"[^a-z0-9]", "", str(name).lower()): value for name, value in body.items()}
    yield members, is_account
    if depth < _MAX_DEPTH:
        for name, says_account in _WRAPPERS.items():
            if name in members:
                yield from _held(members[name], is_account=is_account or says_account, depth=depth + 1)


def _first(members: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _text(members.get(name)))), "")


def _whole_name(members: Mapping[str, Any]) -> str:
    for first, last in _FIRST_AND_LAST:
        if text := " ".join(filter(None, (_text(members.get(name)) for name in (first, last)))):
            return text
    return ""


def _text(value: Any) -> str:
    """A name in one line; "" for what is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return printable(" ".join(str(value).split())[:_MAX_CHARACTERS])
