from __future__ import annotations

import base64
import errno
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from flowlet_jupyter.errors import MasterKeyError, SecretNotFound, VaultError, VaultFileDamaged
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.static import Headers, Password
from flowlet_jupyter.model.tokens import Accepted, TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault import Vault
from flowlet_jupyter.vault.file_names import file_name_of
from flowlet_jupyter.vault.master_key import key_file_of
from flowlet_jupyter.vault.sealed_file import write_sealed

CANARY = "canary-value-5e1f"


def record(name: str = "api", value: str = CANARY) -> Record:
    return Record(secret=Password(name=name, password=value, allowed_hosts=("api.example.org",)))


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path / "vault", environment={})


class MemoryKeyring(KeyringBackend):
    priority = 1

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False
        self.reads = 0

    def get_password(self, service, username):
        if self.locked:
            raise KeyringLocked("locked")
        self.reads += 1
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        if self.locked:
            raise KeyringLocked("locked")
        self.entries[service, username] = password


@pytest.fixture
def memory_keyring():
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.mark.parametrize("name", ["api", "twitter/work", "Über 9", "日本", "con", "a%2fb", "master-key"])
def test_a_secret_comes_back_as_it_was(vault, name):
    token = TokenSet(
        access_token=SecretValue("a"), refresh_token=SecretValue("r"), scope="s", obtained_at=1.0, expires_at=2.0
    )
    secret = Headers(name=name, headers={"X-Key": CANARY}, allowed_hosts=("*.example.org",))
    with vault.lock(name):
        record = Record(secret=secret, token_set=token, grant_error="x", accepted=Accepted("client_secret_post", "aud"))
        vault.put(record)
    assert Vault(vault.folder, environment={}).get(name) == record
    assert vault.names() == [name]


def test_names_that_differ_in_case_have_files_that_differ_without():
    names = ["twitter", "Twitter", "TWITTER", "%54witter"]
    assert len({file_name_of(name).lower() for name in names}) == len(names)


def test_files_are_sealed_and_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        vault = Vault(tmp_path / "vault", environment={})
        with vault.lock("api"):
            vault.put(record())
    finally:
        os.umask(before)
    assert stat.S_IMODE(vault.folder.stat().st_mode) == 0o700
    files = [key_file_of(vault.folder), *vault.folder.iterdir()]
    assert len(files) == 4  # key, sealed file, its lock, the key's lock
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        assert CANARY.encode() not in file.read_bytes()
    header = (vault.folder / "api.jwe").read_text().split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "dir", "enc": "A256GCM"}


def test_another_process_change_is_seen_and_memory_serves_otherwise(vault, monkeypatch):
    vault.put(record())
    other = Vault(vault.folder, environment={})
    assert other.get("api").secret.password.reveal() == CANARY
    vault.put(record(value="second"))
    assert other.get("api").secret.password.reveal() == "second"
    monkeypatch.setattr("flowlet_jupyter.vault.store.read_sealed", lambda *_: pytest.fail("read again"))
    assert other.get("api").secret.password.reveal() == "second"


@pytest.mark.parametrize("content", [b"", b"not a jwe", b"a.b.c.d.e", os.urandom(300)])
def test_a_damaged_file_is_named_and_left_in_place(vault, content):
    vault.put(record())
    path = vault.folder / "api.jwe"
    path.write_bytes(content)
    with pytest.raises(VaultFileDamaged, match=r"api\.jwe"):
        vault.get("api")
    assert path.read_bytes() == content
    assert vault.names() == ["api"]


def test_one_flipped_bit_is_noticed(vault):
    vault.put(record())
    path = vault.folder / "api.jwe"
    text = path.read_text()
    head, _, body = text.rpartition("..")
    path.write_text(f"{head}..{body[:40]}{'A' if body[40] != 'A' else 'B'}{body[41:]}")
    with pytest.raises(VaultFileDamaged):
        vault.get("api")


