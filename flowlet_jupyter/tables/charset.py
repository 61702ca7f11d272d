"""Which characters the bytes of a text are: by their byte order mark, what was declared, UTF-8, else by a guess that is said. Pure."""

from __future__ import annotations

import codecs
import contextlib
import re
from dataclasses import dataclass

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_LOOKED_AT = 100_000  # bytes from which a charset is guessed
# Python's own ways to write text down, which no server means, and UTF-7, which no browser reads
_NO_CHARSETS = {
    "utf-7", "unicode-escape", "unicode_escape", "raw-unicode-escape", "raw_unicode_escape", "punycode", "idna", "undefined",
}  # fmt: skip
# what browsers take for these names (WHATWG Encoding): servers say Latin-1 and send Windows' quotes and euro signs
_WESTERN = {"iso8859-1", "ascii", "latin-1", "cp1252"}


@dataclass(frozen=True)
class Text:
    """Decoded text; `is_guessed`: nothing in the response said that it is in `encoding`."""

    text: str
    encoding: str
    is_guessed: bool = False


def decode(content: bytes, declared: str | None = None, *, is_cut: bool = False) -> Text:
    """The text of `content`. A declared charset that is unknown or does not fit counts as none.

    `is_cut`: more followed, so that the last character may be there in part; it is left out then.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return Text(content.decode(encoding, "replace"), encoding)
    if name := _charset(declared):
        if name in _WESTERN and not content.isascii():
            return _western(content, is_guessed=False)
        with contextlib.suppress(UnicodeDecodeError):
            return Text(_strictly(content, name, is_cut=is_cut), name)
    wide = _without_mark(content)
    try:
        return Text(_strictly(content, wide or "utf-8", is_cut=is_cut), wide or "utf-8", is_guessed=wide is not None)
    except UnicodeDecodeError:
        return _guess(content)


def _charset(declared: str | None) -> str:
    """The codec of a declared charset; "" for a name that is unknown, or that of a codec which is no charset."""
    try:
        name = codecs.lookup((declared or "").strip("\"' ")).name
        "".encode(name)
    except (LookupError, ValueError):  # rot13, zlib; a NUL in the name
        return ""
    return "" if name in _NO_CHARSETS else name


def _strictly(content: bytes, encoding: str, *, is_cut: bool) -> str:
    if not is_cut:
        return content.decode(encoding)
    text: str = codecs.getincrementaldecoder(encoding)().decode(content)
    return text


# JSONP: `callback(`, perhaps behind a remark and a question whether there is such a function
_CALL = re.compile(
    r"\s{0,9}(?:/\*[^*]{0,99}\*/\s{0,9})?(?:typeof\s{1,9}[\w$.]{1,99}\s{0,9}={2,3}\s{0,9}['\"]function['\"]\s{0,9}&&\s{0,9})?"
    r"(?!(?:for|while)\b)[A-Za-z_$][\w$.]{0,99}\s{0,9}\((?=\s{0,99}[\[{])"
)


def without_guard(text: str) -> str:
    """JSON without what keeps a page of another origin from running it as a script, or lets it: Gerrit's `)]}'`, `for(;;);`, JSONP."""
    if (call := _CALL.match(text)) and text.rstrip("; \r\n\t").endswith(")"):
        return text[call.end() : text.rindex(")")]
    if not text.startswith((")", "for", "while")):
        return text
    return re.sub(r"^(?:\)\]\}'?,?|for\s*\(;;\);|while\s*\(1\);)\s*", "", text, count=1)


def _without_mark(content: bytes) -> str | None:
    """UTF-16 of mostly Latin letters, told by its zero bytes."""
    head = content[:200]
    if len(head) < 4 or b"\0" not in head:
        return None
    if not any(head[::2]) or head[::2].count(0) > len(head) // 3:
        return "utf-16-be"
    return "utf-16-le" if head[1::2].count(0) > len(head) // 3 else None


def _western(content: bytes, *, is_guessed: bool) -> Text:
    try:
        return Text(content.decode("cp1252"), "cp1252", is_guessed)
    except UnicodeDecodeError:
        return Text(content.decode("latin-1"), "latin-1", is_guessed)


def _guess(content: bytes) -> Text:
    from charset_normalizer import from_bytes

    sample = content[:_LOOKED_AT]
    beyond = sum(byte > 127 for byte in sample)
    # few letters beyond ASCII in Latin text (names, places): Windows' Western charset is by far the likeliest
    if beyond * 5 < len(sample) or beyond < 4:
        return _western(content, is_guessed=True)
    best = from_bytes(sample).best()
    if best is None or best.encoding in {"ascii", "utf_8"}:
        return _western(content, is_guessed=True)
    return Text(content.decode(best.encoding, "replace"), best.encoding, is_guessed=True)
