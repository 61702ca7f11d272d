"""JSON out of bytes: by msgspec where that is installed (extra `fast`), else by the standard library. Pure.

What msgspec reads is what the standard library would have read, integers of any length among it (tests/tables/test_json_body.py).
What it refuses and the standard library takes (NaN, 1e999, half a surrogate pair, a byte order mark) is read by that.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable
from typing import Any

from flowlet_jupyter.tables.charset import decode, without_guard
from flowlet_jupyter.tables.columns import gc_paused

_SHORT = 4_000  # not worth an import
_LONG = 1_000_000
_UTF8 = {"", "utf-8", "utf8", "utf_8", "us-ascii", "ascii"}


def parse_json(content: bytes, charset: str | None = None) -> Any:
    """The value of a JSON text in the declared `charset`. Raises `ValueError` or `RecursionError` if it is none."""
    if len(content) >= _SHORT and is_utf8(charset) and (parse := fast_parser()) is not None:
        with contextlib.suppress(ValueError, RecursionError), _gc_paused_for(content):
            return parse(content)
    with _gc_paused_for(content):
        return json.loads(without_guard(decode(content, charset).text))


def kind_of(value: Any) -> str:
    """What a parsed value is, in JSON's words (RFC 8259, 3)."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    kinds = ((dict, "an object"), (list, "an array"), (str, "a text"))
    return next((words for kind, words in kinds if isinstance(value, kind)), "a number")


def is_utf8(charset: str | None) -> bool:
    """Whether a body of this declared charset is UTF-8, if it is a text at all that a strict reader of UTF-8 takes."""
    return (charset or "").strip("\"' ").lower() in _UTF8


@functools.cache
def fast_parser() -> Callable[[bytes], Any] | None:
    """Parses UTF-8; raises `ValueError` for what is to be parsed by the standard library. None without msgspec."""
    try:
        import msgspec
    except ImportError:
        return None
    parse = _refusing_by_value_error(msgspec.json.Decoder())
    digits = 10**40 + 1
    return parse if parse(b"%d" % digits) == digits else None  # an old version made a float of it


@functools.cache
def splitter() -> Callable[[Any], list[Any]]:
    """Gives the items of a JSON array as buffers, unparsed; raises `ValueError` if it is none. Only where `fast_parser` is."""
    import msgspec

    return _refusing_by_value_error(msgspec.json.Decoder(list[msgspec.Raw]))


@functools.cache
def member_splitter() -> Callable[[Any], dict[str, Any]]:
    """The same of a JSON object's members."""
    import msgspec

    return _refusing_by_value_error(msgspec.json.Decoder(dict[str, msgspec.Raw]))


def _refusing_by_value_error(decoder: Any) -> Callable[[Any], Any]:
    import msgspec

    def read(content: Any) -> Any:
        try:
            return decoder.decode(content)
        except msgspec.MsgspecError as error:
            raise ValueError(str(error)) from None

    return read


def _gc_paused_for(content: bytes) -> contextlib.AbstractContextManager[None]:
    return gc_paused() if len(content) >= _LONG else contextlib.nullcontext()
