"""The vault: list, get, put, delete and lock secrets. Shared by the server and every kernel of a user."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import os
import threading
import time
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from filelock import FileLock, Timeout

from flowlet_jupyter.errors import InvalidSecret, SecretNotFound, VaultError, VaultFileDamaged
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.settings import Settings
from flowlet_jupyter.vault.ending import process_ending
from flowlet_jupyter.vault.master_key import MasterKey, load_master_key
from flowlet_jupyter.vault.records import client_of, record_from_payload, record_to_payload
from flowlet_jupyter.vault.sealed_file import Room, Signature, make_private_folder, read_sealed, signature, write_sealed

LOCK_TIMEOUT_SECONDS = 90.0  # longer than the token endpoint's deadline, which the holder may be waiting for
_log = logging.getLogger("flowlet_jupyter.vault")  # events and names of secrets, never values
_POLL_SECONDS = 0.1
_ROOM_BYTES = 16_384  # tokens may be longer the next time
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
# Windows keeps these names, with any ending, for devices
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
)


def file_name_of(name: str) -> str:
    """The file of the secret `name`: percent-quoted, so that capitals stay apart where the disk folds case."""
    quoted = "".join(
        character if character in _PLAIN else "".join(f"%{byte:02x}" for byte in character.encode())
        for character in name
    )
    if quoted in _DEVICES:
        quoted = f"%{ord(quoted[0]):02x}{quoted[1:]}"
    return quoted + ".jwe"


class Vault:
    """One folder of sealed files. Reads come from memory until the file changes."""

    def __init__(self, folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder.absolute()
        self._environment = os.environ if environment is None else environment
        self._key: MasterKey | None = None
        self._key_guard = threading.Lock()
        self._cache: dict[str, tuple[Signature, Record]] = {}
        self._paths: dict[str, Path] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._locks_guard = threading.Lock()
        self.session: object | None = None  # the `Session` that works on it
        self.session_guard = threading.Lock()

    def __repr__(self) -> str:
        return f"Vault({str(self.folder)!r})"

    def names(self) -> list[str]:
        """The names of all secrets, sorted; also of those whose file is damaged."""
        try:
            files = [entry.name for entry in os.scandir(self.folder) if entry.name.endswith(".jwe")]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise VaultError(f"The vault folder {self.folder} cannot be read: {error.strerror}.") from None
        return sorted(unquote(file.removesuffix(".jwe")) for file in files)

    def get(self, name: str) -> Record:
        """The record of the secret `name`. Raises `SecretNotFound` or `VaultError`."""
        name = unicodedata.normalize("NFC", name)
        path = self._path_of(name)
        found = signature(path)
        if found is None:
            raise self._not_found(name)
        cached = self._cache.get(name)
        if cached and cached[0] == found and self._owner_is_unchanged(cached[1]):
            return cached[1]
        try:
            payload = read_sealed(path, self.master_key().key)
        except FileNotFoundError:
            raise self._not_found(name) from None
        try:
            of = client_of(payload)
            record = record_from_payload(payload, path, owner=self._owner(name, of) if of else None)
        finally:
            del payload  # it holds values, and a verbose traceback prints the locals of this frame
        if record.secret.name != name:
            raise VaultFileDamaged(
                f"The vault file {path} holds another secret than its name says; files were swapped or renamed."
            )
        self._cache[name] = (found, record)
        return record

    def _path_of(self, name: str) -> Path:
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
        make_private_folder(self.folder)
        path = self._path_of(name)
        found = signature(path)
        return Room(path, max(2 * (found[1] if found else 0), _ROOM_BYTES))

    def put(self, record: Record, room: Room | None = None) -> None:
        """Store `record` under its secret's name, replacing what was there. Take `lock` around a read and a put.

        `room` was made for it by `room_for`. Raises `InvalidSecret` for an account of a secret that is not there: it could never be opened again.
        """
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
        path = self._path_of(record.secret.name)
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
        try:
            self._path_of(name).unlink()
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

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the secret `name` alone, among all threads and processes. Raises `VaultError` after a timeout."""
        make_private_folder(self.folder)
        with self._locks_guard:
            thread_lock = self._locks.setdefault(name, threading.Lock())
        busy = (
            f"Secret '{name}' has been in use by another process for {LOCK_TIMEOUT_SECONDS:.0f} s. "
            "Try again; if it stays so, look for a process that hangs."
        )
        if not thread_lock.acquire(blocking=False):
            _log.debug("lock of secret %r waited for: another thread holds it", name)
            if not _acquire_unless_ending(thread_lock):
                raise VaultError(busy)
        try:
            path = self.folder / (file_name_of(name).removesuffix(".jwe") + ".lock")
            process_lock = FileLock(path, timeout=LOCK_TIMEOUT_SECONDS, mode=0o600)
            try:
                try:
                    process_lock.acquire(blocking=False)
                except Timeout:
                    _log.debug("lock of secret %r waited for: another process holds it", name)
                    process_lock.acquire(cancel_check=process_ending().is_set)
            except Timeout:
                raise VaultError(busy) from None
            except (OSError, NotImplementedError) as error:
                raise VaultError(f"The lock {path} cannot be taken: {error}.") from None
            try:
                yield
            finally:
                process_lock.release()
        finally:
            thread_lock.release()

    def master_key(self) -> MasterKey:
        """The master key, read once per process. Raises `MasterKeyError`."""
        if self._key is None:
            with self._key_guard:
                if self._key is None:
                    make_private_folder(self.folder)
                    # two processes that meet a new vault must not make two keys
                    lock = FileLock(self.folder / ".master-key.lock", timeout=LOCK_TIMEOUT_SECONDS, mode=0o600)
                    with lock.acquire(cancel_check=process_ending().is_set):
                        self._key = load_master_key(
                            self.folder, has_secrets=bool(self.names()), environment=self._environment
                        )
        return self._key

    def _not_found(self, name: str) -> SecretNotFound:
        import difflib

        names = self.names()
        close = difflib.get_close_matches(name, names, n=1)
        if close:
            advice = f"Did you mean '{close[0]}'?"
        elif names:
            advice = f"There are: {', '.join(names[:10])}. To add one: %flowlet_secret --new"
        else:
            advice = "There are no secrets yet. To add one: %flowlet_secret --new"
        return SecretNotFound(f"No secret named '{name}'. {advice}")


