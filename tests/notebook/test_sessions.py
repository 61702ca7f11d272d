"""Two sessions with two vaults, side by side in one process: the magics, completion, widgets and prompt of each are its own."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from support import free_port
from traitlets.config import Config

import flowlet_jupyter as flowlet
from flowlet_jupyter.connect.loopback import open_loopback
from flowlet_jupyter.errors import SecretNotFound
from flowlet_jupyter.http.caching import cached_responses
from flowlet_jupyter.http.usage_log import uses
from flowlet_jupyter.model.static import Password
from flowlet_jupyter.notebook import server_link
from flowlet_jupyter.notebook.completion import complete_magics
from flowlet_jupyter.notebook.extension import load
from flowlet_jupyter.notebook.widgets import FlowletWidget
from flowlet_jupyter.session import Session, default_session
from flowlet_jupyter.session.prompt import NoPrompt
from flowlet_jupyter.testing import put_secret


@pytest.fixture
def other(tmp_path):
    with Session(tmp_path / "other" / "vault", prompt=NoPrompt()) as session:
        yield session


@pytest.fixture
def shells(api, other):
    """A shell with the magics of the default session and one with those of the other; each vault has a secret `api`."""
    put_secret(Password(name="api", password="of-the-default", base_url=api.url))
    put_secret(Password(name="api", password="of-the-other", base_url=api.url), session=other)
    put_secret(Password(name="only here", password="of-the-other", base_url=api.url), session=other)
    quiet = Config(HistoryManager={"enabled": False})
    made = InteractiveShell(config=quiet), InteractiveShell(config=quiet)
    load(made[0])
    load(made[1], other)
    return made


def test_a_magic_sends_the_token_of_its_own_session(api, shells, other):
    of_default, of_other = shells
    for shell in (of_default, of_other, of_default):
        shell.run_line_magic("flowlet_request", "/user/1 -s api -q")
    of_other.run_line_magic("flowlet_defaults", "--secret 'only here'")
    of_other.run_line_magic("flowlet_request", "/page?total=30 --paginate -o items -q")
    of_other.run_line_magic("flowlet_request", f"/user/1 --save {other.vault.folder.parent / 'user.json'} -q")
    sent = {request[2]["Authorization"].removeprefix("Bearer of-the-") for request in api.requests[3:]}
    assert [request[2]["Authorization"] for request in api.requests[:3]] == [
        "Bearer of-the-default", "Bearer of-the-other", "Bearer of-the-default",
    ]  # fmt: skip
    assert sent == {"other"}
    assert len(uses(default_session().vault)) == 2
    assert flowlet.last_pages(session=other).records is not None


def test_the_other_magics_show_their_own_session(shells, other, capsys):
    of_default, of_other = shells
    assert list(of_default.run_line_magic("flowlet_secrets", "")) == ["api"]
    assert list(of_other.run_line_magic("flowlet_secrets", "")) == ["api", "only here"]
    of_other.run_line_magic("flowlet_secret", "only here")
    with pytest.raises(SecretNotFound):
        of_default.run_line_magic("flowlet_secret", "only here")
    with pytest.raises(SecretNotFound):
        of_default.run_line_magic("flowlet_request", "/user/1 -s 'only here' --curl")
    of_other.run_line_magic("flowlet_request", "/user/1 -s 'only here' --curl")
    of_other.run_line_magic("flowlet_request", "/user/1 -s api -q --cache 1h")
    assert (cached_responses(other).count, cached_responses(default_session()).count) == (1, 0)
    capsys.readouterr()
    of_default.run_line_magic("flowlet_cache", "")
    of_other.run_line_magic("flowlet_cache", "")
    assert [line.partition(" ")[0] for line in capsys.readouterr().out.splitlines()] == ["0", "1"]
    assert len(of_other.run_line_magic("flowlet_log", "").uses) == 1
    assert of_default.run_line_magic("flowlet_log", "").uses == []


def test_a_pasted_credential_is_stored_in_its_own_session(api, shells, other):
    _, of_other = shells
    of_other.run_cell_magic("flowlet_request", "-q", f"curl {api.url}/user/1 -H 'X-Api-Key: pasted-value-1'")
    of_other.run_line_magic("flowlet_secret", "--from-paste pasted")
    assert flowlet.secrets.of(other)["pasted"].token().reveal() == "pasted-value-1"
    assert "pasted" not in flowlet.secrets


def test_names_are_completed_from_the_vault_of_their_own_session(shells):
    of_default, of_other = shells
    names = []
    for shell in shells:
        complete_magics(shell)
        names.append(shell.complete("", "%flowlet_secret ", 16)[1])
    assert ["only" in " ".join(each) for each in names] == [False, True], (of_default, of_other)


def test_a_widget_tells_of_its_own_vault_and_of_no_server_of_another(other, monkeypatch):
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))
    sent = []
    monkeypatch.setattr(FlowletWidget, "send", lambda _widget, content: sent.append(content))
    widget = FlowletWidget(other, view="table")
    widget._on_message(None, {"kind": "hello"}, [])
    with open_loopback(other.vault) as loopback:
        assert [message["kind"] for message in sent] == ["vault", "page"]
        assert sent[0]["folder"] == str(other.vault.folder)
        assert sent[1]["url"] == loopback.secrets_url
    sent.clear()
    FlowletWidget(default_session(), view="table")._on_message(None, {"kind": "hello"}, [])
    assert [(message["kind"], message["folder"]) for message in sent] == [
        ("vault", str(default_session().vault.folder))
    ]


def test_no_link_leads_to_a_server_that_works_on_another_vault(other, monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JPY_PARENT_PID", "7")
    (tmp_path / "jpserver-7.json").write_text('{"url": "http://127.0.0.1:1/"}')
    assert server_link.authorize_url("api", default_session()) == "http://127.0.0.1:1/flowlet/authorize/api"
    assert server_link.authorize_url("api", other) is None
