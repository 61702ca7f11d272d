"""A provider or an API that repeats what it was sent (as httpbin does) must not put a secret's value into a message.

A pure function of a text and the values that were sent. A value is found as it is, and in the forms that it takes in
JSON, URLs, HTML, hexadecimal digits and base64, one within another.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

from flowlet_jupyter.model.escapes import ESCAPE, SPLITTING, Decoded
from flowlet_jupyter.model.value import SecretValue

HIDDEN = "(value of the secret)"
_SHORTEST = 6  # a shorter value would be found in ordinary words
_BEGINNING = 12  # bytes by which a value is known that was cut
_WORD = re.compile(rb"[\w/+=%-]")
_MAX_LAYERS = 4  # JSON in a JSON string in a URL in HTML


class SentValues:
    """The values that must not be shown with a response. Opaque: not printed, and empty in a copy or a pickle."""

    __slots__ = ("__forms", "__holders", "__values")

    def __init__(self, values: Iterable[SecretValue] = (), *, holders: tuple[object, ...] = ()) -> None:
        """`values`, and those in the fields of `holders`: secrets and token sets, which are frozen."""
        self.__values = tuple(values)
        self.__holders = holders
        self.__forms: Callable[[], Forms] | None = None  # a function, as in `SecretValue`: nothing to be seen

    def __repr__(self) -> str:
        return "SentValues(hidden)"

    def __bool__(self) -> bool:
        return bool(self.__values or self.__holders)

    def __or__(self, other: SentValues) -> SentValues:
        """Both together; `self` where the other brings nothing new, so that the forms are not made again."""
        if not self:
            return other
        values = [value for value in other.__values if value not in self.__values]
        holders = [holder for holder in other.__holders if all(holder is not known for known in self.__holders)]
        if not values and not holders:
            return self
        return SentValues((*self.__values, *values), holders=(*self.__holders, *holders))

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
        redacted = self.redact_bytes(content)
        return text if redacted is content else redacted.decode("utf-8", "replace")

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
    values: list[SecretValue] = []
    for holder in holders:
        for value in vars(holder).values() if holder is not None else ():
            if isinstance(value, SecretValue):
                values.append(value)
            elif isinstance(value, dict):
                values += [item for item in value.values() if isinstance(item, SecretValue)]
    return values


# what is looked for


@dataclass(frozen=True)
class Forms:
    """What is looked for: as it is written here, and in whatever case (an API may shout, and hexadecimal digits have none)."""

    exact: tuple[bytes, ...]
    any_case: tuple[bytes, ...]

    def __repr__(self) -> str:
        return "Forms(hidden)"

    def found_in(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Where each form begins and ends in `text`; also one that was cut short there, as messages are."""
        for content, beginnings in zip((text, text.lower()), self._by_beginning, strict=True):
            for beginning, forms in beginnings.items():
                start = content.find(beginning)
                while start >= 0:
                    end = _end_of_form(content, start, forms)
                    if end is not None:
                        yield start, end
                    start = content.find(beginning, start + len(beginning) if end is None else end)

    @functools.cached_property
    def _by_beginning(self) -> tuple[dict[bytes, list[bytes]], ...]:
        """The forms by what is looked for: the beginning of a long one, which is enough to know it, and all of another."""
        both: tuple[dict[bytes, list[bytes]], ...] = ({}, {})
        for found, forms in zip(both, (self.exact, self.any_case), strict=True):
            for form in forms:
                found.setdefault(form[:_BEGINNING] if len(form) >= 2 * _BEGINNING else form, []).append(form)
        return both


def _end_of_form(content: bytes, start: int, forms: list[bytes]) -> int | None:
    """Where the longest of `forms`, of which one begins at `start`, ends there; None if other words begin as it does."""
    lengths = [(_length_in_common(content, start, form), form) for form in forms]
    whole = [length for length, form in lengths if length == len(form)]
    end = start + max(whole or [length for length, _ in lengths])
    return end if whole or not _WORD.match(content, end) else None


def _length_in_common(content: bytes, start: int, form: bytes) -> int:
    """How far `content` is from `start` on as `form` is."""
    low, high = 0, len(form)
    while low < high:
        middle = (low + high + 1) // 2
        if content.startswith(form[:middle], start):
            low = middle
        else:
            high = middle - 1
    return low


def _hidden(forms: Forms) -> Callable[[], Forms]:
    return lambda: forms


