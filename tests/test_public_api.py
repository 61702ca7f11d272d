from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.model.secret import Password, Record
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault import Vault


def test_every_public_name_is_there_and_known_to_type_checkers():
    assert all(getattr(flowlet, name) is not None for name in flowlet.__all__)
    assert set(flowlet.__all__) <= set(dir(flowlet))
    with pytest.raises(AttributeError):
        _ = flowlet.nope
    tree = ast.parse(Path(flowlet.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    declared = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert declared - {None} == set(flowlet.__all__) - {"secrets"}


@pytest.mark.slow  # a process of its own
def test_loading_imports_nothing_of_what_a_request_needs():
    heavy = {"httpx", "authlib", "keyring", "pandas", "anywidget", "joserfc", "jupyter_server", "cryptography"}
    program = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance(); before = set(sys.modules)\n"
        "shell.run_line_magic('load_ext', 'flowlet_jupyter')\n"
        "print(*[name for name in set(sys.modules) - before if '.' not in name])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "flowlet_jupyter" in loaded
    assert not heavy & set(loaded)


def test_every_error_of_ours_is_a_flowlet_error():
    errors = [getattr(flowlet, name) for name in flowlet.__all__ if isinstance(getattr(flowlet, name), type)]
    assert all(issubclass(error, flowlet.FlowletError) for error in errors if issubclass(error, Exception))


# with what a vault holds already, so nothing is made or locked; and nobody listens there
_FIRST_REQUEST = """
import contextlib, flowlet_jupyter
with contextlib.suppress(flowlet_jupyter.RequestFailed):
    flowlet_jupyter.get("http://127.0.0.1:9/", secret="api", retry=0)
"""


@pytest.mark.slow  # a process of its own
@pytest.mark.parametrize(
    ("code", "not_needed"),
    [
        ("from flowlet_jupyter.cli import main; main(['list'])", {"jupyter_server", "tornado", "httpx", "authlib"}),
        ("import flowlet_jupyter.server.extension", {"httpx", "authlib", "joserfc", "keyring"}),
        ("import flowlet_jupyter; flowlet_jupyter.get", {"authlib", "pandas", "IPython", "tornado"}),
        (_FIRST_REQUEST, {"joserfc", "keyring", "filelock", "click", "rich", "authlib", "pandas"}),
    ],
    ids=["jupyter flowlet list", "a Jupyter server's start", "the verbs", "the first request"],
)
def test_nobody_waits_for_what_is_not_needed_yet(code, not_needed, tmp_path):
    program = f"import sys\n{code}\nprint(*[name for name in sys.modules if '.' not in name])"
    password = Password(name="api", password=SecretValue("value"), allowed_hosts=("127.0.0.1:9",))
    Vault(tmp_path / "vault").put(Record(secret=password))
    backend = "keyring.backends.fail.Keyring"
    environment = {**os.environ, "FLOWLET_VAULT": str(tmp_path / "vault"), "PYTHON_KEYRING_BACKEND": backend}
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment)
    assert not_needed.isdisjoint(found.stdout.splitlines()[-1].split())
