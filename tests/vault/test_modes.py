"""Whose the vault's files are and what they are called; and that no error shows what is in one."""

from __future__ import annotations

import base64
import contextlib
import copy
import dataclasses
import errno
import os
import pickle
import stat
import subprocess
import sys
import time
import traceback

import cloudpickle
import jsonpickle
import pytest
import yaml

from flowlet_jupyter.errors import FlowletError, MasterKeyError, VaultError, VaultFileDamaged
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.static import Password
from flowlet_jupyter.oauth.authorization_code import new_flow
from flowlet_jupyter.oauth.pending import remember_flow
from flowlet_jupyter.vault import Vault, locks
from flowlet_jupyter.vault.file_names import file_name_of
from flowlet_jupyter.vault.master_key import key_file_of
from flowlet_jupyter.vault.sealed_file import MAX_BYTES, make_private_folder, write_sealed

CANARY = "canary-value-5e1f"
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
posix = pytest.mark.skipif(os.name != "posix", reason="modes and owners are POSIX's")
as_root = pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives a file away")


@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path / "vault", environment={})
    made.put(Record(secret=Password(name="api", password=CANARY, allowed_hosts=("api.example",))))
    return made


def shown(error: BaseException) -> str:
    """What a verbose traceback shows: the variables of every frame, whole."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


@as_root
def test_a_file_of_another_user_is_not_trusted(vault):
    os.chown(vault.folder / "api.jwe", 12345, 12345)
    with pytest.raises(VaultError, match="belongs to another user"):
        Vault(vault.folder, environment={}).get("api")


@as_root
def test_a_folder_of_another_user_is_not_used(tmp_path):
    folder = tmp_path / "vault"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)
    with pytest.raises(VaultError, match="belongs to another user"):
        make_private_folder(folder)


@posix
@pytest.mark.parametrize("mode", [0o777, 0o750, 0o705])
def test_a_folder_that_is_open_to_others_is_closed(vault, mode):
    vault.folder.chmod(mode)
    vault.put(Record(secret=Password(name="other", password=CANARY, allowed_hosts=("api.example",))))
    assert stat.S_IMODE(vault.folder.stat().st_mode) == 0o700


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_file_that_is_open_to_others_is_refused(tmp_path, mode):
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(mode)
    vault = Vault(tmp_path / "vault", environment={"FLOWLET_MASTER_KEY_FILE": str(file)})
    with pytest.raises(MasterKeyError, match="open to others"):
        vault.master_key()
    file.chmod(0o600)
    assert vault.master_key()


@as_root
def test_a_key_file_of_another_user_is_refused(tmp_path):
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o600)
    os.chown(file, 12345, 12345)
    with pytest.raises(MasterKeyError, match="another user"):
        Vault(tmp_path / "vault", environment={"FLOWLET_MASTER_KEY_FILE": str(file)}).master_key()


@posix
def test_a_new_key_file_is_private_whatever_the_umask(tmp_path):
    vault = Vault(tmp_path / "vault", environment={})
    before = os.umask(0)
    try:
        vault.master_key()
    finally:
        os.umask(before)
    assert stat.S_IMODE(key_file_of(vault.folder).stat().st_mode) == 0o600


def test_a_file_of_any_size_is_not_read(vault):
    (vault.folder / "api.jwe").write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(VaultError, match="not a file that flowlet wrote"):
        Vault(vault.folder, environment={}).get("api")


@pytest.mark.parametrize("name", ["con", "nul", "aux", "com1", "lpt9"])
def test_no_file_is_named_after_a_device(name):
    assert file_name_of(name) != f"{name}.jwe"


@pytest.mark.slow  # a process of its own
def test_another_process_waits_for_the_lock(vault, monkeypatch):
    program = (
        "import sys; from pathlib import Path; from flowlet_jupyter.vault import Vault\n"
        "with Vault(Path(sys.argv[1]), environment={}).lock('api'):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(vault.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with monkeypatch.context() as patience:
            patience.setattr(locks, "LOCK_TIMEOUT_SECONDS", 0.2)
            with pytest.raises(VaultError, match="another process"), vault.lock("api"):
                pass
        holder.stdin.close()
        holder.wait(30)
    with vault.lock("api"):
        pass


@pytest.mark.parametrize(
    "change", [{"type": "unknown"}, {"allowed_hosts": []}, {"allowed_hosts": 7}], ids=["type", "hosts", "form"]
)
def test_a_record_that_cannot_be_read_shows_no_value_in_a_verbose_traceback(vault, change):
    payload = {
        "schema": 2, "name": "api", "token_set": None, "refused": None,
        "secret": {"type": "password", "name": "api", "password": CANARY, "allowed_hosts": ["a.example"], **change},
    }  # fmt: skip
    write_sealed(vault.folder / "api.jwe", payload, vault.master_key().key)
    del payload
    with pytest.raises(VaultFileDamaged) as caught:
        Vault(vault.folder, environment={}).get("api")
    assert CANARY not in shown(caught.value)


@pytest.mark.parametrize("fault", ["newer schema", "another name", "owner is gone"])
def test_no_error_of_a_read_shows_a_value_in_a_verbose_traceback(vault, fault):
    secret = {"type": "password", "name": "api", "password": CANARY, "allowed_hosts": ["a.example"]}
    payload = {"schema": 2, "name": "api", "token_set": None, "refused": None, "secret": secret}
    payload |= {"schema": 9} if fault == "newer schema" else {}
    secret["name"] = "other" if fault == "another name" else "api"
    if fault == "owner is gone":
        secret["client_of"] = "nobody"
    write_sealed(vault.folder / "api.jwe", payload, vault.master_key().key)
    del payload, secret
    with pytest.raises(FlowletError) as caught:
        Vault(vault.folder, environment={}).get("api")
    assert CANARY not in shown(caught.value)


def test_no_error_of_a_write_shows_a_value_in_a_verbose_traceback(vault, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(VaultError, match="No space left") as caught:
        vault.put(Record(secret=Password(name="b", password=CANARY, allowed_hosts=("a.example",))))
    assert CANARY not in shown(caught.value)
    flow = new_flow("api", redirect_uri="http://127.0.0.1/", now=time.time())
    with pytest.raises(VaultError, match="No space left") as caught:
        remember_flow(vault, flow)
    text = shown(caught.value)
    assert [value for value in (flow.state, flow.code_verifier, flow.nonce) if value.reveal() in text] == []


def test_the_master_keys_repr_has_no_key(tmp_path):
    key = Vault(tmp_path / "vault", environment={"FLOWLET_MASTER_KEY": KEY}).master_key()
    assert KEY.rstrip("=") not in repr(key) + str(key) + f"{key}"


TAKEN_OUT_BY = {
    "pickle": pickle.dumps,
    "cloudpickle": cloudpickle.dumps,
    "jsonpickle": jsonpickle.encode,
    "yaml": yaml.dump,
    "copyreg": lambda found: found.__reduce_ex__(0),
    "getstate": lambda found: found.__getstate__(),
    "dataclasses": dataclasses.asdict,
    "deepcopy": copy.deepcopy,
    "repr": repr,
}


@pytest.mark.parametrize("of", [lambda key: key, lambda key: key.key], ids=["with its place", "alone"])
@pytest.mark.parametrize("way", TAKEN_OUT_BY)
def test_no_serializer_takes_the_master_key_along(tmp_path, way, of):
    vault = Vault(tmp_path / "vault", environment={})
    taken: object = ""
    with contextlib.suppress(TypeError):
        taken = TAKEN_OUT_BY[way](of(vault.master_key()))
    raw = vault.master_key().key.reveal()
    shown = str(taken)
    assert repr(raw)[2:-1] not in shown
    assert base64.b64encode(raw).decode()[:20] not in shown
    assert base64.urlsafe_b64encode(raw).decode()[:20] not in shown
