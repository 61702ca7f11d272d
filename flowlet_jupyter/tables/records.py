"""Where the records are in a JSON body: the list that a table is made of. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flowlet_jupyter.tables.envelopes import (
    ENDING,
    IDENTITY,
    OF_A_RESPONSE,
    Remembered,
    counts,
    goes_on,
    has_id,
    is_a_thing,
    is_named_by_its_id,
    is_spoken,
    leads_on,
    own_values,
    plain,
    segments_of,
)
from flowlet_jupyter.tables.selection import quoted

# how APIs name their list, the most telling first; only asked where several lists are in sight
_USUAL_NAMES = (
    "data", "items", "results", "records", "value", "values", "rows", "entries", "hits", "elements", "objects", "content",
    "resources", "hydra:member", "member", "nodes", "edges", "list",
)  # fmt: skip
# lists that stand beside the records, and are taken only where there is no other
_BESIDE = frozenset({"link", "links", "_links", "fields", "columns", "errors", "included", "facets", "aggregations", "warnings",
                     "translationset", "schema", "dimensionheaders", "metricheaders", "pivotheaders", "schemas", "breadcrumbs", "exceptions", "extensions", "includes"})  # fmt: skip
_REMARKS = frozenset({"message", "messages", "error", "msg", "notes"})  # which is a list of texts, or empty, at some
_WRAPPERS = frozenset({"data", "result", "response", "payload"})
_MAX_DEPTH = 4
_DEEPEST = 12  # GraphQL's bodies have the form of the query
_FAR = 3
_MOST_RIVALS = 10


@dataclass(frozen=True)
class Found:
    """The list of records, and the JMESPath that leads to it ("" for the body itself)."""

    records: list[Any]
    path: str
    rivals: tuple[str, ...] = ()  # lists that may as well be the one: only its length decided


def find_records(body: Any, *, url: str = "") -> Found | None:  # noqa: PLR0911 - one return a kind of body
    """The list of records in `body`: the body itself, or the likeliest list of objects below it; None if there is none.

    Lists of objects come before lists of values, near ones before far ones, then those with a usual name, then long ones.
    A list inside of one record (which has an id, a name, a date of its own) is a part of that record.
    """
    if isinstance(body, list):
        return _in_a_list(body)
    if not isinstance(body, dict):
        return None
    for kind, name, value in (("type", "features", "FeatureCollection"), ("resourceType", "entry", "Bundle")):
        if body.get(kind) == value and isinstance(body.get(name), list):
            return Found(body[name], name)  # GeoJSON (RFC 7946), FHIR
    if is_named_by_its_id(body, url):
        return None
    names, things, ask = _names_in(url), _things_in(url), Remembered()
    deepest = _DEEPEST if _is_graphql(body) else _MAX_DEPTH
    candidates = [found for found in _lists(body, (), 0, deepest) if not _is_part_of_a_record(body, *found, names, ask)]
    if not candidates:
        return None

    def standing(candidate: tuple[tuple[str, ...], list[Any]]) -> tuple[Any, ...]:
        name = candidate[0][-1]
        is_named = _is_named(name, names) and plain(name) not in things and not _is_below(_BESIDE, candidate[0])
        return not is_named, _is_beside(candidate), not _is_counted(name, body), *_rank(candidate)

    best = min(candidates, key=standing)
    if not best[1]:  # where groups were asked for, the records may be empty (OpenAlex)
        best = next((each for each in candidates if _is_asked_for(each, url)), best)
    if _is_beside(best) and not _is_named(best[0][-1], names) and not _is_alone(best[0], body):
        return None  # links, or the names of columns: the body is what they are about
    equals = [each for each in candidates if each[1] and standing(each)[:-1] == standing(best)[:-1]]
    rivals = tuple(".".join(map(quoted, path)) for path, _ in equals[:_MOST_RIVALS] if path != best[0])
    return _unwrapped(Found(best[1], ".".join(map(quoted, best[0])), rivals if _are_objects(best[1]) else ()))


def _is_asked_for(candidate: tuple[tuple[str, ...], list[Any]], url: str) -> bool:
    """Whether a list of objects has the name of a parameter of the query."""
    path, values = candidate
    return _are_objects(values) and not _is_beside(candidate) and path[-1] in dict(parse_qsl(urlsplit(url).query))


def _in_a_list(body: list[Any]) -> Found:
    if len(body) == 2 and isinstance(body[0], dict) and isinstance(body[1], list):
        return Found(body[1], "[1]")  # what the list is about, then the list (World Bank)
    if any(body) and all(_are_objects(part) or part == [] for part in body):
        return Found(list(itertools.chain.from_iterable(body)), "[]")  # a list for each thing that was asked for
    return Found(body, "")


def _are_objects(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(value, dict) for value in values)


def _unwrapped(found: Found) -> Found:
    """The list inside of a list of one, where that one object is but its wrapper: nothing of its own is in it (Cloudflare D1)."""
    only = found.records[0] if len(found.records) == 1 else None
    if not isinstance(only, dict) or has_id(only) or own_values(only):
        return found
    lists = [name for name, value in only.items() if _are_objects(value)]
    if len(lists) != 1 or lists[0].lower() not in _USUAL_NAMES:
        return found
    return Found(only[lists[0]], f"{found.path}[0].{quoted(lists[0])}")


def holds_objects_in_a_list(node: Any, depth: int = 0) -> bool:
    """Whether there is a list of objects anywhere in `node`, however deep."""
    if isinstance(node, list):
        return any(isinstance(value, dict) for value in node[:20])
    if not isinstance(node, dict) or depth > _DEEPEST:
        return False
    return any(holds_objects_in_a_list(value, depth + 1) for value in node.values())


def _names_in(url: str) -> frozenset[str]:
    """What the last segments of a URL say that its list is called: `/time_off/types.json` says types and timeofftypes."""
    segments = [ENDING.sub("", segment) for segment in segments_of(url)[-2:]]
    whole = [plain(segment) for segment in segments]
    parts = [plain(part) for segment in segments for part in re.split(r"[.:]", segment)]
    return frozenset(_singular(name) for name in (*whole, *parts, "".join(whole)) if name)


def _things_in(url: str) -> frozenset[str]:
    """What a single one of what a URL names before its last segment is called: at `/categories/EW` a `category` is no list."""
    holder = [plain(segment) for segment in segments_of(url)[-2:-1]]
    return frozenset(_singular(name) for name in holder if _singular(name) != name)


def _singular(name: str) -> str:
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


def _is_named(name: str, names: frozenset[str]) -> bool:
    return _singular(plain(name)) in names


def _is_part_of_a_record(
    body: Mapping[str, Any], path: tuple[str, ...], values: list[Any], names: frozenset[str], ask: Remembered
) -> bool:
    """Whether the list at `path` belongs to one record, rather than being a list of records. `names` are the URL's."""
    are_objects = bool(values) and isinstance(values[0], dict | list)
    is_usual = path[-1].lower() in _USUAL_NAMES
    is_of_a_feed = path[-2:] == ("feed", "entry")  # Atom in JSON: the feed has an id and a title as well
    if is_of_a_feed or _is_named(path[-1], names) or (ask(_is_graphql, body) and are_objects):
        return False  # what was asked for by name
    if len(path) > 1:
        return _is_part_of_one_inside(body, path, names, ask, is_usual=is_usual, are_objects=are_objects)
    if is_usual:
        return False
    if ask(is_a_thing, body) or _is_of_one_thing(body, names, ask):
        return True
    if ask(has_id, body) and not (are_objects and ask(leads_on, body)):
        return True
    return not (are_objects or ask(_speaks_of_a_list, body)) and _is_one_of_many_members(body, values, ask)


