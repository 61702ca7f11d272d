"""Workers that send requests side by side: threads, or coroutines on the session's event loop. What they do is told to both alike."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from typing import Any, Protocol

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.background_loop import BackgroundLoop
from flowlet_jupyter.http.pool import request_pool
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.session import Session

# Yields a URL, and is sent what came of it; or the seconds to wait, and is sent None.
Work = Generator[str | float, Any, None]


class Workers(Protocol):
    """Who does the work."""

    def start(self, work: Callable[[], Work], ended: threading.Event, *, at_most: int) -> list[Future[None]]:
        """Start workers, each with a `work()` of its own. Cancelled, they send nothing more once `ended` is set."""


class ThreadWorkers:
    """Threads that send over httpx's own transport."""

    def __init__(self, send: Callable[[str], Response], count: int) -> None:
        self._send = send
        self._count = count

    def start(self, work: Callable[[], Work], ended: threading.Event, *, at_most: int) -> list[Future[None]]:
        """Start them; what is under way when they are cancelled comes to its end unseen."""
        pool = request_pool(self._count, "flowlet: gather")
        try:
            return [pool.submit(self._drive, work(), ended) for _ in range(min(self._count, at_most))]
        finally:
            pool.shutdown(wait=False)

    def _drive(self, work: Work, ended: threading.Event) -> None:
        for step in (sending := _Sending(work)):
            if isinstance(step, float):
                ended.wait(step)
                continue
            try:
                sending.outcome = self._send(step)
            except FlowletError as error:
                sending.outcome = error


class LoopWorkers:
    """Coroutines on the session's event loop, which send over aiohttp: many small requests cost a fraction."""

    def __init__(self, session: Session, send: Callable[[str], Coroutine[Any, Any, Response]], count: int) -> None:
        self._session = session
        self._send = send
        self._count = count

    def start(self, work: Callable[[], Work], ended: threading.Event, *, at_most: int) -> list[Future[None]]:  # noqa: ARG002 - they are cancelled
        """Start them; what is under way when they are cancelled is broken off."""
        loop = self._session.part(BackgroundLoop)  # another one after the session was closed
        return [loop.run(self._drive_all([work() for _ in range(min(self._count, at_most))]))]

    async def _drive_all(self, works: list[Work]) -> None:
        tasks = [asyncio.create_task(self._drive(work)) for work in works]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _drive(self, work: Work) -> None:
        for step in (sending := _Sending(work)):
            if isinstance(step, float):
                await asyncio.sleep(step)
                continue
            try:
                sending.outcome = await self._send(step)
            except FlowletError as error:
                sending.outcome = error


class _Sending:
    """The steps of one worker; `outcome` is what came of the last one."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.outcome: Response | FlowletError | None = None

    def __iter__(self) -> _Sending:
        return self

    def __next__(self) -> str | float:
        outcome, self.outcome = self.outcome, None
        return self._work.send(outcome)
