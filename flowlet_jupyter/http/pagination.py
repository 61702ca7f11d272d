"""Paging styles as pure functions: the request of a page and its answer give the request of the next page, or None.

The vocabulary is that of the catalogue's `[paging]` tables: `link` (RFC 8288 header), `next` (a URL in the body),
`cursor` (a value of the body that goes into a parameter), `page` and `offset` (numbers).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import parse_qs, urljoin, urlsplit

import jmespath
from jmespath.exceptions import JMESPathError

from flowlet_jupyter.errors import RequestFailed

Style = Literal["auto", "link", "next", "cursor", "page", "offset"]
STYLES: tuple[Style, ...] = ("auto", "link", "next", "cursor", "page", "offset")


@dataclass(frozen=True)
class PageRequest:
    """What changes from page to page: the URL, its parameters beyond those in it, and the JSON body of a POST."""

    url: str
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None

    def with_parameter(self, name: str, value: Any) -> PageRequest:
        """The same request with one parameter changed: in the body where there is one, else in the query."""
        if isinstance(self.json, dict):
            return dataclasses.replace(self, json={**self.json, name: value})
        return dataclasses.replace(self, params={**self.params, name: value})

    def parameter(self, name: str) -> Any:
        """The value of a parameter, wherever it stands; None if it is not given."""
        if isinstance(self.json, dict) and name in self.json:
            return self.json[name]
        if name in self.params:
            return self.params[name]
        return next(iter(parse_qs(urlsplit(self.url).query).get(name, [])), None)


@dataclass(frozen=True)
class PageAnswer:
    """What a paginator sees of a page."""

    body: Any
    records: Sequence[Any]
    links: Mapping[str, str]  # rel -> URL, of the Link header


class Paginator(Protocol):
    """One paging style."""

    def next(self, request: PageRequest, answer: PageAnswer) -> PageRequest | None:
        """The request of the next page; None behind the last."""


@dataclass(frozen=True)
class LinkHeader:
    """`Link: <…>; rel="next"` (RFC 8288). Ends where there is no such link."""

    def next(self, request: PageRequest, answer: PageAnswer) -> PageRequest | None:
        """The link's request."""
        target = answer.links.get("next")
        return _followed(request, target) if target else None


@dataclass(frozen=True)
class NextURL:
    """A URL in the body, at the JMESPath `path`; relative ones too. Ends where it is missing, null or empty."""

    path: str

    def next(self, request: PageRequest, answer: PageAnswer) -> PageRequest | None:
        """The URL's request."""
        target = look_up(answer.body, self.path)
        return _followed(request, target) if isinstance(target, str) and target else None


@dataclass(frozen=True)
class Cursor:
    """A value of the body at `path` that goes into `parameter`. Ends where it is missing, null, empty, or `has_more` is false."""

    path: str
    parameter: str
    more_path: str = "has_more"

    def next(self, request: PageRequest, answer: PageAnswer) -> PageRequest | None:
        """The same request with the cursor."""
        cursor = look_up(answer.body, self.path)
        if cursor is None or cursor is False or cursor == "" or isinstance(cursor, dict | list):
            return None
        if look_up(answer.body, self.more_path) is False:
            return None
        return request.with_parameter(self.parameter, cursor)


