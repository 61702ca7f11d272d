"""Reading the pages of an API, one behind the other or side by side; what was read is kept, whatever happens."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.credentials.redaction import excerpt, redact
from flowlet_jupyter.errors import FlowletError, PagingStopped, RequestFailed
from flowlet_jupyter.http.pagination import (
    Offset,
    PageNumber,
    PageRequest,
    PageResponse,
    Paginator,
    Style,
    detect,
    links_of_header,
    of_style,
    signals_of,
    verdict,
)
from flowlet_jupyter.http.pagination import Progress as PagingProgress
from flowlet_jupyter.http.pagination.cursors import Cursor, LastId
from flowlet_jupyter.http.progress import Progress
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables.columns import without_collection
from flowlet_jupyter.tables.frames import frame_of, polars_of
from flowlet_jupyter.tables.records import error_in, find_records
from flowlet_jupyter.tables.selection import select
from flowlet_jupyter.tables.shapes import Table, tabulate

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How pages are to be read. `declared` is the `[paging]` table of the provider's catalogue entry."""

    style: Style = "auto"
    path: str | None = None
    max_pages: int | None = None
    max_items: int | None = None
    concurrency: int
    declared: Mapping[str, str] | None = None
    show_progress: bool = True


_GUESSED = (Cursor, PageNumber, Offset, LastId)  # whose parameter may be a wrong guess
_MOST_EMPTY_PAGES = 50


