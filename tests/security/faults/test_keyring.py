"""Faults of the keyring: an error that names the fix, never a new key over what is stored."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
import time

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import InitError, KeyringLocked, NoKeyringError, PasswordSetError

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import MasterKeyError, SourceUnavailable, VaultFileDamaged
from flowlet_jupyter.model.secret import External, Password, Record
from flowlet_jupyter.vault import Vault, master_key
from flowlet_jupyter.vault.master_key import key_file_of

pytestmark = pytest.mark.slow
SECRET = Password(name="api", password="canary-value-5e1f", allowed_hosts=("a.example",))


class Broken(KeyringBackend):
    """A keyring whose `get` and `put` a test may replace."""

    priority = 1

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.get = lambda *entry: self.entries.get(entry)
        self.put = lambda service, user, text: self.entries.__setitem__((service, user), text)

    def get_password(self, service, username):
        return self.get(service, username)

    def set_password(self, service, username, password):
        self.put(service, username, password)


@pytest.fixture
def ring():
    before, backend = keyring.get_keyring(), Broken()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def raising(error):
    def act(*_):
        raise error

    return act


FAULTS = {
    "locked": raising(KeyringLocked("locked")),
    "denied": raising(PasswordSetError("denied")),
    "its D-Bus gone": raising(InitError("no D-Bus")),
    "an error of its own": raising(RuntimeError("canary-value-5e1f")),
    "no access": raising(PermissionError(13, "denied")),
}


@pytest.mark.parametrize("has_secrets", [True, False], ids=["over secrets", "at first"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_keyring_that_fails_is_named_and_makes_no_key(name, has_secrets, ring, tmp_path, measured):
    vault = Vault(tmp_path / "v", environment={})
    if has_secrets:
        vault.put(Record(secret=SECRET))
    entries, usual = dict(ring.entries), ring.get
    ring.get = FAULTS[name]
    with pytest.raises(MasterKeyError, match=r"could not be used.*Unlock it") as caught:
        Vault(tmp_path / "v", environment={}).put(Record(secret=SECRET))
    assert "canary" not in str(caught.value)
    ring.get = usual
    assert (ring.entries, key_file_of(vault.folder).exists()) == (entries, False)
    if has_secrets:
        assert Vault(tmp_path / "v", environment={}).get("api").secret == SECRET
    measured("faults", injected=1, lost=0)


@pytest.mark.parametrize("name", ["gone", "empty", "absent"])
def test_a_key_that_is_gone_is_named_and_not_replaced(name, ring, tmp_path, measured):
    vault = Vault(tmp_path / "v", environment={})
    vault.put(Record(secret=SECRET))
    ring.get = {"gone": lambda *_: None, "empty": lambda *_: "", "absent": raising(NoKeyringError("none"))}[name]
    with pytest.raises(MasterKeyError, match="holds secrets"):
        Vault(tmp_path / "v", environment={}).put(Record(secret=SECRET))
    assert not key_file_of(vault.folder).exists()
    measured("faults", injected=1, lost=0)


@pytest.mark.parametrize("text", ["short", "!" * 44, "a b c"])
def test_an_entry_that_is_no_key_is_named(text, ring, tmp_path, measured):
    ring.get = lambda *_: text
    with pytest.raises(MasterKeyError, match="malformed"):
        Vault(tmp_path / "v", environment={}).put(Record(secret=SECRET))
    measured("faults", injected=1, lost=0)


def test_another_key_opens_nothing_and_replaces_nothing(ring, tmp_path, measured):
    vault = Vault(tmp_path / "v", environment={})
    vault.put(Record(secret=SECRET))
    content = (vault.folder / "api.jwe").read_bytes()
    ring.get = lambda *_: base64.urlsafe_b64encode(bytes(32)).decode()
    with pytest.raises(VaultFileDamaged, match="another master key"):
        Vault(tmp_path / "v", environment={}).get("api")
    assert (vault.folder / "api.jwe").read_bytes() == content
    measured("faults", injected=1, lost=0)


def test_a_keyring_that_gives_back_another_text_keeps_no_key(ring, tmp_path, measured):
    ring.get = lambda *entry: (ring.entries.get(entry) or "")[:20] or None
    with pytest.raises(MasterKeyError, match="another text than it was given"):
        Vault(tmp_path / "v", environment={}).put(Record(secret=SECRET))
    assert Vault(tmp_path / "v", environment={}).names() == []
    measured("faults", injected=1, lost=0)


def test_a_keyring_that_is_slow_is_waited_for(ring, tmp_path, measured):
    entered = threading.Event()

    def slow(*entry):
        entered.wait(1)
        return ring.entries.get(entry)

    ring.get = slow
    vault = Vault(tmp_path / "v", environment={})
    threading.Timer(0.3, entered.set).start()
    vault.put(Record(secret=SECRET))
    assert vault.get("api").secret == SECRET
    measured("faults", injected=1, lost=0)


@pytest.mark.parametrize("what", ["master key", "external value"])
def test_a_keyring_that_hangs_is_given_up_in_time(what, ring, tmp_path, monkeypatch, measured):
    monkeypatch.setattr(master_key, "KEYRING_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr("flowlet_jupyter.credentials.external_values.KEYRING_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setenv("FLOWLET_MASTER_KEY", base64.urlsafe_b64encode(bytes(32)).decode())
    release = threading.Event()
    ring.get = lambda *_: release.wait(120) and None
    if what == "master key":
        with pytest.raises(MasterKeyError, match="did not answer"):
            Vault(tmp_path / "v", environment={}).put(Record(secret=SECRET))
    else:
        flowlet.secrets.add(External(name="ext", source="keyring:service/user", allowed_hosts=("a.example",)))
        with pytest.raises(SourceUnavailable, match="did not answer"):
            flowlet.secrets["ext"].token()
    release.set()
    measured("faults", injected=1, lost=0)


HANGS = """
import keyring, sys, threading, time
from keyring.backend import KeyringBackend
class Hanging(KeyringBackend):
    priority = 1
    def get_password(self, service, username):
        print("asked", flush=True); asked.set(); time.sleep(600)
    def set_password(self, *_): pass
