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
    guises = {guise.decode() for value in values_of(secret) for guise in _guises(value)}
    for guise in sorted(guises, key=len, reverse=True):
        text = text.replace(guise, _HIDDEN)
    return text


def excerpt(response: httpx.Response, characters: int) -> str:
    """The beginning of a response's text, for a message."""
    return without_values(response.text[:_LOOKED_AT], getattr(response, "secret_name", None))[:characters]


def redacted(response: Response) -> Response:
    """`response`, or a copy whose body holds `(value of the secret)` in each place that held one of its secret's values."""
    content = response.content
    found = [guise for value in values_of(response.secret_name) for guise in _guises(value) if guise in content]
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
