"""Work that must not end with the cell that asked for it, and whose failure must not show its locals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from flowlet_jupyter.errors import FlowletError

T = TypeVar("T")


def start_apart(task: Callable[[], T], *, name: str) -> Future[T]:
    """Run `task` in a thread of its own and return its future (for `result()` or `asyncio.wrap_future`).

    A KeyboardInterrupt reaches the main thread only: it ends the waiting, never the task, so a rotated refresh token
    is always stored. The thread is no daemon, so the end of the interpreter waits for it too.

    An error comes out without its traceback and context: the frames below hold token requests and answers, and
    IPython's verbose tracebacks print the locals of every frame.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()  # from here on nobody can cancel it

    def run() -> None:
        failure: BaseException
        try:
            future.set_result(task())
            return
        except FlowletError as error:
            failure = error.with_traceback(None)
            failure.__context__ = failure.__cause__ = None
        except BaseException as error:  # noqa: BLE001 - whatever it is, its frames and its text may hold values
            failure = FlowletError(f"{name} failed unexpectedly ({type(error).__name__}). Please report this.")
        future.set_exception(failure)

    threading.Thread(target=run, name=f"flowlet: {name}", daemon=False).start()
    return future
