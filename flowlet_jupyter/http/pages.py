"""Reading the pages of an API, one behind the other or side by side; what was read is kept, whatever happens."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import islice
from typing import Any

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.page_reader import PageReader, PagingOptions
from flowlet_jupyter.http.pagination import PageRequest
from flowlet_jupyter.http.pool import request_pool
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables.columns import gc_paused


class Pages(PageReader):
    """The pages of an API. Iterating reads them, and goes on where the last iteration ended.

    `records` are those read so far, `complete` says whether there are no more; an error or an interrupt loses nothing.
    """

    def __init__(self, send: Callable[[PageRequest], Response], first: PageRequest, options: PagingOptions) -> None:
        super().__init__(first, options)
        self._send = send

    def __iter__(self) -> Iterator[Response]:
        """Each page as a response. The next is fetched while this one is worked on; numbered pages side by side."""
        return self._read(ahead=True)

    def _read(self, *, ahead: bool) -> Iterator[Response]:
        """`ahead`: the caller works on each page, so that the next is worth a thread of its own meanwhile."""
        self._begin()
        waiting: deque[tuple[PageRequest, Future[Response]]] = deque()
        pool = request_pool(self._options.concurrency, "flowlet: pages")
        try:
            while True:
                self._ask(pool, waiting, ahead=ahead)
                if not waiting:
                    return
                while self.total_pages is not None and not waiting[0][1].done():  # a slow page holds up no other
                    # looked at before more are asked for: one that comes meanwhile makes room too, and ends the wait
                    under_way = [future for _, future in waiting if not future.done()]
                    count = len(waiting)
                    self._ask(pool, waiting, ahead=ahead)
                    under_way += [future for _, future in islice(waiting, count, None)]
                    wait(under_way, return_when=FIRST_COMPLETED)
                request, future = waiting.popleft()
                try:
                    response = future.result()
                except FlowletError as error:
                    raise self._failed(error) from None
                if self._is_side_by_side:
                    self._ask(pool, waiting, ahead=ahead)  # before this page is looked at, so that no place is empty
                if not self._accept(request, response, in_flight=len(waiting)):
                    continue
                if ahead or self.total_pages is not None:
                    self._ask(pool, waiting, ahead=ahead)
                yield response
                if self._is_enough():
                    return
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, pool: Executor, waiting: deque[tuple[PageRequest, Future[Response]]], *, ahead: bool) -> None:
        send = self._send
        for request in self._next_requests(self._under_way([future for _, future in waiting])):
            if self.page_count > 0 and (ahead or self.total_pages is not None):
                future = pool.submit(send, request)
            else:
                # The first one in this thread: if a user is needed, the way to connect shows up in this cell. And so
                # those that nobody waits for meanwhile: handing each to a thread costs a third of a fast request.
                future = Future()
                try:
                    future.set_result(send(request))
                except FlowletError as error:
                    future.set_exception(error)
            waiting.append((request, future))

    def read_all(self) -> Pages:
        """Read all pages there are, with a progress bar. Raises `PagingStopped`; an interrupt keeps what was read."""
        with self._progress() as progress, gc_paused():
            counted = len(self.records)
            for _ in self._read(ahead=False):
                counted = self._report(progress, counted)
        return self

    def resume(self, *, max_pages: int | None = None) -> Pages:
        """Go on where the reading ended, by an interrupt, an error or a limit; up to `max_pages` more."""
        self._go_on(max_pages)
        return self.read_all()


class AsyncPages(PageReader):
    """The async twin of `Pages`: `async for page in pages`, `await pages.read_all()`, `await pages.resume()`."""

    def __init__(
        self, send: Callable[[PageRequest], Coroutine[Any, Any, Response]], first: PageRequest, options: PagingOptions
    ) -> None:
        super().__init__(first, options)
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
                while self.total_pages is not None and not waiting[0][1].done():
                    await asyncio.wait([task for _, task in waiting if not task.done()], return_when=FIRST_COMPLETED)
                    self._ask(waiting)
                request, task = waiting[0]
                try:
                    response = await task
                except FlowletError as error:
                    raise self._failed(error) from None
                waiting.popleft()
                if self._is_side_by_side:
                    self._ask(waiting)
                if not self._accept(request, response, in_flight=len(waiting)):
                    continue
                self._ask(waiting)
                yield response
                if self._is_enough():
                    return
        finally:
            for _, task in waiting:
                task.cancel()

    def _ask(self, waiting: deque[tuple[PageRequest, asyncio.Task[Response]]]) -> None:
        for request in self._next_requests(self._under_way([task for _, task in waiting])):
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
