"""JMESPath selections of a parsed body."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from flowlet_jupyter.errors import RequestFailed

WHOLE_BODY = "@"  # JMESPath's current node: whoever names it takes the body for data, whatever it says of errors
_NAMES = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")


def select(body: Any, path: str) -> Any:
    """What the JMESPath expression `path` selects of `body`. Raises `RequestFailed` if it is none."""
    names = names_of(path)
    if names is not None:
        return member_at(body, names)
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(path, body)
    except JMESPathError as error:
        raise RequestFailed(f"The selection {path!r} does not work: {str(error).splitlines()[0]}") from None


@functools.lru_cache(maxsize=1000)
def names_of(path: str) -> tuple[str, ...] | None:
    """The names of a path of plain names (`data.items`), None for any other expression."""
    return tuple(path.split(".")) if _NAMES.fullmatch(path) else None


def member_at(body: Any, names: tuple[str, ...]) -> Any:
    """What JMESPath finds there, in a tenth of its time: pages are looked into several times each."""
    for name in names:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def quoted(key: str) -> str:
    """`key` as a JMESPath identifier, in quotes where it needs them."""
    if key.isascii() and key.replace("_", "a").isalnum() and not key[0].isdigit():
        return key
    return json.dumps(key, ensure_ascii=False)  # which is what JMESPath takes for a quoted identifier
