"""The checks that read code: linter, formatter, types, layers."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import mypy_cache

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@pytest.mark.timeout(900)  # mypy without its cache, on a busy machine
@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=" ".join,
)
def test_code_passes(command):
    program = shutil.which(command[0], path=BIN)
    assert program, f"{command[0]} is not installed beside {sys.executable}"
    with mypy_cache() if command == ["mypy"] else contextlib.nullcontext():
        found = subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
