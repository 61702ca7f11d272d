"""What else an error of shielded work could bring along, and that work which has begun is finished."""

from __future__ import annotations

import subprocess
import sys
import traceback

import pytest

from flowlet_jupyter.errors import ProviderError
from flowlet_jupyter.session.shielded import shielded

CANARY = "canary-code-5e1f"


@pytest.mark.parametrize("way", ["context", "cause"])
def test_an_error_brings_no_earlier_error_along(way):
    @shielded("code exchange")
    def fails() -> None:
        try:
            raise ValueError(CANARY)
        except ValueError as error:
            raise ProviderError("The provider failed.") from (error if way == "cause" else None)

    @shielded("code exchange")
    def fails_while_handling() -> None:
        try:
            raise ValueError(CANARY)
        except ValueError:
            raise ProviderError("The provider failed.")  # noqa: B904 - the context is what this is about

    with pytest.raises(ProviderError) as caught:
        (fails if way == "cause" else fails_while_handling)()
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert CANARY not in shown


def test_the_caller_and_the_waiting_frame_hold_no_argument():
    @shielded("code exchange")
    def fails(code: str) -> None:
        raise ProviderError(f"of {len(code)} characters")

    with pytest.raises(ProviderError) as caught:
        fails(CANARY[:6] + CANARY[6:])
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert CANARY not in shown


@pytest.mark.slow  # a process of its own
def test_a_process_that_ends_finishes_what_it_began(tmp_path):
    program = (
        "import sys, time; from pathlib import Path\n"
        "from flowlet_jupyter.session.shielded import shielded\n"
        "@shielded('refresh')\n"
        "def store():\n"
        "    time.sleep(0.5)\n"
        "    Path(sys.argv[1]).write_text('stored')\n"
        "store.start()\n"
    )
    file = tmp_path / "token"
    subprocess.run([sys.executable, "-c", program, str(file)], check=True, timeout=60)
    assert file.read_text() == "stored"
