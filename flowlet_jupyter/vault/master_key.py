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

from flowlet_jupyter.errors import MasterKeyError
from flowlet_jupyter.vault.compact_jwe import KEY_BYTES, SealingKey
from flowlet_jupyter.vault.keyring_question import ask_keyring, backend_name
from flowlet_jupyter.vault.sealed_file import write_private

KEYRING_SERVICE = "flowlet-jupyter"
KEYRING_TIMEOUT_SECONDS = 60.0  # time for a user to unlock it; a hung D-Bus must not hang the kernel
_T = TypeVar("_T")


@dataclass(frozen=True)
class MasterKey:
    """The key, and in plain words where it is kept (for the status view)."""

    key: SealingKey
    location: str
    previous: SealingKey | None = None  # while a rotation is under way: what is not sealed anew yet opens with this one
    file: Path | None = None  # that holds it; None for a keyring's entry and for the environment
    is_given: bool = False  # by FLOWLET_MASTER_KEY: it is nowhere that this package could write to

    @property
    def keys(self) -> tuple[SealingKey, ...]:
        """All that files of the vault may be sealed with, the one for new files first."""
        return (self.key,) if self.previous is None else (self.key, self.previous)

    def __repr__(self) -> str:
        return f"MasterKey(location={self.location!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("The master key is not pickled or copied out.")

    def __getstate__(self) -> NoReturn:
        self.__reduce_ex__(0)


def find_master_key(vault_folder: Path, *, environment: Mapping[str, str]) -> MasterKey | None:
    """The master key of this vault, None if there is none. Raises `MasterKeyError` when it is out of reach or malformed."""
    if text := environment.get("FLOWLET_MASTER_KEY"):
        location = "environment variable FLOWLET_MASTER_KEY"
        return _master_key(text, "FLOWLET_MASTER_KEY", location, is_given=True)
    if file_name := environment.get("FLOWLET_MASTER_KEY_FILE"):
        path = Path(file_name)
        location = f"file {path} (FLOWLET_MASTER_KEY_FILE)"
        return _master_key(_read_key_file(path), str(path), location, file=path)
    keyring_name, entry = _keyring_name(), str(vault_folder)
    if keyring_name:
        if stored := _ask_keyring(lambda keyring: keyring.get_password(KEYRING_SERVICE, entry), keyring_name):
            return _master_key(stored, keyring_name, f"keyring ({keyring_name})")
    key_file = key_file_of(vault_folder)
    if key_file.exists():
        return _master_key(_read_key_file(key_file), str(key_file), _location_of_file(key_file), file=key_file)
    return None


def load_master_key(vault_folder: Path, *, has_secrets: bool, environment: Mapping[str, str]) -> MasterKey:
    """The master key of this vault; makes one if there is none and the vault is empty.

    Raises `MasterKeyError` when the key is out of reach, malformed, or missing while secrets exist.
    """
    if master_key := find_master_key(vault_folder, environment=environment):
        return master_key
    keyring_name, key_file = _keyring_name(), key_file_of(vault_folder)
    if has_secrets:
        raise MasterKeyError(
            f"The vault {vault_folder} holds secrets, but its master key is neither in "
            f"{keyring_name or 'a keyring (none works here)'} nor in {key_file}. Restore the key, or set "
            "FLOWLET_MASTER_KEY_FILE; or move the vault folder away and start a new one (jupyter flowlet restore, if "
            "there is a backup). Nothing was changed."
        )
    key = new_key()
    if keyring_name and (stored := _store_in_keyring(str(vault_folder), _text_of(key), keyring_name)):
        if stored != _text_of(key):  # it would be taken for the key ever after, and open nothing
            raise MasterKeyError(
                f"The keyring ({keyring_name}) gives back another text than it was given, so it cannot keep the master "
                "key. Set FLOWLET_MASTER_KEY_FILE. Nothing was sealed with the new key."
            )
        return MasterKey(key, f"keyring ({keyring_name})")
    write_private(key_file, _text_of(key).encode())
    return MasterKey(key, _location_of_file(key_file), file=key_file)


def new_key() -> SealingKey:
    """A random key."""
    return SealingKey(secrets.token_bytes(KEY_BYTES))


