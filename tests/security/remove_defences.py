"""Take each defence of defences.toml away in turn, on a copy of the checkout, and see whether its tests notice.

    python tests/security/remove_defences.py [--only WORD] [--check] [--workers 2] [--write]

Prints a table; `--write` also puts it into docs/defences.md. Ends with 1 if one is not noticed, if a named test fails
without any removal, or if a text is no longer found; `--check` only looks for the texts.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "defences.md"
TEST_SECONDS = 45  # of one test: a removed bound makes it wait for ever, which is noticed too
TESTS_FAILED = 1  # pytest's exit codes
_LEFT_OUT = (".git", "node_modules", "__pycache__", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "images")


@dataclass(frozen=True)
class Defence:
    """One line or more that protects something, what stands there when it is gone, and the tests that must fail then."""

    name: str
    file: str
    text: str
    without: str
    tests: tuple[str, ...]

    def removed_from(self, root: Path) -> str:
        """The file below `root` without the defence. Raises `ValueError` unless its text stands there exactly once."""
        path = root / self.file
        source = path.read_text("utf-8") if path.is_file() else ""
        count = source.count(self.text)
        if count != 1:
            raise ValueError(f"{self.name}: its text stands {count} times in {self.file}{self._now_in(root)}")
        return source.replace(self.text, self.without)

    def _now_in(self, root: Path) -> str:
        files = (root / "flowlet_jupyter").rglob("*.py")
        others = [str(file.relative_to(root)) for file in files if self.text in file.read_text("utf-8")]
        return f"; it is found in {', '.join(others)}" if others else ""


def load_defences() -> list[Defence]:
    """All of defences.toml, in its order."""
    entries = tomllib.loads((Path(__file__).parent / "defences.toml").read_text("utf-8"))["defence"]
    return [Defence(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


def problems(defences: list[Defence], root: Path = ROOT) -> Iterator[str]:
    """What keeps a defence from being tried: a text that is gone, a removal that is no Python, a test that is not there."""
    names = [defence.name for defence in defences]
    yield from (f"{name}: named twice" for name in sorted({name for name in names if names.count(name) > 1}))
    for defence in defences:
        try:
            removed = defence.removed_from(root)
            if defence.file.endswith(".py"):
                ast.parse(removed)
        except (ValueError, SyntaxError) as error:
            yield f"{defence.name}: {error}"
        for test in defence.tests:
            file, _, function = test.partition("::")
            source = (root / file).read_text("utf-8") if (root / file).is_file() else ""
            if not source or (function and not re.search(rf"^(async )?def {function}\(", source, re.MULTILINE)):
                yield f"{defence.name}: there is no test {test}"


def run_tests(root: Path, tests: list[str], *, seconds: int = TEST_SECONDS) -> tuple[int, str]:
    """Pytest's exit code and what it printed, for the checkout at `root`."""
    command = [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", f"--timeout={seconds}", *tests]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_STORAGE_DIRECTORY": str(root / ".hypothesis")}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def is_noticed(defence: Defence, root: Path) -> tuple[bool, str]:
    """Whether a test fails without the defence, and why not if none does. Changes `root`, and changes it back."""
    path = root / defence.file
    before = path.read_text("utf-8")
    path.write_text(defence.removed_from(root), "utf-8")
    try:
        code, output = run_tests(root, [*defence.tests, "-x"])
    finally:
        path.write_text(before, "utf-8")
    if code == TESTS_FAILED and (failed := re.search(r"^FAILED (\S+)", output, re.MULTILINE)):
        return True, failed[1]
    return False, f"pytest ended with {code}: {output.strip().splitlines()[-1] if output.strip() else ''}"


def copies(count: int, folder: Path) -> Queue[Path]:
    """`count` copies of the checkout, for as many workers."""
    found: Queue[Path] = Queue()
    for number in range(count):
        copy = folder / str(number)
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        found.put(copy)
    return found


def table(results: list[tuple[Defence, bool]]) -> str:
    """The table of docs/defences.md."""
    rows = ["| Defence | Where | Removed | Noticed by |", "|---|---|---|---|"]
    for defence, noticed in results:
        tests = ", ".join(f"`{test.removeprefix('tests/')}`" for test in defence.tests)
        name = defence.name.replace("{{ }}", "`{{ }}`")
        rows.append(f"| {name} | `{defence.file.removeprefix('flowlet_jupyter/')}` | yes | {tests if noticed else '**nothing**'} |")
    return "\n".join(rows)


def page(results: list[tuple[Defence, bool]]) -> str:
    """docs/defences.md."""
    noticed = sum(noticed for _, noticed in results)
    return (
        "# Defences\n\n"
        "A defence that nothing tests is one that the next change may lose. So each of these was taken out of the code in\n"
        "turn, and the tests named beside it were run: at least one of them failed each time. `nox -s defences` does it\n"
        "again, and fails if one is not noticed; the texts stand in `tests/security/defences.toml`.\n\n"
        f"{len(results)} removed, {noticed} noticed.\n\n{table(results)}\n"
    )


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="those whose name or tests contain this")
    parser.add_argument("--check", action="store_true", help="only look for the texts and the tests")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the table into docs/defences.md")
    options = parser.parse_args(arguments)
    everything = load_defences()
    found = list(problems(everything))
    for problem in found:
        print(problem)
    if found or options.check:
        print(f"{len(everything)} defences, {len(found)} problems")
        return 1 if found else 0
    word = options.only.lower()
    chosen = [each for each in everything if word in f"{each.name} {each.file} {' '.join(each.tests)}".lower()]
    with tempfile.TemporaryDirectory(prefix="flowlet-defences-") as folder:
        roots = copies(options.workers, Path(folder))
        root = roots.get()
        code, output = run_tests(root, sorted({test for defence in chosen for test in defence.tests}), seconds=240)
        roots.put(root)
        if code != 0:
            print(f"The tests fail before anything is removed:\n{output[-3000:]}")
            return 1

        def attempt(defence: Defence) -> tuple[Defence, bool]:
            root = roots.get()
            try:
                noticed, why = is_noticed(defence, root)
            finally:
                roots.put(root)
            print(f"{'noticed    ' if noticed else 'NOT NOTICED'}  {defence.name}  ({why})", flush=True)
            return defence, noticed

        with ThreadPoolExecutor(options.workers) as pool:
            results = list(pool.map(attempt, chosen))
    missed = [defence.name for defence, noticed in results if not noticed]
    print(f"{len(results)} removed, {len(results) - len(missed)} noticed")
    if options.write and len(chosen) == len(everything):
        TABLE.write_text(page(results), "utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
