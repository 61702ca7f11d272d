"""A request in other languages: a curl command, Python code, and a HAR of a session. None of them holds a credential."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import shlex
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from flowlet_jupyter.http.download import write_atomically
from flowlet_jupyter.secret import Record

# headers whose values are left out wherever a request or response is written down
_SENSITIVE = frozenset({
    "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token", "dpop",
    "x-csrf-token", "x-xsrf-token", "www-authenticate", "x-amz-security-token", "x-goog-api-key",
})  # fmt: skip
_HIDDEN = "(left out)"
_MAX_BODY_CHARACTERS = 1_000_000


def is_sensitive(header: str) -> bool:
    """Whether a header of this name may hold a credential."""
    name = header.lower()
    return name in _SENSITIVE or any(word in name for word in ("token", "secret", "password", "api-key", "apikey"))


def as_curl(
    method: str, url: str, headers: Sequence[tuple[str, str]], content: bytes | None, record: Record | None
) -> str:
    """A curl command that works in a shell where `jupyter flowlet` does: it asks for the credential when it runs."""
    words = ["curl", *([] if method == "GET" and content is None else ["-X", method]), shlex.quote(url)]
    for name, value in headers:
        words += ["-H", shlex.quote(f"{name}: {_HIDDEN if is_sensitive(name) else value}")]
    if record is not None:
        # a command substitution, so that the value is in no text
        words += record.secret.curl_arguments(f"$(jupyter flowlet token {shlex.quote(record.secret.name)})")
    if content is not None:
        text = content.decode("utf-8", "replace")
        words += ["--data-binary", shlex.quote(text)]
    return " ".join(words)


def as_python(
    method: str, url: str, headers: Sequence[tuple[str, str]], content: bytes | None, secret: str | None
) -> str:
    """The same request as code of the helper."""
    options = {} if secret is None else {"secret": secret}
    shown = {name: _HIDDEN if is_sensitive(name) else value for name, value in headers}
    body = _body_option(content, shown)
    verb = method.lower()
    known = verb in {"get", "post", "put", "patch", "delete", "head"}
    lines = [f"flowlet.{verb}(" if known else "flowlet.request(", *([] if known else [f"    {method!r},"])]
    lines.append(f"    {url!r},")
    lines += [f"    {name}={value!r}," for name, value in options.items()]
    lines += [f"    headers={shown!r},"] if shown else []
    lines += [f"    {name}={value!r}," for name, value in body.items()]
    return "\n".join(["import flowlet_jupyter as flowlet", "", *lines, ")"])


def _body_option(content: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
    if content is None:
        return {}
    if headers.get("Content-Type") == "application/json":
        with contextlib.suppress(ValueError):
            value = json.loads(content)
            del headers["Content-Type"]  # json= sets it
            return {"json": value}
    return {"content": content}


class Recording:
    """The requests of a session as a HAR 1.2 document, which browsers' tools and API clients open.

    Credentials are not in it: headers that may hold one are left out, and the values of the secrets that were used are
    replaced should an API repeat them in its answer.
    """

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []

    def add(self, response: httpx.Response, hidden: Sequence[str]) -> None:
        """Take in one exchange; `hidden` are values that must not stand in it."""
        request = response.request
        # the user's own credentials too, should the API repeat them
        own = [
            value
            for headers in (request.headers, response.headers)
            for name, value in headers.items()
            if is_sensitive(name)
        ]
        hidden = sorted({*hidden, *own, *(value.rpartition(" ")[2] for value in own)}, key=len, reverse=True)

        def clean(text: str) -> str:
            for value in hidden:
                text = text.replace(value, _HIDDEN) if value else text
            return text[:_MAX_BODY_CHARACTERS]

        elapsed = response.elapsed.total_seconds() * 1000
        started = datetime.datetime.now(datetime.UTC) - response.elapsed
        content = request.content if isinstance(request.stream, httpx.ByteStream) else b""
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
                    "statusText": response.reason_phrase,
                    "httpVersion": response.http_version,
                    "headers": _har_pairs(response.headers, clean),
                    "cookies": [], "redirectURL": response.headers.get("location", ""), "headersSize": -1,
                    "bodySize": len(response.content),
                    "content": {
                        "size": len(response.content),
                        "mimeType": response.headers.get("content-type", ""),
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


def _har_pairs(headers: Mapping[str, str], clean: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": _HIDDEN if is_sensitive(name) else clean(value)} for name, value in headers.items()]


_recordings: list[Recording] = []
_recordings_guard = threading.Lock()


@contextlib.contextmanager
def recording() -> Iterator[Recording]:
    """Record all requests of the helper and the magics while the block runs: `with flowlet.recording() as har: ...`."""
    made = Recording()
    with _recordings_guard:
        _recordings.append(made)
    try:
        yield made
    finally:
        with _recordings_guard:
            _recordings.remove(made)


def record(response: httpx.Response, hidden: Any) -> None:
    """Give `response` to all who record; `hidden()` gives the values that must not be written down."""
    if _recordings:
        values = hidden()
        for each in _recordings:
            each.add(response, values)
