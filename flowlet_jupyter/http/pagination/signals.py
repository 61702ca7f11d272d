"""What a page says of the whole: whether there is more, how many records and pages there are, and which page this is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flowlet_jupyter.http.pagination.link_members import has_links_without_next, is_next_url, is_place_of_url
from flowlet_jupyter.http.pagination.members import Member, members_of
from flowlet_jupyter.http.pagination.names import (
    AMBIGUOUS_TOTALS,
    OFFSETS,
    PAGE_COUNTS,
    PAGES,
    SIZES,
    is_total,
    normalised,
    says_last,
    says_more,
)
from flowlet_jupyter.http.pagination.page import PageRequest, PageResponse, as_number

_AT_LEAST = re.compile(r">\s*(\d{1,18})|(\d{1,18})\s*\+")
_CLOSED = re.compile(
    r"(?:odata)?next(?:page|results?|batch|search)?(?:cursor|cursormark|cursorstr|token|marker|mark|key|offset|page|bookmark|"
    r"continuationtoken|skiptoken|position|starttoken|id)?|cursornext|(?:end|after)cursor|(?:continuation|pagination|page)(?:token|key)"
)
_MAYBE_OF_ANOTHER = frozenset({"truncated", "partialresults"})
_OF_LAST_PAGE = frozenset({"odatadeltalink", "deltalink", "nextsynctoken"})  # where the changes since then are
_ABOUT_A_LIST = re.compile(
    r"(?:.*meta(?:data)?|.*(?:page|paging|pagination|pager|cursor).*|.*info|.*summary|.*header|.*stats?|search.*|query.*|result.*|response.*|collection)"
)


_OFFSETS_OF_A_BODY = OFFSETS - {"first", "begin", "pageoffset"}  # which are a record, a moment, the number of a page


@dataclass(frozen=True)
class Signals:
    """What one page says of the whole. Each number comes with the member that says it."""

    more: Member | None = None  # a flag that says that there is more
    is_last: Member | None = None  # a flag that says that there is not
    total: int | None = None
    total_name: str = ""
    is_estimate: bool = False  # the total is about right, or a lower bound: there may be more than it says
    page_count: int | None = None
    page_count_name: str = ""
    number: Member | None = None  # this page's number
    offset: Member | None = None  # where this page begins
    size: int | None = None  # how many records a page has at most
    is_closed: bool = False  # the member of the next link or cursor is there, and empty

    @property
    def number_of_first(self) -> int:
        """The number that the first page of all has, as far as this page shows: Spring counts from 0."""
        if self.number is None:
            return 1
        return 0 if self.number.key == "number" or as_number(self.number.value) == 0 else 1


def signals_of(request: PageRequest, response: PageResponse, members: Sequence[Member] | None = None) -> Signals:
    """The signals of a page."""
    members = members_of(response) if members is None else members
    more, is_last = flags_of(response, members)
    size = next(
        (number for member in members if member.key in SIZES - {"count"} and (number := _positive(member))), None
    )
    total, total_name = _total(request, response, members, has_size=size is not None)
    is_estimate = "estimate" in total_name.lower() or "approx" in total_name.lower() or _is_lower_bound(members)
    if total is None and response.has_list and (bound := _stated_lower_bound(members)) is not None:
        total, total_name, is_estimate = max(bound[0], len(response.records)), bound[1], True
    counts = [
        (number, member)
        for member in members
        if member.key in PAGE_COUNTS and (number := as_number(member.value)) is not None
    ]
    count, count_member = counts[0] if counts else (None, None)
    return Signals(
        more=more,
        is_last=is_last,
        total=total,
        total_name=total_name,
        is_estimate=total is not None and is_estimate,
        page_count=count,
        page_count_name=count_member.name if count_member else "",
        number=_page_number(members),
        offset=next((member for member in members if _is_offset(member)), None),
        size=size,
        is_closed=_is_closed(response, members),
    )


def flags_of(response: PageResponse, members: Sequence[Member] | None = None) -> tuple[Member | None, Member | None]:
    """The flags that say that there is more, and that there is not: all that most need to know of each page."""
    members = members_of(response) if members is None else members
    flags = [
        (member, is_more)
        for member in members
        if (is_more := _flag(member, has_list=response.has_list))
        or (is_more is False and _is_of_list(member, response))
    ]
    own = f"{response.path.rpartition('.')[0]}.pageInfo."
    if any(member.path.startswith(own) for member, _ in flags):  # GraphQL: other connections speak of other lists
        flags = [(member, value) for member, value in flags if member.path.startswith(own)]
    others = [member for member, is_more in flags if not is_more and member.key in _MAYBE_OF_ANOTHER]
    if others and any(map(is_next_url, members)):  # then they speak of rows of a query, or a file of a change
        flags = [(member, is_more) for member, is_more in flags if member not in others]
    more = next((member for member, is_more in flags if is_more), None)
    return more, next((member for member, is_more in flags if not is_more), None)


def is_last_by_its_flags(response: PageResponse) -> bool:
    """Whether a page says that it is the last one, and nowhere that there is more."""
    more, is_last = flags_of(response)
    return is_last is not None and more is None


def _flag(member: Member, *, has_list: bool) -> bool | None:
    """Whether a member says that there is more, True or False; None if it says nothing of it."""
    value = member.value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        value = value.lower() == "true"
    if isinstance(value, int) and value in {0, 1} and member.key.startswith(("hasmore", "hasnext", "more")):
        value = bool(value)
    if not isinstance(value, bool):
        return None
    if says_more(member.key):
        return value
    return not value if has_list and says_last(member.key) else None  # `done` is a member of many a record


def _is_of_list(member: Member, response: PageResponse) -> bool:
    """Whether a member stands above the records, or in an object about a list: the `done` of some wizard ends no list."""
    if not member.parents or response.path.startswith(member.container.rstrip(".")) or not response.has_list:
        return True
    return any(map(_ABOUT_A_LIST.fullmatch, member.parents))


def _positive(member: Member) -> int | None:
    number = as_number(member.value)
    return number or None


def _total(
    request: PageRequest, response: PageResponse, members: Sequence[Member], *, has_size: bool
) -> tuple[int | None, str]:
    if not response.has_list:
        return None, ""
    here = len(response.records)
    of_list = normalised(response.path.rpartition(".")[2])
    for member in sorted(members, key=lambda member: len(member.parents)):
        key = member.parent if member.key == "value" and member.parent == "total" else member.key
        number = as_number(member.value)
        if number is not None and number >= here and (is_total(key) or _is_count_of_something(member, of_list)):
            return number, "total" if key != member.key else member.name
    for member in members:
        number = as_number(member.value)
        if member.key not in AMBIGUOUS_TOTALS or number is None or number <= here:
            continue
        is_above = response.path.startswith(member.container.rstrip(".")) or member.in_header
        if not is_above and not _ABOUT_A_LIST.fullmatch(member.parent):
            continue  # it counts something else
        beside = [each for each in members if each.container == member.container]
        is_size = as_number(request.parameter(member.name)) == number or (
            not has_size and any(_is_offset(each) for each in beside)
        )
        if not is_size:
            return number, member.name
    return None, ""


def _is_lower_bound(members: Sequence[Member]) -> bool:
    """Elasticsearch counts up to 10,000, and says so."""
    return any(member.key == "relation" and member.parent == "total" and member.value == "gte" for member in members)


def _stated_lower_bound(members: Sequence[Member]) -> tuple[int, str] | None:
    """A total that is written as `>1000` or `1000+`: there is at least one more."""
    for member in members:
        if isinstance(member.value, str) and is_total(member.key) and (match := _AT_LEAST.fullmatch(member.value)):
            return int(match[1] or match[2]) + 1, member.name
    return None


def _is_count_of_something(member: Member, of_list: str) -> bool:
    """MusicBrainz: `release-count`; Plaid: `total_transactions` beside `transactions`."""
    if member.in_header:
        return False
    return member.name.lower().endswith("-count") or bool(
        of_list and member.key in {f"total{of_list}", f"{of_list}total", f"{of_list}count"}
    )


def _is_offset(member: Member) -> bool:
    name = member.name.lower()
    return as_number(member.value) is not None and (
        member.key in _OFFSETS_OF_A_BODY or (name.endswith(("-offset", "_offset")) and "next" not in name)
    )


def _page_number(members: Sequence[Member]) -> Member | None:
    for member in members:
        if as_number(member.value) is None:
            continue
        siblings = {each.key for each in members if each.container == member.container}
        if member.key in PAGES - {"p", "pg"} or (member.key == "number" and siblings & PAGE_COUNTS):
            # Spring says it twice, and `number` is the one that is sure to count from 0
            spring = next(
                (each for each in members if each.key == "number" and as_number(each.value) is not None), None
            )
            return spring or member
    return None


def _is_closed(response: PageResponse, members: Sequence[Member]) -> bool:
    for member in members:
        if member.key in _OF_LAST_PAGE and member.value and isinstance(member.value, str):
            return True
        is_empty = member.value in (None, "", False, 0, "0")
        if (
            is_empty
            and not isinstance(member.value, float)
            and (_CLOSED.fullmatch(member.key) or is_place_of_url(member))
        ):
            return True
    return has_links_without_next(response)
