from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import flowlet_jupyter as flowlet


def test_every_public_name_is_there_and_known_to_type_checkers():
    assert all(getattr(flowlet, name) is not None for name in flowlet.__all__)
    assert set(flowlet.__all__) <= set(dir(flowlet))
    with pytest.raises(AttributeError):
        _ = flowlet.nope
    tree = ast.parse(Path(flowlet.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    declared = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert declared - {None} == set(flowlet.__all__) - {"secrets"}


def test_loading_imports_nothing_of_what_a_request_needs():
    heavy = {"httpx", "authlib", "keyring", "pandas", "anywidget", "joserfc", "jupyter_server", "cryptography"}
    program = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance(); before = set(sys.modules)\n"
        "shell.run_line_magic('load_ext', 'flowlet_jupyter')\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "flowlet_jupyter" in loaded
    assert not heavy & set(loaded)


def test_every_error_of_ours_is_a_flowlet_error():
    errors = [getattr(flowlet, name) for name in flowlet.__all__ if isinstance(getattr(flowlet, name), type)]
    assert all(issubclass(error, flowlet.FlowletError) for error in errors if issubclass(error, Exception))


@pytest.mark.parametrize(
    ("code", "not_needed"),
    [
        ("from flowlet_jupyter.cli import main; main(['list'])", {"jupyter_server", "tornado", "httpx", "authlib"}),
        ("import flowlet_jupyter.server.extension", {"httpx", "authlib", "joserfc", "keyring"}),
        ("import flowlet_jupyter; flowlet_jupyter.get", {"authlib", "pandas", "IPython", "tornado"}),
    ],
    ids=["jupyter flowlet list", "a Jupyter server's start", "the first request"],
)
def test_nobody_waits_for_what_is_not_needed_yet(code, not_needed, tmp_path):
    program = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    environment = {**os.environ, "FLOWLET_VAULT": str(tmp_path / "vault")}
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment)
    assert not_needed.isdisjoint(found.stdout.splitlines()[-1].split())
