"""The vault's folder, the master key, and whether a lock holds here."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from flowlet_jupyter.cli.doctor.finding import Finding
from flowlet_jupyter.credentials.handles import Secrets
from flowlet_jupyter.errors import FlowletError, VaultError
from flowlet_jupyter.model.wording import counted

_FREE_BYTES = 5_000_000
_CLOCK_TOLERANCE_SECONDS = 60
_LOCK_SECONDS = 20
# where a lock of one machine is often none of another
_NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "fuse.sshfs", "9p", "lustre", "gpfs", "ceph", "afs")
_TRY_LOCK = """
import sys
from filelock import FileLock, Timeout
try:
    FileLock(sys.argv[1]).acquire(blocking=False)
except Timeout:
    print("held")
else:
    print("taken")
"""


def findings(secrets: Secrets) -> Iterator[Finding]:
    """The folder and its parents, the key, the lock, the disk and the clock as far as files show it."""
    vault, folder = secrets.vault, secrets.vault.folder
    try:
        vault.check_parents()
    except VaultError as error:
        yield Finding("vault", "bad", "others could replace it", str(error))
    if not folder.is_dir():
        problem = "is no folder" if folder.exists() else "is not there yet; the first secret makes it"
        advice = "Move it away, or set FLOWLET_VAULT to another folder." if folder.exists() else ""
        yield Finding("vault", "bad" if folder.exists() else "ok", f"{folder} {problem}", advice)
        yield from _of_key(secrets, has_secrets=False)
        return
    names: list[str] = []
    try:
        names = vault.names()
        yield _of_folder(folder, len(names))
    except (VaultError, OSError) as error:
        yield Finding("vault", "bad", f"{folder} cannot be read", f"{error} Make it yours: chmod 700 {folder}")
    yield from _of_key(secrets, has_secrets=bool(names))
    yield _of_lock(folder)
    free = shutil.disk_usage(folder).free
    if free < _FREE_BYTES:
        yield Finding(
            "disk", "bad", f"{free // 1000} kB are free at {folder}", "Free some space: new tokens cannot be stored."
        )
    newest = max((entry.stat(follow_symlinks=False).st_mtime for entry in os.scandir(folder)), default=0)
    if newest > time.time() + _CLOCK_TOLERANCE_SECONDS:
        yield Finding(
            "clock", "warn", "a file of the vault was written later than it is now", "Set this machine's clock right."
        )


def _of_folder(folder: Path, count: int) -> Finding:
    text = f"{folder} ({counted(count, 'secret')})"
    if os.name != "posix":
        return Finding("vault", "ok", text)
    status = folder.stat()
    if status.st_uid != os.getuid():
        return Finding(
            "vault", "bad", f"{folder} belongs to another user", "Set FLOWLET_VAULT to a folder of your own."
        )
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        return Finding("vault", "warn", f"{text} is open to others (mode {mode:o})", f"Run: chmod 700 {folder}")
    if not os.access(folder, os.W_OK):
        return Finding("vault", "bad", f"{folder} cannot be written to", f"Run: chmod 700 {folder}")
    return Finding("vault", "ok", text)


def _of_key(secrets: Secrets, *, has_secrets: bool) -> Iterator[Finding]:
    vault = secrets.vault
    try:
        key = vault.find_master_key()
    except FlowletError as error:
        yield Finding("master key", "bad", "out of reach", str(error))
        return
    if key is None:
        advice = "Restore it, or move the vault away and restore a backup: jupyter flowlet restore FILE"
        lost = Finding("master key", "bad", f"neither in a keyring nor in {vault.key_file}", advice)
        yield lost if has_secrets else Finding("master key", "ok", "not made yet; the first secret makes it")
        return
    if key.previous is not None:
        yield Finding(
            "master key", "warn", f"{key.location}; its change was cut short", "Run: jupyter flowlet rotate-key"
        )
    elif key.file is not None and key.file == vault.key_file:
        advice = "A desktop keyring, or FLOWLET_MASTER_KEY_FILE on another disk, keeps it from whoever copies this one."
        yield Finding("master key", "warn", key.location, advice)
    else:
        yield Finding("master key", "ok", key.location)


def _of_lock(folder: Path) -> Finding:
    """Whether another process notices a lock that this one holds."""
    file_system = _file_system_of(folder)
    descriptor, path = -1, ""
    try:
        descriptor, path = tempfile.mkstemp(prefix=".lock-test-", dir=folder)
        with FileLock(path, timeout=0):
            tried = subprocess.run(  # noqa: S603 - this interpreter and a text of our own
                [sys.executable, "-c", _TRY_LOCK, path],
                capture_output=True,
                text=True,
                timeout=_LOCK_SECONDS,
                check=False,
            )
    except (OSError, NotImplementedError, subprocess.TimeoutExpired) as error:
        return Finding(
            "lock", "bad", f"none can be taken in {folder}{file_system} ({type(error).__name__})", _OTHER_DISK
        )
    finally:
        if descriptor >= 0:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                os.unlink(path)
    if tried.stdout.strip() != "held":
        return Finding(
            "lock", "bad", f"does not hold in {folder}{file_system}: two processes would refresh at once", _OTHER_DISK
        )
    if file_system:
        return Finding(
            "lock", "warn", f"holds on this machine{file_system}; other machines may not see it", _OTHER_DISK
        )
    return Finding("lock", "ok", "holds between two processes")


_OTHER_DISK = "Set FLOWLET_VAULT to a folder on a local disk, unless only one machine uses this one at a time."


def _file_system_of(folder: Path) -> str:
    """Where the folder is on a network, as " on nfs4"; empty on a local disk, and where it cannot be known."""
    best, kind = "", ""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/mounts").read_text("utf-8", "replace").splitlines():
            mount, file_system = line.split(" ")[1:3]
            if folder.resolve().is_relative_to(mount.replace("\\040", " ")) and len(mount) >= len(best):
                best, kind = mount, file_system
    return f" on {kind}" if kind.startswith(_NETWORK_FILE_SYSTEMS) else ""
