"""Which pages of an API to ask for next, and whether one that came is one more: for the sync and the async reader."""

from __future__ import annotations

import dataclasses
from asyncio import Task
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from flowlet_jupyter.credentials.redaction import excerpt, redact
from flowlet_jupyter.errors import FlowletError, PagingStopped, RequestFailed
from flowlet_jupyter.http.frames import format_of
from flowlet_jupyter.http.page_bodies import PageBody
from flowlet_jupyter.http.page_errors import message_of_error_in, says_no_such_page, says_that_nothing_is_there
from flowlet_jupyter.http.page_series import PageSeries
from flowlet_jupyter.http.pagination import (
    GUESSED,
    Cursor,
    NumberedPaginator,
    Offset,
    PageRequest,
    PageResponse,
    Paginator,
    PagingProgress,
    Signals,
    Style,
    flags_of,
    of_style,
    problem_of,
    signals_of,
    verdict,
    verdict_without,
)
from flowlet_jupyter.http.progress import Progress
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables.envelopes import has_id

_MOST_EMPTY_PAGES = 50
_MOST_SAME_PAGES = 20  # records without ids may well repeat a few times
_MAYBE_WRONG_GUESS = frozenset({400, 404, 405, 409, 422})


@dataclass(frozen=True, kw_only=True)
class PagingOptions:
    """How pages are to be read. `declared` is the `[paging]` table of the provider's catalogue entry."""

    style: Style = "auto"
    path: str | None = None
    max_pages: int | None = None
    max_items: int | None = None
    concurrency: int
    declared: Mapping[str, str] | None = None
    show_progress: bool = True


