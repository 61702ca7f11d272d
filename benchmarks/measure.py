"""Sides that run in turn, medians, and the rows of the table in docs/benchmarks.md."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Call = Callable[[], object]


def seconds(call: Call) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def cpu_seconds(call: Call) -> float:
    """What it costs this process, whatever else runs on the machine."""
    started = time.process_time()
    call()
    return time.process_time() - started


def medians(
    sides: Mapping[str, Call], rounds: int, *, warm_up: int = 1, clock: Callable[[Call], float] = seconds
) -> dict[str, float]:
    """The median seconds of each side. They run in turn, each round begins with another one, so that drift hits all alike."""
    for _ in range(warm_up):
        for call in sides.values():
            call()
    times: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    for number in range(rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            times[name].append(clock(sides[name]))
    return {name: statistics.median(taken) for name, taken in times.items()}


@dataclass(frozen=True)
class Goal:
    """A row of the table: what was measured, what it should be at most, and its unit ("" for a ratio)."""

    what: str
    measured: float
    limit: float
    unit: str = ""

    def row(self) -> str:
        mark = "reached" if self.measured <= self.limit else "**not reached**"
        return (
            f"| {self.what} | {self.measured:.3g} {self.unit}".rstrip()
            + f" | ≤ {self.limit:g} {self.unit}".rstrip()
            + f" | {mark} |"
        )


@dataclass
class Report:
    """What one part of the run found."""

    lines: list[str] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)

    def say(self, text: str) -> None:
        print(text, flush=True)
        self.lines.append(text)

    def compare(self, title: str, found: Mapping[str, float], *, scale: float = 1e6, unit: str = "us") -> None:
        """The medians with their ratio to the first."""
        base = next(iter(found.values()))
        self.say(f"\n{title}")
        for name, taken in found.items():
            self.say(f"  {name:44} {taken * scale:10.1f} {unit}  {taken / base:6.3f} x")

    def goal(self, what: str, measured: float, limit: float, unit: str = "") -> None:
        goal = Goal(what, measured, limit, unit)
        self.goals.append(goal)
        print(goal.row(), flush=True)
