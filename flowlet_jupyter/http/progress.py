"""Progress of what takes longer than a second, by tqdm: a widget in a notebook, a line in a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

SHOW_AFTER_SECONDS = 1.0


class Progress:
    """A bar that comes up when a second has passed; nothing of it is imported before."""

    def __init__(self, what: str, *, unit: str, total: float | None = None, is_shown: bool = True) -> None:
        self._what = what
        self._unit = unit
        self._total = total
        self._is_shown = is_shown
        self._started = time.monotonic()
        self._done: float = 0
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def expect(self, total: float | None) -> None:
        """Say how much there will be, now that it is known."""
        if total is not None:
            self._total = total
            if self._bar is not None:
                self._bar.total = total
                self._bar.refresh()

    def add(self, amount: float, note: str = "") -> None:
        """Count `amount` more; `note` stands behind the numbers."""
        self._done += amount
        if self._bar is None:
            if not self._is_shown or time.monotonic() - self._started < SHOW_AFTER_SECONDS:
                return
            self._bar = _bar(
                desc=self._what, unit=f" {self._unit}", total=self._total, initial=self._done,
                unit_scale=self._unit == "B",
            )  # fmt: skip
            self._bar.start_t = time.time() - (
                time.monotonic() - self._started
            )  # the rate of all, not since it came up
        else:
            self._bar.update(amount)
        if note:
            self._bar.set_postfix_str(note, refresh=False)


_shown = threading.Lock()  # of several threads that wait for one API, the first says so


def countdown(seconds: float, what: str, *, is_over: Callable[[], bool] = lambda: False) -> None:
    """Wait `seconds`, or until `is_over()`, while saying what for; an interrupt ends it."""
    is_first = _shown.acquire(blocking=False)
    try:
        _count_down(seconds, what if is_first and seconds >= SHOW_AFTER_SECONDS else None, is_over)
    finally:
        if is_first:
            _shown.release()


def _count_down(seconds: float, what: str | None, is_over: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    bar = None
    if what is not None:
        form = "{desc} {n:.0f}/{total} s (interrupt stops) {bar}"
        bar = _bar(desc=what, total=round(seconds), unit=" s", bar_format=form)
    shown = 0.0
    try:
        # a program ends without us
        while (left := end - time.monotonic()) > 0 and threading.main_thread().is_alive() and not is_over():
            time.sleep(min(left, 0.2))
            if bar is not None:
                passed = min(seconds - (end - time.monotonic()), bar.total)
                bar.update(passed - shown)
                shown = passed
    finally:
        if bar is not None:
            bar.close()


def _bar(**options: Any) -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm says that ipywidgets is missing; then it draws a line of text
        from tqdm.auto import tqdm

        return tqdm(leave=False, mininterval=0.2, dynamic_ncols=True, **options)
