"""What all bridges need."""

from __future__ import annotations

from flowlet_jupyter.credentials.foreign_request import ForeignRequest
from flowlet_jupyter.errors import MissingExtra
from flowlet_jupyter.http.auth import refuse_proxied
from flowlet_jupyter.vault import Vault


def headers_for(vault: Vault, secret: str, method: str, url: str, library: str) -> dict[str, str]:
    """The headers that one request needs, in clear, refreshed if need be. Raises as `ForeignRequest` does."""
    foreign = ForeignRequest(vault, secret, method, url, library)
    refuse_proxied(secret, foreign.url, library)
    return foreign.headers


def missing_package(package: str) -> MissingExtra:
    """The error for a library that is not installed."""
    return MissingExtra(f"This needs {package}: pip install {package}")