def _speaks_of_a_list(node: Mapping[str, Any]) -> bool:
    return goes_on(node) or counts(node)


def _is_part_of_one_inside(
    body: Mapping[str, Any],
    path: tuple[str, ...],
    names: frozenset[str],
    ask: Remembered,
    *,
    is_usual: bool,
    are_objects: bool,
) -> bool:
    """The same of a list further inside: one of the objects on the way, or the body, is the record."""
    holders = [body]
    for name in path[:-1]:
        holders.append(holders[-1][name])
    own = holders[-1]
    if (
        path[-2] in _WRAPPERS
        and len(own) == 1
        and not (has_id(body) or is_a_thing(body))
        and _is_only_object(own, body)
    ):
        return False
    if any(ask(has_id, holder) or ask(is_a_thing, holder) for holder in holders[1:]):
        return not (is_usual and ask(goes_on, own) and not ask(is_a_thing, own))
    if not is_usual and (not are_objects or len(path) > _FAR) and not ask(_speaks_of_a_list, own):
        # values, nothing, or far inside: only where there is nothing else on the way
        has_more = _holds_more_than_one if are_objects else _has_more_than_one
        return any(ask(has_more, holder) for holder in holders)
    return ask(is_a_thing, body) or (ask(has_id, body) and not is_usual) or _is_of_one_thing(body, names, ask)


