from __future__ import annotations

import io
import sys

import pytest

from flowlet_jupyter.cli import main
from flowlet_jupyter.credentials.handles import default_secrets
from flowlet_jupyter.model.secret import Password, Record
from flowlet_jupyter.vault import Vault, default_vault

PASSPHRASE = "four words of nothing"
CANARY = "canary-9b1c"


def put(name: str = "api", value: str = CANARY) -> None:
    default_vault().put(Record(secret=Password(name=name, password=value, allowed_hosts=("api.example.org",))))


def value_of(name: str) -> str:
    return default_vault().get(name).secret.password.reveal()


@pytest.fixture
def passphrase_file(tmp_path):
    file = tmp_path / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    return str(file)


def test_a_vault_goes_to_another_machine(tmp_path, passphrase_file, monkeypatch, capsys):
    put()
    backup = str(tmp_path / "backup")
    assert main(["backup", backup, "--passphrase-file", passphrase_file]) == 0
    monkeypatch.setenv("FLOWLET_VAULT", str(tmp_path / "elsewhere"))
    assert main(["restore", backup, "--passphrase-file", passphrase_file]) == 0
    shown = capsys.readouterr()
    assert value_of("api") == CANARY
    assert "api: added" in shown.out
    assert CANARY not in shown.out + shown.err
    assert PASSPHRASE not in shown.out + shown.err


def test_the_passphrase_comes_from_stdin(tmp_path, monkeypatch):
    put()
    backup = str(tmp_path / "backup")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSPHRASE}\n"))
    assert main(["backup", backup]) == 0
    default_vault().delete("api")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSPHRASE}\n"))
    assert main(["restore", backup, "--passphrase-file", "-"]) == 0
    assert value_of("api") == CANARY


@pytest.mark.parametrize("option", ["--passphrase", "--pass", "--passphrase-fil", "--password", "-p"])
@pytest.mark.parametrize("command", ["backup", "restore"])
@pytest.mark.parametrize("joined", [True, False], ids=["joined", "apart"])
def test_a_passphrase_in_the_arguments_is_refused_and_not_repeated(tmp_path, capsys, option, command, joined):
    put()
    arguments = [f"{option}={CANARY}" if option != "-p" else f"-p{CANARY}"] if joined else [option, CANARY]
    assert main([command, str(tmp_path / "backup"), *arguments]) == 1
    shown = capsys.readouterr()
    assert CANARY not in shown.out + shown.err
    assert "has no option" in shown.err
    assert not (tmp_path / "backup").exists()


def test_a_conflict_where_nobody_can_be_asked_changes_nothing(tmp_path, passphrase_file, monkeypatch, capsys):
    put()
    backup = str(tmp_path / "backup")
    main(["backup", backup, "--passphrase-file", passphrase_file])
    put(value="newer")
    default_vault().path_of("api")
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["restore", backup, "--passphrase-file", passphrase_file]) == 1
    assert "--replace or --keep" in capsys.readouterr().err
    assert value_of("api") == "newer"
    assert main(["restore", backup, "--passphrase-file", passphrase_file, "--keep"]) == 0
    assert value_of("api") == "newer"
    assert main(["restore", backup, "--passphrase-file", passphrase_file, "--replace"]) == 0
    assert value_of("api") == CANARY


def test_a_person_is_asked_per_secret(tmp_path, passphrase_file, monkeypatch):
    put("one")
    put("two")
    backup = str(tmp_path / "backup")
    main(["backup", backup, "--passphrase-file", passphrase_file])
    put("one", "newer")
    put("two", "newer")

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("n\ny\n"))
    assert main(["restore", backup, "--passphrase-file", passphrase_file]) == 0
    assert (value_of("one"), value_of("two")) == ("newer", CANARY)


def test_a_backup_overwrites_nothing(tmp_path, passphrase_file, capsys):
    put()
    file = tmp_path / "precious"
    file.write_text("precious")
    assert main(["backup", str(file), "--passphrase-file", passphrase_file]) == 1
    assert file.read_text() == "precious"
    assert "already" in capsys.readouterr().err


def test_a_secret_that_does_not_open_is_named_and_the_others_are_saved(tmp_path, passphrase_file, capsys):
    put("good")
    put("bad")
    default_vault().path_of("bad").write_text("damaged")
    backup = str(tmp_path / "backup")
    assert main(["backup", backup, "--passphrase-file", passphrase_file]) == 1  # a script notices
    shown = capsys.readouterr()
    assert "'bad' is not in the backup" in shown.err
    default_vault().delete("good")
    assert main(["restore", backup, "--passphrase-file", passphrase_file]) == 0
    assert value_of("good") == CANARY


def test_another_passphrase_is_one_line(tmp_path, passphrase_file, capsys):
    put()
    backup = str(tmp_path / "backup")
    main(["backup", backup, "--passphrase-file", passphrase_file])
    other = tmp_path / "other"
    other.write_text("not the four words\n")
    capsys.readouterr()
    assert main(["restore", backup, "--passphrase-file", str(other)]) == 1
    shown = capsys.readouterr().err
    assert "the passphrase is another one" in shown
    assert "not the four words" not in shown
    assert len(shown.splitlines()) == 1


def test_a_new_master_key_from_the_shell(capsys):
    put()
    before = default_vault().key_file.read_text()
    assert main(["rotate-key"]) == 0
    assert default_vault().key_file.read_text() != before
    assert value_of("api") == CANARY
    assert Vault(default_vault().folder, environment={}).get("api").secret.name == "api"
    shown = capsys.readouterr().out
    assert "1 secret sealed with a new master key" in shown
    assert before not in shown
    assert [*default_secrets()] == ["api"]
