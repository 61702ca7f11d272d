"""What a command prints: tables and trees where a user looks at it, plain text for a pipe, and what takes long.

Rich draws where it is installed (`pip install flowlet-jupyter[terminal]`) and the output is a terminal. Everything else
gets text that other programs can read.
"""

from __future__ import annotations

import contextlib
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.connect.console import console
from flowlet_jupyter.errors import printable

if TYPE_CHECKING:
    from rich.tree import Tree

_SILENT_SECONDS = 1.0
# What a message advises is a magic, since most are read in a notebook; and what does the same in a shell.
_IN_A_SHELL = (
    (re.compile(r"%flowlet_secret --new"), r"jupyter flowlet add"),
    (
        re.compile(r"(?:In JupyterLab run|Run) %flowlet_secret (.+?) and press Request access token(?:\.$)?"),
        r"Run: jupyter flowlet authorize \1",
    ),
    (re.compile(r"%flowlet_secret (\S+) --paste"), r"jupyter flowlet authorize \1 --paste"),
    (re.compile(r"%flowlet_secret (?!.+ --connect).+?(?=[.,;](?:\s|$)|$)"), r"jupyter flowlet page"),
)


def for_a_shell(text: str) -> str:
    """The text of a message with the commands of a shell in the place of magics."""
    for magic, command in _IN_A_SHELL:
        text = magic.sub(command, text)
    return text


def draw_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw a table. Text of others is shown as text: neither markup nor control sequences."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for number, column in enumerate(columns):
        # a name is what the next command is given
        table.add_column(column, style="cyan" if number == 0 else "", no_wrap=number == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console().print(table)


def draw_tree(title: str, members: Mapping[str, Any]) -> None:
    """Draw what JSON has as a tree; what is empty is left out."""
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text(printable(title), style="bold cyan"))
    _add(tree, members)
    console().print(tree)


def _add(tree: Tree, members: Mapping[str, Any]) -> None:
    from rich.text import Text

    for name, value in members.items():
        if isinstance(value, Mapping) and value:
            _add(tree.add(Text(printable(name), style="bold")), value)
        elif value not in (None, "", [], {}, ()):
            text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            tree.add(Text.assemble((f"{printable(name)}: ", "dim"), printable(text)))


@contextlib.contextmanager
def waiting_for(what: str) -> Iterator[None]:
    """Say on a terminal's stderr what is waited for and how long, once it takes over a second; erased at the end."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()

    def say() -> None:
        seconds = 0
        while not done.wait(_SILENT_SECONDS):
            seconds += 1
            print(f"\r{what}: {seconds} s (to stop: Ctrl+C)", end="", file=sys.stderr, flush=True)
        if seconds:
            print(f"\r{' ' * (len(what) + 30)}\r", end="", file=sys.stderr, flush=True)

    thread = threading.Thread(target=say, name="flowlet: progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
