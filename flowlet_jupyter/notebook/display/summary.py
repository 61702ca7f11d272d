"""What a response says beyond its body, in one line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flowlet_jupyter.http.rate_limit import rate_limit_of

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response


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
