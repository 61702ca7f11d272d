from __future__ import annotations

import base64
import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from flowlet_jupyter.errors import BackupError, MasterKeyError, VaultError
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import ApiKey, Basic, External, Headers, Password, Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault import Vault
from flowlet_jupyter.vault.backup import read_backup, write_backup
from flowlet_jupyter.vault.master_key import key_file_of
from flowlet_jupyter.vault.restore import restore

PASSPHRASE = SecretValue("four words of nothing")
LOW_COST = 2**14  # 10 ms and not half a second
CANARY = "canary-4d01"
HOSTS = ("api.example.org",)


def client(**fields) -> OAuth2:
    given = {
        "name": "oauth",
        "authorization_endpoint": "https://login.example.org/authorize",
        "token_endpoint": "https://login.example.org/token",
        "client_id": "client",
        "client_secret": f"{CANARY}-client",
        "allowed_hosts": HOSTS,
    }
    return OAuth2(**{**given, **fields})


def records() -> list[Record]:
    tokens = TokenSet(access_token=SecretValue(f"{CANARY}-access"), refresh_token=SecretValue(f"{CANARY}-refresh"))
    return [
        Record(secret=client(), token_set=tokens),
        Record(secret=client(name="oauth/second", client_of="oauth"), token_set=tokens),
        Record(secret=Password(name="password", password=f"{CANARY}-password", allowed_hosts=HOSTS)),
        Record(secret=Basic(name="basic", username="ann", password=f"{CANARY}-basic", allowed_hosts=HOSTS)),
        Record(secret=Headers(name="headers", headers={"X-Key": f"{CANARY}-header"}, allowed_hosts=HOSTS)),
        Record(secret=ApiKey(name="key", key=f"{CANARY}-key", allowed_hosts=HOSTS)),
        Record(secret=External(name="external", source="env:TOKEN", allowed_hosts=HOSTS)),
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A vault and its backup, made once: each test has a copy."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:  # before a test is isolated: the user's keyring takes no key of ours
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        vault = Vault(folder / "vault", environment={})
        for each in records():
            vault.put(each)
        write_backup(folder / "backup", [vault.get(name) for name in vault.names()], PASSPHRASE, cost=LOW_COST)
    return folder


@pytest.fixture
def vault(made, tmp_path):
    folder = Path(shutil.copytree(made / "vault", tmp_path / "vault"))
    shutil.copy2(key_file_of(made / "vault"), key_file_of(folder))  # it lies beside the vault
    return Vault(folder, environment={})


@pytest.fixture
def file(made, vault, tmp_path):
    return Path(shutil.copy2(made / "backup", tmp_path / "backup"))


def never(name: str) -> bool:
    raise AssertionError(f"asked about {name}")


def state(vault: Vault) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in vault.folder.glob("*.jwe")}


def test_all_kinds_with_their_tokens_come_back_in_a_vault_with_another_key(vault, file, tmp_path):
    other = Vault(tmp_path / "other", environment={})
    done = restore(other, read_backup(file, PASSPHRASE), never)
    assert sorted(done.added) == other.names() == vault.names()
    for each in records():
        assert Vault(other.folder, environment={}).get(each.secret.name) == each
    assert key_file_of(vault.folder).read_text() != key_file_of(other.folder).read_text()


def test_it_opens_without_the_master_key_and_holds_no_value_in_clear(vault, file):
    key_file_of(vault.folder).unlink()
    assert read_backup(file, PASSPHRASE).names
    content = file.read_bytes()
    for form in (content, base64.b64decode(content.split(b"\n")[1])):
        assert CANARY.encode() not in form
        assert b"password" not in form
    assert file.stat().st_mode & 0o777 == 0o600


def test_two_backups_of_one_vault_have_nothing_in_common(vault, file, tmp_path):
    again = tmp_path / "again"
    write_backup(again, records(), PASSPHRASE, cost=LOW_COST)
    assert file.read_bytes().split(b"\n")[1][:40] != again.read_bytes().split(b"\n")[1][:40]


@pytest.mark.parametrize("passphrase", ["four words of nothinG", "", "four words of nothing ", "x" * 10_000])
def test_another_passphrase_changes_nothing(vault, file, passphrase):
    before = state(vault)
    with pytest.raises(BackupError, match="the passphrase is another one") as failed:
        restore(vault, read_backup(file, SecretValue(passphrase)), never)
    assert not passphrase or passphrase not in str(failed.value)
    assert state(vault) == before


def header_with(content: bytes, **changes) -> bytes:
    first, rest = content.split(b"\n", 1)
    return json.dumps({**json.loads(first), **changes}).encode() + b"\n" + rest


