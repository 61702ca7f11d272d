"""Work that must not end with the cell that asked for it, and whose failure must not show its locals."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, ParamSpec, TypeVar

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.vault.ending import process_ending

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Shielded(Generic[_P, _T]):
    """A function that runs in a thread of its own: a call waits for its result, `start` returns its future.

    A KeyboardInterrupt reaches the main thread only: it ends the waiting, never the work, so a rotated refresh token is
    always stored. The thread is no daemon, so the end of the interpreter waits for it too.

    An error comes out without its traceback and context: the frames below hold token requests and their responses, and
    IPython's verbose tracebacks print the locals of every frame.
    """

    def __init__(self, function: Callable[_P, _T], work: str) -> None:
        self._function = function
        self._work = work
        functools.update_wrapper(self, function)

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run it and return what it returns; within other shielded work, in that one's thread."""
        if isinstance(threading.current_thread(), _ShieldedThread):
            return self._function(*args, **kwargs)
        future = self.start(*args, **kwargs)
        del args, kwargs  # they may hold a code in clear, and this frame is in the traceback of what `result` raises
        return future.result()

    def start(self, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Start it and return its future, for `asyncio.wrap_future`, or to go on meanwhile."""
        return start_shielded(functools.partial(self._function, *args, **kwargs), name=self._work)


def shielded(work: str) -> Callable[[Callable[_P, _T]], Shielded[_P, _T]]:
    """Decorate a function whose frames hold values, or that must end once it has begun; `work` names it in messages."""

    def decorate(function: Callable[_P, _T]) -> Shielded[_P, _T]:
        return Shielded(function, work)

    return decorate


class _ShieldedThread(threading.Thread):
    """A thread that shielded work runs in."""


def start_shielded(task: Callable[[], _T], *, name: str) -> Future[_T]:
    """Run `task` as the decorator does, where its name is known only now ("refresh of secret 'a'")."""
    process_ending()  # from here on the end of the process is noticed
    future: Future[_T] = Future()
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

    _ShieldedThread(target=run, name=f"flowlet: {name}", daemon=False).start()
    return future
