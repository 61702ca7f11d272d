"""Flows under way, sealed on disk: a server that restarts between request and response still knows them."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from flowlet_jupyter.errors import VaultFileDamaged
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.authorization_code import FLOW_LIFETIME_SECONDS, Flow
from flowlet_jupyter.vault import Vault
from flowlet_jupyter.vault.sealed_file import make_private_folder, write_sealed

_VALUES = ("state", "browser", "code_verifier", "nonce", "dpop_key")


def flow_id(state: str) -> str:
    """A public name for the flow of `state`, for its file and its cookie."""
    return hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()[:32]


def remember_flow(vault: Vault, flow: Flow) -> None:
    """Keep `flow` until its response comes or it has expired; forget those that have."""
    folder = vault.folder / "pending"
    make_private_folder(vault.folder)
    make_private_folder(folder)
    _forget_expired(folder, flow.started_at)
    with vault.files_lock():
        # no name for the payload: it holds values, and a verbose traceback prints the locals of this frame
        write_sealed(
            _path(vault, flow.state.reveal()),
            {**vars(flow), **{name: getattr(flow, name).reveal() for name in _VALUES if getattr(flow, name)}},
            vault.master_key().key,
        )


def find_flow(vault: Vault, state: str, *, now: float) -> Flow | None:
    """The flow of `state`, or None if it is unknown, used, expired or unreadable."""
    if not state or not _path(vault, state).is_file():
        return None  # before a master key is looked for, or made: anybody may ask with a state of their own
    try:
        payload = vault.open_sealed(_path(vault, state))
        flow = Flow(**{**payload, **{name: SecretValue(payload[name]) for name in _VALUES if payload.get(name)}})
    except (FileNotFoundError, VaultFileDamaged, TypeError, KeyError):
        return None
    if not 0 <= now - flow.started_at <= FLOW_LIFETIME_SECONDS or flow.state != SecretValue(state):
        return None
    return flow


def claim_flow(vault: Vault, state: str) -> bool:
    """Use the flow up. True for exactly one caller, however many come at once (an unlink succeeds once)."""
    path = _path(vault, state)
    if not path.is_file():
        return False
    try:
        with vault.files_lock():  # or a rotation of the key could write it once more
            path.unlink()
    except OSError:
        return False
    return True


def _path(vault: Vault, state: str) -> Path:
    return vault.folder / "pending" / f"{flow_id(state)}.flow"


def _forget_expired(folder: Path, now: float) -> None:
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if now - entry.stat(follow_symlinks=False).st_mtime > FLOW_LIFETIME_SECONDS:
                os.unlink(entry.path)
