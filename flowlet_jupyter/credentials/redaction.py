"""Responses without the values that were sent for them, wherever one is shown or written down."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flowlet_jupyter.model.redaction import HIDDEN, NOTHING_SENT, SentValues, values_in
from flowlet_jupyter.model.value import SecretValue

if TYPE_CHECKING:
    import httpx

__all__ = [
    "HIDDEN", "NOTHING_SENT", "SentValues", "credentials_in", "credentials_in_body", "excerpt", "is_credential_name", "is_sensitive", "own_credentials", "redact",
    "sent_with", "values_in",
]  # fmt: skip

# headers whose values are left out wherever a request or response is written down
_SENSITIVE = frozenset({
    "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token", "dpop",
    "x-csrf-token", "x-xsrf-token", "www-authenticate", "x-amz-security-token", "x-goog-api-key",
})  # fmt: skip
_SENSITIVE_PARTS = ("token", "secret", "password", "api-key", "apikey")
# of headers, parameters and fields, without what separates their words
_CREDENTIAL_NAME = re.compile(
    r"(.*(apikey|accesskey|authkey|secretkey|privatekey|subscriptionkey|licensekey|appkey|applicationkey|secret|token"
    r"|password|passwd|authorization|cookie|signature|sessionid|assertion)|pwd|sig|xauth|auth|appid|xkey|passphrase)"
)
_NO_CREDENTIAL_NAME = re.compile(r".*(page|next|continuation|sync|cursor|paging|start|skip|scroll)token|.*setcookie")


def is_sensitive(header: str) -> bool:
    """Whether a header of this name may hold a credential."""
    name = header.lower()
    return name in _SENSITIVE or any(part in name for part in _SENSITIVE_PARTS) or is_credential_name(header)


def is_credential_name(name: str) -> bool:
    """Whether a header, parameter or field of this name is a credential."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return bool(_CREDENTIAL_NAME.fullmatch(plain)) and not _NO_CREDENTIAL_NAME.fullmatch(plain)


def own_credentials(request: httpx.Request) -> list[SecretValue]:
    """What in the headers and the URL of a user's own request is a credential, by its name."""
    values = credentials_in(request.headers)
    values += [value for name, value in request.url.params.multi_items() if is_credential_name(name)]
    return [SecretValue(value) for value in (*values, request.url.password) if value]


def credentials_in(headers: httpx.Headers) -> list[str]:
    """The values of headers that are credentials by their names, and their parts: behind a scheme, and of each cookie."""
    values: list[str] = []
    for name, value in headers.multi_items():
        if is_sensitive(name):
            pairs = {"cookie": value.split(";"), "set-cookie": value.split(";")[:1]}.get(name.lower())
            values += [
                value,
                *([pair.partition("=")[2].strip() for pair in pairs] if pairs else value.split(" ", 1)[1:]),
            ]
    return values


def credentials_in_body(content: bytes, media_type: str) -> list[SecretValue]:
    """The fields of a form or of JSON that are credentials by their names."""
    kind = media_type.partition(";")[0].strip().lower()
    fields: list[tuple[Any, Any]] = []
    if kind == "application/x-www-form-urlencoded":
        fields += parse_qsl(content.decode("utf-8", "replace"))
    elif kind.endswith("json"):
        with contextlib.suppress(ValueError, RecursionError):
            fields += _members(json.loads(content))
    return [
        SecretValue(value) for name, value in fields if isinstance(value, str) and value and is_credential_name(name)
    ]


def _members(node: Any) -> Iterator[tuple[str, Any]]:
    for below in node if isinstance(node, list) else ():
        yield from _members(below)
    for name, below in node.items() if isinstance(node, dict) else ():
        yield name, below
        yield from _members(below)


def sent_with(response: httpx.Response) -> SentValues:
    """The values that were sent for `response`; none for one that another transport made."""
    return getattr(response, "sent_values", NOTHING_SENT)


def redact(text: str, response: httpx.Response) -> str:
    """`text`, which quotes `response`, without the values that were sent for it."""
    return sent_with(response).redact(text)


def excerpt(response: httpx.Response, characters: int) -> str:
    """The beginning of a response's text, for a message."""
    # first the values, then the end: a value that is cut in two would be found no more
    return redact(response.text, response)[:characters]
