"""What a write leaves on the disk: the new file as a whole, durably, and nothing beside it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from flowlet_jupyter.errors import VaultError
from flowlet_jupyter.vault import sealed_file
from flowlet_jupyter.vault.master_key import new_key
from flowlet_jupyter.vault.sealed_file import (
    NEW_FILE,
    Room,
    make_private_folder,
    read_sealed,
    sealed,
    write_private,
    write_sealed,
)

PAYLOAD = {"name": "api", "secret": "canary-value-5e1f"}


@pytest.fixture
def path(tmp_path) -> Path:
    folder = tmp_path / "vault"
    folder.mkdir()
    return folder / "api.jwe"


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_payload_comes_back_from_the_room_that_was_made_for_it(path):
    key = new_key()
    with Room(path, 10_000) as room:
        write_sealed(path, PAYLOAD, key, room)
    assert read_sealed(path, key) == PAYLOAD
    assert path.stat().st_size == len(sealed(PAYLOAD, key))  # nothing of the room is left behind it
    assert names_in(path.parent) == ["api.jwe"]


def test_a_room_that_nobody_filled_leaves_nothing(path):
    path.write_bytes(b"old")
    with Room(path, 100):
        made = [name for name in names_in(path.parent) if name != "api.jwe"]
        assert [(path.parent / name).stat().st_size for name in made] == [100]
        assert all(name.startswith(NEW_FILE) for name in made)
    assert names_in(path.parent) == ["api.jwe"]
    assert path.read_bytes() == b"old"


def test_a_room_that_was_taken_away_meanwhile_is_made_again(path):
    with Room(path, 100) as room:
        (gone,) = path.parent.iterdir()
        gone.unlink()
        room.fill(b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert names_in(path.parent) == ["api.jwe"]


def test_a_write_that_fails_names_the_file_and_leaves_nothing(path):
    path.mkdir()  # no file can take its place
    with pytest.raises(VaultError) as caught:
        write_private(path, b"new")
    assert str(caught.value) == (
        f"The vault file {path} cannot be written: Is a directory. What was stored before is unchanged."
    )
    assert names_in(path.parent) == ["api.jwe"]


def test_a_room_that_cannot_be_made_names_the_file(tmp_path):
    path = tmp_path / "missing" / "api.jwe"
    with pytest.raises(VaultError, match=r"api\.jwe cannot be written: No such file or directory\."):
        Room(path)


def test_only_what_was_left_over_long_ago_is_removed(path):
    long_ago = time.time() - 7200
    for name in (f"{NEW_FILE}old", "notes.txt"):
        (path.parent / name).write_bytes(b"x")
        os.utime(path.parent / name, (long_ago, long_ago))
    (path.parent / f"{NEW_FILE}under-way").write_bytes(b"x")
    write_private(path, b"new")
    assert names_in(path.parent) == sorted([f"{NEW_FILE}under-way", "api.jwe", "notes.txt"])


@pytest.mark.skipif(os.name != "posix", reason="a folder cannot be opened there")
def test_the_file_is_on_the_disk_before_it_replaces_the_old_one_and_the_folder_after(path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor):
        steps.append("folder" if os.path.samestat(os.fstat(descriptor), path.parent.stat()) else "file")
        fsync(descriptor)

    def replaced(source, target):
        steps.append("replaced")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_private(path, b"new")
    assert steps[-3:] == ["file", "replaced", "folder"]


def test_what_is_as_long_as_may_be_is_stored_and_one_byte_more_is_not(path, monkeypatch):
    key = new_key()
    size = len(sealed(PAYLOAD, key))
    monkeypatch.setattr(sealed_file, "MAX_BYTES", size)
    write_sealed(path, PAYLOAD, key)
    assert read_sealed(path, key) == PAYLOAD
    monkeypatch.setattr(sealed_file, "MAX_BYTES", size - 1)
    with pytest.raises(
        VaultError, match=f"{size:,} bytes sealed, at most {size - 1:,}. What was stored before is unch"
    ):
        write_sealed(path, {**PAYLOAD, "name": "API"}, key)
    monkeypatch.setattr(sealed_file, "MAX_BYTES", size)
    assert read_sealed(path, key) == PAYLOAD


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_a_vault_and_its_missing_parents_are_this_users_alone_whatever_the_umask(tmp_path):
    there = tmp_path / "there"
    there.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        make_private_folder(there / "a" / "vault")
    finally:
        os.umask(before)
    modes = [folder.stat().st_mode & 0o777 for folder in (there, there / "a", there / "a" / "vault")]
    assert modes == [0o755, 0o700, 0o700]
    (there / "a" / "vault").chmod(0o750)
    make_private_folder(there / "a" / "vault")
    assert (there / "a" / "vault").stat().st_mode & 0o777 == 0o700


def test_a_vault_where_a_file_is_in_the_way_is_named_with_the_fix(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(VaultError) as caught:
        make_private_folder(tmp_path / "file" / "vault")
    assert str(caught.value) == (
        f"The vault folder {tmp_path / 'file' / 'vault'} cannot be used: Not a directory. Set FLOWLET_VAULT to another folder."
    )
