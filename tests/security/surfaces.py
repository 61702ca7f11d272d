"""Surfaces: what a value could be seen on. Each is collected, searched, and then shown to be searched, by what is planted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from leak_search import files_below, kinds_found
from security.canaries import MARK, PLANTED


@dataclass(frozen=True)
class Surface:
    """One surface. `collect` gives all that is to be seen there now; `plant` puts a text there in the way that is usual."""

    name: str
    collect: Callable[[], bytes]
    plant: Callable[[str], object]


def folder(name: str, path: Path) -> Surface:
    """All files below `path`, hidden ones too."""
    return Surface(name, lambda: _joined(files_below(path)), (path / ".planted").write_text)


def file(name: str, path: Path) -> Surface:
    """One file that a program writes."""

    def plant(text: str) -> None:
        with path.open("a") as opened:
            opened.write(text)

    return Surface(name, path.read_bytes, plant)


def texts(name: str, collected: list[str]) -> Surface:
    """What a test has collected from elsewhere."""
    return Surface(name, lambda: "\n".join(collected).encode("utf-8", "surrogatepass"), collected.append)


def process(name: str, process_ids: Callable[[], Iterable[int]], plant: Callable[[str], object]) -> Surface:
    """Command line and environment of processes, as any program of the same user reads them."""

    def collect() -> bytes:
        return b"\n".join(
            Path(f"/proc/{each}/{what}").read_bytes() for each in process_ids() for what in ("cmdline", "environ")
        )

    return Surface(name, collect, plant)


def children_of(process_id: int) -> list[int]:
    """The process and its descendants."""
    found, todo = [], [process_id]
    while todo:
        each = todo.pop()
        found.append(each)
        for task in os.listdir(f"/proc/{each}/task"):
            todo += map(int, Path(f"/proc/{each}/task/{task}/children").read_text().split())
    return found


def search(surfaces: Iterable[Surface], values: Mapping[str, Iterable[str]], measured: Callable[..., None]) -> None:
    """Search each surface for each of `values`; then plant something in each, which the same search must find."""
    surfaces = list(surfaces)
    found = {surface.name: kinds_found(surface.collect(), values, mark=MARK) for surface in surfaces}
    leaked = {name: sorted(kinds) for name, kinds in found.items() if kinds}
    assert not leaked, f"found: {leaked}"
    for surface in surfaces:
        surface.plant(PLANTED)
    blind = [surface.name for surface in surfaces if not kinds_found(surface.collect(), {"planted": [PLANTED]})]
    assert not blind, f"the search does not see what was planted in {blind}"
    measured("leaks", searched=len(surfaces), found=0)


def _joined(files: Mapping[str, bytes]) -> bytes:
    return b"\n".join([*files.values(), *(name.encode() for name in files)])
