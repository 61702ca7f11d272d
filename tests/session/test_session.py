"""A session owns the state: two of them, with two vaults, in one process."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import AuthRequired, RequestFailed, SecretNotFound
from flowlet_jupyter.http.usage_log import uses
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.static import Password
from flowlet_jupyter.session import Session, default_session, session_of
from flowlet_jupyter.testing import put_secret

PACKAGE = Path(flowlet.__file__).parent


class Recorded:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def authorize(self, vault, needed):
        self.asked.append(needed.secret_name)
        raise needed


@pytest.fixture
def other(tmp_path):
    with Session(tmp_path / "other" / "vault", prompt=Recorded()) as session:
        yield session


def test_each_session_sends_the_token_of_its_own_vault(api, other):
    put_secret(Password(name="api", password="of-the-default", base_url=api.url))
    put_secret(Password(name="api", password="of-the-other", base_url=api.url), session=other)
    flowlet.get("/user/1", secret="api")
    flowlet.get("/user/1", secret="api", session=other)
    flowlet.get("/user/1", secret="api")
    sent = [request[2]["Authorization"] for request in api.requests]
    assert sent == ["Bearer of-the-default", "Bearer of-the-other", "Bearer of-the-default"]
    assert len(uses(default_session().vault)) == 2
    assert len(uses(other.vault)) == 1


def test_a_secret_of_one_session_is_unknown_to_the_other(api, other):
    put_secret(Password(name="here", password="p-value-1", base_url=api.url))
    with pytest.raises(SecretNotFound):
        flowlet.get("/user/1", secret="here", session=other)


def test_last_results_and_recordings_are_a_sessions_own(api, other):
    flowlet.gather([f"{api.url}/user/1"], session=other)
    assert len(flowlet.last_gathered(session=other)) == 1
    with pytest.raises(RequestFailed, match="Nothing was gathered"):
        flowlet.last_gathered()
    with flowlet.recording(session=other) as har:
        flowlet.get(f"{api.url}/user/1")
        assert len(har) == 0
        flowlet.get(f"{api.url}/user/1", session=other)
        assert len(har) == 1


def test_the_prompt_of_the_session_or_of_the_call_is_asked(other):
    secret = OAuth2(name="x", authorization_endpoint="https://a.example/a", token_endpoint="https://a.example/t",
                    client_id="c", base_url="https://a.example")  # fmt: skip
    handle = put_secret(secret, session=other)
    with pytest.raises(AuthRequired):
        handle.authorize()
    with pytest.raises(AuthRequired):
        flowlet.get("/me", secret="x", session=other)
    assert other.prompt.asked == ["x", "x"]
    own = Recorded()
    with pytest.raises(AuthRequired):
        handle.authorize(own)
    assert own.asked == ["x"]


def test_a_session_that_nobody_holds_is_gone(tmp_path, api):
    session = Session(tmp_path / "v")
    flowlet.get(f"{api.url}/user/1", session=session)
    assert session_of(session.vault) is session
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None


@pytest.mark.slow  # a process of its own
def test_using_the_package_registers_nothing_in_ipython_and_still_shows_responses():
    program = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def state():
    formatters = shell.display_formatter.formatters
    return {name: (set(f.type_printers), set(f.deferred_printers)) for name, f in formatters.items()}
before = state()
import flowlet_jupyter as flowlet
flowlet.Response, flowlet.secrets, flowlet.get
assert state() == before
data, _ = shell.display_formatter.format(flowlet.Response(200, json={"a": 1}))
assert "flowlet-response" in data["text/html"], data
assert "200" in data["text/plain"]
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_no_module_keeps_state_outside_a_session():
    """Mutable containers at module level that some function changes, and `global`, are state."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        found += [f"{path.name}: global {node.names}" for node in ast.walk(tree) if isinstance(node, ast.Global)]
        for node in tree.body:
            target = (
                node.target
                if isinstance(node, ast.AnnAssign)
                else node.targets[0]
                if isinstance(node, ast.Assign)
                else None
            )
            empty = isinstance(getattr(node, "value", None), ast.Dict | ast.List | ast.Set) and not (
                getattr(node.value, "keys", None) or getattr(node.value, "elts", None)
            )
            if isinstance(target, ast.Name) and empty:
                found.append(f"{path.name}: {target.id}")
    assert found == []
