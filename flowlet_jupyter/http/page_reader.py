"""What is known of the pages of an API so far, and which are to be asked for next: what the sync and the async reader share."""

from __future__ import annotations

import dataclasses
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.credentials.redaction import excerpt, redact
from flowlet_jupyter.errors import FlowletError, PagingStopped, RequestFailed
from flowlet_jupyter.http.page_bodies import PageBody, pandas_of, polars_frame_of
from flowlet_jupyter.http.page_content import PageContent
from flowlet_jupyter.http.pagination import (
    GUESSED,
    NumberedPaginator,
    Offset,
    PageRequest,
    PageResponse,
    Paginator,
    PagingProgress,
    Style,
    of_style,
    problem_of,
    signals_of,
    verdict,
)
from flowlet_jupyter.http.progress import Progress
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables.error_bodies import error_in, reason_in
from flowlet_jupyter.tables.frames import warn_caller
from flowlet_jupyter.tables.selection import select

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_MOST_EMPTY_PAGES = 50
_MOST_SAME_PAGES = 20  # records without ids may well repeat a few times
_NO_SUCH_PAGE = re.compile(
    r"invalid[ _]page\b|invalid_page_number|page[ _](?:number )?(?:requested )?(?:is )?(?:out of (?:range|bounds)|too (?:large|high)|beyond|larger)"
    r"|page number requested is larger|no more (?:pages|results|records)|page (?:does not exist|not found)|(?:offset|page) (?:is )?(?:out of|exceeds)"
    r"|that page contains no results",
    re.IGNORECASE,
)
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


