"""Run the security suites and write what they tried into docs/security.md: `python tests/security/report.py [tests …]`.

FLOWLET_SECURITY=long tries more. Every number comes from this run: what was not run is not in the table.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from defusedxml.ElementTree import parse
from remove_defences import load_defences

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"


def table(measures: Counter[str], tests: int, failed: int) -> str:
    """The table, from what the tests noted."""
    rows = [("security tests run", tests), ("failed", failed), *sorted(measures.items())]
    rows.append(("defences in the list", len(load_defences())))
    lines = ["| What | Number |", "|---|---|", *(f"| {name} | {number:,} |" for name, number in rows)]
    return "\n".join(lines)


def main(tests: list[str]) -> int:
    """The command."""
    with tempfile.TemporaryDirectory() as folder:
        noted, results = Path(folder, "measures"), Path(folder, "results.xml")
        command = [sys.executable, "-m", "pytest", "-m", "security", "-q", f"--junitxml={results}", *tests]
        environment = {**os.environ, "FLOWLET_SECURITY_MEASURES": str(noted)}
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        suites = parse(results).getroot().iter("testsuite")
        counts = [
            (int(suite.get("tests", 0)), int(suite.get("failures", 0)) + int(suite.get("errors", 0)))
            for suite in suites
        ]
        measures: Counter[str] = Counter()
        for line in noted.read_text("utf-8").splitlines() if noted.is_file() else ():
            name, number = json.loads(line)
            measures[name] += number
    made = table(measures, sum(count for count, _ in counts), sum(failed for _, failed in counts))
    text = PAGE.read_text("utf-8")
    between = re.compile(r"(<!-- measures begin -->\n).*?(<!-- measures end -->)", re.DOTALL)
    PAGE.write_text(between.sub(lambda found: f"{found[1]}{made}\n{found[2]}", text), "utf-8")
    print(made)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
