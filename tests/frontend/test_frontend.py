"""The front end's modules are joined into one that parses, and their units pass in node's own test runner."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support import npm_install, skip_or_fail

from flowlet_jupyter.frontend import FOLDER, JoinError, join, script

HERE = Path(__file__).parent


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    if found is None:
        skip_or_fail("node is needed for the front end's unit tests")
    return found


@pytest.mark.parametrize("entry", ["widget.js", "page.js", "response.js"])
def test_the_joined_module_parses_and_imports_nothing(node, tmp_path, entry):
    joined = tmp_path / "joined.mjs"
    joined.write_text(script(entry), "utf-8")
    assert not any(line.startswith(("import ", "export {")) for line in joined.read_text().splitlines())
    subprocess.run([node, "--check", joined], check=True, timeout=60)


def test_units_of_the_front_end(node):
    ran = subprocess.run(
        [node, "--test", *map(str, sorted(HERE.glob("*.test.js")))],
        check=False, capture_output=True, text=True, timeout=120, cwd=HERE,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-5000:]
    assert "# pass 0" not in ran.stdout


def test_no_state_is_read_before_a_response_is_awaited_and_written_after_it():
    # what came meanwhile would be undone: the arguments and spreads on the left of an await are evaluated before it
    torn = re.compile(r"\bstate = [^;\n]*\bstate\b[^;\n]*\bawait\b")
    assert torn.search('state = { ...state, vault: await call("GET", "api/vault") };')
    assert [file.name for file in FOLDER.glob("*.js") if torn.search(file.read_text("utf-8"))] == []


def test_types_of_the_front_end(node):
    for file in FOLDER.glob("*.js"):
        assert file.read_text("utf-8").startswith("// @ts-check\n"), f"{file.name} is not checked in an editor"
    npm_install(HERE, "typescript")
    compiler = HERE / "node_modules" / "typescript" / "bin" / "tsc"
    ran = subprocess.run(
        [node, compiler, "-p", HERE / "tsconfig.json"], check=False, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stdout[-5000:]


def test_a_module_is_joined_once_and_before_what_imports_it(tmp_path):
    (tmp_path / "a.js").write_text("export const a = 1;\n")
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\nexport function b() { return a; }\n')
    (tmp_path / "c.js").write_text('import { a } from "./a.js";\nimport { b } from "./b.js";\nconsole.log(a, b());\n')
    assert join("c.js", tmp_path) == "const a = 1;\n\nfunction b() { return a; }\n\nconsole.log(a, b());\n"


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ("export const b = 1;\n", "does not export"),
        ("export const a = 1;\nconst own = 2;\n", "both declare own"),
        ('import { own } from "./main.js";\nexport const a = 1;\n', "circle"),
        ('import a from "elsewhere";\nexport const a = 1;\n', "cannot be joined"),
    ],
)
def test_what_would_break_when_joined_is_an_error(tmp_path, other, says):
    (tmp_path / "main.js").write_text('import { a } from "./other.js";\nconst own = a;\n')
    (tmp_path / "other.js").write_text(other)
    with pytest.raises(JoinError, match=says):
        join("main.js", tmp_path)


def test_every_module_is_used():
    joined = script("widget.js") + script("page.js") + script("response.js")
    for file in FOLDER.glob("*.js"):
        if file.name != "callback.js":  # these stand for themselves
            assert file.read_text("utf-8").splitlines()[-3].removeprefix("export ") in joined
