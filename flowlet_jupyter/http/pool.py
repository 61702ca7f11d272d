"""Where requests are sent from side by side: threads, or in a browser, which has none, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from flowlet_jupyter.settings.browser import is_in_browser

_T = TypeVar("_T")
_P = ParamSpec("_P")


def request_pool(count: int, name: str) -> Executor:
    """A pool of at most `count` threads that are called `name`."""
    return _InTurn() if is_in_browser() else ThreadPoolExecutor(count, thread_name_prefix=name)


class _InTurn(Executor):
    """Does at once what is submitted."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - as a thread's future has it; whoever asks for the result gets it
            future.set_exception(error)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> Any:  # noqa: FBT001, FBT002 - Executor's signature
        """Nothing waits."""
