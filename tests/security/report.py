"""Run the security suites and write what they tried into docs/security.md.

    python tests/security/report.py [--long] [--only ROW]... [--table]

Each row of rows.toml is run by pytest; what its tests counted goes to results/ROW.json with the command that gives it,
and the table is made of these files. Rows that are not run keep the figures of their last run. Nothing is written if
a test fails. `--table` runs nothing: it only makes the table again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
RESULTS = Path(__file__).parent / "results"
DEFENCES = ROOT / "docs" / "defences.md"


@dataclass(frozen=True)
class Row:
    """A row of the table: which counts it shows, and which tests note them."""

    name: str
    title: str
    counts: tuple[str, ...]
    tests: tuple[str, ...]

    def command(self, *, is_long: bool) -> str:
        """What anybody can run for the figures of this row."""
        return f"python tests/security/report.py{' --long' if is_long else ''} --only {self.name}"


def load_rows() -> list[Row]:
    """All of rows.toml, in its order."""
    entries = tomllib.loads((Path(__file__).parent / "rows.toml").read_text("utf-8"))["row"]
    return [Row(**{**entry, "counts": tuple(entry["counts"]), "tests": tuple(entry["tests"])}) for entry in entries]


def run(rows: list[Row], *, is_long: bool) -> tuple[int, dict[str, Counter[str]]]:
    """pytest's exit code for the tests of these rows, and what they noted for each row."""
    tests = sorted({test for row in rows for test in row.tests if (ROOT / test).exists()})
    with tempfile.TemporaryDirectory() as folder:
        noted = Path(folder, "measures")
        command = [sys.executable, "-m", "pytest", "-m", "security", "-q", *(["--long"] if is_long else []), *tests]
        environment = {**os.environ, "FLOWLET_SECURITY_MEASURES": str(noted)}
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        measures: dict[str, Counter[str]] = {}
        for line in noted.read_text("utf-8").splitlines() if noted.is_file() else ():
            name, counts = json.loads(line)
            measures.setdefault(name, Counter()).update(counts)
    return code, measures


def table() -> str:
    """The table, from the results of each row's last run."""
    lines = ["| What | Figures | Command |", "|---|---|---|"]
    for row in load_rows():
        file = RESULTS / f"{row.name}.json"
        if file.is_file():
            result = json.loads(file.read_text("utf-8"))
            figures = " / ".join(f"{result['counts'][count]:,}" for count in row.counts)
            lines.append(f"| {row.title} | {figures} | `{result['command']}` |")
    removed = [line for line in DEFENCES.read_text("utf-8").splitlines() if "| yes |" in line]
    noticed = sum("**nothing**" not in line for line in removed)
    figures = f"{len(removed):,} / {noticed:,}"
    lines.append(f"| Defences removed / noticed | {figures} | `python tests/security/remove_defences.py --write` |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="the long profile: more of everything")
    parser.add_argument("--only", action="append", metavar="ROW", help="run this row (may be repeated)")
    parser.add_argument("--table", action="store_true", help="run nothing, only make the table again")
    options = parser.parse_args(arguments)
    rows = [row for row in load_rows() if not options.only or row.name in options.only]
    if not rows:
        parser.error(f"no row of rows.toml is named {', '.join(options.only)}")
    if not options.table:
        code, measures = run(rows, is_long=options.long)
        if code:
            print(f"pytest ended with {code}, so nothing was written.")
            return code
        for row in rows:
            counts = measures.get(row.name, {})
            if not set(row.counts) <= set(counts):
                print(f"{row.name}: its tests noted no counts, the row keeps its former figures")
                continue
            result = {
                "counts": {count: counts[count] for count in row.counts},
                "command": row.command(is_long=options.long),
            }
            (RESULTS / f"{row.name}.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    made = table()
    between = re.compile(r"(<!-- measures begin -->\n).*?(<!-- measures end -->)", re.DOTALL)
    PAGE.write_text(between.sub(lambda found: f"{found[1]}{made}\n{found[2]}", PAGE.read_text("utf-8")), "utf-8")
    print(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
