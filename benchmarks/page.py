"""docs/benchmarks.md: the table and the blocks below its mark, from the figures that a file beside it keeps."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.goals import GROUPS, Goal

PEERS = (
    "httpx", "httpx-aiohttp", "aiohttp", "pyreqwest", "requests", "requests-oauthlib", "pandas", "polars", "pyarrow", "msgspec",
    "dlt",
)  # fmt: skip
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
RESULTS = PAGE.parent / "_static" / "benchmarks.json"
MARK = "<!-- written by `python -m benchmarks --write` from here on -->\n"


@dataclass
class Result:
    """What was measured of a row, or why nothing was; `lines` show all sides of its group; `about` is when and where."""

    measured: float | None
    problem: str = ""
    lines: list[str] = field(default_factory=list)
    about: str = ""


def machine() -> str:
    versions = []
    for name in PEERS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{name} {importlib.metadata.version(name)}")
    if nginx := shutil.which("nginx"):
        said = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=False).stderr
        versions.append(said.strip().rpartition(": ")[2].replace("/", " ") or "nginx")
    return (
        f"{datetime.datetime.now(datetime.UTC):%B %Y}: {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}; {', '.join(versions)}."
    )


def row_of(goal: Goal, result: Result | None) -> str:
    """The row of the table."""
    limit = f"≤ {goal.limit:g} {goal.unit}".rstrip()
    if result is None or result.measured is None:
        return f"| {goal.what} | | {limit} | {'failed: ' + result.problem if result else 'not measured'} |"
    mark = "reached" if result.measured <= goal.limit else "**not reached**"
    return f"| {goal.what} | {result.measured:.3g} {goal.unit}".rstrip() + f" | {limit} | {mark} |"


def read_results() -> dict[str, Result]:
    """The figures of the runs before."""
    if not RESULTS.exists():
        return {}
    return {key: Result(**result) for key, result in json.loads(RESULTS.read_text("utf-8")).items()}


def write_page(results: dict[str, Result]) -> None:
    """Put the figures into the page, below its mark, and into the file beside it."""
    here = machine()
    for result in results.values():
        result.about = result.about or here
    RESULTS.write_text(json.dumps({key: asdict(result) for key, result in results.items()}, indent=1) + "\n", "utf-8")
    before = PAGE.read_text("utf-8").partition(MARK)[0]
    PAGE.write_text(f"{before}{MARK}\n{text_of(results)}", "utf-8")


def text_of(results: dict[str, Result]) -> str:
    """What stands below the mark."""
    rows = [row_of(goal, results.get(goal.key)) for group in GROUPS for goal in group.goals]
    table = "\n".join(["| what | measured | goal | |", "|---|---|---|---|", *rows])
    modules: dict[str, list[str]] = {}
    for group in GROUPS:
        lines = results[group.goals[0].key].lines if group.goals[0].key in results else []
        if lines:
            modules.setdefault(group.module, []).extend([*lines, ""])
    blocks = [
        f"## {module.replace('_', ' ').capitalize()}\n\n```text\n" + "\n".join(lines).strip("\n") + "\n```"
        for module, lines in modules.items()
    ]
    where = list(dict.fromkeys(result.about for result in results.values() if result.about))
    return "\n\n".join([*where, table, *blocks]) + "\n"
