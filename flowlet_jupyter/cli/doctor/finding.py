"""One line of a diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do (empty where nothing is).

    `bad`: something does not work until it is done. `warn`: it works, or will for a while.
    """

    subject: str
    state: Literal["ok", "warn", "bad"]
    text: str
    advice: str = ""

    def __str__(self) -> str:
        line = f"{self.state:4} {self.subject}: {self.text}"
        return f"{line} -> {self.advice}" if self.advice else line
