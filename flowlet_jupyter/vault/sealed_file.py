"""Sealed files: a compact JWE (`dir`, A256GCM) that is written atomically and readable by its owner only."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from flowlet_jupyter.errors import VaultError, VaultFileDamaged
from flowlet_jupyter.vault.compact_jwe import SealingKey, decrypt, encrypt

MAX_BYTES = 1_000_000  # a record has a few kilobytes; anything larger is not ours and is not read into memory
NEW_FILE = ".flowlet-new-"  # begins the name of a file that is still to replace another
_LEFTOVER_SECONDS = 3600.0  # no write and no refresh takes as long
Signature = tuple[int, int, int]


def signature(path: Path) -> Signature | None:
    """What changes when the file is replaced: (mtime in ns, size, inode); None if there is no such file."""
    try:
        status = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise VaultError(f"The vault file {path} cannot be reached: {error.strerror}.") from None
    return status.st_mtime_ns, status.st_size, status.st_ino


def read_sealed(path: Path, *keys: SealingKey) -> dict[str, Any]:
    """The payload of the sealed file, which one of `keys` opens.

    Raises `FileNotFoundError`, `VaultFileDamaged` (wrong key or altered) or `VaultError` (not a plain file of ours).
    """
    token = _read_plain_file(path)
    payload = None
    for key in keys:
        with contextlib.suppress(ValueError):
            payload = json.loads(decrypt(token, key))
            break
    if not isinstance(payload, dict):
        raise VaultFileDamaged(
            f"The vault file {path} cannot be opened: it is damaged, or was sealed with another master key. "
            "It is left as it is; restore it from a backup, or move it away and add the secret again."
        )
    return payload


def _read_plain_file(path: Path) -> bytes:
    # O_NOFOLLOW and the checks on the open file: a symlink, a FIFO or a stranger's file in this place is an attack
    # or an accident, and following it could block for ever or read what another user planted.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise VaultError(f"The vault file {path} cannot be read: {error.strerror}.") from None
    with open(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            raise VaultError(
                f"The vault file {path} is not a file that flowlet wrote. It is left as it is; move it away."
            )
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            raise VaultError(
                f"The vault file {path} belongs to another user and is not trusted. Move it away; or set FLOWLET_VAULT to "
                "a folder of your own."
            )
        return file.read()


def write_sealed(path: Path, payload: dict[str, Any], key: SealingKey, room: Room | None = None) -> None:
    """Replace the file by one that holds `payload`; after a crash at any moment the old or the new one is there.

    `room` was made for it before.
    """
    data = sealed(payload, key)
    del payload  # it holds values, and a verbose traceback prints the locals of this frame
    if room is None:
        write_private(path, data)
    else:
        room.fill(data)


def sealed(payload: dict[str, Any], key: SealingKey) -> bytes:
    """What a sealed file of `payload` holds. Raises `VaultError` for more than could be read again."""
    data = encrypt(json.dumps(payload).encode(), key)
    del payload  # as above
    if len(data) > MAX_BYTES:
        raise VaultError(
            f"The values are too long to be stored: {len(data):,} bytes sealed, at most {MAX_BYTES:,}. What was stored "
            "before is unchanged."
        )
    return data


def write_private(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically and durably, mode 0600 whatever the umask."""
    with Room(path) as room:
        room.fill(data)


