"""Take each defence of defences.toml away in turn, on a copy of the checkout, and see whether its tests notice.

    python tests/security/remove_defences.py [--only WORD] [--check] [--workers 2] [--write]

Prints a table; `--write` also puts it into docs/defences.md. Ends with 1 if one is not noticed, if a named test fails
without any removal, or if a text is no longer found; `--check` only looks for the texts.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import os
import re
import shutil
import sys
import tempfile
import tomllib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "defences.md"
TEST_SECONDS = 45  # of one test: a removed bound makes it wait for ever, which is noticed too
TESTS_FAILED = 1  # pytest's exit codes
_LEFT_OUT = (
    ".git", "node_modules", "__pycache__", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "images",
)  # fmt: skip

# other people's only: what is ours is imported by each child, from its copy
_PRELOADED = (
    "pytest", "hypothesis", "respx", "httpx", "h11", "pandas", "polars", "pyarrow", "requests", "tornado.web",
    "jupyter_server.serverapp", "jupyter_server.services.contents.handlers", "IPython", "ipywidgets", "anywidget",
    "nbformat", "nbclient", "joserfc.jwt", "joserfc.jwe", "authlib.oauth2.rfc7523", "keyring", "keyring.backends.fail",
    "google.auth.transport.requests", "azure.core.credentials", "fsspec", "trustme", "segno", "jmespath", "yaml",
    "hishel", "httpx_retries", "jsonpickle", "cloudpickle", "defusedxml.ElementTree", "truststore", "pytest_jupyter",
    "pytest_jupyter.jupyter_server", "tqdm", "charset_normalizer", "filelock",
)  # fmt: skip


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


def preload() -> None:
    """Import what the tests need of other packages, once: a forked child then begins with its tests at once."""
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def start_tests(root: Path, tests: list[str], *, seconds: int = TEST_SECONDS) -> int:
    """Fork a child that runs pytest in the checkout at `root` and writes to `root`/output; the child's process ID."""
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        output = os.open(root / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(root)
        os.environ |= {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
        sys.dont_write_bytecode = True
        sys.path.insert(0, str(root))
        import pytest

        options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "--disable-warnings"]
        options += ["-o", "addopts=--import-mode=importlib --strict-markers", f"--timeout={seconds}"]
        code = int(pytest.main([*options, *tests]))
        sys.stdout.flush()
    finally:
        os._exit(code)


def outcome(root: Path, status: int) -> tuple[bool, str]:
    """Whether a test failed, and which one, or what pytest said instead."""
    output = (root / "output").read_text("utf-8", "replace")
    failed = re.search(r"^FAILED (\S+)", output, re.MULTILINE)
    if os.waitstatus_to_exitcode(status) == TESTS_FAILED and failed:
        return True, failed[1]
    return False, output.strip().splitlines()[-1] if output.strip() else f"the process ended with {status}"


def remove_each(defences: list[Defence], roots: list[Path]) -> Iterator[tuple[Defence, bool, str]]:
    """Each defence, whether its removal was noticed, and by which test; as many at a time as there are copies."""
    waiting, running, free = deque(defences), dict[int, tuple[Defence, Path, str]](), list(roots)
    while waiting or running:
        while waiting and free:
            defence, root = waiting.popleft(), free.pop()
            path = root / defence.file
            before = path.read_text("utf-8")
            path.write_text(defence.removed_from(root), "utf-8")
            running[start_tests(root, [*defence.tests, "-x"])] = (defence, root, before)
        child, status = os.wait()
        defence, root, before = running.pop(child)
        (root / defence.file).write_text(before, "utf-8")
        yield (defence, *outcome(root, status))
        free.append(root)


def copies(count: int, folder: Path) -> list[Path]:
    """`count` copies of the checkout, for as many children."""
    for number in range(count):
        shutil.copytree(ROOT, folder / str(number), ignore=shutil.ignore_patterns(*_LEFT_OUT))
    return [folder / str(number) for number in range(count)]


def table(results: list[tuple[Defence, bool]]) -> str:
    """The table of docs/defences.md."""
    rows = ["| Defence | Where | Removed | Noticed by |", "|---|---|---|---|"]
    for defence, noticed in results:
        tests = ", ".join(f"`{test.removeprefix('tests/')}`" for test in defence.tests)
        name = defence.name.replace("{{ }}", "`{{ }}`")
        rows.append(
            f"| {name} | `{defence.file.removeprefix('flowlet_jupyter/')}` | yes | {tests if noticed else '**nothing**'} |"
        )
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
    parser.add_argument("--no-baseline", action="store_true", help="do not run all named tests first as they are")
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
    preload()
    results: list[tuple[Defence, bool]] = []
    with tempfile.TemporaryDirectory(prefix="flowlet-defences-") as folder:
        roots = copies(options.workers, Path(folder))
        tests = sorted({test for defence in chosen for test in defence.tests})
        if not options.no_baseline:
            _, status = os.waitpid(start_tests(roots[0], tests, seconds=240), 0)
            if status:
                print(f"The tests fail before anything is removed: {(roots[0] / 'output').read_text()[-3000:]}")
                return 1
        for defence, noticed, why in remove_each(chosen, roots):
            print(f"{'noticed    ' if noticed else 'NOT NOTICED'}  {defence.name}  ({why})", flush=True)
            results.append((defence, noticed))
    results.sort(key=lambda result: everything.index(result[0]))
    missed = [defence.name for defence, noticed in results if not noticed]
    print(f"{len(results)} removed, {len(results) - len(missed)} noticed")
    if options.write and len(chosen) == len(everything):
        TABLE.write_text(page(results), "utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
