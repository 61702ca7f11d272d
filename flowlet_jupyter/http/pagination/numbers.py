"""Paging by numbers: of pages, or of records to skip. Their requests are known ahead where a total is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowlet_jupyter.http.pagination.members import Member
from flowlet_jupyter.http.pagination.names import OFFSETS, PAGES, SIZES, is_one_of, normalised
from flowlet_jupyter.http.pagination.page import PageRequest, PageResponse, as_number, look_up
from flowlet_jupyter.http.pagination.signals import Signals, signals_of

# the name of the size -> the parameters that go with it, the likeliest first
_PARTNERS = {
    "limit": ("offset", "page", "skip", "start", "from"), "ps": ("p",), "length": ("offset", "start", "page"), "perpage": ("page",), "pagesize": ("page", "pageNumber", "offset"),
    "size": ("page", "from", "offset"), "top": ("skip", "offset"), "take": ("skip", "page"), "rows": ("start", "page"),
    "count": ("offset", "start", "startIndex", "page"), "maxresults": ("startIndex", "startAt", "startPosition", "page"), "retmax": ("retstart",),
    "itemsperpage": ("page", "startIndex"), "resultrecordcount": ("resultOffset",), "sysparmlimit": ("sysparm_offset",),
    "hitsperpage": ("page",), "pagelimit": ("page[offset]", "page"), "pagelen": ("page",),
}  # fmt: skip
# parameters that begin a span where another one ends it
_BEGINNINGS = frozenset({"from", "start", "begin", "first"})
_ENDS = frozenset({"to", "until", "till", "end", "stop", "finish", "through", "last"})
# where a name of one letter means the size of a page, and which one the record that it begins with
_SHORT_PAIRS = {"p": "s", "h": "f"}  # Springer, DBLP
_PAGED_BY_NUMBER = frozenset({"perpage", "pagesize", "ps", "pagelen", "hitsperpage"})
_LARGEST_OFFSET = 100_000_000  # 1973 as a Unix time
_FROM_ONE = frozenset({"startindex", "startposition"})  # SCIM (RFC 7644, 3.4.2.4) and QuickBooks count records from 1


@dataclass(frozen=True)
class PageNumber:
    """A page number in `parameter`. Ends behind an empty page, the last page that the body names, or the total."""

    parameter: str = "page"
    size_parameter: str = "per_page"
    total_path: str = ""  # how many records there are
    pages_path: str = ""  # how many pages there are
    size: int = 0  # what the first page held, whatever was asked for; the last one may hold less
    first: int = 1  # the number of the page that was asked for first, where its request does not say
    base: int = 1  # the number that the API gives to the first page of all

    def next(self, request: PageRequest, response: PageResponse) -> PageRequest | None:
        """The same request with the next number."""
        if not response.records:
            return None
        here, signals = self._number(request), signals_of(request, response)
        pages, total = self._pages(response, signals), self._total(response, signals)
        if signals.more is None:
            if signals.is_last is not None or (pages is not None and here - self.base + 1 >= pages):
                return None
            if pages is None and total is not None and self._before(here + 1, response) >= total and here == self.base:
                return None
            if (
                pages is None
                and total is not None
                and here > self.base
                and self._before(here, response) + len(response.records) >= total
            ):
                return None
        return request.with_parameter(self.parameter, here + 1)

    def start(self, request: PageRequest, response: PageResponse) -> int:
        """How many records are before the first page that was asked for."""
        return self._before(self._number(request), response)

    def total_pages(self, request: PageRequest, response: PageResponse) -> int | None:
        """How many pages there are from this one on: as the body counts them, or as its records fill them."""
        signals = signals_of(request, response)
        pages, total = self._pages(response, signals), self._total(response, signals)
        here = self._number(request)
        if pages is not None:
            return max(pages - (here - self.base), 1)
        if total is None or not response.records:
            return None
        return max(-(-(total - self._before(here, response)) // (self.size or len(response.records))), 1)

    def nth(self, first: PageRequest, _response: PageResponse, number: int) -> PageRequest:
        """The number counted on from the first."""
        return first.with_parameter(self.parameter, self._number(first) + number)

    def _number(self, request: PageRequest) -> int:
        number = as_number(request.parameter(self.parameter))
        return self.first if number is None else number

    def _before(self, number: int, response: PageResponse) -> int:
        return max(number - self.base, 0) * (self.size or len(response.records))

    def _pages(self, response: PageResponse, signals: Signals) -> int | None:
        return as_number(look_up(response.body, self.pages_path)) if self.pages_path else signals.page_count

    def _total(self, response: PageResponse, signals: Signals) -> int | None:
        if self.total_path:
            return as_number(look_up(response.body, self.total_path))
        return None if signals.is_estimate else signals.total


@dataclass(frozen=True)
class Offset:
    """The number of records to skip in `parameter`. Ends behind an empty page, or at the total.

    It steps by the records that were asked for: a page may hold less, where the API leaves out what one may not see.
    """

    parameter: str = "offset"
    size_parameter: str = "limit"
    total_path: str = ""
    base: int = 0  # SCIM counts from 1
    size: int = 0  # what the first page held

    def next(self, request: PageRequest, response: PageResponse) -> PageRequest | None:
        """The same request, behind the records of this page."""
        if not response.records:
            return None
        signals = signals_of(request, response)
        behind = self._here(request) + self._step(request, response, signals)
        if signals.more is None:
            total = self._total(response, signals)
            if signals.is_last is not None:
                return None
            # one that begins later may be told what remains, and so goes on to an empty page
            if total is not None and behind - self.base >= total and not self._may_be_remaining(request, total):
                return None
        return request.with_parameter(self.parameter, behind)

    def start(self, request: PageRequest, _response: PageResponse) -> int:
        """How many records are before the first page that was asked for."""
        return self._here(request) - self.base

    def total_pages(self, request: PageRequest, response: PageResponse) -> int | None:
        """How many pages there are from this one on."""
        signals = signals_of(request, response)
        total = self._total(response, signals)
        if total is None or not response.records or self._here(request) > self.base:
            return None
        return max(-(-total // self._step(request, response, signals)), 1)

    def nth(self, first: PageRequest, response: PageResponse, number: int) -> PageRequest:
        """The offset counted on from the first."""
        step = self._step(first, response, signals_of(first, response))
        return first.with_parameter(self.parameter, self._here(first) + number * step)

    def _here(self, request: PageRequest) -> int:
        number = as_number(request.parameter(self.parameter))
        return self.base if number is None else number

    def _step(self, request: PageRequest, response: PageResponse, signals: Signals) -> int:
        count = len(response.records)
        if signals.size is not None and signals.size >= count:
            return signals.size
        asked = as_number(request.parameter(self.size_parameter)) or 0
        return max(self.size or count, 1) if self.may_be_capped(request, self.size or count) or asked < count else asked

    def may_be_capped(self, request: PageRequest, count: int) -> bool:
        """Whether a first page of `count` records looks like a limit of the server's own: fewer than asked for, a round number.

        Where it was thinned out instead, the next page begins with records of this one.
        """
        asked = as_number(request.parameter(self.size_parameter)) or 0
        return count >= 10 and asked > count and count % 10 == 0

    def _total(self, response: PageResponse, signals: Signals) -> int | None:
        if self.total_path:
            return as_number(look_up(response.body, self.total_path))
        return None if signals.is_estimate else signals.total

    def _may_be_remaining(self, request: PageRequest, total: int) -> bool:
        return self._here(request) > self.base and self.size > 0 and total <= self._here(request) - self.base


NumberedPaginator = PageNumber | Offset


def candidates(
    request: PageRequest, response: PageResponse, signals: Signals, members: Sequence[Member]
) -> Iterator[NumberedPaginator]:
    """The ways to page by numbers that the request or this page show, the most certain first."""
    parameters = request.parameters()
    size_name = next((name for name in parameters if is_one_of(name, SIZES)), None)
    here = len(response.records)
    says_more = signals.more is not None or _falls_short(signals, here)
    if signals.is_closed and not says_more:
        return
    yield from _by_the_request(request, signals, size_name or "", members, here)
    if not says_more or (signals.is_closed and signals.more is None):
        return
    if signals.more is not None and signals.more.key == "exceededtransferlimit":  # ArcGIS
        yield Offset("resultOffset", "resultRecordCount", size=here)
    yield from _by_the_body(request, response, signals, size_name, members)
    yield from _by_the_size(response, size_name, here)


def _by_the_request(
    request: PageRequest, signals: Signals, size_name: str, members: Sequence[Member], here: int
) -> Iterator[NumberedPaginator]:
    parameters = request.parameters()
    for name, value in parameters.items():
        if as_number(value) is None or _is_of_a_range(name, parameters):
            continue
        if (size := next((each for each, of in _SHORT_PAIRS.items() if of == name), None)) in parameters:
            yield Offset(name, size or "", base=_base_of(name, value), size=here)
        if _SHORT_PAIRS.get(name) in parameters:
            continue
        if name == "index" and size_name:
            yield PageNumber(name, size_name, size=here, base=min(as_number(value) or 0, 1))
        if is_one_of(name, PAGES):
            number = as_number(value) or 0
            base = signals.number_of_first if signals.number is not None else min(number, 1)
            if signals.number is not None and signals.number.key != "number":
                base = min(number, as_number(signals.number.value) or 0, 1) if number else 0
            yield PageNumber(name, size_name or "per_page", size=here, base=base)
        elif is_one_of(name, OFFSETS):
            yield Offset(
                name,
                size_name or _size_beside(members),
                base=_base_of(name, value),
                size=here,
            )


def _by_the_size(response: PageResponse, size_name: str | None, here: int) -> Iterator[NumberedPaginator]:
    """The parameters that usually go with that of the size."""
    partners = _PARTNERS.get(_last_part(size_name), ()) if size_name else ("page", "offset")
    if size_name == "_limit":
        partners = ("skip", "page", "start", "offset")  # Close; json-server
    if size_name and "_id" in str(response.records[:1]) and "hits" in str(list(_keys(response.body))):
        partners = ("from", *partners)
    for partner in partners:
        name = spelled_like(partner, size_name)
        if normalised(partner) in PAGES or partner == "page":
            yield PageNumber(name, size_name or "per_page", size=here)
        else:
            # nothing in the body says from which number it counts: QuickBooks from 1, the others from 0
            base = 1 if normalised(name) == "startposition" else 0
            yield Offset(name, size_name or "limit", base=base, size=here)


def _is_of_a_range(name: str, parameters: Mapping[str, Any]) -> bool:
    """Whether a parameter that might be an offset begins a span of time or of numbers: `from=2020&to=2024`, a Unix time."""
    if normalised(name) not in _BEGINNINGS:
        return False
    return (as_number(parameters[name]) or 0) > _LARGEST_OFFSET or any(
        normalised(other) in _ENDS for other in parameters
    )


def _by_the_body(
    request: PageRequest, response: PageResponse, signals: Signals, size_name: str | None, members: Sequence[Member]
) -> Iterator[NumberedPaginator]:
    here = len(response.records)
    by_page: list[NumberedPaginator] = []
    if signals.number is not None or signals.page_count is not None:
        first = as_number(signals.number.value) if signals.number is not None else 1
        base = signals.number_of_first
        is_spring = any(member.key in {"pageable", "number"} for member in members) or (size_name or "").endswith("]")
        own = signals.number.name if signals.number is not None else "page"
        names = ["p"] if size_name == "ps" else [spelled_like("page", size_name)]
        own = "p" if size_name == "ps" else own
        if not is_spring and normalised(own) in {"pagenumber", "pageno", "pagenum", "pageindex"}:
            names.insert(0, own)
        by_page = [
            PageNumber(name, size_name or "per_page", size=here, first=first if first is not None else 1, base=base)
            for name in dict.fromkeys((*names, *([own] if normalised(own) == "currentpage" else [])))
        ]
    is_both = (
        signals.offset is not None
        and size_name
        and _last_part(size_name) not in _PAGED_BY_NUMBER
        and not (signals.number is not None and signals.number.key == "number")  # Spring
    )
    if not is_both:
        yield from by_page
    yield from _by_its_offset(request, response, signals, size_name, members)
    if is_both:
        yield from by_page


def _by_its_offset(
    request: PageRequest, response: PageResponse, signals: Signals, size_name: str | None, members: Sequence[Member]
) -> Iterator[NumberedPaginator]:
    if signals.offset is not None:
        here = len(response.records)
        own = signals.offset.name
        name = "offset" if own.lower().endswith(("-offset", "_offset")) else own
        if isinstance(response.body, dict) and {"total_rows", "offset", "rows"} == set(response.body):
            name = "skip"  # CouchDB
        elif own == "start" and size_name == "limit" and "offset" in _keys(response.body):
            name = "offset"  # said in both ways, and asked for in this one
        known = next(
            (parameter for parameter in request.parameters() if normalised(parameter) == normalised(name)), name
        )
        yield Offset(known, size_name or _size_beside(members), base=_base_of(known, signals.offset.value), size=here)


def _falls_short(signals: Signals, here: int) -> bool:
    return (signals.total is not None and signals.total > here) or (signals.page_count or 0) > 1


def _base_of(name: str, seen: Any = None) -> int:
    """The number of the first record; where a first page was `seen` to begin at 0 or 1, it is that."""
    number = as_number(seen)
    return 1 if number == 1 or (normalised(name) in _FROM_ONE and number != 0) else 0


def _size_beside(members: Sequence[Member]) -> str:
    return next((member.name for member in members if member.key in SIZES and as_number(member.value)), "limit")


def _last_part(name: str) -> str:
    whole = normalised(name)
    return whole if whole in _PARTNERS else normalised(name[name.rfind("[") :])


def _keys(body: Any) -> list[str]:
    return list(body) if isinstance(body, dict) else []


def spelled_like(name: str, model: str | None) -> str:  # noqa: PLR0911 - one return a spelling
    """`name` in the spelling of another parameter: `page[size]` has `page[number]` beside it, `$top` has `$skip`."""
    if model is None:
        return name
    if model.startswith(("$", "_")):
        return f"{model[0]}{name}"
    if model.endswith("]"):
        prefix, _, part = model[:-1].rpartition("[")
        if normalised(prefix).endswith("page") and name == "page":
            return f"{prefix}[number]"
        if normalised(prefix) == "pagination" and name == "page":
            return f"{prefix}[page]"
        if name == "page" and part[:4].lower() == "page":
            return f"{prefix}[currentPage]"
        return name if name.endswith("]") else f"{prefix}[{name}]"
    return name[0].upper() + name[1:] if model[0].isupper() else name
