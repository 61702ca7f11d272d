"""How a response looks: a status line, then its body as text. All of it is escaped: an API's HTML is shown, not run."""

from __future__ import annotations

import contextlib
import json
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response

HTML_CHARACTERS = 30_000  # of the body; what is saved in the notebook stays small however large the answer is
TEXT_CHARACTERS = 4_000
_HINTS = {
    401: "The API does not accept the credentials.",
    403: "The credentials are not allowed this: is a scope missing?",
    404: "There is nothing at this path.",
    429: "Too many requests: wait before the next.",
}


def status_line(response: Response) -> str:
    """`200 OK  GET api.example.com/me  132 ms  1.2 kB  secret: twitter`."""
    request = response.request
    size = len(response.content)
    shown_size = f"{size} B" if size < 1000 else f"{size / 1000:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB"
    parts = [
        f"{response.status_code} {response.reason_phrase}".strip(),
        f"{request.method} {request.url.netloc.decode('ascii')}{request.url.path}",
        f"{response.elapsed.total_seconds() * 1000:.0f} ms",
        shown_size,
    ]
    if response.secret_name:
        parts.append(f"secret: {response.secret_name}")
    return "  ".join(parts)


def response_text(response: Response) -> str:
    """The plain text twin, for terminals."""
    return "\n".join([status_line(response), *_hint(response), _body(response, TEXT_CHARACTERS)])


def response_html(response: Response) -> str:
    """The view of a notebook; it takes its colours from the theme."""
    colour = "var(--jp-error-color1, #c0392b)" if response.is_error else "var(--jp-success-color1, #1a7f4b)"
    hint = "".join(f"<div>{escape(text)}</div>" for text in _hint(response))
    return (
        f"<div><code style='border-left:4px solid {colour};padding-left:8px'>{escape(status_line(response))}</code>"
        f"{hint}<pre style='max-height:24em;overflow:auto'>{escape(_body(response, HTML_CHARACTERS))}</pre></div>"
    )


def _hint(response: Response) -> list[str]:
    hint = _HINTS.get(response.status_code)
    return [hint] if hint else []


def _body(response: Response, limit: int) -> str:
    content = response.content
    kind = response.headers.get("content-type", "").partition(";")[0]
    if kind.startswith(("image/", "audio/", "video/")) or b"\0" in content[:1000]:
        return f"({kind or 'binary'}, {len(content)} bytes: r.content)"
    text = response.text
    if kind.endswith("json") and len(content) < 10 * limit:
        with contextlib.suppress(ValueError, RecursionError):  # then it is shown as it came
            text = json.dumps(json.loads(content), indent=2, ensure_ascii=False)
    if len(text) > limit:
        return f"{text[:limit]}\n… {len(text) - limit} more characters: r.text, r.json()"
    return text
