"""A terminal that Rich can draw on, for whoever shows something there: the shell command and IPython.

Rich is the extra `terminal`; it honours NO_COLOR and the terminal's width.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def is_drawn() -> bool:
    """Whether the output is a terminal that Rich can draw on."""
    return (
        sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and importlib.util.find_spec("rich.table") is not None
    )


def console(file: IO[str] | None = None, *, has_colours: bool = True) -> Console:
    """A console that takes text as text: no markup, no names of emoji. `file` is drawn on as if it were the terminal."""
    from rich.console import Console

    return Console(
        markup=False, highlight=False, emoji=False, file=file, force_terminal=None if file is None else True,
        no_color=None if has_colours else True,
    )  # fmt: skip