class Room:
    """A new file beside `path`, to be filled and then to replace it; `size` bytes of it are already on the disk.

    So that what cannot be had twice, such as a rotated refresh token, is asked for only where it can be stored. Raises
    `VaultError` for a disk that is full, read-only or over its quota.
    """

    def __init__(self, path: Path, size: int = 0) -> None:
        self._path = path
        _remove_leftovers(path.parent)
        try:
            self._temporary: str | None = _staged(path, bytes(size))
        except OSError as error:
            raise _not_written(path, error) from None

    def fill(self, data: bytes) -> None:
        """Replace the file at `path` by one that holds `data`."""
        temporary = self._temporary
        assert temporary is not None  # noqa: S101 - filled once
        try:
            try:
                _overwrite(temporary, data)
            except FileNotFoundError:  # a change of the master key removes what looks left over
                temporary = self._temporary = _staged(self._path, data)
            os.replace(temporary, self._path)
            self._temporary = None
            _sync_folder(self._path.parent)
        except OSError as error:
            raise _not_written(self._path, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _unlink(self._temporary)


def _overwrite(file: str, data: bytes) -> None:
    with open(file, "r+b") as opened:
        opened.write(data)
        opened.truncate()
        opened.flush()
        os.fsync(opened.fileno())


def _remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed in the middle of a write has left."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if entry.name.startswith(NEW_FILE):
                if time.time() - entry.stat(follow_symlinks=False).st_mtime > _LEFTOVER_SECONDS:
                    os.unlink(entry.path)


def write_all_private(contents: Mapping[Path, bytes]) -> None:
    """Write several files as `write_private` does, all or none: nothing is replaced before all are on the disk.

    Each is replaced in one step; only a crash between two of these steps leaves some of them new and some old.
    """
    with contextlib.ExitStack() as leftovers:
        path, undo = Path(), contextlib.ExitStack()
        try:
            staged: list[tuple[Path, str, str | None]] = []
            for path, data in contents.items():
                former = _staged(path, path.read_bytes()) if path.exists() else None
                leftovers.callback(_unlink, former)
                temporary = _staged(path, data)
                leftovers.callback(_unlink, temporary)
                staged.append((path, temporary, former))
            for path, temporary, former in staged:
                os.replace(temporary, path)
                if former is None:
                    undo.callback(os.unlink, path)
                else:
                    undo.callback(os.replace, former, path)
        except OSError as error:
            undo.close()
            raise _not_written(path, error) from None
        for folder in {each.parent for each in contents}:
            _sync_folder(folder)


def _not_written(path: Path, error: OSError) -> VaultError:
    return VaultError(
        f"The vault file {path} cannot be written: {error.strerror}. What was stored before is unchanged."
    )


def _unlink(file: str | None) -> None:
    if file is not None:
        with contextlib.suppress(OSError):
            os.unlink(file)


def _staged(path: Path, data: bytes) -> str:
    """A new file beside `path` that holds `data`, on the disk."""
    descriptor, temporary = tempfile.mkstemp(prefix=NEW_FILE, dir=path.parent)  # mkstemp's mode is 0600
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    # the rename itself is durable only when its folder is (POSIX); Windows cannot open a folder for this, and some file
    # systems do not do it: the new file is in its place all the same, so this is no failure to write
    if os.name == "posix":
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def make_private_folder(folder: Path) -> None:
    """Make `folder` and its parents if they are missing, mode 0700 whatever the umask.

    Raises `VaultError` for one that belongs to somebody else, or below a folder in which others could replace it.
    """
    try:
        refuse_parents_of_others(folder)
        if not folder.is_dir():
            missing = [folder, *(parent for parent in folder.parents if not parent.exists())]
            for each in reversed(missing):
                with contextlib.suppress(FileExistsError):
                    each.mkdir(mode=0o700)
                    each.chmod(0o700)  # mkdir's mode is under the umask
        elif os.name == "posix":
            status = folder.stat()
            if status.st_uid != os.getuid():
                raise VaultError(
                    f"The vault folder {folder} belongs to another user and is not trusted. Set FLOWLET_VAULT to a folder of "
                    "your own."
                )
            if status.st_mode & 0o077:
                folder.chmod(0o700)
    except OSError as error:
        raise VaultError(
            f"The vault folder {folder} cannot be used: {error.strerror}. Set FLOWLET_VAULT to another folder."
        ) from None


_NOBODY = 65534  # how a user namespace shows an owner that it does not know, often of / and of mounts


def refuse_parents_of_others(folder: Path) -> None:
    """Raise `VaultError` if `folder` is below one that somebody else owns or may write to."""
    # whoever can write to a parent can put a vault and a key of their own in the place of these
    if os.name != "posix":
        return
    for parent in folder.parents:
        if not parent.exists():
            continue
        status = parent.stat()
        if status.st_uid not in {os.getuid(), 0, _NOBODY}:
            raise VaultError(
                f"The folder {parent}, which the vault is in, belongs to another user. Set FLOWLET_VAULT to another folder."
            )
        # a sticky folder such as /tmp keeps others from renaming what is ours; a user's own group is the user
        open_to_group = status.st_mode & stat.S_IWGRP and status.st_gid != os.getgid() and status.st_gid != 0
        if (status.st_mode & stat.S_IWOTH or open_to_group) and not status.st_mode & stat.S_ISVTX:
            raise VaultError(
                f"Others can write to the folder {parent}, which the vault is in. Run: chmod go-w {parent}; or set "
                "FLOWLET_VAULT to another folder."
            )
