"""Where secrets are kept: one sealed file each, under one master key."""

from flowlet_jupyter.vault.sealed_file import Room
from flowlet_jupyter.vault.store import Vault, default_vault

__all__ = ["Room", "Vault", "default_vault"]
