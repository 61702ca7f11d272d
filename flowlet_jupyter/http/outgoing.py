"""Python values as they are sent: JSON, and text for queries, headers, forms and paths. Pure; numpy and pandas are not imported.

Dates and times are ISO 8601, numbers are exact, a missing value (NaN, NaT, pandas.NA) is refused: it is not null.
"""

from __future__ import annotations

import datetime
import json
import math
import os
import re
import secrets
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.tables.foreign_text import has_half_a_character

_EXACT_FLOAT = 2**53  # a whole number from here on may be another one than it was before it became a float


def json_bytes(value: Any, *, separators: tuple[str, str] = (",", ":")) -> bytes:
    """`value` as JSON. Raises `ValueError`, which says what cannot be written, for a sentence that names the place."""
    # the encoder of the standard library writes no Decimal: its digits are put where a mark that nobody can know stands
    mark = secrets.token_hex(16)
    text = json.dumps(_plain(value, mark), ensure_ascii=False, allow_nan=False, separators=separators)
    return re.sub(f'"{mark}([^"]*)"', r"\1", text).encode() if mark in text else text.encode()


def is_missing(value: Any) -> bool:
    """Whether `value` is None, NaN, NaT or pandas.NA."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(_python(value), float | Decimal) and math.isnan(_python(value))


def text_of(value: Any) -> str:
    """`value` as text for a query, a header, a form or a path. Raises `ValueError`."""
    value = _scalar(_python(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f") if abs(value.adjusted()) < 30 else str(value)
    raise ValueError(f"{type(value).__name__} is neither a text nor a number")


def texts_of(value: Any) -> list[str]:
    """The texts of a parameter: none for None, one for each item of a list, a numpy array or a column of a DataFrame."""
    if value is None:
        return []
    value = _python(value)
    if isinstance(value, list | tuple):
        return [text_of(item) for item in value]
    return [text_of(value)]


def path_text(value: Any) -> str:
    """`value` as text for a path. An id that became a float is the whole number again; `ValueError` where that may be another."""
    value = _python(value)
    if isinstance(value, float) and value.is_integer():
        if abs(value) >= _EXACT_FLOAT:
            raise ValueError(
                f"{value!r} is a float, in which an id of this size is no longer exact: read it as Int64 or text"
            )
        value = int(value)
    return text_of(value)


def pairs_of(params: Any) -> list[tuple[str, str]]:
    """The parameters of a mapping or of pairs, as text; those that are None are left out. Raises `ValueError`."""
    pairs = params.items() if isinstance(params, Mapping) else params
    texts: list[tuple[str, str]] = []
    for name, value in pairs:
        try:
            texts += [(text_of(name), text) for text in texts_of(value)]
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return texts


def _python(value: Any) -> Any:
    """A numpy or pandas value as Python's own: the number, or the list of an array or a column."""
    kind = type(value)
    if kind.__module__.partition(".")[0] in {"numpy", "pandas", "polars"}:
        if hasattr(value, "to_dict") and hasattr(value, "columns"):
            return value.to_dict("records")
        if kind.__name__ == "DataFrame" and hasattr(value, "to_dicts"):
            return value.to_dicts()
        if kind.__name__ == "datetime64":
            return _moment_of(value)
        if hasattr(value, "tolist"):
            return value.tolist()
        if hasattr(value, "to_list"):
            return value.to_list()
    return value


def _moment_of(value: Any) -> Any:
    text = str(value)
    if text == "NaT":
        raise ValueError("a missing value (NaT) cannot be sent: leave it out, or use None")
    return text


def _scalar(value: Any) -> Any:
    """`value` as a str, int, float, bool, None or Decimal where it is one; else as it came. Raises `ValueError`."""
    if isinstance(value, SecretValue):
        raise ValueError("a secret value is not put into a request: name its secret instead")  # noqa: TRY004 - one kind
    if isinstance(value, Enum):
        value = value.value
    if value is not None and is_missing(value):
        raise ValueError("a missing value (NaN) cannot be sent: leave it out, or use None")
    if isinstance(value, float | Decimal) and math.isinf(value):
        raise ValueError("an infinite number cannot be sent")
    if isinstance(value, str) and has_half_a_character(value):
        raise ValueError("a text that was cut in the middle of a character cannot be sent: leave out its half")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value


def _plain(value: Any, mark: str) -> Any:
    value = _scalar(_python(value))
    if isinstance(value, Decimal):
        return mark + str(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {text_of(key): _plain(item, mark) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, mark) for item in value]
    raise ValueError(f"{type(value).__name__} cannot be written as JSON")
