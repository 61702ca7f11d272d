"""What a command asks a user. The end of the input (Ctrl+D) is an `EOFError`, which `main` turns into one line."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flowlet_jupyter.errors import InvalidOption
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.providers import Summary, search_providers

if TYPE_CHECKING:
    from prompt_toolkit.completion import CompleteEvent, Completion
    from prompt_toolkit.document import Document


def is_terminal() -> bool:
    """Whether a user can be asked and sees the questions."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask_text(question: str, *, default: str = "") -> str:
    """One line, or `default` where it is left empty."""
    return input(f"{question} [{default}]: " if default else f"{question}: ").strip() or default


def ask_value(question: str) -> SecretValue:
    """A secret value, which is not shown. Raises `InvalidOption` where there is no terminal."""
    if not sys.stdin.isatty() and not _has_terminal():
        raise InvalidOption(f"Nobody is at a terminal to be asked: {question}. Give it by --value-file.")
    return SecretValue(getpass.getpass(f"{question}: "))


def _has_terminal() -> bool:
    """Whether getpass can ask beside a stdin that is something else, as in a pipe."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return os.name == "nt"
    return True


def confirm(question: str, *, default: bool) -> bool:
    """Whether the answer is yes."""
    text = input(f"{question} [{'Y/n' if default else 'y/N'}] ").strip().lower()
    return default if not text else text in {"y", "yes"}


def choose(question: str, labels: Sequence[str]) -> int:
    """The index of one of `labels`, which are listed with numbers; asked until there is one."""
    for number, label in enumerate(labels, 1):
        print(f"  {number:2}  {label}")
    while True:
        text = ask_text(f"{question} (1-{len(labels)})")
        if text.isascii() and text.isdigit() and 1 <= int(text[:5]) <= len(labels):
            return int(text) - 1


def ask_provider(question: str, index: Iterable[Summary]) -> str:
    """What is typed at a search of the catalogue, which completes while one types: a provider's key, or any text."""
    from prompt_toolkit import prompt
    from prompt_toolkit.completion import Completer, Completion

    entries = list(index)

    class Providers(Completer):
        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002 - the base class's
            text = document.text
            for entry in search_providers(text, entries) if text.strip() else ():
                yield Completion(
                    entry["key"],
                    start_position=-len(text),
                    display=entry["title"],
                    display_meta=", ".join(entry["hosts"][:2]),
                )

    return prompt(f"{question}: ", completer=Providers(), complete_while_typing=True).strip()
