"""Responses without the values that were sent for them, wherever one is shown or written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowlet_jupyter.model.redaction import HIDDEN, NOTHING_SENT, SentValues, values_in

if TYPE_CHECKING:
    import httpx

__all__ = ["HIDDEN", "NOTHING_SENT", "SentValues", "excerpt", "is_sensitive", "redact", "sent_with", "values_in"]

# headers whose values are left out wherever a request or response is written down
_SENSITIVE = frozenset({
    "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token", "dpop",
    "x-csrf-token", "x-xsrf-token", "www-authenticate", "x-amz-security-token", "x-goog-api-key",
})  # fmt: skip
_SENSITIVE_PARTS = ("token", "secret", "password", "api-key", "apikey")


def is_sensitive(header: str) -> bool:
    """Whether a header of this name may hold a credential."""
    name = header.lower()
    return name in _SENSITIVE or any(part in name for part in _SENSITIVE_PARTS)


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
