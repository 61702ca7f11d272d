"""Backups: all records in one file, sealed with a key that comes from a passphrase, so that they outlive the master key.

The file is one line of JSON, which says how the key is made, and one of base64. Made with scrypt (RFC 7914) and AES-256-GCM;
the first line is authenticated too.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from flowlet_jupyter.errors import BackupError, FlowletError
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault.records import client_of, record_from_payload, record_to_payload
from flowlet_jupyter.vault.sealed_file import write_private

FORMAT = 1
MIN_PASSPHRASE_CHARACTERS = 12
MAX_BYTES = 100_000_000  # a hundred times a large vault; more is not ours and is not read into memory
# scrypt's N: a guess takes 128 MB and half a second, as OWASP's password storage cheat sheet asks for
COST = 2**17
_LEAST_COST, _MOST_COST = 2**14, 2**19  # a file that asks for more would take a laptop's memory
_BLOCK_SIZE, _PARALLEL = 8, 1
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32


@dataclasses.dataclass(frozen=True)
class Backup:
    """What a backup holds: the records, those that others are accounts of first."""

    records: tuple[Record, ...]

    @property
    def names(self) -> list[str]:
        """The names of the secrets in it."""
        return [record.secret.name for record in self.records]


def _checked(passphrase: SecretValue) -> SecretValue:
    """`passphrase`, if a backup may be made with it. Raises `BackupError`."""
    if len(passphrase.reveal()) < MIN_PASSPHRASE_CHARACTERS:
        raise BackupError(
            f"The passphrase is too short: whoever has the file can try as many as they like. Take {MIN_PASSPHRASE_CHARACTERS} "
            "characters or more, such as four words that do not belong together. No backup was written."
        )
    return passphrase


def write_backup(path: Path, records: Iterable[Record], passphrase: SecretValue, *, cost: int = COST) -> None:
    """Write `records` to `path` (mode 0600, atomically); `cost` is scrypt's N. Raises `BackupError`, `VaultError`."""
    header: dict[str, Any] = {
        "flowlet-backup": FORMAT,
        "kdf": "scrypt",
        "n": cost,
        "r": _BLOCK_SIZE,
        "p": _PARALLEL,
        "salt": _text(os.urandom(_SALT_BYTES)),
        "nonce": _text(os.urandom(_NONCE_BYTES)),
    }
    first_line = json.dumps(header).encode()
    sealed = AESGCM(_key(header, _checked(passphrase))).encrypt(
        base64.b64decode(header["nonce"]),
        json.dumps([record_to_payload(record) for record in records]).encode(),
        first_line,
    )
    write_private(path, first_line + b"\n" + base64.b64encode(sealed) + b"\n")


def read_backup(path: Path, passphrase: SecretValue) -> Backup:
    """The backup in `path`. Raises `BackupError`: not a backup, cut off, altered, of a newer version, or another passphrase."""
    header, first_line, sealed = _parts(path)
    try:
        payloads = json.loads(
            AESGCM(_key(header, passphrase)).decrypt(base64.b64decode(header["nonce"]), sealed, first_line)
        )
    except (InvalidTag, ValueError, RecursionError):
        raise BackupError(
            f"The backup {path} cannot be opened: the passphrase is another one, or the file is damaged. Nothing was changed."
        ) from None
    try:
        return Backup(tuple(_records(payloads, path)))
    except FlowletError as error:
        failure = error.with_traceback(None)  # the frames below hold values, which a verbose traceback prints
    finally:
        del payloads
    raise failure


def _parts(path: Path) -> tuple[dict[str, Any], bytes, bytes]:
    """The header, as it is and as the file has it, and what is sealed."""
    broken = f"The file {path} is no backup of flowlet-jupyter, or is cut off. Nothing was changed."
    try:
        # without waiting for the other end, if it is a pipe
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BackupError(broken)
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BackupError(f"The backup {path} cannot be read: {error.strerror}.") from None
    first_line, _, rest = data.partition(b"\n")
    try:
        header = json.loads(first_line[:1000])
        if header["flowlet-backup"] > FORMAT:
            raise BackupError(
                f"The backup {path} was written by a newer flowlet-jupyter. Upgrade: pip install --upgrade flowlet-jupyter"
            )
        lengths = [len(base64.b64decode(header[name], validate=True)) for name in ("salt", "nonce")]
        cost = header["n"]
        is_ours = (
            header["kdf"] == "scrypt"
            and lengths == [_SALT_BYTES, _NONCE_BYTES]
            and (header["r"], header["p"]) == (_BLOCK_SIZE, _PARALLEL)
            and isinstance(cost, int)
            and _LEAST_COST <= cost <= _MOST_COST
            and cost.bit_count() == 1
        )
        sealed = base64.b64decode(rest.strip(), validate=True)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        is_ours = False
    if not is_ours or len(data) > MAX_BYTES:
        raise BackupError(broken)
    return header, first_line, sealed


def _records(payloads: list[dict[str, Any]], path: Path) -> Iterable[Record]:
    """The records, each account after the secret whose client registration it shares."""
    if not isinstance(payloads, list) or not all(isinstance(each, dict) for each in payloads):
        raise BackupError(f"The backup {path} does not hold secrets. Nothing was changed.")
    owners: dict[str, Record] = {}
    for payload in sorted(payloads, key=lambda each: client_of(each) is not None):
        of = client_of(payload)
        if of is not None and of not in owners:
            raise BackupError(f"The backup {path} has an account of '{of}' without '{of}' itself. Nothing was changed.")
        record = record_from_payload(payload, path, owner=owners[of] if of else None)
        if of is None:
            owners[record.secret.name] = record
        yield record


def _key(header: dict[str, Any], passphrase: SecretValue) -> bytes:
    kdf = Scrypt(salt=base64.b64decode(header["salt"]), length=_KEY_BYTES, n=header["n"], r=header["r"], p=header["p"])
    return kdf.derive(passphrase.reveal().encode())


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
