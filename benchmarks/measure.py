"""Sides that run in turn, their medians, and what a group of rows found."""

from __future__ import annotations

import json
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

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
    return {name: statistics.median(taken) for name, taken in _times(sides, rounds, warm_up, clock).items()}


def least(sides: Mapping[str, Call], rounds: int, *, clock: Callable[[Call], float] = seconds) -> dict[str, float]:
    """The least seconds of each side, in the same order: those of the round in which nobody else was in the way."""
    return {name: min(taken) for name, taken in _times(sides, rounds, 2, clock).items()}


def _times(
    sides: Mapping[str, Call], rounds: int, warm_up: int, clock: Callable[[Call], float]
) -> dict[str, list[float]]:
    for _ in range(warm_up):
        for call in sides.values():
            call()
    times: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    for number in range(rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            times[name].append(clock(sides[name]))
    return times


def peak_megabytes() -> float:
    """The most memory that this process has had so far."""
    # Linux hands the peak that getrusage tells on to a child; this one begins anew with the program
    for line in Path("/proc/self/status").read_text().splitlines() if Path("/proc/self/status").exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


@dataclass
class Report:
    """What one group found: the rows' figures by their keys, and lines that show all sides."""

    measured: dict[str, float] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    into: Path | None = None  # written anew at each figure, so that what came is there if the rest fails

    def say(self, text: str) -> None:
        print(text, flush=True)
        self.lines.append(text)
        self._write()

    def compare(self, title: str, found: Mapping[str, float], *, scale: float = 1e3, unit: str = "ms") -> None:
        """The medians with their ratio to the first."""
        base = next(iter(found.values()))
        self.say(f"\n{title}")
        for name, taken in found.items():
            self.say(f"  {name:44} {taken * scale:10.1f} {unit}  {taken / base:6.3f} x")

    def found(self, key: str, measured: float) -> None:
        """The figure of the row `key`."""
        self.measured[key] = measured
        self._write()

    def _write(self) -> None:
        if self.into is not None:
            self.into.write_text(json.dumps({"measured": self.measured, "lines": self.lines}), "utf-8")
