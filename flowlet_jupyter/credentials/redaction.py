"""Responses without the values that were sent for them, wherever one is shown or written down."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flowlet_jupyter.model.redaction import HIDDEN, NOTHING_SENT, SentValues, values_in
from flowlet_jupyter.model.value import SecretValue

if TYPE_CHECKING:
    import httpx

__all__ = [
    "HIDDEN", "NOTHING_SENT", "SentValues", "excerpt", "is_credential_name", "is_sensitive", "own_credentials", "redact",
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
    pairs = [(name, value) for name, value in request.headers.items() if is_sensitive(name)]
    pairs += [(name, value) for name, value in request.url.params.multi_items() if is_credential_name(name)]
    return [SecretValue(value) for _, value in pairs if value]


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
