"""A JSON value piece by piece, as the tree asks for it: a page of children, the value at a path, a search. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from flowlet_jupyter.tables.selection import quoted

Key = str | int
_LEAF_CHARACTERS = 300
_PREVIEW_CHARACTERS = 120
_SEARCHED_NODES = 3_000_000
_IDENTIFIER = re.compile(r'"((?:[^"\\]|\\.)*)"|([^.\[\]"]+)|\[(\d+)\]')


def at(value: Any, path: Sequence[Key]) -> Any:
    """The value at `path`. Raises `LookupError` or `TypeError` if there is none."""
    for key in path:
        value = value[key]
    return value


def node(value: Any, *, start: int = 0, count: int = 100, levels: int = 1, budget: int = 100) -> dict[str, Any]:
    """What a tree shows of `value`: a leaf's text, or its size and `count` of its children from `start`.

    With more `levels` the children bring their own, as long as fewer than about `budget` lines are shown.
    """
    shown = _summary(value)
    if not isinstance(value, dict | list) or levels <= 0:
        return shown
    pairs = _pairs(value, start, count)
    shown["items"] = [(key, _summary(below)) for key, below in pairs]
    left = budget - len(pairs)
    if levels > 1:
        nested = []
        for key, below in pairs:
            size = len(below) if isinstance(below, dict | list) else 0
            if 0 < size <= left:
                left -= size
                nested.append((key, node(below, count=count, levels=levels - 1, budget=left)))
                left -= _lines(nested[-1][1]) - size
            else:
                nested.append((key, _summary(below)))
        shown["items"] = nested
    return shown


def _lines(shown: dict[str, Any]) -> int:
    return sum(1 + _lines(below) for _, below in shown.get("items", ()))


def _pairs(value: dict[str, Any] | list[Any], start: int, count: int) -> list[tuple[Key, Any]]:
    if isinstance(value, dict):
        return [(key, below) for key, below in list(value.items())[start : start + count]]
    return list(enumerate(value[start : start + count], start))


def _summary(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"type": "object", "size": len(value)}
    if isinstance(value, list):
        return {"type": "array", "size": len(value)}
    if isinstance(value, str):
        more = {"more": len(value) - _LEAF_CHARACTERS} if len(value) > _LEAF_CHARACTERS else {}
        return {"type": "string", "text": value[:_LEAF_CHARACTERS], **more}
    kind = "null" if value is None else "boolean" if isinstance(value, bool) else "number"
    return {"type": kind, "text": json.dumps(value)[:_LEAF_CHARACTERS]}


def search(value: Any, text: str, *, most: int = 200) -> dict[str, Any]:
    """The paths whose key or value holds `text`, whatever the case, at most `most`; and whether these are all."""
    folded = text.casefold()
    matches: list[dict[str, Any]] = []
    for seen, (path, key, below) in enumerate(_walk(value)):
        if seen >= _SEARCHED_NODES or len(matches) > most:
            return {"matches": matches[:most], "is_all": False}
        is_leaf = not isinstance(below, dict | list)
        leaf = below if isinstance(below, str) else json.dumps(below) if is_leaf else ""
        if folded in str(key).casefold() or (leaf and folded in leaf.casefold()):
            matches.append(
                {"path": list(path), **_summary(below)} | ({"text": leaf[:_PREVIEW_CHARACTERS]} if is_leaf else {})
            )
    return {"matches": matches[:most], "is_all": len(matches) <= most}


def _walk(value: Any) -> Iterator[tuple[tuple[Key, ...], Key, Any]]:
    """All below `value` in the order of the text; a stack, since JSON may be deeper than Python calls."""
    stack: list[tuple[tuple[Key, ...], Iterator[tuple[Key, Any]]]] = [((), _children(value))]
    while stack:
        path, children = stack[-1]
        for key, below in children:
            yield (*path, key), key, below
            if isinstance(below, dict | list):
                stack.append(((*path, key), _children(below)))
                break
        else:
            stack.pop()


def _children(value: Any) -> Iterator[tuple[Key, Any]]:
    if isinstance(value, dict):
        return iter(value.items())
    return iter(enumerate(value)) if isinstance(value, list) else iter(())


def keys_of(path: str) -> list[Key]:
    """The keys of a plain JMESPath (`data."odd key"[1]`)."""
    return [
        int(index) if index else json.loads(f'"{text}"') if text else name
        for text, name, index in _IDENTIFIER.findall(path)
    ]


def jmespath_of(path: Sequence[Key]) -> str:
    """The JMESPath of a path of keys, as `--df` and `select` take it."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f"{'.' if text else ''}{quoted(key)}"
    return text or "@"


def python_of(name: str, path: Sequence[Key]) -> str:
    """The Python that gets it: `r.json()["data"][0]["id"]`."""
    return f"{name}.json()" + subscripts(path)


def subscripts(path: Sequence[Key]) -> str:
    """The path as Python writes it behind an expression."""
    return "".join(f"[{json.dumps(key, ensure_ascii=False)}]" for key in path)
