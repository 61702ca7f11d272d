from __future__ import annotations

import base64
import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path

import keyring
import pytest

from flowlet_jupyter.errors import MasterKeyError, VaultFileDamaged
from flowlet_jupyter.model.secret import Password, Record
from flowlet_jupyter.oauth.authorization_code import new_flow
from flowlet_jupyter.oauth.pending import claim_flow, find_flow, remember_flow
from flowlet_jupyter.vault import Vault
from flowlet_jupyter.vault.compact_jwe import SealingKey
from flowlet_jupyter.vault.key_rotation import rotate_key
from flowlet_jupyter.vault.master_key import key_file_of
from flowlet_jupyter.vault.sealed_file import read_sealed

NAMES = ("a", "b", "c")


def record(name: str, value: str = "v") -> Record:
    return Record(secret=Password(name=name, password=value, allowed_hosts=("api.example.org",)))


def value_of(vault: Vault, name: str) -> str:
    return vault.get(name).secret.password.reveal()


@pytest.fixture
def vault(tmp_path):
    vault = Vault(tmp_path / "vault", environment={})
    for name in NAMES:
        vault.put(record(name, f"value-{name}"))
    return vault


def new_process(vault: Vault) -> Vault:
    """What another process sees, which has nothing in memory."""
    return Vault(vault.folder, environment={})


def key_of(text: str) -> SealingKey:
    return SealingKey(base64.urlsafe_b64decode(text))


def keys_in(file: Path) -> list[SealingKey]:
    return [key_of(word) for word in file.read_text().split()]


def opens(path: Path, key: SealingKey) -> bool:
    with contextlib.suppress(VaultFileDamaged):
        return bool(read_sealed(path, key))
    return False


def test_all_secrets_open_with_the_new_key_and_none_with_the_old(vault):
    old = keys_in(key_file_of(vault.folder))[0]
    done = rotate_key(vault)
    (new,) = keys_in(key_file_of(vault.folder))
    assert (done.secrets, done.was_resumed, done.is_old_key_left) == (3, False, False)
    for file in vault.folder.glob("*.jwe"):
        assert opens(file, new)
        assert not opens(file, old)
    assert [value_of(new_process(vault), name) for name in NAMES] == ["value-a", "value-b", "value-c"]


def test_a_kernel_that_runs_meanwhile_reads_and_writes_with_the_new_key(vault):
    kernel = new_process(vault)
    assert value_of(kernel, "a") == "value-a"
    rotate_key(vault)
    kernel.put(record("b", "written after"))  # the first thing that it does
    assert value_of(kernel, "a") == "value-a"
    (new,) = keys_in(key_file_of(vault.folder))
    assert opens(vault.path_of("b"), new)
    assert value_of(new_process(vault), "b") == "written after"


def test_a_write_that_began_before_a_rotation_is_not_sealed_with_the_old_key(vault):
    kernel = new_process(vault)
    kernel.master_key()
    with vault.files_lock():
        writing = threading.Thread(target=lambda: kernel.put(record("a", "late")))
        writing.start()
        rotate_key(vault)
        assert writing.is_alive()
    writing.join(30)
    (new,) = keys_in(key_file_of(vault.folder))
    assert opens(vault.path_of("a"), new)
    assert value_of(new_process(vault), "a") == "late"


def test_a_flow_under_way_survives_and_is_used_once(vault):
    flow = new_flow("a", redirect_uri="http://127.0.0.1/callback", now=time.time())
    remember_flow(vault, flow)
    rotate_key(vault)
    state = flow.state.reveal()
    found = find_flow(new_process(vault), state, now=time.time())
    assert found is not None
    assert found.code_verifier == flow.code_verifier
    assert claim_flow(vault, state)
    assert not claim_flow(vault, state)


def test_a_secret_that_is_deleted_meanwhile_does_not_come_back(vault):
    kernel = new_process(vault)
    with vault.files_lock():
        deleting = threading.Thread(target=lambda: kernel.delete("b"))
        deleting.start()
        rotate_key(vault)
    deleting.join(30)
    assert new_process(vault).names() == ["a", "c"]


def test_what_a_killed_write_left_behind_goes_with_the_old_key(vault):
    leftover = vault.folder / ".flowlet-new-abc"
    leftover.write_bytes(vault.path_of("a").read_bytes())
    rotate_key(vault)
    assert not leftover.exists()


def test_a_damaged_file_stops_it_before_anything_is_changed(vault):
    before = key_file_of(vault.folder).read_text()
    (vault.folder / "b.jwe").write_text("damaged")
    with pytest.raises(VaultFileDamaged, match="nothing was changed"):
        rotate_key(vault)
    assert key_file_of(vault.folder).read_text() == before
    assert value_of(new_process(vault), "a") == "value-a"


def test_a_key_of_the_environment_is_changed_by_its_owner_in_two_steps(vault):
    old = key_file_of(vault.folder).read_text()
    new = base64.urlsafe_b64encode(bytes(range(32))).decode()
    given = {"FLOWLET_MASTER_KEY": old}
    with pytest.raises(MasterKeyError, match="Put two keys there"):
        rotate_key(Vault(vault.folder, environment=given))
    done = rotate_key(Vault(vault.folder, environment={"FLOWLET_MASTER_KEY": f"{new} {old}"}))
    assert done.is_old_key_left
    only_new = Vault(vault.folder, environment={"FLOWLET_MASTER_KEY": new})
    assert [value_of(only_new, name) for name in NAMES] == ["value-a", "value-b", "value-c"]


