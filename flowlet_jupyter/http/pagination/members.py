"""What a response says beside its records: the members of the body outside lists, and the headers that page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flowlet_jupyter.http.pagination.names import (
    AMBIGUOUS_TOTALS,
    PAGE_COUNTS,
    PAGES,
    SIZES,
    is_total,
    normalised,
    says_more,
)
from flowlet_jupyter.http.pagination.page import PageResponse
from flowlet_jupyter.tables.selection import quoted

_MAX_DEPTH = 7
_MAX_MEMBERS = 2000
_MOST_OBJECTS = 30  # an object of more objects than this holds records by their keys
# objects that speak of something else: numbers below them are no numbers of this list
_ELSEWHERE = frozenset(
    {"facets", "aggregations", "aggs", "shards", "errors", "included", "extensions", "embedded", "request", "profile"}
)
_HEADERS = AMBIGUOUS_TOTALS | PAGE_COUNTS | PAGES | SIZES
_CONTINUE = (
    "nextcursor",
    "nextpage",
    "nexttoken",
    "nextpagetoken",
    "continuationtoken",
    "continuation",
    "nextmarker",
    "cursornext",
    "nextrange",
)
_HEADER_OF_A_CURSOR = re.compile(
    r"[a-z]*?(nexttoken|nextcursor|nextpagetoken|aftercursor|nextrownumber)|cmrsearchafter"
)
_LISTS_OF_ONE = frozenset(
    {"result", "messages", "meta", "metadata", "paging", "pagination", "info", "header", "summary"}
)
_VOCABULARY = re.compile(r"^(?:@?[A-Za-z]+:|@iot\.)")
_PREFIXES = ("x", "wp", "ms", "opc", "pagination", "paging", "list")


@dataclass(frozen=True)
class Member:
    """One member beside the records. `path` is its JMESPath, or the header's name."""

    path: str
    name: str
    value: Any
    parents: tuple[str, ...] = ()  # normalised names, the nearest last
    in_header: bool = False

    @cached_property
    def key(self) -> str:
        """The name without case and punctuation, and without the vocabulary that it is of (`hydra:next`, `@iot.nextLink`)."""
        return normalised(_VOCABULARY.sub("", self.name))

    @property
    def parent(self) -> str:
        """The normalised name of the object that it stands in; "" at the top."""
        return self.parents[-1] if self.parents else ""

    @cached_property
    def container(self) -> str:
        """The path of the object that it stands in."""
        return self.path.removesuffix(quoted(self.name)) if not self.in_header else "header"


def members_of(response: PageResponse) -> list[Member]:
    """The members of the body outside its lists, those of the first object of `[about, records]`, and headers."""
    body, start = response.body, ""
    if isinstance(body, list) and len(body) == 2 and isinstance(body[0], dict) and isinstance(body[1], list):
        body, start = body[0], "[0]"
    members: list[Member] = []
    for member in _walk(body, start, (), response.path):
        members.append(member)
        if len(members) >= _MAX_MEMBERS:
            break
    return members + list(_of_headers(response.headers))


def _walk(node: Any, path: str, parents: tuple[str, ...], records: str) -> Iterator[Member]:
    if not isinstance(node, dict) or len(parents) > _MAX_DEPTH:
        return
    if sum(isinstance(value, dict) for value in node.values()) > _MOST_OBJECTS:
        return
    deeper = []
    for name, value in node.items():
        own = f"{path}.{quoted(name)}" if path else quoted(name)
        if not isinstance(value, list):
            yield Member(own, name, value, parents)
        elif len(value) == 1 and normalised(name) in _LISTS_OF_ONE and own != records:
            deeper.append((value[0], f"{own}[0]", (*parents, normalised(name))))
        if isinstance(value, dict) and normalised(name) not in _ELSEWHERE:
            deeper.append((value, own, (*parents, normalised(name))))
    for value, own, names in deeper:
        yield from _walk(value, own, names, records)


def _without_prefixes(key: str) -> str:
    for prefix in _PREFIXES:
        rest = key.removeprefix(prefix)
        key = rest if rest not in {"", "s"} else key
    return key


def _of_headers(headers: Mapping[str, str]) -> Iterator[Member]:
    for name, value in headers.items():
        key = normalised(name)
        if key in {"xpagination", "pagination"} and value.lstrip().startswith("{"):
            try:
                parsed = json.loads(value)
            except (ValueError, RecursionError):
                continue
            for inner, text in parsed.items() if isinstance(parsed, dict) else ():
                if not isinstance(text, dict | list):
                    yield Member(name, inner, text, in_header=True)
        elif key == "contentrange":
            total = value.rpartition("/")[2].strip()
            if total.isdigit() and not value.lower().startswith("bytes"):
                yield Member(name, "total", total, in_header=True)
        else:
            key = _without_prefixes(key)
            if match := _HEADER_OF_A_CURSOR.fullmatch(key):
                yield Member(name, match[1] or name, value, in_header=True)
            elif key in _HEADERS or is_total(key) or key in _CONTINUE or says_more(key):
                yield Member(name, key if key != normalised(name) else name, value, in_header=True)