def _encoded_forms(values: Iterable[str]) -> Forms:
    """Every form to look for, the longest first, so that none is cut in two by a shorter one."""
    exact: set[bytes] = set()
    any_case: set[bytes] = set()
    for value in values:
        # "Token abc": an API may repeat what stands behind the scheme
        for part in {value, value.rpartition(" ")[2]}:
            if len(part) >= _SHORTEST:
                any_case.update(form.lower() for form in _written_forms(part))
                exact.update(_base64_forms(part))
    return Forms(*(tuple(sorted(forms, key=len, reverse=True)) for forms in (exact, any_case)))


def _written_forms(value: str) -> Iterator[bytes]:
    raw = value.encode("utf-8", "surrogatepass")
    yield raw
    yield json.dumps(value)[1:-1].encode()
    for escaped in (quote(raw, safe=""), quote(raw), quote_plus(raw), html.escape(value)):
        yield escaped.encode("utf-8", "surrogatepass")
    for encoded in (raw, *_other_encodings(value)):
        yield encoded.strip(b"\0")  # the end of UTF-16, which a cut may have taken
        yield from (encoded.hex(separator).encode() for separator in (" ", ":", "-"))
        yield encoded.hex().encode()
    # a value may look encoded itself ("a%41b"): then a decoded text holds it decoded
    for outermost in (raw, SPLITTING.sub(b"", raw)):
        layer = outermost
        for _ in range(_MAX_LAYERS):
            if len(layer) >= _SHORTEST:
                yield layer
            layer = Decoded(layer, ESCAPE).content


def _other_encodings(value: str) -> Iterator[bytes]:
    for encoding in ("latin-1", "utf-16-le", "utf-16-be"):
        with contextlib.suppress(UnicodeEncodeError):
            yield value.encode(encoding)


def _base64_forms(value: str) -> Iterator[bytes]:
    raw = value.encode("utf-8", "surrogatepass")
    in_json = json.dumps(value)[1:-1]
    texts = {
        raw,
        *_other_encodings(value),
        *(text.encode() for text in (in_json, in_json.replace("/", "\\/"))),
        json.dumps(value, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass"),
        quote(raw, safe="").encode(),  # a client's pair has the value URL-encoded (RFC 6749, 2.3.1)
        quote_plus(raw).encode(),
    }
    once = {digits for text in texts for digits in _digits(text)}
    yield from once
    for digits in once:
        yield from _digits(digits)


def _digits(text: bytes) -> Iterator[bytes]:
    """The base64 digits that depend on `text` alone, whatever stands before and behind it (the name of a Basic pair)."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + text)
        digits = encoded[(shift * 8 + 5) // 6 : (shift + len(text)) * 8 // 6]
        if len(digits) >= _SHORTEST:
            yield digits
            yield digits.translate(bytes.maketrans(b"+/", b"-_"))


# where it is found


def _without(content: bytes, forms: Forms) -> bytes:
    spans = sorted(_spans(content, forms))
    if not spans:
        return content
    pieces, position = [], 0
    for start, end in spans:
        if start >= position:
            pieces += [content[position:start], HIDDEN.encode()]
        position = max(position, end)
    return b"".join([*pieces, content[position:]])


def _spans(content: bytes, forms: Forms) -> set[tuple[int, int]]:
    """Where a form of a value begins and ends in `content`, under up to `_MAX_LAYERS` layers of escapes and markup."""
    spans: set[tuple[int, int]] = set()
    # each text with the layers that were taken off it; and whether what splits values was left out
    texts: list[tuple[bytes, tuple[Decoded, ...], bool]] = [(content, (), False)]
    while texts:
        text, layers, is_bare = texts.pop()
        for found in forms.found_in(text):
            span = found
            for layer in reversed(layers):
                span = layer.origin(*span)
            spans.add(span)
        if len(layers) == _MAX_LAYERS:
            continue
        # an attribute may hold a value, so that markup is looked into before it is left out
        if any(sign in text for sign in (b"\\", b"%", b"&")):
            decoded = Decoded(text, ESCAPE)
            if decoded.is_changed:
                texts.append((decoded.content, (*layers, decoded), is_bare))
        if not is_bare and any(sign in text for sign in (b"<", b"\n")):
            bare = Decoded(text, SPLITTING)
            if bare.is_changed:
                texts.append((bare.content, (*layers, bare), True))
    return spans
