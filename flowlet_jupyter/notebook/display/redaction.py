"""An API that repeats what it was sent (as httpbin does) must not put a secret's value into a notebook's output."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from flowlet_jupyter.http.response import Response

_SHORTEST = 6  # a shorter value would be found in ordinary words
_HIDDEN = "(value of the secret)"


def redacted(response: Response, values: Sequence[str]) -> Response:
    """`response`, or a copy whose body holds `(value of the secret)` in each place that held one of `values`."""
    content = response.content
    found = [guise for value in values for guise in _guises(value) if guise in content]
    if not found:
        return response
    for guise in sorted(found, key=len, reverse=True):
        content = content.replace(guise, _HIDDEN.encode())
    copy = Response(
        response.status_code, content=content, headers=_headers(response), extensions=response.extensions,
        request=response.request if response.has_request else None,
    )  # fmt: skip
    copy.secret_name = response.secret_name
    if hasattr(response, "_elapsed"):
        copy.elapsed = response.elapsed
    return copy


def _headers(response: Response) -> list[tuple[str, str]]:
    # the body is decoded and of another length now
    left_out = {"content-encoding", "content-length", "transfer-encoding"}
    return [(name, value) for name, value in response.headers.multi_items() if name.lower() not in left_out]


def _guises(value: str) -> Iterator[bytes]:
    if len(value) < _SHORTEST:
        return
    yield value.encode()
    yield json.dumps(value)[1:-1].encode()
    yield quote(value, safe="").encode()
    # the password of a Basic pair, whatever the user name before it: what does not depend on that
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + value.encode())
        piece = encoded[(shift * 8 + 5) // 6 : (shift + len(value.encode())) * 8 // 6]
        if len(piece) >= _SHORTEST:
            yield piece
