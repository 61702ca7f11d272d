"""An API that repeats what it was sent (as httpbin does) must not put a secret's value into an output or a message."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import httpx

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.secret_value import SecretValue
from flowlet_jupyter.vault import default_vault

_SHORTEST = 6  # a shorter value would be found in ordinary words
_HIDDEN = "(value of the secret)"
_LOOKED_AT = 20_000  # characters from which an excerpt is taken


def values_of(secret: str | None) -> list[str]:
    """Every value of a secret, to be looked for in what is about to be shown; none if the secret is gone."""
    if secret is None:
        return []
    try:
        record = default_vault().get(secret)
    except FlowletError:
        return []
    found: list[SecretValue] = []
    for holder in (record.secret, record.token_set):
        for value in vars(holder).values() if holder is not None else ():
            found += [value] if isinstance(value, SecretValue) else []
            found += (
                [item for item in value.values() if isinstance(item, SecretValue)] if isinstance(value, Mapping) else []
            )
    return [value.reveal() for value in found]


def without_values(text: str, secret: str | None) -> str:
    """`text` with `(value of the secret)` in each place of a value."""
    return _replaced(text, _guises_of(secret))


def excerpt(response: httpx.Response, characters: int) -> str:
    """The beginning of a response's text, for a message."""
    return without_values(response.text[:_LOOKED_AT], getattr(response, "secret_name", None))[:characters]


def redacted(response: Response) -> Response:
    """`response`, or a copy that holds `(value of the secret)` where its body or a header held one of its secret's values."""
    guises = _guises_of(response.secret_name)
    content = response.content
    in_headers = any(guise in value for value in response.headers.values() for guise in guises)
    found = [guise for guise in guises if guise.encode() in content]
    if not found and not in_headers:
        return response
    for guise in found:
        content = content.replace(guise.encode(), _HIDDEN.encode())
    copy = Response(
        response.status_code, content=content, headers=_headers(response, guises), extensions=response.extensions,
        request=response.request if response.has_request else None,
    )  # fmt: skip
    copy.secret_name = response.secret_name
    if hasattr(response, "_elapsed"):
        copy.elapsed = response.elapsed
    return copy


def _headers(response: Response, guises: list[str]) -> list[tuple[str, str]]:
    # the body is decoded and of another length now
    left_out = {"content-encoding", "content-length", "transfer-encoding"}
    kept = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in left_out]
    return [(name, _replaced(value, guises)) for name, value in kept]


def _replaced(text: str, guises: list[str]) -> str:
    for guise in guises:
        text = text.replace(guise, _HIDDEN)
    return text


def _guises_of(secret: str | None) -> list[str]:
    """What to look for, the longest first; most values look the same in JSON and in a URL, and are looked for once."""
    guises = {guise for value in values_of(secret) if len(value) >= _SHORTEST for guise in _guises(value)}
    return sorted(guises, key=len, reverse=True)


def _guises(value: str) -> Iterator[str]:
    yield value
    yield json.dumps(value)[1:-1]
    yield quote(value, safe="")
    # the password of a Basic pair, whatever the user name before it: what does not depend on that
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + value.encode()).decode()
        piece = encoded[(shift * 8 + 5) // 6 : (shift + len(value.encode())) * 8 // 6]
        if len(piece) >= _SHORTEST:
            yield piece