def test_a_key_in_a_file_of_ones_own_is_replaced_and_a_link_to_one_is_not(vault, tmp_path):
    file = tmp_path / "own.key"
    file.write_bytes(key_file_of(vault.folder).read_bytes())
    file.chmod(0o600)
    link = tmp_path / "mounted.key"
    link.symlink_to(file)
    with pytest.raises(MasterKeyError, match="not written from here"):
        rotate_key(Vault(vault.folder, environment={"FLOWLET_MASTER_KEY_FILE": str(link)}))
    environment = {"FLOWLET_MASTER_KEY_FILE": str(file)}
    before = file.read_text()
    rotate_key(Vault(vault.folder, environment=environment))
    assert file.read_text() != before
    assert file.stat().st_mode & 0o777 == 0o600
    assert value_of(Vault(vault.folder, environment=environment), "c") == "value-c"


class MemoryKeyring(keyring.backend.KeyringBackend):
    priority = 1

    def __init__(self, *, takes: int) -> None:
        self.entries: dict = {}
        self.takes = takes

    def get_password(self, service, username):
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        self.takes -= 1
        if self.takes >= 0:
            self.entries[service, username] = password


@pytest.fixture
def in_keyring(request):
    before, backend = keyring.get_keyring(), MemoryKeyring(takes=request.param)
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.mark.parametrize("in_keyring", [9], indirect=True)
def test_a_key_in_the_keyring_is_replaced_there(tmp_path, in_keyring):
    vault = Vault(tmp_path / "kept", environment={})
    vault.put(record("a", "value-a"))
    before = dict(in_keyring.entries)
    rotate_key(vault)
    assert in_keyring.entries.keys() == before.keys()
    assert in_keyring.entries != before
    assert value_of(new_process(vault), "a") == "value-a"
    assert not key_file_of(vault.folder).exists()


@pytest.mark.parametrize("in_keyring", [1], indirect=True)
def test_a_keyring_that_takes_no_new_key_leaves_all_as_it_was(tmp_path, in_keyring):
    vault = Vault(tmp_path / "kept", environment={})
    vault.put(record("a", "value-a"))
    with pytest.raises(MasterKeyError, match="did not take"):
        rotate_key(vault)
    assert value_of(new_process(vault), "a") == "value-a"


# Rotates the key of a vault of its own for N = 0, 1, …, and kills itself before the Nth thing that it does to a file,
# of which CPython tells an audit hook; until a rotation comes to its end.
_KILLED = """
import itertools, os, signal, sys
from pathlib import Path
from flowlet_jupyter.model.secret import Password, Record
from flowlet_jupyter.vault import Vault
from flowlet_jupyter.vault.key_rotation import rotate_key
for step in itertools.count():
    vault = Vault(Path(sys.argv[1], str(step)), environment={})
    for name in sys.argv[2:]:
        vault.put(Record(secret=Password(name=name, password=f"value-{name}", allowed_hosts=("a.example",))))
    child = os.fork()
    if not child:
        left = step
        def count(event, details):
            global left
            if event in {"os.rename", "os.remove", "tempfile.mkstemp", "open"} and sys.argv[1] in str(details):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(count)
        rotate_key(vault)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
"""


@pytest.mark.slow
def test_killed_at_any_step_every_secret_opens_and_the_next_rotation_finishes_it(tmp_path):
    subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), *NAMES], timeout=120, check=True)
    folders = [folder for folder in tmp_path.iterdir() if folder.is_dir() and folder.name.isdigit()]
    assert len(folders) > 20  # of each file several steps
    resumed = 0
    for folder in folders:
        vault = Vault(folder, environment={})
        keys = keys_in(key_file_of(folder))
        # each file opens with exactly one key, and that key is stored
        for file in folder.glob("*.jwe"):
            assert [opens(file, key) for key in keys].count(True) == 1
        assert all(value_of(new_process(vault), name) == f"value-{name}" for name in NAMES)
        vault.put(record("b", "written between"))  # and work goes on
        done = rotate_key(new_process(vault))
        assert done.was_resumed == (len(keys) == 2)
        resumed += done.was_resumed
        (new,) = keys_in(key_file_of(folder))
        for file in folder.glob("*.jwe"):
            assert opens(file, new)
            assert not opens(file, keys[-1])  # the old one
        assert value_of(vault, "b") == "written between"
        assert value_of(vault, "c") == "value-c"
        assert not list(folder.glob(".flowlet-new-*"))
    assert resumed > 10


@pytest.mark.slow
def test_processes_that_read_and_write_during_rotations_never_fail(vault):
    program = (
        "import sys; from pathlib import Path; from flowlet_jupyter.vault import Vault\n"
        "from flowlet_jupyter.model.secret import Password, Record\n"
        "vault = Vault(Path(sys.argv[1]), environment={}); name = sys.argv[2]; print(flush=True)\n"
        "for number in range(40):\n"
        "    with vault.lock(name):\n"
        "        found = int(vault.get(name).secret.password.reveal().rpartition('-')[2])\n"
        "        assert found == number, (found, number)\n"
        "        value = f'value-{number + 1}'\n"
        "        vault.put(Record(secret=Password(name=name, password=value, allowed_hosts=('a.example',))))\n"
        "    for other in vault.names(): vault.get(other)\n"
    )
    for name in NAMES:
        vault.put(record(name, "value-0"))
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(vault.folder), name], stdout=subprocess.PIPE)
        for name in NAMES
    ]
    for process in running:
        process.stdout.readline()
    rotations = 0
    while any(process.poll() is None for process in running):
        rotate_key(vault)
        rotations += 1
    assert rotations
    assert [process.wait() for process in running] == [0, 0, 0]
    assert [value_of(new_process(vault), name) for name in NAMES] == ["value-40"] * 3
