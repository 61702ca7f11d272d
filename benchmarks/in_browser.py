"""How long until the form and the status are seen, in JupyterLab and a Chromium: by the tests' own moves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Report

ROOT = Path(__file__).parents[1]


def form(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "times.json"
        process = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests/browser/measure_times.py"],
            cwd=ROOT, env={**os.environ, "FLOWLET_TIMES": str(into)}, check=False, stdout=sys.stderr,
        )  # fmt: skip
        # no CalledProcessError: its text holds this machine's paths, and a row is published
        if process.returncode:
            raise SystemExit("tests/browser/measure_times.py failed")
        found = json.loads(into.read_text("utf-8"))
    for key, taken in found.items():
        report.say(f"  {key:44} {', '.join(f'{each * 1e3:.0f}' for each in taken)} ms")
        report.found(key, sorted(taken)[len(taken) // 2] * 1e3)
