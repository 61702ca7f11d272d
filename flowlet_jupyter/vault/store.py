"""The vault: list, get, put, delete and lock secrets. Shared by the server and every kernel of a user."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
import unicodedata
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from flowlet_jupyter.errors import InvalidSecret, SecretNotFound, VaultError, VaultFileDamaged
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.suggestion import did_you_mean
from flowlet_jupyter.settings.browser import is_in_browser
from flowlet_jupyter.vault.file_names import file_name_of, name_of_file
from flowlet_jupyter.vault.locks import VaultLocks
from flowlet_jupyter.vault.master_key import MasterKey, find_master_key, key_file_of, load_master_key, store_master_key
from flowlet_jupyter.vault.records import client_of, record_from_payload, record_to_payload
from flowlet_jupyter.vault.sealed_file import (
    Room,
    Signature,
    make_private_folder,
    read_sealed,
    refuse_parents_of_others,
    signature,
    write_private,
    write_sealed,
)

_ROOM_BYTES = 16_384  # tokens may be longer the next time


class Vault:
    """One folder of sealed files. Reads come from memory until the file changes."""

    def __init__(self, folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder.absolute()
        self._environment = os.environ if environment is None else environment
        self._key_mark = self.folder / ".master-key.replaced"
        self._key: tuple[Signature | None, MasterKey] | None = None  # and the file that changes when it is replaced
        self._cache: dict[str, tuple[Signature, Record]] = {}
        self._paths: dict[str, Path] = {}
        self.session: object | None = None  # the `Session` that works on it; set under `guard`
        self._locks = VaultLocks(self.folder)

    @property
    def guard(self) -> threading.Lock:
        """For a moment, among the threads of this process; see `Vault.session`."""
        return self._locks.guard

    def __repr__(self) -> str:
        return f"Vault({str(self.folder)!r})"

    def names(self) -> list[str]:
        """The names of all secrets, sorted; also of those whose file is damaged."""
        try:
            names = [name_of_file(entry.name) for entry in os.scandir(self.folder)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise VaultError(f"The vault folder {self.folder} cannot be read: {error.strerror}.") from None
        return sorted(name for name in names if name is not None)

    def get(self, name: str) -> Record:
        """The record of the secret `name`. Raises `SecretNotFound` or `VaultError`."""
        name = unicodedata.normalize("NFC", name)
        path = self.path_of(name)
        signed = signature(path)
        if signed is None:
            _refuse_browsers()
            raise self._not_found(name)
        cached = self._cache.get(name)
        if cached and cached[0] == signed and self._owner_is_unchanged(cached[1]):
            return cached[1]
        try:
            payload = self.open_sealed(path)
        except FileNotFoundError:
            raise self._not_found(name) from None
        try:
            of = client_of(payload)
            record = record_from_payload(payload, path, owner=self._owner(name, of) if of else None)
        finally:
            del payload  # it holds values, and a verbose traceback prints the locals of this frame
        if record.secret.name != name:
            raise VaultFileDamaged(
                f"The vault file {path} holds another secret than its name says; files were swapped or "
                "renamed. Give it its name again, restore it from a backup, or move it away."
            )
        self._cache[name] = (signed, record)
        return record

    def open_sealed(self, path: Path) -> dict[str, Any]:
        """The payload of a file of this vault, also while its master key is being replaced.

        Raises `FileNotFoundError`, `VaultFileDamaged`, `VaultError`, `MasterKeyError`.
        """
        master_key = self.master_key()
        try:
            return read_sealed(path, *master_key.keys)
        except VaultFileDamaged:
            newer = self._load_key()
            if newer.keys == master_key.keys:
                raise
        # it was sealed anew between the look at the key and the look at the file
        return read_sealed(path, *newer.keys)

    def path_of(self, name: str) -> Path:
        """The file of the secret `name`."""
        # remembered, since every request asks and putting a path together takes longer than the look at the file
        path = self._paths.get(name)
        if path is None:
            path = self._paths[name] = self.folder / file_name_of(name)
        return path

    def _owner(self, name: str, of: str) -> Record:
        """The record whose client registration the account `name` shares; never an account itself, so this ends."""
        if of == name:
            raise VaultFileDamaged(f"Secret '{name}' is an account of itself.")
        try:
            owner = self.get(of)
        except SecretNotFound:
            raise SecretNotFound(
                f"Secret '{name}' is another account of '{of}', which is gone. Add '{of}' again, or delete '{name}'."
            ) from None
        if not isinstance(owner.secret, OAuth2) or owner.secret.client_of:
            raise VaultFileDamaged(f"Secret '{name}' is an account of '{of}', which has no client of its own.")
        return owner

    def _owner_is_unchanged(self, record: Record) -> bool:
        secret = record.secret
        if not isinstance(secret, OAuth2) or secret.client_of is None:
            return True
        owner = self._owner(secret.name, secret.client_of).secret
        return dataclasses.replace(secret, name=owner.name, client_of=None) == owner

    def room_for(self, name: str) -> Room:
        """Room for a new record of `name`, made before what goes into it is asked for; use it in a `with`.

        Raises `VaultError` where it could not be stored.
        """
        _refuse_browsers()
        make_private_folder(self.folder)
        path = self.path_of(name)
        signed = signature(path)
        return Room(path, max(2 * (signed[1] if signed else 0), _ROOM_BYTES))

    def put(self, record: Record, room: Room | None = None) -> None:
        """Store `record` under its secret's name, replacing what was there. Take `lock` around a read and a put.

        `room` was made for it by `room_for`. Raises `InvalidSecret` for an account of a secret that is not there: it could never be opened again.
        """
        _refuse_browsers()
        owner = getattr(record.secret, "client_of", None)
        if owner:
            try:
                self._owner(record.secret.name, owner)
            except (SecretNotFound, VaultFileDamaged):
                raise InvalidSecret(
                    f"Secret '{record.secret.name}' cannot be an account of '{owner}': there is no such secret with a "
                    "client of its own.",
                    field="client_of",
                ) from None
        make_private_folder(self.folder)
        path = self.path_of(record.secret.name)
        with self.files_lock():
            write_sealed(path, record_to_payload(record), self.master_key().key, room)
            stored = signature(path)
        if stored:
            self._cache[record.secret.name] = (stored, record)

    def delete(self, name: str) -> None:
        """Remove the secret `name` and its tokens. Raises `SecretNotFound`."""
        name = unicodedata.normalize("NFC", name)
        if accounts := self._accounts_of(name):
            raise InvalidSecret(f"Secret '{name}' cannot be deleted before its accounts: {', '.join(accounts)}.")
        self._cache.pop(name, None)
        path = self.path_of(name)
        if signature(path) is None:
            raise self._not_found(name)
        try:
            with self.files_lock():
                path.unlink()
        except FileNotFoundError:
            raise self._not_found(name) from None
        except OSError as error:
            raise VaultError(f"Secret '{name}' could not be deleted: {error.strerror}.") from None

    def _accounts_of(self, name: str) -> list[str]:
        accounts = []
        for other in self.names():
            with contextlib.suppress(VaultError, SecretNotFound):
                if other != name and getattr(self.get(other).secret, "client_of", None) == name:
                    accounts.append(other)
        return accounts

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Hold the secret `name` alone, among all threads and processes. Raises `VaultError` after a timeout."""
        _refuse_browsers()
        return self._locks.of_secret(name)

    def files_lock(self) -> AbstractContextManager[None]:
        """Hold all files as they are: whoever writes or removes one takes this, so that none meets a change of the key.

        Always the last lock that is taken. Raises `VaultError` after a timeout.
        """
        _refuse_browsers()
        return self._locks.of_files()

    def master_key(self) -> MasterKey:
        """The master key, read once per process and when it was replaced. Raises `MasterKeyError`."""
        known = self._key
        return known[1] if known and known[0] == signature(self._key_mark) else self._load_key()

    def find_master_key(self) -> MasterKey | None:
        """The master key as it is now, None if none was made yet; makes nothing. Raises `MasterKeyError`."""
        return find_master_key(self.folder, environment=self._environment)

    @property
    def key_file(self) -> Path:
        """Where the master key is where no keyring works."""
        return key_file_of(self.folder)

    def check_parents(self) -> None:
        """Raise `VaultError` if the folder is below one that somebody else owns or may write to."""
        refuse_parents_of_others(self.folder)

    def _load_key(self) -> MasterKey:
        mark = signature(self._key_mark)  # before the key: a change between the two is then seen next time
        master_key = self.find_master_key()  # without a lock: what is on a read-only disk can be read
        if master_key is None:
            # under the lock: two processes that meet a new vault must not make two keys
            with self.files_lock():
                master_key = load_master_key(self.folder, has_secrets=bool(self.names()), environment=self._environment)
        self._key = mark, master_key
        return master_key

    def replace_key(self, master_key: MasterKey) -> None:
        """Store `master_key` where the one in use is, and let every process notice. Call under `files_lock`.

        What is sealed with another key than `master_key.keys` cannot be opened afterwards.
        """
        store_master_key(self.folder, master_key)
        self.mark_key_replaced()

    def mark_key_replaced(self) -> None:
        """Let every process read the key again before it opens or seals a file."""
        write_private(self._key_mark, b"")

    def _not_found(self, name: str) -> SecretNotFound:
        names = self.names()
        how = "To add one: %flowlet_secret --new"
        listed = f"There are: {', '.join(names[:10])}. {how}" if names else f"There are no secrets yet. {how}"
        return SecretNotFound(f"No secret named '{name}'. {did_you_mean(name, names, otherwise=listed)}")


def _refuse_browsers() -> None:
    """Raise `VaultError` in a Python that runs in a browser: what it stores is neither private nor kept."""
    if is_in_browser():
        raise VaultError(
            "There is no vault in a browser (JupyterLite, Pyodide): its files are neither private nor kept, so no secret is "
            "stored or named here. Requests without a secret work; for secrets, use a notebook with a kernel on a machine."
        )
