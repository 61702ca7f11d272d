"""What all bridges need."""

from __future__ import annotations

from typing import Any

import httpx

from flowlet_jupyter.credentials.foreign_request import ForeignRequest, check_host
from flowlet_jupyter.errors import MissingExtra
from flowlet_jupyter.http.auth import refuse_proxied


def foreign_request(secret: str, method: str, url: str, library: str, body: Any = None) -> ForeignRequest:
    """The credentials of a request that `library` sends. Raises as `ForeignRequest` does, and where a proxy would see them."""
    check_host(secret, url)
    refuse_proxied(secret, httpx.URL(url), library)
    return ForeignRequest(secret, method, url, library, body)


def missing_package(package: str) -> MissingExtra:
    """The error for a library that is not installed."""
    return MissingExtra(f"This needs {package}: pip install {package}")