def _acquire_unless_ending(lock: threading.Lock) -> bool:
    """Take `lock` in time; False also when the process ends, which whoever waits here must not hold up."""
    deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
    ending = process_ending()
    while (left := deadline - time.monotonic()) > 0 and not ending.is_set():
        if lock.acquire(timeout=min(left, _POLL_SECONDS)):
            return True
    return False


# what `Settings.read().vault` depends on: where it is named, and where Jupyter's data folder is found
_NAMED = ("FLOWLET_VAULT", "HOME", "USERPROFILE")
_FOUND = (*_NAMED, "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_PLATFORM_DIRS", "XDG_DATA_HOME", "APPDATA")


@functools.cache
def _vault_at(folder: Path, _process: int) -> Vault:
    return Vault(folder)


@functools.lru_cache(maxsize=100)  # every request asks, and Jupyter's folder takes a tenth of one to be found
def _vault_of_environment(_variables: tuple[str | None, ...], process: int) -> Vault:
    return _vault_at(Settings.read().vault, process)


def default_vault() -> Vault:
    """The user's vault: `FLOWLET_VAULT`, else a folder of Jupyter's data folder; one object per process.

    A forked child gets its own, since a lock that another thread held at the fork would never be released.
    """
    variables = _NAMED if os.environ.get("FLOWLET_VAULT") else _FOUND
    return _vault_of_environment(tuple(map(os.environ.get, variables)), os.getpid())
