"""Measure what the package costs beside what people would use instead.

python -m benchmarks                     every row of the table, each group in a process of its own
python -m benchmarks --only nested ...   these rows (or modules)
python -m benchmarks --write             the same into docs/benchmarks.md, written anew at each row
python -m benchmarks --browser           the rows that need a Chromium as well
python -m benchmarks --curves            the pictures of docs/benchmarks.md
python -m benchmarks --profile           flame graphs of the dearest paths, by py-spy
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import goals
from benchmarks.measure import Report
from benchmarks.page import PAGE, Result, machine, read_results, row_of, write_page


def run_here(module: str, name: str, into: Path) -> None:
    """What a group's own process does."""
    getattr(importlib.import_module(f"benchmarks.{module}"), name)(Report(into=into))


def run(group: goals.Group) -> dict[str, Result]:
    """The rows of one group, measured in a process of its own; a failure is a result too."""
    with tempfile.TemporaryDirectory(prefix="flowlet-benchmark-") as folder:
        into = Path(folder) / "report.json"
        command = [sys.executable, "-m", "benchmarks", "--here", group.module, group.name, str(into)]
        problem = ""
        # what it and its own processes leave behind goes with the folder, also where they are killed
        environment = {**os.environ, "TMPDIR": folder}
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True, env=environment)
        try:
            _, said = process.communicate(timeout=group.seconds)
            if process.returncode:
                problem = (said.strip().splitlines() or [f"ended with {process.returncode}"])[-1][:160]
        except subprocess.TimeoutExpired:
            problem = f"took longer than {group.seconds:g} s"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # its servers too
                process.communicate()
        report = json.loads(into.read_text("utf-8")) if into.exists() else {"measured": {}, "lines": []}
    results = {
        goal.key: Result(
            report["measured"].get(goal.key),
            "" if goal.key in report["measured"] else problem or "was not measured",
            report["lines"] if goal is group.goals[0] else [],
        )
        for goal in group.goals
    }
    for goal in group.goals:
        print(row_of(goal, results[goal.key]), flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="ROW", help="rows or modules")
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.name}; rows that are not measured stay")
    parser.add_argument("--browser", action="store_true", help="the rows that need a Chromium as well")
    parser.add_argument("--curves", action="store_true", help="the pictures of the documentation")
    parser.add_argument("--profile", action="store_true", help="flame graphs by py-spy, into build/profiles")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures for benchmarks/compare.py")
    parser.add_argument("--here", nargs=3, metavar=("MODULE", "FUNCTION", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        module, name, into = options.here
        run_here(module, name, Path(into))
        return
    if options.curves or options.profile:
        from benchmarks import curves, profiles

        (curves if options.curves else profiles).main()
        return
    groups = goals.chosen(options.only)
    if options.browser and not options.only:
        groups = list(goals.GROUPS)
    print(f"{machine()} Load {os.getloadavg()[0]:.1f}.\n", flush=True)
    results = read_results() if options.write else {}
    for group in groups:
        results |= run(group)
        if options.write:
            write_page(results)
        if options.json:
            options.json.write_text(
                json.dumps({key: result.measured for key, result in results.items() if result.measured is not None})
            )


if __name__ == "__main__":
    main()
