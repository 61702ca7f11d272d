"""What a response says beyond its body: the status line, and of an error its message and a hint. Pure."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.rate_limit import rate_limit_of, retry_after_of
from flowlet_jupyter.http.response import redacted

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response

_MAX_CHARACTERS = 500
_SCOPE = re.compile(r'scope="([^"]*)"')


def status_line(response: Response) -> str:
    """`200 OK  GET api.example.com/me  132 ms  1.2 kB  secret: twitter  74 of 75 calls left, resets 12:30`."""
    parts = [f"{response.status_code} {response.reason_phrase}".strip()]
    if response.has_request:
        request = response.request
        parts.append(f"{request.method} {request.url.netloc.decode('ascii')}{request.url.path}")
    if hasattr(response, "_elapsed"):
        parts.append(f"{response.elapsed.total_seconds() * 1000:.0f} ms")
    parts.append(size(len(response.content)))
    if response.secret_name:
        parts.append(f"secret: {response.secret_name}")
    if bare := response.sent_without_secret_to:
        parts.append(f"redirected to {bare}, without the secret")
    if (response.extensions.get("caching") or {}).get("from_cache"):
        parts.append("from the cache")
    if left := _calls_left(response):
        parts.append(left)
    return "  ".join(parts)


def size(count: int) -> str:
    """A number of bytes in words."""
    return f"{count} B" if count < 1000 else f"{count / 1000:.1f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"


def _calls_left(response: Response) -> str:
    limit = rate_limit_of(response.headers, now=time.time())
    if limit is None:
        return ""
    of = f" of {limit.limit}" if limit.limit is not None else ""
    at = f", resets {time.strftime('%H:%M', time.localtime(limit.resets_at))}" if limit.resets_at is not None else ""
    return f"{limit.remaining}{of} calls left{at}"


def explanation(response: Response) -> list[str]:
    """What an error response says of itself (RFC 9457 and the usual shapes), and what to do; nothing for a success."""
    if not response.is_error:
        return []
    error_text = _error_text(response)
    hint = _hint(response)
    return [*([error_text] if error_text else []), *([hint] if hint else [])]


def _error_text(response: Response) -> str:
    try:
        body = response.json()
    except RequestFailed:
        return ""
    return _message_in(body)[:_MAX_CHARACTERS]


def _message_in(body: Any) -> str:
    """The message in a JSON body: title and detail, `error`, `message`, `errors`, however they are nested."""
    if isinstance(body, list):
        return "; ".join(filter(None, (_message_in(entry) for entry in body[:3])))
    if isinstance(body, str):
        return body
    if not isinstance(body, dict):
        return ""
    texts = [
        str(body[key])
        for key in ("title", "error", "message", "detail", "error_description", "reason", "description")
        if isinstance(body.get(key), str | int) and body[key] != ""
    ]
    texts += [_message_in(body[key]) for key in ("error", "errors", "detail") if isinstance(body.get(key), dict | list)]
    return ": ".join(filter(None, dict.fromkeys(texts)))


def _hint(response: Response) -> str:
    hint = _HINTS.get(response.status_code)
    return hint(response) if hint else ""


def _unauthorized(response: Response) -> str:
    secret = response.secret_name
    if secret is None:
        return "The API wants credentials: name a secret, --secret NAME."
    return f"The API does not accept the credentials of secret '{secret}'. Look at it: %flowlet_secret {secret}"


def _limited(response: Response) -> str:
    now = time.time()
    limit = rate_limit_of(response.headers, now=now)
    wait = retry_after_of(response.headers, now=now)
    if wait is None and limit is not None and limit.resets_at is not None:
        wait = max(limit.resets_at - now, 0.0)
    when = f" The API asks to wait {wait:.0f} s." if wait is not None else ""
    return f"Too many requests.{when} --retry 3 waits as long as the API asks."


def _out_of_order(_response: Response) -> str:
    return "The API is out of order or overloaded for now. --retry 3 tries again."


def _not_found(_response: Response) -> str:
    return "There is nothing at this path, or it is not shown to these credentials."


def _forbidden(response: Response) -> str:
    needed = _SCOPE.search(response.headers.get("www-authenticate", ""))
    scopes = needed[1] if needed else response.headers.get("x-accepted-oauth-scopes", "")
    if scopes.strip():
        edit = f": %flowlet_secret {response.secret_name}" if response.secret_name else ""
        return f"These credentials lack a scope: {scopes.strip()[:200]}. Add it to the secret and connect again{edit}"
    return "These credentials are not allowed this: perhaps a scope is missing."


_HINTS: dict[int, Callable[[Response], str]] = {
    401: _unauthorized, 403: _forbidden, 404: _not_found, 429: _limited,
    502: _out_of_order, 503: _out_of_order, 504: _out_of_order,
}  # fmt: skip


def as_error(response: Response, consequence: str = "") -> str:
    """The status and what the API said of it, redacted, as one line; `consequence` says what did not happen."""
    shown = redacted(response)
    return " ".join(filter(None, [f"{status_line(shown)}.", consequence, *explanation(shown)]))
