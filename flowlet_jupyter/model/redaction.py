"""A provider or an API that repeats what it was sent (as httpbin does) must not put a secret's value into a message.

A pure function of a text and the values that were sent. A value is found as it is, and in the forms that it takes in
JSON, URLs, HTML, hexadecimal digits and base64, one within another.
"""

from __future__ import annotations

import base64
import html
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from flowlet_jupyter.model.value import SecretValue

HIDDEN = "(value of the secret)"
_SHORTEST = 6  # a shorter value would be found in ordinary words
_MAX_LAYERS = 4  # JSON in a JSON string in a URL in HTML


class SentValues:
    """The values that must not be shown with a response. Opaque: not printed, and empty in a copy or a pickle."""

    __slots__ = ("__forms", "__holders", "__values")

    def __init__(self, values: Iterable[SecretValue] = (), *, holders: tuple[object, ...] = ()) -> None:
        """`values`, and those in the fields of `holders`: secrets and token sets, which are frozen."""
        self.__values = tuple(values)
        self.__holders = holders
        self.__forms: Callable[[], tuple[bytes, ...]] | None = (
            None  # a function, as in `SecretValue`: nothing to be seen
        )

    def __repr__(self) -> str:
        return "SentValues(hidden)"

    def __bool__(self) -> bool:
        return bool(self.__values or self.__holders)

    def __or__(self, other: SentValues) -> SentValues:
        if not self:
            return other
        return SentValues((*self.__values, *other.__values), holders=(*self.__holders, *other.__holders))

    def __copy__(self) -> SentValues:
        return SentValues()

    def __deepcopy__(self, memo: dict[int, object]) -> SentValues:
        return SentValues()

    def __reduce_ex__(self, protocol: object) -> tuple[type[SentValues], tuple[()]]:
        return SentValues, ()

    def redact(self, text: str) -> str:
        """`text` with `(value of the secret)` in the place of each value."""
        if not self:
            return text
        content = text.encode("utf-8", "surrogatepass")
        found = self.redact_bytes(content)
        return text if found is content else found.decode("utf-8", "replace")

    def redact_bytes(self, content: bytes) -> bytes:
        """The same for an encoded text, in UTF-8 or any encoding that agrees with ASCII; `content` itself if nothing is found."""
        if not self or not content:
            return content
        try:
            if self.__forms is None:
                # made when they are first needed: most responses are never shown
                values = (*self.__values, *values_in(*self.__holders))
                self.__forms = _hidden(_encoded_forms(value.reveal() for value in values))
            outcome: bytes | BaseException = _without(content, self.__forms())
        except BaseException as error:  # noqa: BLE001 - an interrupt, say: the frames below hold the values
            outcome = error.with_traceback(None)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


NOTHING_SENT = SentValues()


def values_in(*holders: Any) -> list[SecretValue]:
    """The secret values among the fields of a secret or a token set, and those in a field's mapping."""
    found: list[SecretValue] = []
    for holder in holders:
        for value in vars(holder).values() if holder is not None else ():
            if isinstance(value, SecretValue):
                found.append(value)
            elif isinstance(value, dict):
                found += [item for item in value.values() if isinstance(item, SecretValue)]
    return found


# what is looked for


def _hidden(forms: tuple[bytes, ...]) -> Callable[[], tuple[bytes, ...]]:
    return lambda: forms


def _encoded_forms(values: Iterable[str]) -> tuple[bytes, ...]:
    """Every form to look for, the longest first, so that none is cut in two by a shorter one."""
    forms: set[bytes] = set()
    for value in values:
        # "Token abc": an API may repeat what stands behind the scheme
        for part in {value, value.rpartition(" ")[2]}:
            if len(part) >= _SHORTEST:
                forms.update(_forms(part))
    return tuple(sorted(forms, key=len, reverse=True))


