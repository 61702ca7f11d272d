"""Fields whose names say where they stand in the JSON: `a[b]=1`, `ids[]:=1`, `rows[0][x]=1`, as HTTPie reads them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.tokens import shown

_NAME = re.compile(r"((?:[^\[\]\\]|\\.)*)((?:\[(?:[^\[\]\\]|\\.)*\])*)", re.DOTALL)
_MOST_INDEX = 10_000  # a list is filled with null up to there


@dataclass(frozen=True)
class _Leaf:
    json_text: str


_Node = dict[str, "_Node"] | list["_Node"] | _Leaf | None
_Step = str | int | None  # a member, an index, or behind the last entry


def json_steps(name: str) -> list[_Step]:
    """Where the field `name` stands: a member's name, an index, None for a new entry. Raises `RequestSyntaxError`."""
    found = _NAME.fullmatch(name)
    if not found:
        raise RequestSyntaxError(f"{shown(name)}: a [ or ] is left alone. For a literal one write \\[ or \\].")
    root: list[_Step] = [_plain(found[1])] if found[1] or not found[2] else []
    return root + [_step(text) for text in re.findall(r"\[((?:[^\[\]\\]|\\.)*)\]", found[2])]


def _step(text: str) -> _Step:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        return _plain(text)
    if int(text[:9]) > _MOST_INDEX:
        raise RequestSyntaxError(f"[{text[:20]}] is too far in a list: the most is {_MOST_INDEX}.")
    return int(text)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def nested(fields: Iterable[tuple[str, str]]) -> str:
    """The JSON text of the fields, each a name and the JSON text of its value. Raises `RequestSyntaxError`."""
    root: list[_Node] = [None]
    for name, json_text in fields:
        _put(root, name, json_text)
    return _written(root[0] if root[0] is not None else {})


def _put(root: list[_Node], name: str, json_text: str) -> None:
    holder: dict[str, _Node] | list[_Node] = root
    key: str | int = 0
    for step in json_steps(name):
        node: _Node = holder[key]  # type: ignore[index]  # the key was made for this holder
        if node is None:
            node = holder[key] = {} if isinstance(step, str) else []  # type: ignore[index,call-overload]  # as above
        if isinstance(node, _Leaf) or isinstance(node, dict) is not isinstance(step, str):
            raise RequestSyntaxError(f"{shown(name)} does not fit the fields in front of it: there stands another kind.")
        holder, key = node, _key_in(node, step)
    holder[key] = _Leaf(json_text)  # type: ignore[index,call-overload]  # as above


def _key_in(node: dict[str, _Node] | list[_Node], step: _Step) -> str | int:
    """The key of `step`, which is there afterwards."""
    if isinstance(node, dict):
        node.setdefault(str(step), None)
        return str(step)
    index = len(node) if not isinstance(step, int) else step
    node.extend([None] * (index + 1 - len(node)))
    return index


def _written(node: _Node) -> str:
    if node is None:
        return "null"
    if isinstance(node, _Leaf):
        return node.json_text
    if isinstance(node, list):
        return f"[{', '.join(map(_written, node))}]"
    return f"{{{', '.join(f'{json.dumps(name, ensure_ascii=False)}: {_written(value)}' for name, value in node.items())}}}"
