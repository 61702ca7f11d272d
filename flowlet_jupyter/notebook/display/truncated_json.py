"""The beginning of a JSON text that is too long to be parsed for a look at it. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

# a text (or one that the cut left open), or what structures the rest
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z|\\\Z)|[{}\[\],]', re.DOTALL)
_CLOSING = {"{": "}", "[": "]"}


def beginning_of(text: str) -> Any:
    """The value that `text`, cut off somewhere, begins with: all that was complete before the cut. Raises `ValueError`."""
    stack: list[str] = []
    # where the text can be cut so that only closing brackets are missing: behind a complete element
    cut, open_at_cut = 0, ""
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in _CLOSING:
            stack.append(sign)
        elif sign in {"}", "]"}:
            if not stack or _CLOSING[stack.pop()] != sign:
                raise ValueError("brackets do not match")
        elif sign != "," or not stack:
            continue
        cut, open_at_cut = token.start() if sign == "," else token.end(), "".join(stack)
    if not cut:
        raise ValueError("no JSON object or array begins here")
    return json.loads(text[:cut] + "".join(_CLOSING[bracket] for bracket in reversed(open_at_cut)))