class PageReader:
    """The pages read so far.

    `records` are those of all pages, as the API gave them (the rows of a table that is no list of records). `complete` is
    True where something says that these are all, False where something says that there are more, None where nothing
    says; `reason` says why. `path` is the JMESPath of the records in a page.
    """

    def __init__(self, first: PageRequest, options: PagingOptions) -> None:
        self._options = options
        self._paginator: Paginator | None = None
        self._first: tuple[PageRequest, PageResponse] | None = None
        self._next: PageRequest | None = first  # behind the last page that was accepted
        self._ahead: deque[PageRequest] = deque()  # pages that can be asked for without knowing the one before
        self._seen: set[str] = set()
        self._last_records: list[Any] = []
        self._candidates: list[Paginator] = []  # the other ways on, where the first guess is wrong
        self._to_discard = 0  # responses under way that a wrong guess asked for
        self._empty_pages = 0
        self._same_pages = 0
        self._overflow: list[Any] = []  # what the last page held beyond `max_items`
        self._problem = ""  # what a page said of being only a part of what it should be
        self._content = PageContent(options.path)
        self.records: list[Any] = []
        self.page_count = 0
        self.total_pages: int | None = None
        self.complete: bool | None = False
        self.reason = "nothing was read yet"
        self._judged: tuple[bool | None, str] = (self.complete, self.reason)

    def __repr__(self) -> str:
        if self.complete:
            state = "complete"
        elif self.can_resume:
            state = f"not complete: {self.reason}; resume() goes on"
        else:
            state = f"{'not complete' if self.complete is False else 'perhaps not complete'}: {self.reason}"
        return f"<pages: {self.count_in_words(', ')}, {state}>"

    @property
    def path(self) -> str | None:
        """The JMESPath of the records in a page; None until the first was read."""
        return self._content.path

    @property
    def can_resume(self) -> bool:
        """Whether `resume()` has something to read."""
        return self._next is not None or bool(self._overflow)

    def count_in_words(self, joined_by: str = " with ") -> str:
        """`3 pages with 30 records`."""
        pages = f"{self.page_count:,} {'page' if self.page_count == 1 else 'pages'}"
        return f"{pages}{joined_by}{len(self.records):,} {'record' if len(self.records) == 1 else 'records'}"

    def to_df(self, *, dates: bool = False) -> pd.DataFrame:
        """The records read so far as a pandas DataFrame; `df.attrs` says whether they are complete.

        Raises `RequestFailed` where the pages make no one table.
        """
        frame: pd.DataFrame = pandas_of(self._rows(), self._content.header, dates=dates)
        if self._content.table is not None:
            frame.attrs["shape"] = self._content.table.shape
        frame.attrs |= {
            "complete": self.complete,
            "reason": self.reason,
            "pages": self.page_count,
            "path": self.path or "",
        }
        return frame

    def to_polars(self, *, dates: bool = False) -> pl.DataFrame:
        """The records read so far as a polars DataFrame. Raises `RequestFailed` as `to_df` does."""
        frame: pl.DataFrame = polars_frame_of(self._rows(), self._content.header, dates=dates)
        if self._content.table is not None:
            warn_caller(f"The pages were read as a table of this form: {self._content.table.shape}.")
        return frame

    def _rows(self) -> list[Any]:
        return self._content.rows(self.records, held=len(self.records) + len(self._overflow))

    def select(self, path: str) -> Any:
        """What a JMESPath expression selects of the list of records read so far."""
        return select(self.records, path)

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

    def _accept(self, request: PageRequest, response: Response, *, in_flight: int) -> bool:  # noqa: C901, PLR0912 - a branch for each way in which a page is not one more
        """Add a page; False if it was asked for by a wrong guess. Raises `PagingStopped` if it is an error or unreadable."""
        if self._to_discard:
            self._to_discard -= 1
            return False
        number = self.page_count + 1
        if response.is_error:
            if self._is_past_the_end(response):
                self._next = None
                self._ahead.clear()
                self._to_discard = in_flight
                self._end_before(number)
                return False
            if number == 2 and response.status_code in _MAYBE_WRONG_GUESS and self._guesses_again(in_flight):
                return False
            error_text = f"{response.status_code} {redact(response.reason_phrase, response)}: {excerpt(response, 200)}"
            raise self._stopped(f"Page {number} was answered with {error_text}.")
        try:
            content = self._content.parse(response)
        except RequestFailed as error:
            raise self._stopped(f"Page {number}: {redact(str(error), response)}") from None
        self._refuse_error(content, response, number)
        try:
            page = self._content.page_of(content, response, request)
        except RequestFailed as error:
            raise self._stopped(str(error)) from None
        if self._is_repeated(request, page, number):
            if number == 2:
                if self._guesses_again(in_flight):
                    return False
                raise self._stopped(
                    f"Page {number} holds the same as the page before: this API does not page in this way. Pass the "
                    "parameter that its documentation names, or paginate with another style."
                )
            page = dataclasses.replace(page, records=[])
        records = self._without_overlap(page)
        self._refuse_standstill(page)
        self._seen.add(request.fingerprint)
        if self._first is None:
            self._first = (request, page)
            self._candidates = of_style(self._options.style, self._options.declared or {}, request, page)
            self._choose()
        self._add(request, content, page, records)
        try:
            self._next = self._paginator.next(request, page) if self._paginator else None
        except RequestFailed as error:
            raise self._stopped(str(error)) from None
        if self._next is not None and not page.records and self._next.fingerprint in self._seen:
            self._next = None  # an empty page that leads back: the end
        self._judge(request, page)
        self._stop_at_limits()
        if self._is_enough():
            self._ahead.clear()
        elif not in_flight and not self._ahead:
            self._begin()
        return True

    def _refuse_error(self, content: PageBody, response: Response, number: int) -> None:
        """Raise `PagingStopped` if a success says that it is an error, or is nothing like the pages before it."""
        body, first = content.parsed, self._first
        message = error_in(body)
        is_list = content.records is None and self._content.is_list
        if not message and first is not None and is_list:
            expects_list = self.path is not None and first[1].has_list
            has_list = isinstance(body, list) or (isinstance(body, dict) and bool(self.path))
            if expects_list and not has_list and body not in (None, {}):
                message = reason_in(body) or f"{type(body).__name__} where the pages before had a list"
            elif expects_list and isinstance(body, dict) and self.path and select(body, self.path) is None:
                has_another_form = bool(body) and not body.keys() & first[1].body.keys()
                message = reason_in(body) if has_another_form else ""
        if message:
            shown = redact(message, response)
            raise self._stopped(f"Page {number} was answered with {response.status_code} and an error in it: {shown}.")
        if self._content.has_other_columns(content):
            names = ", ".join((content.header or ())[:5])
            raise self._stopped(f"Page {number} is CSV with other columns than the first: {names[:100]}.")

    def _end_before(self, number: int) -> None:
        """Say how the reading ended where the API says that there is no page `number`: a total may say otherwise."""
        said = f"the API says that there is no page {number}"
        total = signals_of(*self._first).total if self._first else None
        if total is not None and len(self.records) < total:
            self.complete, self.reason = False, f"{said}, and that there are {total:,} records"
        else:
            self.complete, self.reason = True, said
        self._judged = (self.complete, self.reason)

    def _is_past_the_end(self, response: Response) -> bool:
        """Whether an API says by an error that a page number is beyond the last (Django REST Framework, WordPress)."""
        if not isinstance(self._paginator, NumberedPaginator) or response.status_code not in {400, 404, 416, 422}:
            return False
        return bool(_NO_SUCH_PAGE.search(response.text[:2000]))

    def _is_repeated(self, request: PageRequest, page: PageResponse, number: int) -> bool:
        """Whether the page holds the records of the one before, where the paginator's parameter was a guess."""
        if number == 1 or not page.records or page.records != self._last_records:
            return False
        return isinstance(self._paginator, GUESSED) and self._paginator.next(request, page) is not None

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
        self._choose()
        self._next = self._paginator.next(*self._first) if self._paginator else None
        self._to_discard = in_flight
        self._ahead.clear()
        self._begin()
        return self._next is not None

    def _judge(self, request: PageRequest, page: PageResponse) -> None:
        """Say whether all was read."""
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
                followed_to_its_end=self._paginator is not None and numbered is None,
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
