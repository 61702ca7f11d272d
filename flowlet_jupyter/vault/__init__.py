"""Where secrets are kept: one sealed file each, under one master key."""

from flowlet_jupyter.vault.default import default_vault
from flowlet_jupyter.vault.sealed_file import Room
from flowlet_jupyter.vault.store import Vault

__all__ = ["Room", "Vault", "default_vault"]
