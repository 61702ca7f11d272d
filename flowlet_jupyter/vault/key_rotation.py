"""Replacing the master key: every file is sealed anew, and a rotation that was cut short is finished by the next one.

The order is what makes it safe. First both keys are stored, the new one in front; then each file is sealed with the new
one; only then is the old one dropped. Whenever it is cut short, what is stored opens all files.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path

from flowlet_jupyter.errors import MasterKeyError, VaultError, VaultFileDamaged
from flowlet_jupyter.vault.master_key import MasterKey, new_key, why_not_replaceable
from flowlet_jupyter.vault.sealed_file import NEW_FILE, read_sealed, write_sealed
from flowlet_jupyter.vault.store import Vault


@dataclasses.dataclass(frozen=True)
class Rotation:
    """What a rotation did: how many secrets are sealed anew, and where the key is kept."""

    secrets: int
    location: str
    was_resumed: bool
    is_old_key_left: bool  # where only the user can take it out


def rotate_key(vault: Vault) -> Rotation:
    """Seal every file of `vault` with a new master key; or finish a rotation that was cut short.

    Requests wait meanwhile, also in other processes, and go on with the new key. Raises `MasterKeyError` where the key is
    not this package's to write, and `VaultFileDamaged` for a file that the key does not open: then nothing was changed.
    """
    with vault.files_lock():
        current = vault.master_key()
        secrets = sorted(vault.folder.glob("*.jwe"))
        _check_all_open(secrets, current)
        was_resumed = current.previous is not None
        if was_resumed:
            vault.mark_key_replaced()  # the rotation may have been cut short before it
            both = current
        else:
            both = dataclasses.replace(current, key=new_key(), previous=current.key)
            vault.replace_key(both)
        _remove_leftovers(vault.folder)
        for file in secrets:
            write_sealed(file, read_sealed(file, *both.keys), both.key)
        for flow in (vault.folder / "pending").glob("*.flow"):  # those under way; an old one may be anything
            with contextlib.suppress(FileNotFoundError, VaultError):
                write_sealed(flow, read_sealed(flow, *both.keys), both.key)
        is_old_key_left = why_not_replaceable(both) is not None
        if not is_old_key_left:
            vault.replace_key(dataclasses.replace(both, previous=None))
        return Rotation(len(secrets), current.location, was_resumed, is_old_key_left)


def _check_all_open(files: list[Path], master_key: MasterKey) -> None:
    if master_key.previous is None and (problem := why_not_replaceable(master_key)):
        raise MasterKeyError(problem)
    for file in files:
        try:
            read_sealed(file, *master_key.keys)
        except VaultFileDamaged as error:
            raise VaultFileDamaged(
                f"{error} Until then the master key stays as it is, and nothing was changed."
            ) from None


def _remove_leftovers(folder: Path) -> None:
    # of writes that were cut short, sealed with the old key; nobody else writes while this process holds the lock, and room made ahead is made again
    for file in [*folder.glob(f"{NEW_FILE}*"), *(folder / "pending").glob(f"{NEW_FILE}*")]:
        with contextlib.suppress(OSError):
            os.unlink(file)
