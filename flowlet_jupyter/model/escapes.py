"""Taking a layer of escapes or of markup off a text, and knowing of each byte where it stood. Pure."""

from __future__ import annotations

import html
import re
import sys
from bisect import bisect_right

ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # JSON, beyond the first 65,536 characters
    rb"|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]{1,6}\}|\\x[0-9a-fA-F]{2}|\\[0-3][0-7]{2}|\\."  # and of JavaScript, Python, C
    rb"|%u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2}"
    rb"|&(?:\#\d{1,7};?|\#[xX][0-9a-fA-F]{1,6};?|[a-zA-Z]{2,8};)",
    re.DOTALL,
)
# what may stand between two characters of a value: markup; and a line's break, as in base64 of mails, quoted-printable
SPLITTING = re.compile(
    rb"<!--.{0,300}?-->|<!\[CDATA\[|\]\]>|<[/!?]?[a-zA-Z][^<>]{0,300}>"
    rb"|=?\r?\n[ \t]*",
    re.DOTALL,
)
_JSON_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class Decoded:
    """A text with one layer of escapes decoded, or its markup left out, and where each byte stood.

    `pattern` is `ESCAPE` or `SPLITTING`.
    """

    def __init__(self, content: bytes, pattern: re.Pattern[bytes]) -> None:
        pieces: list[bytes] = []
        # for each piece: where it begins in the decoded text and in `content`, and whether it is copied as it is
        self._starts: list[int] = []
        self._origins: list[tuple[int, int, bool]] = []
        self._length = 0
        end = 0
        for match in pattern.finditer(content):
            if match.start() > end:
                self._add(pieces, content[end : match.start()], end, match.start(), is_copied=True)
            self._add(pieces, _unescaped(match[0]), match.start(), match.end(), is_copied=False)
            end = match.end()
        self.is_changed = end > 0
        if end < len(content):
            self._add(pieces, content[end:], end, len(content), is_copied=True)
        self.content = b"".join(pieces)

    def _add(self, pieces: list[bytes], piece: bytes, start: int, end: int, *, is_copied: bool) -> None:
        if not piece:
            return  # markup stands between two bytes, and belongs to neither
        pieces.append(piece)
        self._starts.append(self._length)
        self._origins.append((start, end, is_copied))
        self._length += len(piece)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where the bytes from `start` to `end` stood."""
        return self._origin_of(start)[0], self._origin_of(end - 1)[1]

    def _origin_of(self, position: int) -> tuple[int, int]:
        number = bisect_right(self._starts, position) - 1
        start, end, is_copied = self._origins[number]
        if is_copied:
            start += position - self._starts[number]
            end = start + 1
        return start, end


def _unescaped(escape: bytes) -> bytes:
    if escape[:1] in b"<]=\r\n":
        return b""  # markup, or the break of a line
    if escape[:1] == b"&":
        text = html.unescape(escape.decode("ascii"))
        if not text:  # a control character, which HTML leaves out and others do not
            digits = escape[2:].rstrip(b";")
            text = chr(int(digits[1:], 16) if digits[:1] in b"xX" else int(digits))
        return text.encode("utf-8", "surrogatepass")
    if escape[:2] == b"%u":
        return _character(int(b"0x" + escape[2:], 0))
    if escape[:1] == b"%":
        return bytes([int(escape[1:], 16)])
    return _without_backslash(escape)


def _without_backslash(escape: bytes) -> bytes:
    if len(escape) == 12:
        pair = bytes.fromhex(escape[2:6].decode() + escape[8:].decode())
        return pair.decode("utf-16-be").encode("utf-8", "surrogatepass")
    if escape[1:2] in b"ux" and len(escape) > 2:
        return _character(int(escape[2:].strip(b"{}"), 16))
    if len(escape) == 4:
        return bytes([int(escape[1:], 8)])
    return _JSON_ESCAPES.get(escape[1:], escape[1:])


def _character(number: int) -> bytes:
    return chr(number).encode("utf-8", "surrogatepass") if number <= sys.maxunicode else b""