def _is_only_object(node: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    return all(value is node for value in _objects_beside(body))


def _has_more_than_one(node: Mapping[str, Any]) -> bool:
    return sum(not is_spoken(name) for name in node) > 1


def _holds_more_than_one(node: Mapping[str, Any]) -> bool:
    return sum(isinstance(value, dict | list) and not is_spoken(name) for name, value in node.items()) > 1


def _is_one_of_many_members(body: Mapping[str, Any], values: list[Any], ask: Remembered) -> bool:
    """Whether a body is about more than this list of values, or this empty list."""
    if ask(_lists_of_values, body) > bool(values):
        return True  # one of several
    if values:
        return bool(ask(_objects_beside, body)) or len(ask(own_values, body)) > 1
    return ask(_has_things_beside, body)


def _has_things_beside(node: Mapping[str, Any]) -> bool:
    return any(map(has_id, _objects_beside(node)))


def _lists_of_values(node: Mapping[str, Any]) -> int:
    return sum(isinstance(each, list) and bool(each) and not isinstance(each[0], dict | list) for each in node.values())


def _objects_beside(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for name, each in node.items() if isinstance(each, dict) and not OF_A_RESPONSE.fullmatch(name.lower())]


def _is_of_one_thing(body: Mapping[str, Any], names: frozenset[str], ask: Remembered) -> bool:
    """Whether one of several members is what the URL is about: `contact` beside other lists, at `/contacts/1`."""
    return not names.isdisjoint(ask(_names_of_things, body))


def _names_of_things(node: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(
        _singular(plain(name)) for name, value in node.items() if isinstance(value, dict) and has_id(value)
    )


def _is_graphql(body: Mapping[str, Any]) -> bool:
    """Whether a body has the form of a GraphQL response: `data`, which holds objects and lists only."""
    data = body.get("data")
    return (
        isinstance(data, dict)
        and set(body) <= {"data", "errors", "extensions"}
        and all(isinstance(value, dict | list) for value in data.values())
    )


def _is_alone(path: tuple[str, ...], body: Mapping[str, Any]) -> bool:
    """Whether the body is about nothing but the list at `path`."""
    others = [name for name in body if name != path[0] and not is_spoken(name)]
    return path[-1].lower() not in {"errors", "warnings", "schemas"} and not others


def _lists(
    node: Any, path: tuple[str, ...], depth: int, deepest: int = _MAX_DEPTH
) -> list[tuple[tuple[str, ...], list[Any]]]:
    if not isinstance(node, dict) or depth >= deepest:
        return []
    lists = []
    for key, value in node.items():
        if isinstance(value, list):
            lists.append(((*path, key), value))
        else:
            lists += _lists(value, (*path, key), depth + 1, deepest)
    return lists


def _is_below(holders: frozenset[str], path: tuple[str, ...]) -> bool:
    return any(name.lower() in holders for name in path[:-1])


def _is_beside(candidate: tuple[tuple[str, ...], list[Any]]) -> bool:
    path, values = candidate
    is_remark = path[-1].lower() in _REMARKS and not (values and isinstance(values[0], dict))
    return is_remark or any(name.lower() in _BESIDE for name in path)


def _is_counted(name: str, body: Any) -> bool:
    """Whether a total of the list stands beside it (Plaid's `total_transactions`)."""
    return isinstance(body, dict) and any(key in body for key in (f"total_{name}", f"{name}_total", f"{name}_count"))


def _rank(candidate: tuple[tuple[str, ...], list[Any]]) -> tuple[bool, int, int, bool, int]:
    path, values = candidate
    is_of_objects = bool(values) and isinstance(values[0], dict)
    name = path[-1].lower()
    usual = _USUAL_NAMES.index(name) if name in _USUAL_NAMES else len(_USUAL_NAMES)
    # an empty list may be the one: a search without hits
    is_of_objects = is_of_objects or (not values and usual < len(_USUAL_NAMES))
    with_id = bool(values) and isinstance(values[0], dict) and any(key in IDENTITY for key in values[0])
    return (not is_of_objects and bool(values), len(path), usual, not with_id, -len(values))


def paths_of_lists(body: Any) -> list[str]:
    """The paths of all lists in `body`, for a message that offers them."""
    return [".".join(map(quoted, path)) for path, _ in _lists(body, (), 0)] if isinstance(body, dict) else []