class PageReader(PageSeries):
    """Which pages to ask for next, and what to make of those that came: what `Pages` and `AsyncPages` share."""

    def __init__(self, first: PageRequest, options: PagingOptions) -> None:
        super().__init__(first, options.path)
        self._options = options
        self._paginator: Paginator | None = None
        self._first: tuple[PageRequest, PageResponse] | None = None
        self._ahead: deque[PageRequest] = deque()  # pages that can be asked for without knowing the one before
        self._seen: set[str] = set()
        self._last_records: list[Any] = []
        self._candidates: list[Paginator] = []  # the other ways on, where the first guess is wrong
        self._to_discard = 0  # responses under way that a wrong guess asked for
        self._empty_pages = 0
        self._same_pages = 0
        self._has_guessed = False  # another way on was tried before this one
        self._newest: PageResponse | None = None  # the page that was accepted last
        self._names_itself = False  # the newest page names itself as the next one
        self._doubt = ""  # what makes it doubtful that the newest page, which has nothing new, is the end
        self._problem = ""  # what a page said of being only a part of what it should be
        self._judged: tuple[bool | None, str] = (self.complete, self.reason)

    def _begin(self) -> None:
        if self._next is not None:
            self._ahead = deque(self._side_by_side() or [self._next])

    def _next_requests(self, in_flight: int) -> list[PageRequest]:
        """The requests to send now, while `in_flight` are under way. Raises `PagingStopped` where the API leads in a circle."""
        requests: list[PageRequest] = []
        while self._ahead and in_flight + len(requests) < self._options.concurrency:
            request = self._ahead.popleft()
            if request.fingerprint in self._seen and not request.is_repeatable:
                raise self._stopped(f"The API leads in a circle: page {self.page_count + 1} was read before.")
            requests.append(request)
        return requests

    @property
    def _is_side_by_side(self) -> bool:
        """Whether pages are asked for before the one before them was looked at: their number is known, and more than one may be asked."""
        return self.total_pages is not None and self._options.concurrency > 1

    def _under_way(self, waiting: Sequence[Future[Response]] | Sequence[Task[Response]]) -> int:
        """How many of `waiting` count for `concurrency`: those that came already, only beyond as many again."""
        if self._options.concurrency == 1:
            return len(waiting)
        return max(sum(not each.done() for each in waiting), len(waiting) - self._options.concurrency)

    def _accept(self, request: PageRequest, response: Response, *, in_flight: int) -> bool:  # noqa: C901 - a branch for each way in which a page is not one more
        """Add a page; False if it was asked for by a wrong guess. Raises `PagingStopped` if it is an error or unreadable."""
        if self._to_discard:
            self._to_discard -= 1
            return False
        number = self.page_count + 1
        if response.is_error:
            self._meet_error(response, number, in_flight=in_flight)
            return False
        try:
            content = self._content.parse(response)
        except RequestFailed as error:
            raise self._stopped(f"Page {number}: {redact(str(error), response)}") from None
        self._refuse_error(content, response, number)
        self._doubt = (
            f"page {number} has no body" if response.status_code == 200 and not response.content.strip() else ""
        )
        try:
            page = self._content.page_of(content, response, request)
        except RequestFailed as error:
            raise self._stopped(str(error)) from None
        if self._is_repeated(request, page, number):
            if number == 2:
                if self._guesses_again(in_flight):
                    return False
                raise self._stopped(
                    "Page 2 holds the same as the page before: this API does not page in this way. Pass the "
                    "parameter that its documentation names, or paginate with another style."
                )
            if self._first is not None and len(self._last_records) >= len(self._first[1].records):
                self._doubt = f"page {number} is one that came before, behind a full one"
            page = dataclasses.replace(page, records=[])
        records = self._without_overlap(page)
        self._refuse_standstill(page)
        self._seen.add(request.fingerprint)
        if self._first is None:
            self._first = (request, page)
            self._candidates = of_style(self._options.style, self._options.declared or {}, request, page)
            self._choose()
        self._add(request, content, page, records)
        self.log.add(response, records=len(records))
        self._find_next(request, page)
        self._judge(request, page)
        self._stop_at_limits()
        if self._is_enough():
            self._ahead.clear()
        elif not in_flight and not self._ahead:
            self._begin()
        return True

    def _find_next(self, request: PageRequest, page: PageResponse) -> None:
        """What to ask for behind `page`: nothing where it is empty and leads back, or names itself as the next one."""
        try:
            following = self._paginator.next(request, page) if self._paginator else None
        except RequestFailed as error:
            raise self._stopped(str(error)) from None
        is_all = not page.records and self._has_reached_the_total()
        leads_back = following is not None and not page.records and following.fingerprint in self._seen
        self._names_itself = (
            following is not None
            and following.fingerprint == request.fingerprint
            and not following.is_repeatable
            and self.page_count > 1
        )
        self._next = None if is_all or leads_back or self._names_itself else following

    def _has_reached_the_total(self) -> bool:
        if self._first is None or isinstance(self._paginator, NumberedPaginator):
            return False
        first = signals_of(*self._first)
        return first.total is not None and not first.is_estimate and 0 < first.total <= len(self.records)

    def _counts_on(self, number: int) -> bool:
        """Whether page `number` was asked for by a number that is no guess: pages before came by it, or the caller began it."""
        if not isinstance(self._paginator, NumberedPaginator) or self._first is None:
            return False
        return number > 2 or self._first[0].parameter(self._paginator.parameter) is not None

    def _meet_error(self, response: Response, number: int, *, in_flight: int) -> None:
        """Take an error as the end, or as a wrong guess. Raises `PagingStopped` where it is neither."""
        is_end = isinstance(self._paginator, NumberedPaginator) and says_no_such_page(response)
        if is_end or (says_that_nothing_is_there(response) and self._counts_on(number)):
            self._next = None
            self._ahead.clear()
            self._to_discard = in_flight
            self._end_before(number, response)
        elif number != 2 or response.status_code not in _MAYBE_WRONG_GUESS or not self._guesses_again(in_flight):
            error_text = f"{response.status_code} {redact(response.reason_phrase, response)}: {excerpt(response, 200)}"
            raise self._stopped(f"Page {number} was answered with {error_text}.")

    def _refuse_error(self, content: PageBody, response: Response, number: int) -> None:
        """Raise `PagingStopped` if a success says that it is an error, or is nothing like the pages before it."""
        message = message_of_error_in(content, self._content, self._first[1] if self._first else None)
        if message:
            text = redact(message, response)
            raise self._stopped(f"Page {number} was answered with {response.status_code} and an error in it: {text}.")
        if self._content.has_other_columns(content):
            names = ", ".join((content.header or ())[:5])
            raise self._stopped(f"Page {number} is CSV with other columns than the first: {names[:100]}.")

    def _end_before(self, number: int, response: Response) -> None:
        """Say how the reading ended where `response` says that there is no page `number`."""
        doubt = ""
        if number == 2 and self._has_guessed:
            doubt = "other ways on that the first page shows lead nowhere"
        elif format_of(response) == "html" and not says_no_such_page(response):
            doubt = "it says so by a web page, which may be that of a proxy"
        first = signals_of(*self._first) if self._first else Signals()
        more = flags_of(self._newest)[0] if self._newest else None
        progress = PagingProgress(len(self.records), self.page_count, first=first, doubt=doubt)
        judged = verdict_without(number, progress, more=more.name if more is not None else "")
        self._judged = self.complete, self.reason = judged.complete, judged.reason

    def _is_repeated(self, request: PageRequest, page: PageResponse, number: int) -> bool:
        """Whether the page holds the records of the one before, where the paginator's parameter was a guess."""
        if number == 1 or not page.records:
            return False
        if number > 2 and self._begins_again(page):
            return True
        if page.records != self._last_records:
            return False
        if not isinstance(self._paginator, GUESSED) or self._first is None:
            return False
        is_numbered = isinstance(self._paginator, NumberedPaginator)  # a cursor of the API's own is less of a guess
        is_guess = is_numbered and number == 2 and self._first[0].parameter(self._paginator.parameter) is None
        return self._paginator.next(request, page) is not None or (is_guess and len(page.records) > 1)

    def _begins_again(self, page: PageResponse) -> bool:
        """Whether numbered pages came to their end and then gave the first one again, of records that have ids."""
        if not isinstance(self._paginator, NumberedPaginator) or self._first is None:
            return False
        records = page.records
        return records == self._first[1].records and isinstance(records[0], dict) and has_id(records[0])

    def _refuse_standstill(self, page: PageResponse) -> None:
        """Raise `PagingStopped` where page after page holds the same: its links would lead on for ever."""
        records = list(page.records)
        if not records:
            return
        self._same_pages = self._same_pages + 1 if records == self._last_records else 0
        self._last_records = records
        if self._same_pages >= _MOST_SAME_PAGES:
            raise self._stopped(f"{self._same_pages + 1} pages in a row hold the same records: the API leads nowhere.")

    def _without_overlap(self, page: PageResponse) -> list[Any]:
        """The records of the page, without those at its beginning that the page before ended with.

        Only where an offset steps by fewer than were asked for, since the server seems to have a limit of its own.
        """
        records, before, first = list(page.records), self._last_records, self._first
        if not isinstance(self._paginator, Offset) or first is None:
            return records
        if not self._paginator.may_be_capped(first[0], len(first[1].records)):
            return records
        most = min(len(records), len(before))
        overlap = next((count for count in range(most, 0, -1) if before[-count:] == records[:count]), 0)
        return records[overlap:] if overlap and isinstance(records[0], dict) else records

    def _add(self, request: PageRequest, content: PageBody, page: PageResponse, records: list[Any]) -> None:
        self._content.add(content, page, records)
        self.records += records
        self.page_count += 1
        self._empty_pages = 0 if records else self._empty_pages + 1
        self._problem = self._problem or problem_of(request, page)

    def _choose(self) -> None:
        self._paginator = self._candidates.pop(0) if self._candidates else None
        self.total_pages = None
        if self._first is not None and isinstance(self._paginator, NumberedPaginator):
            self.total_pages = self._paginator.total_pages(*self._first)

    def _guesses_again(self, in_flight: int) -> bool:
        """Take the next way on, where the second page shows that the first was a wrong guess."""
        if not self._candidates or self._first is None:
            return False
        self._has_guessed = True
        self._choose()
        self._next = self._paginator.next(*self._first) if self._paginator else None
        self._to_discard = in_flight
        self._ahead.clear()
        self._begin()
        return self._next is not None

    def _judge(self, request: PageRequest, page: PageResponse) -> None:
        """Say whether all was read."""
        self._newest = page
        if self._empty_pages > _MOST_EMPTY_PAGES:
            self._next = None
            self.complete, self.reason = False, f"{self._empty_pages} pages in a row were empty"
        elif self._next is not None:
            self.complete, self.reason = False, "there are more pages"
        elif self._problem:
            self.complete, self.reason = False, self._problem
        else:
            numbered = self._paginator if isinstance(self._paginator, NumberedPaginator) else None
            first_request, first_page = self._first or (request, page)
            progress = PagingProgress(
                records=len(self.records), pages=self.page_count,
                start=numbered.start(first_request, first_page) if numbered else 0,
                first=signals_of(first_request, first_page),
                followed_to_its_end=self._paginator is not None and numbered is None
                and (not self._names_itself or isinstance(self._paginator, Cursor)),
                names_itself=self._names_itself, doubt=self._doubt,
            )  # fmt: skip
            judged = verdict(request, page, progress)
            self.complete, self.reason = judged.complete, judged.reason
        self._judged = (self.complete, self.reason)

    def _stop_at_limits(self) -> None:
        most = self._options.max_items
        if most is not None and len(self.records) > most:
            self._overflow, self.records[most:] = self.records[most:], []
            self.complete, self.reason = False, f"the limit of {most:,} records was reached"

    def _is_enough(self) -> bool:
        """Whether nothing more is to be read now: the end, or a limit of the caller's."""
        options = self._options
        has_items = options.max_items is not None and len(self.records) >= options.max_items
        has_pages = options.max_pages is not None and self.page_count >= options.max_pages
        return self._next is None or has_items or has_pages

    def _side_by_side(self) -> list[PageRequest]:
        """The requests of all pages to come, where their number is known; empty where each page names the next."""
        paginator, options = self._paginator, self._options
        if self._first is None or self.total_pages is None or not isinstance(paginator, NumberedPaginator):
            return []
        last = self.total_pages if options.max_pages is None else min(self.total_pages, options.max_pages)
        if options.max_items is not None:
            last = min(last, -(-options.max_items // max(len(self._first[1].records), 1)))
        return [paginator.nth(*self._first, number) for number in range(self.page_count, last)]

    def _failed(self, error: FlowletError) -> FlowletError:
        # where nothing was read yet, the error itself says more: AuthRequired, HostNotAllowed
        return error if self._first is None else self._stopped(str(error))

    def _stopped(self, message: str) -> PagingStopped:
        if self._first is not None:
            self.complete, self.reason = False, message
        return PagingStopped(
            f"{message.rstrip('.')}. What was read is kept, {self.count_in_words()}: flowlet.last_pages(), and its resume() goes on.",
            pages=self,
        )

    def _go_on(self, max_pages: int | None) -> None:
        self.records += self._overflow
        self._overflow = []
        self.complete, self.reason = self._judged
        limit = None if max_pages is None else self.page_count + max_pages
        self._options = dataclasses.replace(self._options, max_pages=limit, max_items=None)

    def _progress(self) -> Progress:
        return Progress("Reading pages", unit="records", is_shown=self._options.show_progress)

    def _report(self, progress: Progress, counted: int) -> int:
        """Show what came since `counted` records; returns how many there are now."""
        if self.total_pages and self._first:
            progress.expect(self.total_pages * len(self._first[1].records))
        progress.add(len(self.records) - counted, f"{self.page_count} pages")
        return len(self.records)