@dataclass(frozen=True)
class PageNumber:
    """A page number in `parameter`. Ends behind an empty page, the last page that the body names, or the total."""

    parameter: str = "page"
    size_parameter: str = "per_page"
    total_path: str = ""  # how many records there are
    pages_path: str = ""  # how many pages there are
    size: int = 0  # what the first page held, whatever was asked for; the last one may hold less

    def next(self, request: PageRequest, answer: PageAnswer) -> PageRequest | None:
        """The same request with the next number."""
        if not answer.records:
            return None
        here = _number(request.parameter(self.parameter), 1)
        pages = look_up(answer.body, self.pages_path)
        if isinstance(pages, int) and here >= pages:
            return None
        total = look_up(answer.body, self.total_path)
        if isinstance(total, int) and here * (self.size or len(answer.records)) >= total:
            return None
        return request.with_parameter(self.parameter, here + 1)

    def total_pages(self, request: PageRequest, answer: PageAnswer) -> int | None:
        """The pages that the body counts, or those that its records fill."""
        pages = look_up(answer.body, self.pages_path)
        if isinstance(pages, int):
            return pages - _number(request.parameter(self.parameter), 1) + 1
        total = look_up(answer.body, self.total_path)
        if not isinstance(total, int) or not answer.records:
            return None
        size = self.size or len(answer.records)
        before = (_number(request.parameter(self.parameter), 1) - 1) * size
        return max(-(-(total - before) // size), 1)

    def nth(self, first: PageRequest, _answer: PageAnswer, number: int) -> PageRequest:
        """The number counted on from the first."""
        return first.with_parameter(self.parameter, _number(first.parameter(self.parameter), 1) + number)


@dataclass(frozen=True)
class Offset:
    """The number of records to skip in `parameter`. Ends behind an empty or short page, or at the total."""

    parameter: str = "offset"
    size_parameter: str = "limit"
    total_path: str = ""

    def next(self, request: PageRequest, answer: PageAnswer) -> PageRequest | None:
        """The same request, behind the records of this page."""
        here, count = _number(request.parameter(self.parameter), 0), len(answer.records)
        total = look_up(answer.body, self.total_path)
        if not count or (isinstance(total, int) and here + count >= total):
            return None
        if not isinstance(total, int) and count < _number(request.parameter(self.size_parameter), 0):
            return None
        return request.with_parameter(self.parameter, here + count)

    def total_pages(self, request: PageRequest, answer: PageAnswer) -> int | None:
        """The pages that the records fill."""
        total, count = look_up(answer.body, self.total_path), len(answer.records)
        if not isinstance(total, int) or not count:
            return None
        return max(-(-(total - _number(request.parameter(self.parameter), 0)) // count), 1)

    def nth(self, first: PageRequest, answer: PageAnswer, number: int) -> PageRequest:
        """The offset counted on from the first, by what the first page held."""
        start = _number(first.parameter(self.parameter), 0)
        return first.with_parameter(self.parameter, start + number * len(answer.records))


def _followed(request: PageRequest, target: str) -> PageRequest:
    """The request for a link that the API gave: it is whole, so nothing of ours is added to it."""
    url = urljoin(request.url, target)
    if urlsplit(url).scheme not in {"http", "https"}:
        raise RequestFailed(f"The next page has an address that cannot be requested: {url[:200]}")
    return PageRequest(url, {}, request.json)


def look_up(body: Any, path: str) -> Any:
    """What stands at the JMESPath `path`, None if nothing does."""
    if not path:
        return None
    try:
        return jmespath.search(path, body)
    except JMESPathError:
        return None


def _number(value: Any, default: int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return default


# detection

_NEXT_PATHS = (
    '"@odata.nextLink"', '"odata.nextLink"', "nextLink", "next_link", "nextRecordsUrl", "next_url", "next_page_url",
    "nextPageUrl", "links.next", "links.next.href", "_links.next.href", "_links.next", "paging.next", "paging.next_link",
    "pagination.next_page", "pagination.next_url", "pagination.next", "meta.next", "info.next", "next.href", "next",
    "next_page",
)  # fmt: skip
# where the cursor of the next page stands -> the parameter that takes it
_CURSORS = (
    ("meta.next_token", "pagination_token"), ("nextPageToken", "pageToken"), ("next_page_token", "page_token"),
    ("response_metadata.next_cursor", "cursor"), ("paging.next.after", "after"), ("paging.cursors.after", "after"),
    ("meta.next_cursor", "cursor"), ("pagination.next_cursor", "cursor"), ("pagination.cursor", "cursor"),
    ("meta.cursor.next", "cursor"), ("data.after", "after"), ("next_cursor", "cursor"), ("nextCursor", "cursor"),
    ("cursors.after", "after"), ("next_token", "next_token"), ("nextToken", "nextToken"), ("continuationToken", "continuationToken"),
    ("pageInfo.endCursor", "after"), ("bookmark", "bookmark"), ("cursor", "cursor"), ("after", "after"),
)  # fmt: skip
_TOTAL_PATHS = ("total", "total_count", "totalCount", "count", "meta.total", "meta.total_count", "meta.count",
                "pagination.total", "pagination.total_count", "page_info.total_results", "totalResults",
                "total_results", "numFound", '"@odata.count"')  # fmt: skip
_PAGES_PATHS = ("total_pages", "totalPages", "pages", "last_page", "meta.total_pages", "meta.last_page", "meta.pages",
                "pagination.total_pages", "pagination.pages", "info.pages", "page_count", "pageCount")  # fmt: skip
_PAGE_PARAMETERS = ("page", "page_number", "pageNumber", "p", "pg")
_PAGE_PATHS = (
    "page",
    "page_number",
    "current_page",
    "currentPage",
    "meta.page",
    "meta.current_page",
    "pagination.page",
)
_PAGE_SIZES = ("per_page", "page_size", "pageSize", "size", "limit", "rows", "results")
_OFFSETS = (("offset", "limit"), ("skip", "limit"), ("startAt", "maxResults"), ("start", "limit"), ("$skip", "$top"))


def detect(request: PageRequest, answer: PageAnswer) -> Paginator | None:
    """The paging style that the first page shows; None where it shows none, so that it is the only page."""
    if "next" in answer.links:
        return LinkHeader()
    body = answer.body
    if isinstance(body, dict):
        for path in _NEXT_PATHS:
            target = look_up(body, path)
            if isinstance(target, str) and (target.startswith(("http://", "https://", "/", "?"))):
                return NextURL(path)
        for path, parameter in _CURSORS:
            cursor = look_up(body, path)
            if isinstance(cursor, str | int) and not isinstance(cursor, bool) and cursor != "":
                return Cursor(path, parameter)
    return _by_numbers(request, body)


def _by_numbers(request: PageRequest, body: Any) -> Paginator | None:
    total = _first(body, _TOTAL_PATHS)
    for parameter, size in _OFFSETS:
        shown = isinstance(body, dict) and isinstance(body.get(parameter), int) and size in body
        if request.parameter(parameter) is not None or shown:
            return Offset(parameter, size, total)
    asked = next((name for name in _PAGE_PARAMETERS if request.parameter(name) is not None), None)
    pages = _first(body, _PAGES_PATHS)
    if asked or pages or _first(body, _PAGE_PATHS):
        size_parameter = next((name for name in _PAGE_SIZES if request.parameter(name) is not None), "per_page")
        return PageNumber(asked or "page", size_parameter, total, pages)
    if total and request.parameter("limit") is not None:
        return Offset("offset", "limit", total)
    return None


def _first(body: Any, paths: Sequence[str]) -> str:
    return next((path for path in paths if isinstance(number := look_up(body, path), int) and number > 0), "")


def of_style(style: Style, declared: Mapping[str, str], request: PageRequest, answer: PageAnswer) -> Paginator | None:
    """The paginator for `style`; `declared` is the catalogue's `[paging]` table of the provider, empty if there is none.

    None where the first page is the only one. Raises `RequestFailed` if the style was asked for by name and the first
    page does not show how it works.
    """
    found = _declared(declared) if declared and style in {"auto", declared["style"]} else None
    found = found or _found(style, request, answer)
    return dataclasses.replace(found, size=len(answer.records)) if isinstance(found, PageNumber) else found


def _found(style: Style, request: PageRequest, answer: PageAnswer) -> Paginator | None:
    found = detect(request, answer)
    if style == "auto" or isinstance(found, _KINDS[style]):
        return found
    if style in {"page", "offset"}:
        return _numbered(style, request, answer)
    if style == "link" or _has_an_empty_place(answer):
        return None
    raise RequestFailed(
        f"The first page shows no paging by {style}. Try --paginate auto, or read the API's documentation."
    )


_KINDS: dict[str, type] = {"link": LinkHeader, "next": NextURL, "cursor": Cursor, "page": PageNumber, "offset": Offset}


def _numbered(style: Style, request: PageRequest, answer: PageAnswer) -> Paginator:
    numbers = _by_numbers(request, answer.body)
    if numbers is not None and isinstance(numbers, _KINDS[style]):
        return numbers
    total = _first(answer.body, _TOTAL_PATHS)
    if style == "offset":
        return Offset(total_path=total)
    return PageNumber(total_path=total, pages_path=_first(answer.body, _PAGES_PATHS))


def _has_an_empty_place(answer: PageAnswer) -> bool:
    """Whether the page has a place for the next one that is empty, as a last page has."""
    body = answer.body
    if not isinstance(body, dict):
        return not answer.records
    return any(key in body for key in ("next", "next_cursor", "nextPageToken", "paging", "links", "meta", "pagination"))


def _declared(table: Mapping[str, str]) -> Paginator:
    style = table["style"]
    if style == "link":
        return LinkHeader()
    if style == "next":
        return NextURL(table["next_path"])
    if style == "cursor":
        return Cursor(table["cursor_path"], table["cursor_parameter"])
    total = table.get("total_path", "")
    if style == "page":
        return PageNumber(table.get("page_parameter", "page"), table.get("size_parameter", "per_page"), total)
    return Offset(table.get("offset_parameter", "offset"), table.get("size_parameter", "limit"), total)
