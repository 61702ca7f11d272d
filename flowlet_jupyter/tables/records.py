"""Where the records are in a JSON body: the list that a table is made of. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# how APIs name their list, the most telling first; only asked where several lists are in sight
_USUAL_NAMES = (
    "data", "items", "results", "records", "value", "values", "rows", "entries", "hits", "elements", "objects", "content",
)  # fmt: skip
# lists that stand beside the records, and are taken only where there is no other
_BESIDE = frozenset({"link", "links", "_links", "fields", "columns", "errors", "included", "facets", "aggregations", "warnings",
                     "translationset", "schema", "dimensionheaders", "metricheaders"})  # fmt: skip
_MAX_DEPTH = 4


@dataclass(frozen=True)
class Found:
    """The list of records, and the JMESPath that leads to it ("" for the body itself)."""

    records: list[Any]
    path: str


def find_records(body: Any, *, url: str = "") -> Found | None:
    """The list of records in `body`: the body itself, or the likeliest list of objects below it; None if there is none.

    Lists of objects come before lists of values, near ones before far ones, then those with a usual name, then long ones.
    """
    if isinstance(body, list):
        if len(body) == 2 and isinstance(body[0], dict) and isinstance(body[1], list):
            return Found(body[1], "[1]")  # what the list is about, then the list (World Bank)
        return Found(body, "")
    candidates = _lists(body, (), 0)
    if not candidates:
        return None
    segments = [segment.lower() for segment in urlsplit(url).path.rstrip("/").split("/")[-2:]]
    best = min(
        candidates,
        key=lambda candidate: (
            _is_beside(candidate),
            candidate[0][-1].lower() not in segments,
            not _is_counted(candidate[0][-1], body),
            _rank(candidate),
        ),
    )
    name = best[0][-1].lower()
    if "id" in body and name not in _USUAL_NAMES and name not in segments:
        return None  # one object that has a list among its members is one record
    return Found(best[1], ".".join(map(quoted, best[0])))


def _lists(node: Any, path: tuple[str, ...], depth: int) -> list[tuple[tuple[str, ...], list[Any]]]:
    if not isinstance(node, dict) or depth >= _MAX_DEPTH:
        return []
    found = []
    for key, value in node.items():
        if isinstance(value, list):
            found.append(((*path, key), value))
        else:
            found += _lists(value, (*path, key), depth + 1)
    return found


def _is_beside(candidate: tuple[tuple[str, ...], list[Any]]) -> bool:
    return any(name.lower() in _BESIDE for name in candidate[0])


def _is_counted(name: str, body: Any) -> bool:
    """Whether a total of the list stands beside it (Plaid's `total_transactions`)."""
    return isinstance(body, dict) and any(key in body for key in (f"total_{name}", f"{name}_total", f"{name}_count"))


def _rank(candidate: tuple[tuple[str, ...], list[Any]]) -> tuple[bool, int, int, int]:
    path, values = candidate
    is_of_objects = bool(values) and isinstance(values[0], dict)
    name = path[-1].lower()
    usual = _USUAL_NAMES.index(name) if name in _USUAL_NAMES else len(_USUAL_NAMES)
    # an empty list may be the one: a search without hits
    return (not is_of_objects and bool(values), len(path), usual, -len(values))


def quoted(key: str) -> str:
    """`key` as a JMESPath identifier, in quotes where it needs them."""
    if key.isascii() and key.replace("_", "a").isalnum() and not key[0].isdigit():
        return key
    return json.dumps(key, ensure_ascii=False)  # which is what JMESPath takes for a quoted identifier


def paths_of_lists(body: Any) -> list[str]:
    """The paths of all lists in `body`, for a message that offers them."""
    return [".".join(map(quoted, path)) for path, _ in _lists(body, (), 0)] if isinstance(body, dict) else []
