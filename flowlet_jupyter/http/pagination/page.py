"""The request of a page and the response to it, as paginators see them. Pure: no I/O."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import jmespath
from jmespath.exceptions import JMESPathError

from flowlet_jupyter.http.pagination.names import OFFSETS, PAGES, SIZES, is_one_of
from flowlet_jupyter.tables.selection import member_at, names_of

_PAGING = OFFSETS | PAGES | SIZES
_MAX_DEPTH = 3


@dataclass(frozen=True)
class PageRequest:
    """What changes from page to page. `method` None is the method of the first page."""

    url: str
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    method: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_repeatable: bool = False  # the very same request gives the next page: the server keeps the place

    @property
    def fingerprint(self) -> str:
        """What two requests for the same page have in common."""
        return json.dumps([self.url, sorted(self.params.items()), self.json, sorted(self.headers.items())], default=str)

    @property
    def graphql_query(self) -> str | None:
        """The query, where the body is a GraphQL request."""
        query = self.json.get("query") if isinstance(self.json, dict) else None
        return query if isinstance(query, str) and "{" in query else None

    def query(self) -> dict[str, Any]:
        """The parameters of the query: those of the URL, replaced by `params`."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True)) | dict(self.params)

    def parameters(self) -> dict[str, Any]:
        """All parameters by name, those of the query and those in the JSON body."""
        parameters = self.query()
        for _, members in _objects(self.json, ()):
            parameters |= {name: value for name, value in members.items() if not isinstance(value, dict | list)}
        return parameters

    def parameter(self, name: str) -> Any:
        """The value of a parameter, wherever it stands; None if it is not given."""
        return self.parameters().get(name)

    def with_parameter(self, name: str, value: Any) -> PageRequest:
        """The same request with one parameter changed, in the query or in the JSON body, wherever its like stand."""
        path = self._path_of(name)
        if path is None:
            return dataclasses.replace(self, params={**self.params, name: value})
        return dataclasses.replace(self, json=_with_member(self.json, path, name, value))

    def _path_of(self, name: str) -> tuple[str, ...] | None:
        """The path of the object of the JSON body that `name` belongs into; None for the query."""
        if not isinstance(self.json, dict):
            return None
        objects = list(_objects(self.json, ()))
        query = self.query()
        named = next((path for path, members in objects if name in members), None)
        if named is not None or name in query:
            return named
        if self.graphql_query is not None:
            return ("variables",)
        paging = next((path for path, members in objects if _says_how_to_page(members)), None)
        if paging is None and any(is_one_of(key, _PAGING) for key in query):
            return None
        return paging or ()


def _says_how_to_page(members: Mapping[str, Any]) -> bool:
    return any(is_one_of(name, _PAGING) and not isinstance(value, dict) for name, value in members.items())


def _objects(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if isinstance(node, dict):
        yield path, node
        if len(path) < _MAX_DEPTH:
            for key, value in node.items():
                yield from _objects(value, (*path, key))


def _with_member(node: Any, path: tuple[str, ...], name: str, value: Any) -> dict[str, Any]:
    members = node if isinstance(node, dict) else {}
    if not path:
        return {**members, name: value}
    return {**members, path[0]: _with_member(members.get(path[0]), path[1:], name, value)}


@dataclass(frozen=True)
class PageResponse:
    """What a paginator sees of a page. `links` are those of the Link header, by relation type."""

    body: Any
    records: Sequence[Any]
    links: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    has_list: bool = True  # False where the body is one object, which is one record
    path: str = ""  # the JMESPath of the records


class Paginator(Protocol):
    """One way to page."""

    def next(self, request: PageRequest, response: PageResponse) -> PageRequest | None:
        """The request of the next page; None behind the last."""


def look_up(body: Any, path: str) -> Any:
    """What stands at the JMESPath `path`, None if nothing does."""
    if not path:
        return None
    if (names := names_of(path)) is not None:
        return member_at(body, names)
    try:
        return jmespath.search(path, body)
    except JMESPathError:
        return None


def as_number(value: Any) -> int | None:
    """A whole number, also where it is written as a text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return None
