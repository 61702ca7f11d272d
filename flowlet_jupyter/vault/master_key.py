"""The master key of a vault: from the environment, else the keyring, else a 0600 file beside the vault.

A keyring that is locked or fails is an error, never a reason for a new key: a new key would make every secret that
was sealed under the old one unreadable.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from joserfc.jwk import OctKey

from flowlet_jupyter.errors import MasterKeyError
from flowlet_jupyter.vault.keyring_question import ask_keyring, backend_name
from flowlet_jupyter.vault.sealed_file import write_private

KEYRING_SERVICE = "flowlet-jupyter"
KEYRING_TIMEOUT_SECONDS = 60.0  # time for a person to unlock it; a hung D-Bus must not hang the kernel
_KEY_BYTES = 32
_T = TypeVar("_T")


@dataclass(frozen=True)
class MasterKey:
    """The key, and in plain words where it is kept (for the status view)."""

    key: OctKey
    location: str

    def __repr__(self) -> str:
        return f"MasterKey(location={self.location!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("The master key is not pickled or copied out.")

    def __getstate__(self) -> NoReturn:
        self.__reduce_ex__(0)


def load_master_key(vault_folder: Path, *, has_secrets: bool, environment: Mapping[str, str]) -> MasterKey:
    """The master key of this vault; makes one if there is none and the vault is empty.

    Raises `MasterKeyError` when the key is out of reach, malformed, or missing while secrets exist.
    """
    if text := environment.get("FLOWLET_MASTER_KEY"):
        return MasterKey(_parse(text, "FLOWLET_MASTER_KEY"), "environment variable FLOWLET_MASTER_KEY")
    if file_name := environment.get("FLOWLET_MASTER_KEY_FILE"):
        path = Path(file_name)
        return MasterKey(_parse(_read_key_file(path), str(path)), f"file {path} (FLOWLET_MASTER_KEY_FILE)")

    entry = str(vault_folder)
    key_file = key_file_of(vault_folder)
    keyring_name = _keyring_name()
    if keyring_name:
        if stored := _ask_keyring(lambda keyring: keyring.get_password(KEYRING_SERVICE, entry), keyring_name):
            return MasterKey(_parse(stored, keyring_name), f"keyring ({keyring_name})")
    if key_file.exists():
        return MasterKey(_parse(_read_key_file(key_file), str(key_file)), _location_of_file(key_file))
    if has_secrets:
        raise MasterKeyError(
            f"The vault {vault_folder} holds secrets, but its master key is neither in "
            f"{keyring_name or 'a keyring (none works here)'} nor in {key_file}. Restore the key, or set "
            "FLOWLET_MASTER_KEY_FILE; or move the vault folder away and start a new one. Nothing was changed."
        )
    text = base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    if keyring_name and _store_in_keyring(entry, text, keyring_name):
        return MasterKey(_parse(text, keyring_name), f"keyring ({keyring_name})")
    write_private(key_file, text.encode())
    return MasterKey(_parse(text, str(key_file)), _location_of_file(key_file))


def key_file_of(vault_folder: Path) -> Path:
    """Where the key is kept when no keyring works: beside the vault, so that a copy of the vault alone opens nothing."""
    return vault_folder.with_name(vault_folder.name + ".key")


def _location_of_file(path: Path) -> str:
    return f"file {path}, readable by this user only (no keyring works here)"


def _parse(text: str, source: str) -> OctKey:
    try:
        raw = base64.b64decode(text.strip().rstrip("=").replace("-", "+").replace("_", "/") + "=", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise MasterKeyError(f"The master key in {source} is malformed: it must be 32 bytes in base64.")
    # joserfc suggests, in a warning, algorithms for keys without one
    return OctKey.import_key(raw, {"alg": "dir", "use": "enc"})


def _read_key_file(path: Path) -> str:
    try:
        if os.name == "posix":
            found = path.stat()
            if found.st_uid not in {os.getuid(), 0}:
                raise MasterKeyError(f"The master key file {path} belongs to another user and is not trusted.")
            # a file of root's that others can read is how containers mount a secret
            if found.st_mode & (0o077 if found.st_uid == os.getuid() else 0o022):
                raise MasterKeyError(f"The master key file {path} is open to others. Run: chmod 600 {path}")
        return path.read_text("ascii")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not ASCII text"
        raise MasterKeyError(f"The master key file {path} cannot be read: {reason}.") from None


def _keyring_name() -> str | None:
    """The name of the keyring backend in use, or None if none works on this machine. Raises `MasterKeyError`."""
    return _ask_keyring(backend_name, "which one was not found out")


def _store_in_keyring(entry: str, text: str, keyring_name: str) -> bool:
    """Store the key and read it back: some backends accept an entry and forget it.

    Raises `MasterKeyError` if another text comes back: a key that is kept elsewhere then would never be found again.
    """
    _ask_keyring(lambda keyring: keyring.set_password(KEYRING_SERVICE, entry, text), keyring_name)
    stored = _ask_keyring(lambda keyring: keyring.get_password(KEYRING_SERVICE, entry), keyring_name)
    if stored and stored != text:
        raise MasterKeyError(
            f"The keyring ({keyring_name}) gives back another text than it was given, so it cannot keep the master key. "
            "Set FLOWLET_MASTER_KEY_FILE. Nothing was sealed with the new key."
        )
    return bool(stored)


def _ask_keyring(question: Callable[[Any], _T], keyring_name: str) -> _T | None:
    answered, problem = ask_keyring(question, seconds=KEYRING_TIMEOUT_SECONDS)
    if problem:
        raise MasterKeyError(
            f"The keyring ({keyring_name}) could not be used: {problem}. Unlock it and try again, or set "
            "FLOWLET_MASTER_KEY_FILE. No new key was made; the secrets are unchanged."
        )
    return answered
