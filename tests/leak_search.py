"""Search everything that was written for values that must not be there, in every form that they could take."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

PREFIX = 12  # so many characters of a value are as bad as all of it


def encoded_forms(value: str) -> set[bytes]:
    """The value raw, URL-encoded, JSON- and HTML-escaped, in hex, in UTF-16, and in base64 wherever it may start in a longer text."""
    raw = value.encode()
    found = {
        raw,
        quote(value, safe="").encode(),
        quote_plus(value).encode(),
        json.dumps(value)[1:-1].encode(),
        value.encode("utf-16-le"),
        value.encode("utf-16-be"),
        raw.hex().encode(),
        raw.hex().upper().encode(),
        "".join(f"%{byte:02x}" for byte in raw).encode(),
        "".join(f"%{byte:02X}" for byte in raw).encode(),
        "".join(f"\\u{ord(character):04x}" for character in value).encode(),
        "".join(f"&#{ord(character)};" for character in value).encode(),
    }
    for shift in range(3):
        # the characters of base64 that depend on the value alone, not on what stands before and behind it
        whole = base64.b64encode(b"\0" * shift + raw)
        first = (shift * 8 + 5) // 6
        last = (shift + len(raw)) * 8 // 6
        found |= {whole[first:last], whole[first:last].replace(b"+", b"-").replace(b"/", b"_")}
    return found


def leaks(contents: dict[str, bytes], values: list[str]) -> list[tuple[str, int]]:
    """Where a value is found, as (place, number of the value): never the value itself, which would leak it again."""
    forms = [(number, form) for number, value in enumerate(values) for form in encoded_forms(value)]
    return [(name, number) for name, content in contents.items() for number, form in forms if form in content]


def kinds_found(content: bytes, values: Mapping[str, Iterable[str]], *, mark: str = "") -> set[str]:
    """The kinds of `values` of which `content` holds a value, or so much as its first 12 characters, in any form.

    Values that begin with `mark` are looked for only if the mark itself is found, which is quicker.
    """
    is_marked = not mark or any(form in content for form in encoded_forms(mark))
    return {
        kind
        for kind, each in values.items()
        for value in each
        if (is_marked or not value.startswith(mark)) and any(form in content for form in encoded_forms(value[:PREFIX]))
    }


def files_below(*folders: Path) -> dict[str, bytes]:
    """All files below the folders, hidden ones too."""
    return {
        str(path): path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