class _Reader:
    """What is known of the pages so far, and which are to be asked for next; the sync and the async reader drive it."""

    def __init__(self, first: PageRequest, reading: Reading) -> None:
        self._reading = reading
        self._paginator: Paginator | None = None
        self._first: tuple[PageRequest, PageResponse] | None = None
        self._next: PageRequest | None = first  # behind the last page that was taken
        self._ahead: deque[PageRequest] = deque()  # pages that can be asked for without knowing the one before
        self._taken: set[str] = set()
        self._last_records: list[Any] = []
        self._candidates: list[Paginator] = []  # the other ways on, where the first guess is wrong
        self._to_discard = 0  # responses under way that a wrong guess asked for
        self._empty_pages = 0
        self._beyond: list[Any] = []  # what the last page held beyond `max_items`
        self.records: list[Any] = []
        self.page_count = 0
        self.total_pages: int | None = None
        self.path = reading.path
        self.complete: bool | None = False
        self.reason = "nothing was read yet"
        self._judged: tuple[bool | None, str] = (self.complete, self.reason)

    def __repr__(self) -> str:
        if self.complete:
            state = "complete"
        elif self._next is not None or self._beyond:
            state = "not complete: resume() goes on"
        else:
            state = f"{'not complete' if self.complete is False else 'perhaps not complete'}: {self.reason}"
        return f"<pages: {self.page_count} pages, {len(self.records):,} records, {state}>"

    def to_df(self, *, dates: bool = False) -> pd.DataFrame:
        """The records read so far as a pandas DataFrame; `df.attrs` says whether they are complete."""
        table = self._table_of_one_page()
        frame = frame_of(self.records if table is None else table.records, dates=dates)
        if table is not None:
            frame.attrs["shape"] = table.shape
        frame.attrs |= {
            "complete": self.complete,
            "reason": self.reason,
            "pages": self.page_count,
            "path": self.path or "",
        }
        return frame

    def to_polars(self, *, dates: bool = False) -> pl.DataFrame:
        """The records read so far as a polars DataFrame."""
        table = self._table_of_one_page()
        return polars_of(self.records if table is None else table.records, dates=dates)

    def _table_of_one_page(self) -> Table | None:
        """The table of a single page whose body has a form of its own (columns beside rows, objects by key)."""
        if self._first is None or self.page_count != 1 or self._reading.path is not None or self._beyond:
            return None
        return tabulate(self._first[1].body, self.records)

    def select(self, path: str) -> Any:
        """What a JMESPath expression selects of the list of records read so far."""
        return select(self.records, path)

    def _begin(self) -> None:
        if self._next is not None:
            self._ahead = deque(self._side_by_side() or [self._next])

    def _due(self, in_flight: int) -> list[PageRequest]:
        """The requests to send now, while `in_flight` are under way. Raises `PagingStopped` where the API leads in a circle."""
        due: list[PageRequest] = []
        while self._ahead and in_flight + len(due) < self._reading.concurrency:
            request = self._ahead.popleft()
            if _mark(request) in self._taken:
                raise self._stopped(f"The API leads in a circle: page {self.page_count + 1} was read before.")
            due.append(request)
        return due

    def _take(self, request: PageRequest, response: Response, *, in_flight: int) -> bool:  # noqa: C901, PLR0912 - each branch is one way in which a page is not one more
        """Add a page; False if it was asked for by a wrong guess. Raises `PagingStopped` if it is an error or no JSON."""
        if self._to_discard:
            self._to_discard -= 1
            return False
        number = self.page_count + 1
        if response.is_error:
            if number == 2 and response.status_code in {400, 404, 405, 422} and self._guesses_again(in_flight):
                return False
            error_text = f"{response.status_code} {redact(response.reason_phrase, response)}: {excerpt(response, 200)}"
            raise self._stopped(f"Page {number} was answered with {error_text}.")
        try:
            body = response.json()
        except RequestFailed as error:
            raise self._stopped(f"Page {number}: {error}") from None
        if (message := error_in(body)) and number == 1:
            raise self._stopped(f"The API answered {response.status_code} with an error: {message}")
        page = self._page_of(body, response, request)
        records = list(page.records)
        is_repeated = bool(records) and number > 1 and records == self._last_records
        if is_repeated and isinstance(self._paginator, _GUESSED) and self._paginator.next(request, page) is not None:
            if number == 2:
                if self._guesses_again(in_flight):
                    return False
                raise self._stopped(
                    f"Page {number} holds the same as the page before: this API does not page in this way. Pass the "
                    "parameter that its documentation names, or paginate with another style."
                )
            records = []
            page = dataclasses.replace(page, records=[])
        self._last_records = records
        self._taken.add(_mark(request))
        if self._first is None:
            self._first = (request, page)
            self._candidates = of_style(self._reading.style, self._reading.declared or {}, request, page)
            self._choose()
        self.records += records
        self.page_count = number
        self._empty_pages = 0 if records else self._empty_pages + 1
        try:
            self._next = self._paginator.next(request, page) if self._paginator else None
        except RequestFailed as error:
            raise self._stopped(str(error)) from None
        if self._empty_pages > _MOST_EMPTY_PAGES:
            self._next = None
        self._judge(request, page)
        self._judged = (self.complete, self.reason)
        most = self._reading.max_items
        if most is not None and len(self.records) > most:
            self._beyond, self.records[most:] = self.records[most:], []
            self.complete, self.reason = False, f"the limit of {most:,} records was reached"
        if self._is_enough():
            self._ahead.clear()
        elif not in_flight and not self._ahead:
            self._begin()
        return True

    def _choose(self) -> None:
        self._paginator = self._candidates.pop(0) if self._candidates else None
        self.total_pages = None
        if self._first is not None and isinstance(self._paginator, PageNumber | Offset):
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
        if self._next is not None:
            self.complete, self.reason = False, "there are more pages"
            return
        if self._empty_pages > _MOST_EMPTY_PAGES:
            self.complete, self.reason = False, f"{self._empty_pages} pages in a row were empty"
            return
        numbered = self._paginator if isinstance(self._paginator, PageNumber | Offset) else None
        first_request, first_page = self._first or (request, page)
        progress = PagingProgress(
            records=len(self.records), pages=self.page_count,
            start=numbered.start(first_request, first_page) if numbered else 0,
            first=signals_of(first_request, first_page),
            followed_to_its_end=self._paginator is not None and numbered is None,
        )  # fmt: skip
        judged = verdict(request, page, progress)
        self.complete, self.reason = judged.complete, judged.reason

    def _page_of(self, body: Any, response: Response, request: PageRequest) -> PageResponse:
        headers = {name.lower(): value for name, value in response.headers.items()}
        links = links_of_header(headers.get("link", ""))
        records, has_list = self._records_in(body, response)
        page = PageResponse(body, records, links, headers, has_list)
        if not has_list and self._first is None and detect(request, dataclasses.replace(page, records=[])):
            # a page without its list, which Google's APIs leave out where it would be empty
            return dataclasses.replace(page, records=[], has_list=True)
        return page

    def _is_enough(self) -> bool:
        """Whether nothing more is to be read now: the end, or a limit of the caller's."""
        reading = self._reading
        has_items = reading.max_items is not None and len(self.records) >= reading.max_items
        has_pages = reading.max_pages is not None and self.page_count >= reading.max_pages
        return self._next is None or has_items or has_pages

    def _records_in(self, body: Any, response: Response) -> tuple[list[Any], bool]:
        """The records, and whether they are those of a list."""
        if self.path is None:
            found = find_records(body, url=str(response.url) if response.has_request else "")
            if found is None:
                is_first = self._first is None
                return ([body], False) if isinstance(body, dict) and is_first else ([], True)
            self.path = found.path
            return found.records, True
        there = select(body, self.path) if self.path else body
        return (there if isinstance(there, list) else []), True

    def _side_by_side(self) -> list[PageRequest]:
        """The requests of all pages to come, where their number is known; empty where each page names the next."""
        paginator, reading = self._paginator, self._reading
        if self._first is None or self.total_pages is None or not isinstance(paginator, PageNumber | Offset):
            return []
        last = self.total_pages if reading.max_pages is None else min(self.total_pages, reading.max_pages)
        if reading.max_items is not None:
            last = min(last, -(-reading.max_items // max(len(self._first[1].records), 1)))
        return [paginator.nth(*self._first, number) for number in range(self.page_count, last)]

    def _failed(self, error: FlowletError) -> FlowletError:
        # where nothing was read yet, the error itself says more: AuthRequired, HostNotAllowed
        return error if self._first is None else self._stopped(str(error))

    def _stopped(self, message: str) -> PagingStopped:
        kept = f"{self.page_count} pages with {len(self.records):,} records were read and are kept"
        return PagingStopped(f"{message} {kept}: flowlet.last_pages(), and its resume() goes on.", pages=self)

    def _go_on(self, max_pages: int | None) -> None:
        self.records += self._beyond
        self._beyond = []
        self.complete, self.reason = self._judged
        limit = None if max_pages is None else self.page_count + max_pages
        self._reading = dataclasses.replace(self._reading, max_pages=limit, max_items=None)

    def _progress(self) -> Progress:
        return Progress("Reading pages", unit="records", is_shown=self._reading.show_progress)

    def _report(self, progress: Progress, counted: int) -> int:
        """Show what came since `counted` records; returns how many there are now."""
        if self.total_pages and self._first:
            progress.expect(self.total_pages * len(self._first[1].records))
        progress.add(len(self.records) - counted, f"{self.page_count} pages")
        return len(self.records)


def _mark(request: PageRequest) -> str:
    return json.dumps([request.url, sorted(request.params.items()), request.json], default=str)


class Pages(_Reader):
    """The pages of an API. Iterating reads them, and goes on where the last iteration ended.

    `records` are those read so far, `complete` says whether there are no more; an error or an interrupt loses nothing.
    """

    def __init__(self, send: Callable[[PageRequest], Response], first: PageRequest, reading: Reading) -> None:
        super().__init__(first, reading)
        self._send = send

    def __iter__(self) -> Iterator[Response]:
        """Each page as a response. The next is fetched while this one is worked on; numbered pages side by side."""
        return self._read(ahead=True)

    def _read(self, *, ahead: bool) -> Iterator[Response]:
        """`ahead`: the caller works on each page, so that the next is worth a thread of its own meanwhile."""
        self._begin()
        waiting: deque[tuple[PageRequest, Future[Response]]] = deque()
        pool = ThreadPoolExecutor(self._reading.concurrency, thread_name_prefix="flowlet: pages")
        try:
            while True:
                self._ask(pool, waiting, ahead=ahead)
                if not waiting:
                    return
                request, future = waiting.popleft()
                try:
                    response = future.result()
                except FlowletError as error:
                    raise self._failed(error) from None
                if not self._take(request, response, in_flight=len(waiting)):
                    continue
                if ahead or self.total_pages is not None:
                    self._ask(pool, waiting, ahead=ahead)
                yield response
                if self._is_enough():
                    return
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _ask(
        self, pool: ThreadPoolExecutor, waiting: deque[tuple[PageRequest, Future[Response]]], *, ahead: bool
    ) -> None:
        send = self._send
        for request in self._due(len(waiting)):
            if self._first is not None and (ahead or self.total_pages is not None):
                future = pool.submit(send, request)
            else:
                # The first one in this thread: if a person is needed, the way to connect shows up in this cell. And so
                # those that nobody waits for meanwhile: handing each to a thread costs a third of a fast request.
                future = Future()
                try:
                    future.set_result(send(request))
                except FlowletError as error:
                    future.set_exception(error)
            waiting.append((request, future))

    def read_all(self) -> Pages:
        """Read all pages there are, with a progress bar. Raises `PagingStopped`; an interrupt keeps what was read."""
        with self._progress() as progress, without_collection():
            counted = len(self.records)
            for _ in self._read(ahead=False):
                counted = self._report(progress, counted)
        return self

    def resume(self, *, max_pages: int | None = None) -> Pages:
        """Go on where the reading ended, by an interrupt, an error or a limit; up to `max_pages` more."""
        self._go_on(max_pages)
        return self.read_all()


class AsyncPages(_Reader):
    """The async twin of `Pages`: `async for page in pages`, `await pages.read_all()`, `await pages.resume()`."""

    def __init__(
        self, send: Callable[[PageRequest], Coroutine[Any, Any, Response]], first: PageRequest, reading: Reading
    ) -> None:
        super().__init__(first, reading)
        self._send = send

    async def __aiter__(self) -> AsyncIterator[Response]:
        """Each page as a response. The next is fetched while this one is worked on; numbered pages side by side."""
        self._begin()
        waiting: deque[tuple[PageRequest, asyncio.Task[Response]]] = deque()
        try:
            while True:
                self._ask(waiting)
                if not waiting:
                    return
                request, task = waiting[0]
                try:
                    response = await task
                except FlowletError as error:
                    raise self._failed(error) from None
                waiting.popleft()
                if not self._take(request, response, in_flight=len(waiting)):
                    continue
                self._ask(waiting)
                yield response
                if self._is_enough():
                    return
        finally:
            for _, task in waiting:
                task.cancel()

    def _ask(self, waiting: deque[tuple[PageRequest, asyncio.Task[Response]]]) -> None:
        for request in self._due(len(waiting)):
            waiting.append((request, asyncio.create_task(self._send(request))))

    async def read_all(self) -> AsyncPages:
        """Read all pages there are, with a progress bar. Raises `PagingStopped`; a cancellation keeps what was read."""
        with self._progress() as progress:
            counted = len(self.records)
            async for _ in self:
                counted = self._report(progress, counted)
        return self

    async def resume(self, *, max_pages: int | None = None) -> AsyncPages:
        """Go on where the reading ended; up to `max_pages` more."""
        self._go_on(max_pages)
        return await self.read_all()
