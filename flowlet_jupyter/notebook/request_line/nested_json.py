"""Fields whose names say where they stand in the JSON: `a[b]=1`, `ids[]:=1`, `rows[0][x]=1`, as HTTPie reads them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.tokens import quote_excerpt

_NAME = re.compile(r"((?:[^\[\]\\]|\\.)*)((?:\[(?:[^\[\]\\]|\\.)*\])*)", re.DOTALL)
_MOST_INDEX = 10_000  # a list is filled with null up to there

_MOST_STEPS = 50


@dataclass(frozen=True)
class _Leaf:
    json_text: str


_Node = dict[str, "_Node"] | list["_Node"] | _Leaf | None
_Step = str | int | None  # a member, an index, or behind the last entry


def json_steps(name: str) -> list[_Step]:
    """Where the field `name` stands: a member's name, an index, None for a new entry. Raises `RequestSyntaxError`."""
    match = _NAME.fullmatch(name)
    if not match:
        raise RequestSyntaxError(f"{quote_excerpt(name)}: a [ or ] is left alone. For a literal one write \\[ or \\].")
    root: list[_Step] = [_plain(match[1])] if match[1] or not match[2] else []
    steps = root + [_step(text) for text in re.findall(r"\[((?:[^\[\]\\]|\\.)*)\]", match[2])]
    if len(steps) > _MOST_STEPS:
        raise RequestSyntaxError(f"{quote_excerpt(name)} is nested too deeply.")
    return steps


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
    root: _Node = None
    for name, json_text in fields:
        root = _with(root, json_steps(name), _Leaf(json_text), name)
    return "{}" if root is None else _written(root)


def _with(node: _Node, steps: list[_Step], leaf: _Leaf, name: str) -> _Node:
    """The node with the leaf at `steps` below it."""
    if not steps:
        return leaf
    step, *rest = steps
    if node is not None and not isinstance(node, dict if isinstance(step, str) else list):
        raise RequestSyntaxError(
            f"{quote_excerpt(name)} does not fit the fields in front of it: there stands another kind."
        )
    if isinstance(step, str):
        members = node if isinstance(node, dict) else {}
        members[step] = _with(members.get(step), rest, leaf, name)
        return members
    entries = node if isinstance(node, list) else []
    index = len(entries) if step is None else step
    entries.extend([None] * (index + 1 - len(entries)))
    entries[index] = _with(entries[index], rest, leaf, name)
    return entries


def _written(node: _Node) -> str:
    if node is None:
        return "null"
    if isinstance(node, _Leaf):
        return node.json_text
    if isinstance(node, list):
        return f"[{', '.join(map(_written, node))}]"
    return (
        f"{{{', '.join(f'{json.dumps(name, ensure_ascii=False)}: {_written(value)}' for name, value in node.items())}}}"
    )
