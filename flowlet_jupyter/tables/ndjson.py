"""NDJSON by polars' own reader, where that gives what reading line by line would.

But for a field that is null in one record and an object in another: line by line its nulls are a column of their own.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.tables.error_bodies import error_in
from flowlet_jupyter.tables.frames import import_library

if TYPE_CHECKING:
    import polars as pl

_LONGEST_ERROR = 100_000
_FIRST_LONG = 10**15
# whole numbers that a column of floats changes
_LONG_NUMBER = re.compile(rb"[:\[,]\s*-?\d{16,}\s*[,\]}\r\n]")
# a text that may have been a number, true, false, a list or an object
_LIKE_A_VALUE = r"(?s)^(?:-?[\d.]+(?:[eE][-+]?\d+)?|-?inf|NaN|true|false|[\[{].*)$"
_ITEM_OF_OTHERS = re.compile(rb"[\[,]\s*(?:[-\d\[{]|true|false)")
# of each escape in a text: a pair of surrogates, one that is alone, or any other
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<alone>u[dD][89a-fA-F])|[\s\S])"
)


def polars_of_ndjson(content: bytes) -> pl.DataFrame | None:
    """The records of UTF-8 NDJSON, nested objects as dotted columns; None where only the slow way gets them right."""
    polars = import_library("polars")
    if not content[:100].lstrip().startswith(b"{") or _has_half_a_pair(content) or _ends_with_an_error(content):
        return None
    try:
        frame: pl.DataFrame = polars.read_ndjson(io.BytesIO(content), infer_schema_length=None)
    except Exception:  # noqa: BLE001 - a schema that differs from line to line: the slow way says what is wrong
        return None
    columns: dict[str, pl.Series] = {}
    keys: dict[str, str] = {}  # column -> the last key of the way to it
    plain = [column for column in frame.get_columns() if not isinstance(column.dtype, polars.Struct)]
    nested = [column for column in frame.get_columns() if isinstance(column.dtype, polars.Struct)]
    for key, column in [(column.name, column) for column in plain] + [
        leaf for one in nested for leaf in _leaves(one, polars)
    ]:
        if column.name in columns:
            return None
        columns[column.name], keys[column.name] = column, key
    if not columns or _may_differ(columns, keys, content):
        return None
    made: pl.DataFrame = polars.DataFrame(list(columns.values()))
    return made


def _ends_with_an_error(content: bytes) -> bool:
    """Whether the last line says of an error, which the slow way makes one."""
    last = content.rstrip()[-_LONGEST_ERROR:].rpartition(b"\n")[2]
    try:
        return bool(error_in(json.loads(last)))
    except (ValueError, RecursionError):
        return False


def _may_differ(columns: Mapping[str, pl.Series], keys: Mapping[str, str], content: bytes) -> bool:
    """Whether polars may have changed a value on the way into its column."""
    polars = import_library("polars")
    if any(_may_be_rounded(column, polars) for column in columns.values()) and _LONG_NUMBER.search(content):
        return True
    doubtful = {key for name, column in columns.items() for key in _doubtful_keys(column, keys[name], polars)}
    if None in doubtful and _ITEM_OF_OTHERS.search(content):
        return True
    return not all(_holds_texts_only(key, content) for key in doubtful if key is not None)


def _has_half_a_pair(content: bytes) -> bool:
    """Whether a text holds a surrogate without the other one, which polars would read as NUL."""
    if b"\\u" not in content or (b"\\ud" not in content and b"\\uD" not in content):
        return False
    return any(match["alone"] for match in _ESCAPE.finditer(content))


def _may_be_rounded(column: pl.Series, polars: Any) -> bool:
    """Whether a whole number among the floats of `column` may have lost digits."""
    if column.dtype == polars.Float64:
        largest: Any = column.abs().max()
        return largest is not None and largest >= _FIRST_LONG
    return "Float64" in str(column.dtype)


def _doubtful_keys(column: pl.Series, key: str, polars: Any) -> set[str | None]:
    """The keys in `column` whose texts may be numbers or the like among texts, which polars writes in its own way.

    None for those that are items of a list.
    """
    if "String" not in str(column.dtype):
        return set()
    texts = column
    while isinstance(texts.dtype, polars.List):
        texts = texts.explode()
    if texts.dtype == polars.String and not texts.str.contains(_LIKE_A_VALUE).any():
        return set()
    return _keys_of_texts(key, column.dtype, polars)


def _keys_of_texts(key: str | None, kind: Any, polars: Any) -> set[str | None]:
    """The keys of the texts in a column of this type; None for texts that are items of a list."""
    if isinstance(kind, polars.List):
        return _keys_of_texts(None, kind.inner, polars)
    if isinstance(kind, polars.Struct):
        return {found for field in kind.fields for found in _keys_of_texts(field.name, field.dtype, polars)}
    return {key} if kind == polars.String else set()


def _holds_texts_only(key: str, content: bytes) -> bool:
    """Whether all that stands behind `key`, wherever it is, is a text or null; False if in doubt."""
    names = {json.dumps(key).encode(), json.dumps(key, ensure_ascii=False).encode("utf-8", "surrogatepass")}
    # counting bytes is some ten times as fast as a regular expression
    unknown = total = sum(map(content.count, names))
    for sign in (b': "', b':"', b": null", b":null"):
        if unknown:
            unknown -= sum(content.count(name + sign) for name in names)
    return total > 0 and unknown == 0


def _leaves(column: pl.Series, polars: Any) -> list[tuple[str, pl.Series]]:
    leaves: list[tuple[str, pl.Series]] = []
    for field in column.struct.fields:
        below = column.struct.field(field).alias(f"{column.name}.{field}")
        leaves += _leaves(below, polars) if isinstance(below.dtype, polars.Struct) else [(field, below)]
    return leaves
