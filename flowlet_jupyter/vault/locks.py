"""The locks of a vault, among all threads and processes that work on it: one a secret, and one of all its files."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flowlet_jupyter.errors import VaultError
from flowlet_jupyter.vault.ending import process_ending
from flowlet_jupyter.vault.file_names import lock_file_name_of
from flowlet_jupyter.vault.sealed_file import make_private_folder

if TYPE_CHECKING:  # a request with a fresh token takes no lock, and filelock is a tenth of what it would wait for
    from filelock import FileLock

LOCK_TIMEOUT_SECONDS = 90.0  # longer than the token endpoint's deadline, which the holder may be waiting for
_POLL_SECONDS = 0.1
_PATIENCE_AT_THE_END_SECONDS = 3.0  # a write of a new token waits for another process's even when this one ends
_log = logging.getLogger("flowlet_jupyter.vault")  # events and names of secrets, never values


class VaultLocks:
    """The locks of the vault in `folder`. A secret's is taken before that of the files, never after it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._make()

    def _make(self) -> None:
        self._files = threading.RLock()
        self._files_held = 0  # how often this thread holds them
        self._secrets: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._process = os.getpid()

    def _leave_parents(self) -> None:
        """In a forked child: another thread of the parent may have held them at the fork, and none here gives them back."""
        if self._process != os.getpid():
            self._make()

    @property
    def guard(self) -> threading.Lock:
        """For a moment, among the threads of this process."""
        self._leave_parents()
        return self._guard

    @contextlib.contextmanager
    def of_secret(self, name: str) -> Iterator[None]:
        """Hold the secret `name` alone. Raises `VaultError` after a timeout."""
        from filelock import FileLock, Timeout

        make_private_folder(self._folder)
        with self.guard:
            thread_lock = self._secrets.setdefault(name, threading.Lock())
        busy = (
            f"Secret '{name}' has been in use by another process for {LOCK_TIMEOUT_SECONDS:.0f} s. "
            "Try again; if it stays so, look for a process that hangs."
        )
        if not thread_lock.acquire(blocking=False):
            _log.debug("lock of secret %r waited for: another thread holds it", name)
            if not _acquire_unless(process_ending().is_set, thread_lock):
                raise VaultError(busy)
        try:
            process_lock = FileLock(self._folder / lock_file_name_of(name), timeout=LOCK_TIMEOUT_SECONDS, mode=0o600)
            with _taken_or_vault_error(process_lock, busy):
                try:
                    process_lock.acquire(blocking=False)
                except Timeout:
                    _log.debug("lock of secret %r waited for: another process holds it", name)
                    process_lock.acquire(cancel_check=process_ending().is_set)
            try:
                yield
            finally:
                process_lock.release()
        finally:
            thread_lock.release()

    @contextlib.contextmanager
    def of_files(self) -> Iterator[None]:
        """Hold all files as they are; a thread that holds them may take them again. Raises `VaultError` after a timeout."""
        from filelock import FileLock

        make_private_folder(self._folder)
        self._leave_parents()
        busy = (
            f"The vault {self._folder} has been in use by another process for {LOCK_TIMEOUT_SECONDS:.0f} s. Try again."
        )
        ending, patience = process_ending(), time.monotonic() + _PATIENCE_AT_THE_END_SECONDS

        def is_given_up() -> bool:
            return ending.is_set() and time.monotonic() > patience

        if not _acquire_unless(is_given_up, self._files):
            raise VaultError(busy)
        try:
            # made anew each time: filelock refuses one that was made before a fork
            lock = FileLock(self._folder / ".master-key.lock", timeout=LOCK_TIMEOUT_SECONDS, mode=0o600)
            with _taken_or_vault_error(lock, busy):
                if not self._files_held:
                    lock.acquire(cancel_check=is_given_up)
            self._files_held += 1
            try:
                yield
            finally:
                self._files_held -= 1
                lock.release()
        finally:
            self._files.release()


@contextlib.contextmanager
def _taken_or_vault_error(lock: FileLock, busy: str) -> Iterator[None]:
    """`VaultError` for what keeps `lock` from being taken: `busy` if another process holds it, else what is wrong."""
    from filelock import Timeout

    try:
        yield
    except Timeout:
        raise VaultError(busy) from None
    except (OSError, NotImplementedError) as error:
        raise VaultError(f"The lock {lock.lock_file} cannot be taken: {error}.") from None


def _acquire_unless(is_given_up: Callable[[], bool], lock: threading.Lock | threading.RLock) -> bool:
    """Take `lock` in time; False also when the process ends, which whoever waits here must not hold up."""
    deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
    while (left := deadline - time.monotonic()) > 0 and not is_given_up():
        if lock.acquire(timeout=min(left, _POLL_SECONDS)):
            return True
    return False
