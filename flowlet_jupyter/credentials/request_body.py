"""Whether a request's body can be sent a second time, and how."""

from __future__ import annotations

import contextlib
from typing import Any

import httpx


class RequestBody:
    """The body of one request; made before it is sent, so that a file goes back to where it began."""

    def __init__(self, stream: object) -> None:
        self._stream = stream
        # httpx keeps the file of `content=` and the fields of `files=` here; where it does not, nothing is sent twice
        self._source: Any = getattr(stream, "_stream", b"")
        self._start: int | None = None
        if isinstance(stream, httpx.ByteStream):
            return  # goes back by itself, and most requests have this one
        with contextlib.suppress(AttributeError, OSError, ValueError, TypeError):
            self._start = self._source.tell()

    def rewind(self) -> bool:
        """Make the body ready to be sent again; False if it is gone, as a generator's is."""
        if isinstance(self._stream, httpx.ByteStream):
            return True
        fields = getattr(self._stream, "fields", None)
        if isinstance(fields, list):  # httpx itself seeks to the start of each file
            return all(_is_seekable(getattr(entry, "file", b"")) for entry in fields)
        if self._start is None or not _is_seekable(self._source):
            return False
        with contextlib.suppress(OSError, ValueError):
            self._source.seek(self._start)
            return True
        return False


def _is_seekable(source: Any) -> bool:
    if isinstance(source, bytes | str):
        return True
    with contextlib.suppress(AttributeError, OSError, ValueError):
        return bool(source.seekable())
    return False