def store_master_key(vault_folder: Path, master_key: MasterKey) -> None:
    """Put `master_key` in the place of the one that is there, with its previous key if it has one.

    Raises `MasterKeyError` where the key is not this user's to write: then nothing was changed.
    """
    if problem := why_not_replaceable(master_key):
        raise MasterKeyError(problem)
    text = " ".join(map(_text_of, master_key.keys))
    if master_key.file is not None:
        write_private(master_key.file, text.encode())
        return
    name = _keyring_name()
    if name is None or _store_in_keyring(str(vault_folder), text, name) != text:
        raise MasterKeyError("The keyring did not take the new master key. Nothing was sealed with it.")


def why_not_replaceable(master_key: MasterKey) -> str | None:
    """What to do where this package cannot write a new key to where the old one is; None where it can."""
    if master_key.is_given:
        source = "FLOWLET_MASTER_KEY"
    elif master_key.file is not None and (master_key.file.is_symlink() or not _is_own(master_key.file)):
        source = str(master_key.file)
    else:
        return None
    return (
        f"The master key is in {source}, which is not written from here. Put two keys there, the new one before the old "
        "one with a space between (32 random bytes in base64 each, such as: openssl rand -base64 32), run "
        "jupyter flowlet rotate-key again, and then take the old one out."
    )


def _is_own(path: Path) -> bool:
    return os.name != "posix" or path.stat().st_uid == os.getuid()


def _text_of(key: SealingKey) -> str:
    return base64.urlsafe_b64encode(key.reveal()).decode()


def _master_key(
    text: str, source: str, location: str, *, file: Path | None = None, is_given: bool = False
) -> MasterKey:
    encoded_keys = text.split()
    if len(encoded_keys) > 2:
        raise MasterKeyError(f"The master key in {source} is malformed: there is one, or a new and an old one.")
    keys = [_parse(word, source) for word in encoded_keys or [""]]
    return MasterKey(keys[0], location, previous=keys[1] if keys[1:] else None, file=file, is_given=is_given)


def key_file_of(vault_folder: Path) -> Path:
    """Where the key is kept when no keyring works: beside the vault, so that a copy of the vault alone opens nothing."""
    return vault_folder.with_name(vault_folder.name + ".key")


def _location_of_file(path: Path) -> str:
    return f"file {path}, readable by this user only (no keyring works here)"


def _parse(text: str, source: str) -> SealingKey:
    try:
        raw = base64.b64decode(text.rstrip("=").replace("-", "+").replace("_", "/") + "=", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise MasterKeyError(f"The master key in {source} is malformed: it must be 32 bytes in base64.")
    return SealingKey(raw)


def _read_key_file(path: Path) -> str:
    try:
        if os.name == "posix":
            status = path.stat()
            if status.st_uid not in {os.getuid(), 0}:
                raise MasterKeyError(f"The master key file {path} belongs to another user and is not trusted.")
            # a file of root's that others can read is how containers mount a secret
            if status.st_mode & (0o077 if status.st_uid == os.getuid() else 0o022):
                raise MasterKeyError(f"The master key file {path} is open to others. Run: chmod 600 {path}")
        return path.read_text("ascii")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not ASCII text"
        raise MasterKeyError(f"The master key file {path} cannot be read: {reason}.") from None


def _keyring_name() -> str | None:
    """The name of the keyring backend in use, or None if none works on this machine. Raises `MasterKeyError`."""
    return _ask_keyring(backend_name, "which one was not found out")


def _store_in_keyring(entry: str, text: str, keyring_name: str) -> str | None:
    """Store the key, and give what the keyring has then: some backends accept an entry and forget it."""
    _ask_keyring(lambda keyring: keyring.set_password(KEYRING_SERVICE, entry, text), keyring_name)
    return _ask_keyring(lambda keyring: keyring.get_password(KEYRING_SERVICE, entry), keyring_name)


def _ask_keyring(question: Callable[[Any], _T], keyring_name: str) -> _T | None:
    reply, problem = ask_keyring(question, seconds=KEYRING_TIMEOUT_SECONDS)
    if problem:
        raise MasterKeyError(
            f"The keyring ({keyring_name}) could not be used: {problem}. Unlock it and try again, or set "
            "FLOWLET_MASTER_KEY_FILE. No new key was made; the secrets are unchanged."
        )
    return reply