def flipped(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


@pytest.mark.parametrize(
    "change",
    [
        lambda content: b"",
        lambda content: content[:50],
        lambda content: content.split(b"\n")[0] + b"\n",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-30],
        lambda content: flipped(content, 3),
        lambda content: flipped(content, len(content) // 2),
        lambda content: flipped(content, len(content) - 6),
        lambda content: header_with(content, **{"flowlet-backup": 2}),
        lambda content: header_with(content, **{"flowlet-backup": True}),
        lambda content: header_with(content, n=2**40),
        lambda content: header_with(content, n=2),
        lambda content: header_with(content, n="131072"),
        lambda content: header_with(content, r=2**20),
        lambda content: header_with(content, p=2**20),
        lambda content: header_with(content, salt=base64.b64encode(b"0" * 16).decode()),
        lambda content: header_with(content, nonce=base64.b64encode(b"0" * 12).decode()),
        lambda content: header_with(content, salt=""),
        lambda content: header_with(content, kdf="none"),
        lambda content: header_with(content, note="more"),
        lambda content: b"[" * 100_000,
        lambda content: b'{"flowlet-backup": 1}\nabc',
        lambda content: b"\x00" * 1000,
        lambda content: b"PK\x03\x04" + content,
    ],
    ids=range(24),
)
def test_a_cut_altered_or_foreign_file_is_a_clear_error_and_changes_nothing(vault, file, change):
    before = state(vault)
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(BackupError):
        restore(vault, read_backup(file, PASSPHRASE), never)
    assert state(vault) == before


@pytest.mark.skipif(os.name != "posix", reason="pipes with a name are POSIX's")
def test_a_pipe_is_no_backup_and_blocks_nobody(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(BackupError):
        read_backup(pipe, PASSPHRASE)


@pytest.mark.slow
def test_a_guess_costs_what_it_should(tmp_path):
    path = tmp_path / "backup"
    write_backup(path, records()[2:3], PASSPHRASE)
    header = json.loads(path.read_bytes().split(b"\n")[0])
    assert header["n"] * header["r"] * 128 >= 2**27  # bytes of memory
    assert read_backup(path, PASSPHRASE).names == ["password"]


def test_a_short_passphrase_makes_no_backup(tmp_path):
    with pytest.raises(BackupError, match="too short") as failed:
        write_backup(tmp_path / "backup", records(), SecretValue("hunter2"))
    assert "hunter2" not in str(failed.value)
    assert not (tmp_path / "backup").exists()


def test_only_what_differs_is_asked_about(vault, file):
    changed = Record(secret=Password(name="password", password="newer", allowed_hosts=HOSTS))
    vault.put(changed)
    vault.delete("basic")
    asked = []
    done = restore(vault, read_backup(file, PASSPHRASE), lambda name: bool(asked.append(name)))
    assert asked == ["password"]
    assert (done.added, done.left_as_is) == (("basic",), ("password",))
    assert vault.get("password") == changed
    done = restore(vault, read_backup(file, PASSPHRASE), lambda name: True)
    assert done.replaced == ("password",)
    assert vault.get("password").secret.password.reveal() == f"{CANARY}-password"


def test_a_damaged_secret_is_replaced_only_when_asked(vault, file):
    (vault.folder / "key.jwe").write_text("damaged")
    assert restore(vault, read_backup(file, PASSPHRASE), lambda _: False).left_as_is == ("key",)
    assert (vault.folder / "key.jwe").read_text() == "damaged"
    assert restore(vault, read_backup(file, PASSPHRASE), lambda _: True).replaced == ("key",)
    assert vault.get("key").secret.key.reveal() == f"{CANARY}-key"


def test_an_account_does_not_come_under_another_client(vault, file):
    vault.delete("oauth/second")
    vault.put(Record(secret=client(client_id="another")))
    done = restore(vault, read_backup(file, PASSPHRASE), lambda _: False)
    assert (done.left_as_is, done.without_client) == (("oauth",), ("oauth/second",))
    assert "oauth/second" not in vault.names()


@pytest.mark.parametrize("fails_at", [0, 1, 5, 6, 7, 9, 10])
def test_a_disk_that_fails_midway_leaves_all_as_it_was(vault, file, monkeypatch, fails_at):
    for name in ("password", "basic", "headers"):
        vault.put(Record(secret=Password(name=name, password="newer", allowed_hosts=HOSTS)))
    vault.delete("key")
    before, calls = state(vault), []
    real = {"fsync": os.fsync, "replace": os.replace}

    def failing(which):
        def call(*arguments):
            calls.append(which)
            if len(calls) == fails_at + 1:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real[which](*arguments)

        return call

    backup = read_backup(file, PASSPHRASE)
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", failing("fsync"))
        disk.setattr(os, "replace", failing("replace"))
        # 4 new files and 3 copies are made before the 4 replacements
        with pytest.raises(VaultError, match="unchanged"):
            restore(vault, backup, lambda _: True)
    assert state(vault) == before
    assert not list(vault.folder.glob(".new-*"))
    assert restore(vault, backup, lambda _: True)
    assert vault.get("key").secret.key.reveal() == f"{CANARY}-key"


def test_a_vault_that_has_lost_its_key_takes_nothing(vault, file):
    key_file_of(vault.folder).unlink()
    before = state(vault)
    with pytest.raises(MasterKeyError, match="jupyter flowlet restore"):
        restore(Vault(vault.folder, environment={}), read_backup(file, PASSPHRASE), lambda _: True)
    assert state(vault) == before
