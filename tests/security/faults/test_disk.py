"""Faults of the disk: what was stored stays, and a token is not asked for where it could not be stored."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import time

import pytest
from servers.faulty import faulty, token
from servers.oauth_provider import stored

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import VaultError
from flowlet_jupyter.http.usage_log import uses
from flowlet_jupyter.model.secret import Headers, Password, Record
from flowlet_jupyter.oauth.authorization_code import new_flow
from flowlet_jupyter.oauth.pending import remember_flow
from flowlet_jupyter.vault import Vault, default_vault
from flowlet_jupyter.vault.master_key import key_file_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the disks are made as Linux makes them"),
]


def _mount(folder, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return bool(shutil.which("mount")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(params=["full", "over its quota", "read-only"])
def disk(request, isolated):
    """A function that makes the disk of the vault full or read-only; and one that puts it right again."""
    folder = default_vault().folder
    folder.mkdir(mode=0o700)
    is_mounted = _mount(folder, "size=256k,mode=700")
    if request.param == "over its quota":
        is_mounted = is_mounted and subprocess.run(["umount", str(folder)], check=True).returncode != 0
    if request.param == "read-only" and not is_mounted:
        pytest.skip("only root can mount a disk")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def break_it() -> None:
        if request.param == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        elif is_mounted:
            with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
                while True:
                    filler.write(bytes(4096))
        else:  # as a quota does, this stops a file from growing
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))

    def mend() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        if is_mounted:
            subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
            (folder / "filler").unlink(missing_ok=True)

    yield break_it, mend
    mend()
    if is_mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("what", ["refresh", "edit", "new secret", "flow"])
def test_a_disk_that_takes_nothing_is_named_and_what_was_stored_stays(disk, what, measured):
    break_it, mend = disk
    with faulty(token) as server:
        stored(server.url)
        before = default_vault().get("api")
        break_it()
        flow = new_flow("api", redirect_uri="http://127.0.0.1/", now=time.time())
        act = {
            "refresh": lambda: flowlet.get("/me", secret="api"),
            "edit": lambda: default_vault().put(Record(secret=before.secret)),
            "new secret": lambda: flowlet.secrets.add(Password(name="b", password="p", allowed_hosts=("a.example",))),
            "flow": lambda: remember_flow(default_vault(), flow),
        }[what]
        with pytest.raises(VaultError, match=r"cannot be (written|used|taken)"):
            act()
        assert Vault(default_vault().folder).get("api") == before  # readable also now
        assert server.paths == []  # the provider was not asked for what could not be stored
        mend()
        assert flowlet.get("/me", secret="api").status_code == 200
        assert Vault(default_vault().folder).get("api").token_set.refresh_token.reveal() == "r2"
        assert flowlet.secrets.vault.names() == ["api"]
    measured("faults", injected=1, lost=0)


def test_a_token_that_is_good_is_used_from_a_disk_that_takes_nothing(disk, measured):
    break_it, mend = disk
    with faulty(token) as server:
        stored(server.url)
        flowlet.secrets["api"].refresh()
        break_it()
        program = f"import flowlet_jupyter as f; assert f.get('{server.url}/me', secret='api').status_code == 200"
        ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        mend()
    measured("faults", injected=1, lost=0)


def test_a_log_of_uses_that_cannot_be_written_costs_no_request(withstood):
    with faulty(token) as server:
        stored(server.url)
        (default_vault().folder.parent / "log").write_text("in the way")
        assert flowlet.get("/me", secret="api").status_code == 200
        assert uses(default_vault()) == []
    withstood()


def test_values_that_are_too_long_to_be_read_again_are_not_stored(fault):
    stored("http://127.0.0.1:9")
    before = default_vault().get("api")
    long = Headers(name="api", headers={f"X-{n}": "x" * 9000 for n in range(100)}, allowed_hosts=("a.example",))
    fault(lambda: default_vault().put(Record(secret=long)), VaultError)
    assert default_vault().get("api") == before


def test_a_folder_that_cannot_be_synced_has_the_new_file_all_the_same(withstood, monkeypatch):
    stored("http://127.0.0.1:9")
    real = os.fsync

    def no_folders(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(22, "Invalid argument")
        real(descriptor)

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", no_folders)
        default_vault().put(Record(secret=default_vault().get("api").secret))
    assert Vault(default_vault().folder).get("api").token_set is None
    withstood()


def test_what_killed_writes_have_left_goes_after_an_hour(withstood):
    stored("http://127.0.0.1:9")
    old, young = (default_vault().folder / f".flowlet-new-{name}" for name in ("old", "young"))
    for file in (old, young):
        file.touch()
    os.utime(old, (time.time() - 7200,) * 2)
    default_vault().put(default_vault().get("api"))
    assert (old.exists(), young.exists()) == (False, True)
    withstood()


LOCKLESS = """
import errno, fcntl, sys
def flock(descriptor, operation):
    raise OSError(getattr(errno, sys.argv[1]), "no lock")
fcntl.flock = flock
import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import VaultError
try:
    print(flowlet.get("/me", secret="api").status_code)
except VaultError as error:
    print(error)
"""


@pytest.mark.parametrize("error", ["ENOLCK", "EIO", "EOPNOTSUPP", "ENOSYS"])
def test_a_disk_without_locks_is_named_or_served_by_another_lock(error, measured):
    with faulty(token) as server:
        stored(server.url)
        for left in default_vault().folder.glob("*.lock"):
            left.unlink()  # of a disk that has locks

        def run(more: str = "") -> subprocess.CompletedProcess:
            command = [sys.executable, "-c", LOCKLESS + more, error]
            return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)

        ended = run()
        if error == "ENOSYS":
            assert ended.stdout == "200\n"  # by a file that is there or not, which filelock makes
            assert "flock not supported" in ended.stderr
            killed = run("with flowlet.secrets.vault.lock('api'): import os; os.kill(os.getpid(), 9)")
            assert killed.returncode == -9
            assert list(default_vault().folder.glob("api.lock"))  # which must not count
            assert run("print(flowlet.secrets['api'].refresh().state)").stdout == "200\nconnected\n"
        else:
            assert "cannot be taken" in ended.stdout
            assert server.paths == []
            assert default_vault().get("api").token_set.refresh_token.reveal() == "r1"
    measured("faults", injected=1, lost=0)


@pytest.mark.parametrize(
    "content", [b"", b"random", os.urandom(2000), b"a.b.c.d.e"], ids=["empty", "text", "bytes", "parts"]
)
def test_a_damaged_file_is_named_and_left_and_other_secrets_stay_usable(content, measured):
    with faulty(token) as server:
        stored(server.url)
        flowlet.secrets.add(Password(name="other", password="p", base_url=server.url))
        path = default_vault().folder / "api.jwe"
        path.write_bytes(content)
        with pytest.raises(VaultError, match=r"api\.jwe"):
            flowlet.get("/me", secret="api")
        assert path.read_bytes() == content
        assert flowlet.get("/me", secret="other").status_code == 401
        assert flowlet.secrets.vault.names() == ["api", "other"]
        assert "damaged" in repr(flowlet.secrets)
    measured("faults", injected=1, lost=0)


def test_a_key_file_in_the_way_is_named(measured):
    key = key_file_of(default_vault().folder)
    key.mkdir(mode=0o700, parents=True)
    with pytest.raises(VaultError, match="cannot be read"):
        stored("http://127.0.0.1:9")
    measured("faults", injected=1, lost=0)
