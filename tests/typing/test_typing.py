"""What a type checker says of the public functions, in an editor as in a check: two checkers, right and wrong uses."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import mypy_cache

import flowlet_jupyter as flowlet

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def mypy(*paths: Path) -> dict[str, set[int]]:
    # with the project's own settings, so that what test_quality.py has checked is not checked again
    with mypy_cache():
        command = [sys.executable, "-m", "mypy", "--strict", *map(str, paths)]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=800, check=False)
    assert ran.returncode in {0, 1}, ran.stdout + ran.stderr
    return {path.name: {int(n) for n in re.findall(rf"{path.name}:(\d+): error", ran.stdout)} for path in paths}


def pyright(*paths: Path) -> dict[str, set[int]]:
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, *map(str, paths)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=800, check=False)
    found = [each for each in json.loads(ran.stdout)["generalDiagnostics"] if each["severity"] == "error"]
    return {
        path.name: {each["range"]["start"]["line"] + 1 for each in found if Path(each["file"]).name == path.name}
        for path in paths
    }


@pytest.mark.timeout(900)  # without their caches, on a busy machine
@pytest.mark.parametrize("checker", [mypy, pyright])
def test_right_uses_pass_and_each_wrong_one_is_refused(checker):
    lines = (HERE / "wrong.py").read_text("utf-8").splitlines()
    refused = {n for n, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert checker(HERE / "right.py", HERE / "wrong.py") == {"right.py": set(), "wrong.py": refused}


@pytest.mark.parametrize("name", ["get", "post", "request", "paginate", "gather"])
def test_a_running_kernel_completes_the_options(name):
    offered = set(inspect.signature(getattr(flowlet, name)).parameters)
    assert {"secret", "retry", "cache", "timeout", "headers"} <= offered


def test_the_async_verbs_offer_no_cache():
    offered = set(inspect.signature(flowlet.aget).parameters)
    assert {"secret", "retry"} <= offered
    assert "cache" not in offered
