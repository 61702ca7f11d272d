"""How an API pages, seen from its first page: the ways on that it shows, the most certain first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.pagination import cursors, elasticsearch, links, numbers, partitions
from flowlet_jupyter.http.pagination.cursors import Continue, ContinueEndpoint, Cursor, LastId, Resumption
from flowlet_jupyter.http.pagination.elasticsearch import Scroll, SearchAfter
from flowlet_jupyter.http.pagination.links import LinkHeader, LinkList, NextURL
from flowlet_jupyter.http.pagination.members import members_of
from flowlet_jupyter.http.pagination.numbers import Offset, PageNumber
from flowlet_jupyter.http.pagination.page import PageRequest, PageResponse, Paginator
from flowlet_jupyter.http.pagination.partitions import Partitions
from flowlet_jupyter.http.pagination.signals import signals_of
from flowlet_jupyter.http.styles import Style

_KINDS: dict[str, tuple[type, ...]] = {
    "link": (LinkHeader,), "next": (NextURL, LinkList, Partitions), "cursor": (Cursor, Continue, ContinueEndpoint, LastId, Resumption, Scroll, SearchAfter), "page": (PageNumber,),
    "offset": (Offset,),
}  # fmt: skip

GUESSED = (Cursor, PageNumber, Offset, LastId)  # whose parameter may be a wrong guess


def detect(request: PageRequest, response: PageResponse) -> list[Paginator]:
    """The ways on that the first page shows, the most certain first; none where it shows none."""
    return list(dict.fromkeys(_detected(request, response)))


def _detected(request: PageRequest, response: PageResponse) -> Iterator[Paginator]:
    members = members_of(response)
    signals = signals_of(request, response, members)
    if not response.has_list and response.records:
        if "next" in response.links:
            yield LinkHeader()
        return  # one record: what stands in it says nothing of other pages
    yield from partitions.candidates(request, response)
    yield from links.candidates(request, response, members)
    by_number = list(numbers.candidates(request, response, signals, members)) if response.has_list else []
    by_cursor = list(cursors.candidates(request, response, signals, members))
    if signals.is_last is not None and signals.more is None:
        return
    yield from elasticsearch.candidates(request, response, signals)
    yield from by_cursor
    if request.graphql_query is not None:
        return
    by_id = list(cursors.last_id_candidates(response, signals))
    is_list_object = isinstance(response.body, dict) and (
        response.body.get("object") == "list" or "last_id" in response.body
    )
    if is_list_object:
        yield from by_id
    if _body_offset_is_the_next(request, response):
        yield Cursor("offset", "offset", more_path="")
    yield from by_number
    yield from by_id


def _body_offset_is_the_next(request: PageRequest, response: PageResponse) -> bool:
    """HubSpot's older endpoints name the offset of the next page, not of this one."""
    offset = response.body.get("offset") if isinstance(response.body, dict) else None
    return bool(offset) and isinstance(offset, int) and request.parameter("offset") is None


def of_style(
    style: Style, declared: Mapping[str, str], request: PageRequest, response: PageResponse
) -> list[Paginator]:
    """The ways on for `style`, to be tried in order; `declared` is the `[paging]` table of the provider's catalogue entry.

    None where the first page is the only one. A declared way that finds nothing on the first page gives way to what the
    page shows. Raises `RequestFailed` if a style was asked for by name that the first page does not show.
    """
    detected = detect(request, response)
    if declared and style in {"auto", declared["style"]}:
        own = _declared(declared, len(response.records))
        if own.next(request, response) is not None or not detected:
            detected = [own, *detected]
    if style == "auto":
        return detected
    fitting = [each for each in detected if isinstance(each, _KINDS[style])]
    if fitting or style == "link":
        return fitting
    if style in {"page", "offset"}:
        return [PageNumber(size=len(response.records)) if style == "page" else Offset(size=len(response.records))]
    if signals_of(request, response).is_closed or not response.records:
        return []
    raise RequestFailed(
        f"The first page shows no paging by {style}. Try --paginate auto, or read the API's documentation."
    )


def _declared(table: Mapping[str, str], size: int) -> Paginator:
    style = table["style"]
    if style == "link":
        return LinkHeader()
    if style == "next":
        return NextURL(table["next_path"])
    if style == "cursor":
        return Cursor(table["cursor_path"], table["cursor_parameter"])
    total = table.get("total_path", "")
    if style == "page":
        return PageNumber(
            table.get("page_parameter", "page"), table.get("size_parameter", "per_page"), total, size=size
        )
    return dataclasses.replace(
        Offset(table.get("offset_parameter", "offset"), table.get("size_parameter", "limit"), total), size=size
    )