asked = threading.Event()
keyring.set_keyring(Hanging())
from flowlet_jupyter.session.shielded import start_shielded
from flowlet_jupyter.vault import default_vault

start_shielded(default_vault().master_key, name="test"); asked.wait()
"""


def test_a_keyring_that_hangs_does_not_hold_up_the_end_of_the_process(measured):
    started = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", HANGS], timeout=50, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout.strip()) == (0, "asked")
    assert time.monotonic() - started < 50  # its own limit is a minute
    measured("faults", injected=1, lost=0)


def test_a_backend_that_cannot_be_loaded_is_named(tmp_path, measured):
    program = (
        "from flowlet_jupyter.errors import MasterKeyError\nfrom flowlet_jupyter.vault import default_vault\n"
        "try: default_vault().master_key()\nexcept MasterKeyError as error: print(error)\n"
    )
    environment = {**os.environ, "PYTHON_KEYRING_BACKEND": "no.such.Keyring"}
    ended = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert "ModuleNotFoundError" in ended.stdout
    assert "FLOWLET_MASTER_KEY_FILE" in ended.stdout
    measured("faults", injected=1, lost=0)


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices are POSIX's")
@pytest.mark.parametrize("source", ["pipe", "/dev/zero"])
def test_a_file_of_an_external_value_that_never_ends_is_not_read(source, tmp_path, measured):
    if source == "pipe":
        source = str(tmp_path / "pipe")
        os.mkfifo(source)
    flowlet.secrets.add(External(name="ext", source=f"file:{source}", allowed_hosts=("a.example",)))
    with pytest.raises(SourceUnavailable, match="no plain file"):
        flowlet.secrets["ext"].token()
    measured("faults", injected=1, lost=0)
