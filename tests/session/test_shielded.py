"""Work that is not to end with the cell that asked for it, and whose failures show no values."""

from __future__ import annotations

import asyncio
import signal
import threading
import traceback

import pytest

from flowlet_jupyter.errors import FlowletError, ProviderError
from flowlet_jupyter.session.shielded import shielded

CANARY = "canary-code-5e1f"


@shielded("code exchange")
def fails(code: str, error: type[Exception]) -> None:
    parameters = {"code": code}
    raise error(f"of {len(parameters)}")


def frames_of(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


@pytest.mark.parametrize("error", [ProviderError, ValueError])
def test_an_error_shows_no_value_of_the_frames_below(error):
    def asks():
        fails(CANARY[:7] + CANARY[7:], error)

    with pytest.raises(FlowletError) as raised:
        asks()
    assert CANARY not in frames_of(raised.value)
    assert raised.value.__context__ is None


def test_an_unexpected_error_names_the_work_and_hides_its_text():
    with pytest.raises(FlowletError, match=r"code exchange failed unexpectedly \(ValueError\)") as raised:
        fails(CANARY, ValueError)
    assert "of 1" not in str(raised.value)


def test_an_interrupt_ends_the_waiting_and_never_the_writing():
    begun, go_on, stored = threading.Event(), threading.Event(), threading.Event()

    @shielded("refresh")
    def refresh() -> None:
        begun.set()
        go_on.wait(30)
        stored.set()

    def interrupt():
        begun.wait(30)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        refresh()
    thread.join()
    go_on.set()
    assert stored.wait(30)


def test_shielded_work_within_shielded_work_stays_in_its_thread():
    @shielded("inner")
    def inner() -> int:
        return threading.get_ident()

    @shielded("outer")
    def outer() -> tuple[int, int]:
        return threading.get_ident(), inner()

    own, of_inner = outer()
    assert own == of_inner != threading.get_ident()


def test_an_async_caller_awaits_its_future():
    @shielded("sum")
    def total(a: int, b: int) -> int:
        return a + b

    async def ask() -> int:
        return await asyncio.wrap_future(total.start(1, b=2))

    assert asyncio.run(ask()) == 3