def _forms(value: str) -> Iterator[bytes]:
    raw = value.encode("utf-8", "surrogatepass")
    yield raw
    yield json.dumps(value)[1:-1].encode()
    for escaped in (quote(raw, safe=""), quote(raw), quote_plus(raw), html.escape(value)):
        yield escaped.encode("utf-8", "surrogatepass")
    yield from (raw.hex().encode(), raw.hex().upper().encode())
    for encoding in ("latin-1", "utf-16-le", "utf-16-be"):
        try:
            yield value.encode(encoding)
        except UnicodeEncodeError:
            continue
    # a value may look encoded itself ("a%41b"): then a decoded text holds it decoded
    for outermost in (raw, _MARKUP.sub(b"", raw)):
        layer = outermost
        for _ in range(_MAX_LAYERS):
            if len(layer) >= _SHORTEST:
                yield layer
            layer = _Decoded(layer, _ESCAPE).content
    # in base64, whatever stands before and behind it (the user name of a Basic pair): the digits that depend on the
    # value alone; a client's pair has the value URL-encoded (RFC 6749, 2.3.1)
    for text in {raw, quote(raw, safe="").encode(), quote_plus(raw).encode()}:
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + text)
            digits = encoded[(shift * 8 + 5) // 6 : (shift + len(text)) * 8 // 6]
            if len(digits) >= _SHORTEST:
                yield digits
                yield digits.translate(bytes.maketrans(b"+/", b"-_"))


# where it is found

_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # JSON, beyond the first 65,536 characters
    rb"|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\."
    rb"|%[0-9a-fA-F]{2}"
    rb"|&(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});",
    re.DOTALL,
)
_MARKUP = re.compile(rb"<!--.{0,300}?-->|<[/!?]?[a-zA-Z][^<>]{0,300}>", re.DOTALL)
_JSON_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class _Decoded:
    """A text with one layer of escapes decoded, or its markup left out, and where each byte stood."""

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
    if escape[:1] == b"%":
        return bytes([int(escape[1:], 16)])
    if escape[:1] == b"<":
        return b""
    if escape[:1] == b"&":
        text = html.unescape(escape.decode("ascii"))
        if not text:  # a control character, which HTML leaves out and others do not
            text = chr(int(b"0" + escape[2:-1], 16) if escape[2:3] in b"xX" else int(escape[2:-1]))
        return text.encode("utf-8", "surrogatepass")
    if escape[1:2] in b"ux" and len(escape) > 2:
        if len(escape) == 12:
            return (
                bytes.fromhex(escape[2:6].decode() + escape[8:].decode())
                .decode("utf-16-be")
                .encode("utf-8", "surrogatepass")
            )
        return chr(int(b"0x" + escape[2:], 0)).encode("utf-8", "surrogatepass")
    return _JSON_ESCAPES.get(escape[1:], escape[1:])


def _without(content: bytes, forms: tuple[bytes, ...]) -> bytes:
    spans = sorted(_spans(content, forms))
    if not spans:
        return content
    pieces, position = [], 0
    for start, end in spans:
        if start >= position:
            pieces += [content[position:start], HIDDEN.encode()]
        position = max(position, end)
    return b"".join([*pieces, content[position:]])


def _spans(content: bytes, forms: tuple[bytes, ...]) -> set[tuple[int, int]]:
    """Where a form of a value begins and ends in `content`, under up to `_MAX_LAYERS` layers of escapes and markup."""
    spans: set[tuple[int, int]] = set()
    # each text with the layers that were taken off it; and whether its markup was left out
    texts: list[tuple[bytes, tuple[_Decoded, ...], bool]] = [(content, (), False)]
    while texts:
        text, layers, is_bare = texts.pop()
        for form in forms:
            start = text.find(form)
            while start >= 0:
                span = start, start + len(form)
                for layer in reversed(layers):
                    span = layer.origin(*span)
                spans.add(span)
                start = text.find(form, start + len(form))
        if len(layers) == _MAX_LAYERS:
            continue
        # an attribute may hold a value, so that markup is looked into before it is left out
        if any(sign in text for sign in (b"\\", b"%", b"&")):
            decoded = _Decoded(text, _ESCAPE)
            if decoded.is_changed:
                texts.append((decoded.content, (*layers, decoded), is_bare))
        if not is_bare and b"<" in text:
            bare = _Decoded(text, _MARKUP)
            if bare.is_changed:
                texts.append((bare.content, (*layers, bare), True))
    return spans
