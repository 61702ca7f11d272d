"""Text of an API, made fit for where it is shown: JSON may hold what no encoding, page or terminal can take. Pure."""

from __future__ import annotations

import html
import re
from typing import Any

_REPLACEMENT = "\ufffd"
# control characters, halves of a character, and what turns the direction of the text behind it; line and paragraph separators
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# of these no character may be in XML, and a page drops some of them without a sign
_NOT_IN_MARKUP = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


def has_half_a_character(text: str) -> bool:
    """Whether `text` holds a lone surrogate, as a text that was cut in an emoji does; no encoding has it."""
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def without_surrogates(value: Any) -> Any:
    """`value`, which JSON has, with U+FFFD for each half of a character."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list | tuple):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {without_surrogates(name): without_surrogates(item) for name, item in value.items()}
    return value


def for_terminal(text: str) -> str:
    """`text` with U+FFFD for what could steer a terminal or hide the rest of a line; line breaks and tabs stay."""
    return text if text.isprintable() else _STEERING.sub(_REPLACEMENT, text.replace("\r\n", "\n"))


def in_one_line(text: str) -> str:
    """`text` within a sentence of ours: a line break in it could begin a line that looks like our own advice."""
    return " ".join(text.split())


def escape(text: str) -> str:
    """`text` for HTML or SVG, where it is nothing but text; U+FFFD for what these cannot hold."""
    return html.escape(text if text.isprintable() else _NOT_IN_MARKUP.sub(_REPLACEMENT, text))
