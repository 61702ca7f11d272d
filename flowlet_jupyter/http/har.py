"""The requests of a session as a HAR 1.2 document. It holds no credential."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from flowlet_jupyter.credentials.redaction import (
    SentValues,
    credentials_in,
    credentials_in_body,
    is_sensitive,
    own_credentials,
    sent_with,
)
from flowlet_jupyter.http.download import write_atomically
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.session import Session, default_session

_LEFT_OUT = "(left out)"
_MAX_BODY_CHARACTERS = 1_000_000


class Recording:
    """The requests of a session as a HAR 1.2 document, which browsers' tools and API clients open.

    Credentials are not in it: headers that may hold one are left out, and the values of the secrets that were used are
    replaced should an API repeat them in its response.
    """

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []

    def add(self, response: httpx.Response) -> None:
        """Take in one exchange, without the values that were sent for it."""
        request = response.request
        # the user's own credentials too, should the API repeat them
        content = request.content if isinstance(request.stream, httpx.ByteStream) else b""
        own = own_credentials(request) + credentials_in_body(content, request.headers.get("content-type", ""))
        own += [SecretValue(value) for value in credentials_in(response.headers) if value]
        hidden = sent_with(response) | SentValues(own)

        def clean(text: str) -> str:
            return hidden.redact(text)[:_MAX_BODY_CHARACTERS]

        elapsed = response.elapsed.total_seconds() * 1000
        started = datetime.datetime.now(datetime.UTC) - response.elapsed
        self._entries.append(
            {
                "startedDateTime": started.isoformat(),
                "time": round(elapsed, 3),
                "request": {
                    "method": request.method,
                    "url": clean(str(request.url)),
                    "httpVersion": response.http_version,
                    "headers": _har_pairs(request.headers, clean),
                    "queryString": [{"name": clean(n), "value": clean(v)} for n, v in request.url.params.multi_items()],
                    "cookies": [], "headersSize": -1, "bodySize": len(content),
                    **({"postData": {"mimeType": request.headers.get("content-type", ""),
                                     "text": clean(content.decode("utf-8", "replace"))}} if content else {}),
                },
                "response": {
                    "status": response.status_code,
                    "statusText": clean(response.reason_phrase),
                    "httpVersion": response.http_version,
                    "headers": _har_pairs(response.headers, clean),
                    "cookies": [], "redirectURL": clean(response.headers.get("location", "")), "headersSize": -1,
                    "bodySize": len(response.content),
                    "content": {
                        "size": len(response.content),
                        "mimeType": clean(response.headers.get("content-type", "")),
                        "text": clean(response.text),
                    },
                },
                "cache": {},
                "timings": {"send": 0, "wait": round(elapsed, 3), "receive": 0},
            }
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self._entries)

    def to_dict(self) -> dict[str, Any]:
        """The document, as JSON has it."""
        creator = {"name": "flowlet-jupyter", "version": "0.1"}
        return {"log": {"version": "1.2", "creator": creator, "entries": list(self._entries)}}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the document to a file."""
        return write_atomically(path, json.dumps(self.to_dict(), indent=1, ensure_ascii=False).encode())


def _har_pairs(headers: Mapping[str, str], clean: Callable[[str], str]) -> list[dict[str, str]]:
    return [
        {"name": name, "value": _LEFT_OUT if is_sensitive(name) else clean(value)} for name, value in headers.items()
    ]


class _Recordings:
    """Those that are open in a session. A list that is never changed, but replaced, so that readers need no lock."""

    def __init__(self, _session: Session) -> None:
        self.open: tuple[Recording, ...] = ()
        self.guard = threading.Lock()


@contextlib.contextmanager
def recording(*, session: Session | None = None) -> Iterator[Recording]:
    """Record all requests of the helper and the magics while the block runs: `with flowlet.recording() as har: ...`."""
    recordings = (session or default_session()).part(_Recordings)
    made = Recording()
    with recordings.guard:
        recordings.open += (made,)
    try:
        yield made
    finally:
        with recordings.guard:
            recordings.open = tuple(each for each in recordings.open if each is not made)


def record(response: httpx.Response, *, session: Session) -> None:
    """Give `response` to all who record in the session."""
    for each in session.part(_Recordings).open:
        each.add(response)
