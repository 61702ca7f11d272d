"""A JSON value as a collapsible tree in HTML that needs no script to open and close. Every text is escaped. Pure."""

from __future__ import annotations

import json
from typing import Any

from flowlet_jupyter.tables.foreign_text import escape

# how much of a value is shown, the most generous that fits: items of a list or object, levels, characters of a text
_LIMITS = ((200, 12, 2000), (100, 8, 600), (40, 6, 300), (20, 5, 160), (10, 4, 100), (5, 3, 60), (3, 2, 40))
_OPEN_LEVELS = 2


class _TooLarge(Exception):
    pass


def tree_html(value: Any, *, budget: int) -> str:
    """`value` as HTML of at most `budget` characters; what is left out is counted in its place."""
    for limits in _LIMITS:
        drawing = _Drawing(budget, *limits)
        try:
            drawing.draw(None, value, 0)
        except _TooLarge:
            continue
        return "".join(drawing.pieces)
    return f"<i>{escape(_kind(value))}, too wide to be shown here</i>"


class _Drawing:
    def __init__(self, budget: int, items: int, levels: int, characters: int) -> None:
        self.pieces: list[str] = []
        self._left = budget
        self._items, self._levels, self._characters = items, levels, characters

    def _put(self, piece: str) -> None:
        self._left -= len(piece)
        if self._left < 0:
            raise _TooLarge
        self.pieces.append(piece)

    def draw(self, key: str | int | None, value: Any, level: int) -> None:
        label = "" if key is None else f"<b>{escape(self._cut(str(key)))}</b> "
        if not isinstance(value, dict | list) or not value:
            self._put(f"<div>{label}{self._leaf(value)}</div>")
            return
        opened = " open" if level < _OPEN_LEVELS else ""
        self._put(f"<details{opened}><summary>{label}<i>{escape(_kind(value))}</i></summary>")
        pairs = list(value.items())[: self._items] if isinstance(value, dict) else list(enumerate(value[: self._items]))
        if level >= self._levels:
            pairs = []
        for inner, below in pairs:
            self.draw(inner, below, level + 1)
        if len(pairs) < len(value):
            self._put(f"<div><i>… {len(value) - len(pairs):,} more</i></div>")
        self._put("</details>")

    def _leaf(self, value: Any) -> str:
        if isinstance(value, str):
            return f'<span class="s">"{escape(self._cut(value))}"</span>'
        return f'<span class="n">{escape(self._cut(json.dumps(value)))}</span>'

    def _cut(self, text: str) -> str:
        over = len(text) - self._characters
        return text if over <= 0 else f"{text[: self._characters]}… ({over:,} more characters)"


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{len(value):,}}}"
    return f"[{len(value):,}]" if isinstance(value, list) else type(value).__name__
