"""Putting a backup's secrets into a vault: all of them or none."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from flowlet_jupyter.errors import SecretNotFound, VaultError
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.schema import is_same_grant
from flowlet_jupyter.model.secret import Record, Secret
from flowlet_jupyter.vault.backup import Backup
from flowlet_jupyter.vault.records import record_to_payload
from flowlet_jupyter.vault.sealed_file import make_private_folder, sealed, write_all_private
from flowlet_jupyter.vault.store import Vault


@dataclass(frozen=True)
class Restored:
    """What came of each secret of a backup."""

    added: tuple[str, ...]
    replaced: tuple[str, ...]
    unchanged: tuple[str, ...]
    left_as_is: tuple[str, ...]  # those of the vault that were to stay
    without_client: tuple[str, ...]  # accounts of such a one, whose tokens are of another client


def restore(vault: Vault, backup: Backup, is_to_replace: Callable[[str], bool]) -> Restored:
    """Put the secrets of `backup` into `vault`; `is_to_replace` is asked for each that is there and differs.

    Raises `VaultError`: then nothing was changed.
    """
    make_private_folder(vault.folder)
    vault.master_key()  # a vault whose key is lost takes nothing
    outcome: dict[str, list[str]] = {name: [] for name in Restored.__dataclass_fields__}
    chosen: list[Record] = []
    for record in backup.records:
        what = _what_to_do(vault, record, outcome, is_to_replace)
        outcome[what].append(record.secret.name)
        if what in {"added", "replaced"}:
            chosen.append(record)
    with contextlib.ExitStack() as locks:
        for name in sorted(record.secret.name for record in chosen):
            locks.enter_context(vault.lock(name))  # a refresh under way ends first, and its token does not come later
        locks.enter_context(vault.files_lock())
        key = vault.master_key().key
        write_all_private(
            {vault.path_of(record.secret.name): sealed(record_to_payload(record), key) for record in chosen}
        )
    return Restored(**{name: tuple(names) for name, names in outcome.items()})


def _what_to_do(
    vault: Vault, record: Record, outcome: dict[str, list[str]], is_to_replace: Callable[[str], bool]
) -> str:
    name, secret = record.secret.name, record.secret
    is_of_left = isinstance(secret, OAuth2) and secret.client_of in outcome["left_as_is"]
    if is_of_left and not _is_same_client(vault, secret):
        return "without_client"
    try:
        present = vault.get(name)
    except SecretNotFound:
        if name not in vault.names():
            return "added"
        present = None  # an account whose owner is gone
    except VaultError:
        present = None  # damaged: the user decides
    if present == record:
        return "unchanged"
    return "replaced" if is_to_replace(name) else "left_as_is"


def _is_same_client(vault: Vault, account: Secret) -> bool:
    try:
        return isinstance(account, OAuth2) and is_same_grant(vault.get(account.client_of or "").secret, account)
    except VaultError:
        return False
