from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import sys
import flowlet_jupyter.{package}
assert "httpx" not in sys.modules  # an extension that is loaded has no need of it
import httpx
print(sorted({{"rich", "click"}} & set(sys.modules)), httpx.main.__module__, httpx.Client)
for _ in range(2):
    httpx.main(["--help"], standalone_mode=False)
print(sorted({{"httpx._main", "click"}} & set(sys.modules)))
"""


@pytest.mark.slow  # a process of its own
@pytest.mark.parametrize("package", ["http", "oauth"])
def test_httpx_comes_without_its_command_line_which_is_there_when_it_is_called(package):
    program = _PROGRAM.format(package=package)
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    first, *of_the_command_line, loaded = shown.splitlines()
    assert first == "[] httpx <class 'httpx.Client'>"
    assert "".join(of_the_command_line).count("next generation HTTP client") == 2
    assert loaded == "['click', 'httpx._main']"