def test_swapped_files_are_noticed(vault):
    vault.put(record("one"))
    vault.put(record("two"))
    (vault.folder / "one.jwe").replace(vault.folder / "two.jwe")
    with pytest.raises(VaultFileDamaged, match="another secret"):
        vault.get("two")


def test_a_newer_schema_asks_for_an_upgrade(vault, monkeypatch):
    with monkeypatch.context() as newer:
        newer.setattr("flowlet_jupyter.vault.records.SCHEMA", 3)
        vault.put(record())
    with pytest.raises(VaultError, match="Upgrade"):
        Vault(vault.folder, environment={}).get("api")


def test_a_file_of_the_first_schema_is_still_read(vault):
    vault.put(record())  # makes the folder and the key
    path = vault.folder / "old.jwe"
    old = {
        "schema": 1, "name": "old", "refused": None,
        "secret": {"type": "oauth2", "name": "old", "authorization_endpoint": "https://a.example/", "client_id": "id",
                   "token_endpoint": "https://a.example/t", "client_secret": "s", "scope": "a", "base_url": None,
                   "token_endpoint_auth_method": "client_secret_basic", "allowed_hosts": ["a.example"]},
        "token_set": {"access_token": "t", "refresh_token": None, "scope": "a", "obtained_at": 1.0, "expires_at": None},
    }  # fmt: skip
    write_sealed(path, old, vault.master_key().key)
    found = vault.get("old")
    assert found.secret.grant_type == "authorization_code"
    assert (found.token_set.access_token.reveal(), found.token_set.identity) == ("t", None)


def test_links_pipes_and_giants_are_not_read(vault, tmp_path):
    vault.put(record())
    path = vault.folder / "api.jwe"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VaultError):
        vault.get("api")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(VaultError):
        vault.get("api")
    path.unlink()
    with path.open("wb") as file:
        file.truncate(1_000_000_000)
    with pytest.raises(VaultError):
        vault.get("api")


def test_a_full_disk_leaves_the_old_secret(vault, monkeypatch):
    vault.put(record())

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(VaultError, match="No space left"):
            vault.put(record(value="second"))
    assert Vault(vault.folder, environment={}).get("api").secret.password.reveal() == CANARY
    assert not list(vault.folder.glob(".flowlet-new-*"))


@pytest.mark.slow
def test_kill_9_at_random_moments_leaves_a_readable_file(vault):
    vault.put(record(value="v" * 5000))
    program = (
        "import sys, itertools; from pathlib import Path; from flowlet_jupyter.vault import Vault\n"
        "from flowlet_jupyter.model.secret import Password, Record\n"
        "vault = Vault(Path(sys.argv[1]), environment={}); vault.get('api'); print(flush=True)\n"
        "for n in itertools.count():\n"
        "    vault.put(Record(secret=Password(name='api', password=str(n) * 5000, allowed_hosts=('a.example',))))\n"
    )
    for moment in range(5):
        process = subprocess.Popen([sys.executable, "-c", program, str(vault.folder)], stdout=subprocess.PIPE)
        process.stdout.readline()
        threading.Event().wait(0.01 + 0.013 * moment)
        process.kill()
        process.wait()
        assert Vault(vault.folder, environment={}).get("api").secret.name == "api"


def test_a_missing_secret_is_named_with_a_suggestion(vault):
    vault.put(record("twitter"))
    with pytest.raises(SecretNotFound, match="Did you mean 'twitter'"):
        vault.get("twiter")
    with pytest.raises(KeyError):
        vault.delete("nope")


def test_a_lock_that_is_held_too_long_is_an_error(vault, monkeypatch):
    monkeypatch.setattr("flowlet_jupyter.vault.locks.LOCK_TIMEOUT_SECONDS", 0.2)
    other = Vault(vault.folder, environment={})
    with vault.lock("api"), pytest.raises(VaultError, match="in use"), other.lock("api"):
        pass
    with other.lock("api"):
        pass


# the master key


