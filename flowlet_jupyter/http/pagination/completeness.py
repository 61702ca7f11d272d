"""Whether all pages were read, from what the last one and the first say of the whole; and what a page lacks in itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowlet_jupyter.http.pagination.link_members import is_next_url
from flowlet_jupyter.http.pagination.members import Member, members_of
from flowlet_jupyter.http.pagination.page import PageRequest, PageResponse, as_number
from flowlet_jupyter.http.pagination.signals import Signals, signals_of
from flowlet_jupyter.tables.partial_bodies import partial_in

NOTHING_SAYS = "nothing in this response says whether there is more"
_MAX_DEPTH = 8


@dataclass(frozen=True)
class Verdict:
    """Whether all was read: True, False, or None where nothing says; and why, in words."""

    complete: bool | None
    reason: str


@dataclass(frozen=True)
class PagingProgress:
    """How far the reading came. `start` is the number of records before the first page, None if it is not known."""

    records: int
    pages: int
    start: int = 0
    first: Signals = field(default_factory=Signals)
    followed_to_its_end: bool = False  # a style that names each next page named none
    names_itself: bool = False  # the last page named itself as the next one
    doubt: str = ""  # what makes an end doubtful that nothing but the last response says


def verdict(request: PageRequest, response: PageResponse, progress: PagingProgress) -> Verdict:
    """Whether all was read when `response` is the last page. It is complete only if nothing says that there is more."""
    members = members_of(response)
    last = signals_of(request, response, members)
    if contradiction := _contradiction(request, last, response, members, progress):
        return Verdict(False, contradiction)
    if end := _end(last, response, progress):
        is_said = any(
            each is not None for each in (last.is_last, last.total, progress.first.total, progress.first.page_count)
        )
        if progress.doubt and not is_said:
            return Verdict(None, f"{progress.doubt}, and nothing says that all was read")
        return Verdict(True, end)
    return Verdict(None, NOTHING_SAYS)


def verdict_without(number: int, progress: PagingProgress, *, more: str) -> Verdict:
    """Whether all was read where the API says that there is no page `number`: what the pages before said counts for more.

    `more` is the member of the last page that says that there is more, "" if none does.
    """
    message, first = f"the API says that there is no page {number}", progress.first
    if first.total is not None and progress.records < first.total:
        return Verdict(False, f"{message}, and that there are {first.total:,} records")
    if first.page_count is not None and progress.pages < first.page_count:
        return Verdict(False, f"{message}, and that there are {first.page_count:,} pages")
    if more:
        return Verdict(False, f"{message}, and the page before that {more} is true")
    if progress.doubt and first.total is None and first.page_count is None:
        return Verdict(None, f"{message}, but {progress.doubt}")
    return Verdict(True, message)


def _end(last: Signals, response: PageResponse, progress: PagingProgress) -> str:
    """What says that this is the end, or nothing."""
    total, name = _largest_total(last, progress.first)
    page_count_name = last.page_count_name or progress.first.page_count_name
    has_page_count = last.page_count is not None or (progress.first.page_count is not None and progress.pages > 1)
    ends = (
        (not response.has_list and progress.pages == 1, "the response is one record"),
        (last.is_last is not None, f"{last.is_last.name} is {_spelled(last.is_last.value)}" if last.is_last else ""),
        (
            total is not None and not last.is_estimate and progress.start + progress.records >= total,
            f"{name} says {total or 0:,}, and all were read",
        ),
        (not response.records and progress.pages > 1, "the last page was empty"),
        (has_page_count, f"{page_count_name} was reached"),
        (progress.followed_to_its_end or last.is_closed, "the last page names no next one"),
    )
    return next((reason for holds, reason in ends if holds), "")


def _contradiction(  # noqa: PLR0911 - one return a contradiction
    request: PageRequest, last: Signals, response: PageResponse, members: Sequence[Member], progress: PagingProgress
) -> str:
    if last.more is not None and request.graphql_query is not None:
        return (
            f"{last.more.name} is true, and the query has no variable for the cursor: declare one, as in "
            "`query ($after: String) { …(first: 100, after: $after) { pageInfo { endCursor hasNextPage } … } }`, and the "
            "pages behind are read too"
        )
    if last.more is not None and not response.records:
        return f"{last.more.name} is {_spelled(last.more.value)}, and the last page was empty"
    if last.more is not None:
        return (
            f"{last.more.name} is {_spelled(last.more.value)}, and nothing in this response says how to go on; "
            "see the API's documentation for the parameter that does, and pass it"
        )
    read = progress.start + progress.records
    total, name = _largest_total(last, progress.first)
    count = last.page_count if last.page_count is not None else progress.first.page_count
    number = as_number(last.number.value) if last.number is not None else None
    here = number - progress.first.number_of_first + 1 if number is not None else progress.pages
    # begun at a later page, how many records were before it is an estimate; the number of the last page is none
    is_at_the_end = progress.start > 0 and number is not None and count is not None and here >= count > 1
    if total is not None and read < total and not is_at_the_end and not (last.is_estimate and not response.records):
        return f"{name} says {total:,}, {read:,} {'was' if read == 1 else 'were'} read"
    if count is not None and here < count and total is None and not progress.start:
        name = last.page_count_name or progress.first.page_count_name
        return f"{name} says {count:,}, {here:,} {'was' if here == 1 else 'were'} read"
    link = next((member for member in members if is_next_url(member)), None)
    if response.records and not (progress.followed_to_its_end or progress.names_itself) and link is not None:
        return f"{link.path} names another page, which was not asked for"
    return ""


def _largest_total(last: Signals, first: Signals) -> tuple[int | None, str]:
    """The largest, because one that shrinks from page to page says what remains."""
    totals = [(signals.total, signals.total_name) for signals in (first, last) if signals.total is not None]
    return max(totals, key=lambda each: each[0] or 0) if totals else (None, "")


def problem_of(request: PageRequest, response: PageResponse) -> str:
    """What a page says of being only a part of what it should be, in words; "" if it says nothing of it."""
    body = response.body
    if not isinstance(body, dict):
        return ""
    problem = partial_in(body)
    if problem or request.graphql_query is None:
        return problem
    return _cut_inside(body, response)  # which looks into all records


def _cut_inside(body: dict[str, Any], response: PageResponse) -> str:
    """GraphQL: a list inside a record, or beside the records, that has more than it shows."""
    if "data" not in body:
        return ""
    own = response.path.rpartition(".")[0]
    for path, has_next in _connections(body["data"], "data", 0):
        if has_next and path != own:
            return f"{path.rpartition('.')[2]} has more than was asked for (the cursor of {path})"
    return ""


def _connections(node: Any, path: str, depth: int) -> Iterator[tuple[str, bool]]:
    """The paths of GraphQL connections (a list beside `pageInfo`), and whether each has a next page."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(node, list):
        for value in node:
            yield from _connections(value, f"{path}[]", depth + 1)
    elif isinstance(node, dict):
        about = node.get("pageInfo")
        if isinstance(about, dict):
            yield path, about.get("hasNextPage") is True
        elif (
            "[]" in path
            and isinstance(node.get("cursor"), str)
            and any(isinstance(value, list) for value in node.values())
        ):
            yield path, bool(node["cursor"])  # monday.com
        for name, value in node.items():
            if isinstance(value, dict | list):
                yield from _connections(value, f"{path}.{name}", depth + 1)


def _spelled(value: object) -> str:
    return str(value).lower()
