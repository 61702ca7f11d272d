"""Search everything that was written for values that must not be there, in every guise that they could take."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote, quote_plus


def guises(value: str) -> set[bytes]:
    """The value raw, URL-encoded, JSON-escaped, in UTF-16, and in base64 wherever it may start in a longer text."""
    found = {
        value.encode(),
        quote(value, safe="").encode(),
        quote_plus(value).encode(),
        json.dumps(value)[1:-1].encode(),
        value.encode("utf-16-le"),
    }
    raw = value.encode()
    for shift in range(3):
        # the characters of base64 that depend on the value alone, not on what stands before and behind it
        whole = base64.b64encode(b"\0" * shift + raw)
        first = (shift * 8 + 5) // 6
        last = (shift + len(raw)) * 8 // 6
        found |= {whole[first:last], whole[first:last].replace(b"+", b"-").replace(b"/", b"_")}
    return found


def leaks(places: dict[str, bytes], values: list[str]) -> list[tuple[str, int]]:
    """Where a value is found, as (place, number of the value): never the value itself, which would leak it again."""
    wanted = [(number, guise) for number, value in enumerate(values) for guise in guises(value)]
    return [(place, number) for place, content in places.items() for number, guise in wanted if guise in content]


def files_below(*folders: Path) -> dict[str, bytes]:
    """All files below the folders, hidden ones too."""
    return {
        str(path): path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