def test_the_environment_comes_first(tmp_path, memory_keyring):
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    vault = Vault(tmp_path / "v", environment={"FLOWLET_MASTER_KEY": key})
    vault.put(record())
    assert vault.master_key().location == "environment variable FLOWLET_MASTER_KEY"
    file = tmp_path / "key"
    file.write_text(key + "\n")
    file.chmod(0o600)
    again = Vault(tmp_path / "v", environment={"FLOWLET_MASTER_KEY_FILE": str(file)})
    assert again.get("api").secret.name == "api"
    assert not memory_keyring.entries
    assert key not in repr(vault.master_key())


def test_then_the_keyring_read_once_a_process(tmp_path, memory_keyring):
    vault = Vault(tmp_path / "v", environment={})
    vault.put(record())
    assert vault.master_key().location.startswith("keyring (")
    assert len(memory_keyring.entries) == 1
    assert not key_file_of(vault.folder).exists()
    again = Vault(tmp_path / "v", environment={})
    reads = memory_keyring.reads
    for _ in range(3):
        again.get("api")
    assert memory_keyring.reads == reads + 1


def test_then_a_private_file_and_it_says_so(vault):
    vault.put(record())
    assert "no keyring works here" in vault.master_key().location
    assert key_file_of(vault.folder).exists()


@pytest.mark.parametrize("has_secrets", [True, False])
def test_a_locked_keyring_never_makes_a_new_key(tmp_path, memory_keyring, has_secrets):
    vault = Vault(tmp_path / "v", environment={})
    if has_secrets:
        vault.put(record())
    memory_keyring.locked = True
    before = dict(memory_keyring.entries)
    with pytest.raises(MasterKeyError, match="Unlock"):
        Vault(tmp_path / "v", environment={}).put(record("other"))
    memory_keyring.locked = False
    assert memory_keyring.entries == before
    assert not key_file_of(vault.folder).exists()
    if has_secrets:
        assert Vault(tmp_path / "v", environment={}).get("api").secret.password.reveal() == CANARY


def test_a_lost_key_is_not_replaced_over_existing_secrets(vault):
    vault.put(record())
    key_file_of(vault.folder).unlink()
    with pytest.raises(MasterKeyError, match="holds secrets"):
        Vault(vault.folder, environment={}).put(record("other"))
    assert not key_file_of(vault.folder).exists()


def test_a_keyring_that_hangs_is_given_up(tmp_path, memory_keyring, monkeypatch):
    monkeypatch.setattr("flowlet_jupyter.vault.master_key.KEYRING_TIMEOUT_SECONDS", 0.1)
    release = threading.Event()
    memory_keyring.get_password = lambda *_: release.wait(5)
    with pytest.raises(MasterKeyError, match="did not answer"):
        Vault(tmp_path / "v", environment={}).put(record())
    release.set()


def test_a_keyring_that_forgets_is_no_keyring(tmp_path, memory_keyring):
    memory_keyring.set_password = lambda *_: None
    vault = Vault(tmp_path / "v", environment={})
    vault.put(record())
    assert key_file_of(vault.folder).exists()


@pytest.mark.parametrize("text", ["", "short", "!" * 44, base64.b64encode(b"x" * 31).decode()])
def test_a_malformed_key_is_an_error(tmp_path, text):
    file = tmp_path / "key"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(MasterKeyError, match="malformed"):
        Vault(tmp_path / "v", environment={"FLOWLET_MASTER_KEY_FILE": str(file)}).put(record())


@pytest.mark.slow
def test_two_processes_that_start_together_make_one_key(tmp_path):
    program = (
        "import sys; from pathlib import Path; from flowlet_jupyter.vault import Vault\n"
        "from flowlet_jupyter.model.secret import Password, Record\n"
        "Vault(Path(sys.argv[1])).put(Record(secret=Password(name=sys.argv[2], password='p', allowed_hosts=('a.example',))))\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "v"), f"s{n}"]) for n in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    vault = Vault(Path(tmp_path / "v"))
    assert [vault.get(name).secret.name for name in vault.names()] == ["s0", "s1", "s2", "s3"]
