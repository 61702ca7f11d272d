"""The event loop of a session, in a thread of its own: what runs requests side by side for code that is not async."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import weakref
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from flowlet_jupyter.http.client import ClientPool
from flowlet_jupyter.session import Session, at_exit

_T = TypeVar("_T")
_END_SECONDS = 2.0  # for closing connections; what does not end by then ends with the process


class BackgroundLoop:
    """Starts when something is to run, and ends with the session or the process; a forked child starts its own."""

    def __init__(self, session: Session) -> None:
        self._clients = session.part(ClientPool)
        self._process = os.getpid()
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._of_parents: list[asyncio.AbstractEventLoop | None] = []
        at_exit(self.close)

    def run(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Run `work` on the loop; cancelling its future cancels it."""
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._process != os.getpid():  # another thread may have held it at the fork
            self._process, self._guard = os.getpid(), threading.Lock()
            self._of_parents.append(self._loop)  # collected, it would take the parent's sockets from its selector
            self._loop = None
        with self._guard:
            if self._loop is None:
                self._loop = loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_run_until_stopped, args=(loop,), name="flowlet: requests", daemon=True
                )
                self._thread.start()
                # a session that nobody closed; at the end of the process, `close` is called
                weakref.finalize(self, _stop, loop, os.getpid()).atexit = False
            return self._loop

    def close(self) -> None:
        """Cancel what runs, close the connections and end the thread."""
        if self._process != os.getpid():
            return  # the parent's
        with self._guard:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if thread is not None and loop is not None and not loop.is_closed():
            ending = asyncio.run_coroutine_threadsafe(_end(self._clients), loop)
            with contextlib.suppress(Exception):  # a connection that cannot be closed in order is closed by the process
                ending.result(_END_SECONDS)
            _stop(loop, self._process)
            thread.join(_END_SECONDS)


def _run_until_stopped(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(_cancel_all())
        loop.close()


def _stop(loop: asyncio.AbstractEventLoop, process: int) -> None:
    if process == os.getpid():
        with contextlib.suppress(RuntimeError):  # it has ended
            loop.call_soon_threadsafe(loop.stop)


async def _end(clients: ClientPool) -> None:
    await _cancel_all()
    await clients.aclose()


async def _cancel_all() -> None:
    await asyncio.sleep(0)  # what was handed over to the loop has become a task then
    running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
