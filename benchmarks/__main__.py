"""python -m benchmarks [startup] [request_overhead] [concurrency] [exploring] [--write]

All parts by default. `--write` puts the figures into docs/benchmarks.md, under its mark.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib
import importlib.metadata
import io
import os
import platform
import sys
from pathlib import Path

from benchmarks.measure import Report

PARTS = ("startup", "request_overhead", "concurrency", "exploring")
PEERS = ("httpx", "httpx-aiohttp", "aiohttp", "pyreqwest", "requests", "requests-oauthlib", "pandas", "polars", "dlt")
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
MARK = "<!-- written by `python -m benchmarks --write` from here on -->\n"


def machine() -> str:
    versions = []
    for name in PEERS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{name} {importlib.metadata.version(name)}")
    return (
        f"{datetime.datetime.now(datetime.UTC):%B %Y}: {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}; {', '.join(versions)}."
    )


class _Tee(io.StringIO):
    """What `exploring` prints is seen at once, and kept."""

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)  # type: ignore[union-attr]
        return super().write(text)


def run(part: str) -> Report:
    report = Report()
    module = importlib.import_module(f"benchmarks.{part}")
    if part == "exploring":
        with contextlib.redirect_stdout(_Tee()) as printed:
            module.main()
        report.lines.append(printed.getvalue().strip("\n"))
    else:
        module.main(report)
    return report


def page(reports: dict[str, Report]) -> str:
    rows = [goal.row() for report in reports.values() for goal in report.goals]
    table = "\n".join(["| what | measured | goal | |", "|---|---|---|---|", *rows])
    blocks = [
        f"## {part}\n\n```text\n" + "\n".join(report.lines).strip("\n") + "\n```"
        for part, report in reports.items()
        if report.lines
    ]
    return "\n\n".join([machine(), table, *blocks]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    reports = {part: run(part) for part in options.parts or PARTS}
    if options.write:
        before = PAGE.read_text("utf-8").partition(MARK)[0]
        PAGE.write_text(f"{before}{MARK}\n{page(reports)}", "utf-8")


if __name__ == "__main__":
    main()
