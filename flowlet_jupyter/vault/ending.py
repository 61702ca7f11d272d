"""The end of the process, as threads notice it that the interpreter waits for: what they wait for, they give up."""

from __future__ import annotations

import functools
import os
import threading
import weakref


class _Ending:
    """An event that is set when the main thread has ended, and others that are then set too."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._others: weakref.WeakSet[threading.Event] = weakref.WeakSet()
        self._guard = threading.Lock()
        threading.Thread(target=self._watch, name="flowlet: end of the process", daemon=True).start()

    def _watch(self) -> None:
        threading.main_thread().join()
        with self._guard:
            self.event.set()
            for other in self._others:
                other.set()

    def set_too(self, other: threading.Event) -> None:
        with self._guard:
            self._others.add(other)
            if self.event.is_set():
                other.set()


@functools.cache
def _ending_of(_process: int) -> _Ending:  # a forked child has the memory of the parent's, but not its thread
    return _Ending()


def process_ending() -> threading.Event:
    """Set as soon as the main thread has ended, and the interpreter waits for the other threads only."""
    return _ending_of(os.getpid()).event


def set_when_ending(event: threading.Event) -> threading.Event:
    """`event`, which is set at the end of the process too: for a wait that a user or the end may cut short."""
    _ending_of(os.getpid()).set_too(event)
    return event
