"""The request that a response is for, as it may be shown: which secret was used, and nothing of its value. Pure."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx

from flowlet_jupyter.credentials.redaction import SentValues, is_sensitive, redact, sent_with

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response

NOT_SHOWN = "(not shown)"
_BODY_BYTES = 20_000


@dataclass(frozen=True)
class ShownRequest:
    """Method and URL, whose credentials were used, the headers, the body as text, and the redirects on the way."""

    method: str
    url: str
    credentials: str
    headers: list[tuple[str, str]]
    body: str
    hops: list[str]


def shown_request(response: Response) -> ShownRequest | None:
    """The request without any credential; None for a response that was made by hand."""
    if not response.has_request:
        return None
    request = response.request
    credentials = (
        f"those of secret '{response.secret_name}', added on the way and shown nowhere"
        if response.secret_name
        else "none: no secret was named"
    )
    headers = [
        (name, NOT_SHOWN if is_sensitive(name) else redact(value, response))
        for name, value in request.headers.multi_items()
    ]
    hops = [
        f"{hop.status_code} {shown_url(str(hop.request.url), sent_with(response))}"
        for hop in response.history
        if getattr(hop, "_request", None) is not None
    ]
    url = shown_url(str(request.url), sent_with(response))
    return ShownRequest(request.method, url, credentials, headers, _body(request, response), hops)


def shown_url(url: str, sent: SentValues) -> str:
    """A URL without credentials: those that were sent, and what stands in a parameter that is named like one."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if any(is_sensitive(name) for name, _ in pairs):
        shown = [(name, NOT_SHOWN if is_sensitive(name) else value) for name, value in pairs]
        parts = parts._replace(query=urlencode(shown, safe="() "))
    if parts.username or parts.password:
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return sent.redact(urlunsplit(parts))


def _body(request: httpx.Request, response: Response) -> str:
    try:
        content = request.content
    except httpx.RequestNotRead:
        return "(streamed)"
    if not content:
        return ""
    if b"\0" in content[:1000]:
        return f"({len(content):,} bytes that are no text)"
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    text = content.decode("utf-8", "replace")
    if kind.endswith("json"):
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(_without_credentials(json.loads(text)), indent=2, ensure_ascii=False)
    elif kind == "application/x-www-form-urlencoded":
        pairs = parse_qsl(text, keep_blank_values=True)
        text = "\n".join(f"{name}={NOT_SHOWN if is_sensitive(name) else value}" for name, value in pairs)
    # first the values, then the end: a value that is cut in two would be found no more
    shown = redact(text, response)
    return (
        shown if len(shown) <= _BODY_BYTES else f"{shown[:_BODY_BYTES]}\n… {len(shown) - _BODY_BYTES:,} more characters"
    )


def _without_credentials(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: NOT_SHOWN if isinstance(below, str) and is_sensitive(str(key)) else _without_credentials(below)
            for key, below in value.items()
        }
    return [_without_credentials(below) for below in value] if isinstance(value, list) else value
