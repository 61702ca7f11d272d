from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from flowlet_jupyter.settings.lean_httpx import leave_out_command_line

_PROGRAM = """
import sys
import flowlet_jupyter.{package}
assert "httpx" not in sys.modules  # an extension that is loaded has no need of it
import httpx
print(sorted({{"rich", "click"}} & set(sys.modules)), httpx.main.__module__, httpx.Client, hasattr(httpx.main, "__wrapped__"))
for _ in range(2):
    {use}
print(sorted({{"httpx._main", "click"}} & set(sys.modules)))
"""
_USES = {
    "called": 'httpx.main(["--help"], standalone_mode=False)',
    "given to click": 'from click.testing import CliRunner; print(CliRunner().invoke(httpx.main, ["--help"]).output)',
}


@pytest.mark.slow  # a process of its own
@pytest.mark.parametrize(("package", "use"), [("http", "called"), ("oauth", "given to click")])
def test_httpx_comes_without_its_command_line_which_is_there_when_it_is_used(package, use):
    program = _PROGRAM.format(package=package, use=_USES[use])
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    first, *of_the_command_line, loaded = shown.splitlines()
    assert first == "[] httpx <class 'httpx.Client'> False"
    assert "".join(of_the_command_line).count("next generation HTTP client") == 2
    assert loaded == "['click', 'httpx._main']"


@pytest.mark.parametrize("imported", ["httpx", "httpx._main"])
def test_what_was_imported_before_stays_as_it_is(imported, monkeypatch):
    for name in ("httpx", "httpx._main"):
        monkeypatch.setitem(sys.modules, name, None)  # so that both are put back
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, imported, module := ModuleType(imported))
    leave_out_command_line()
    assert {name: sys.modules.get(name) for name in ("httpx", "httpx._main")} == {
        "httpx": None, "httpx._main": None, imported: module
    }  # fmt: skip
