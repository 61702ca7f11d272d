"""The user's vault, found by the environment: `flowlet_jupyter.vault.default_vault`."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from flowlet_jupyter.settings import Settings
from flowlet_jupyter.vault.store import Vault

# what `Settings.read().vault` depends on: where it is named, and where Jupyter's data folder is found
_NAMED = ("FLOWLET_VAULT", "HOME", "USERPROFILE")
_DEPENDED_ON = (*_NAMED, "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_PLATFORM_DIRS", "XDG_DATA_HOME", "APPDATA")


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
    variables = _NAMED if os.environ.get("FLOWLET_VAULT") else _DEPENDED_ON
    return _vault_of_environment(tuple(map(os.environ.get, variables)), os.getpid())
