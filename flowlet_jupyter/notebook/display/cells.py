"""The cells of a table of records, whichever view shows it: as text, short enough, and what counts as missing. Pure."""

from __future__ import annotations

import json
import math
from typing import Any

from flowlet_jupyter.tables.columns import MISSING


def is_missing(value: Any) -> bool:
    """Whether a cell is empty: null, no such field, or NaN."""
    return value is None or value is MISSING or (isinstance(value, float) and math.isnan(value))


def text_of(value: Any) -> str:
    """A value as a cell shows it."""
    if is_missing(value):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def cut(text: str, characters: int) -> str:
    """`text` with at most so many characters, the last one an ellipsis where more were."""
    return text if len(text) <= characters else f"{text[: characters - 1]}…"
