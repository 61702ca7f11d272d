"""What all bridges need."""

from __future__ import annotations

from typing import Any

from flowlet_jupyter.credentials.foreign_request import ForeignRequest
from flowlet_jupyter.errors import MissingExtra
from flowlet_jupyter.http.auth import refuse_proxied
from flowlet_jupyter.session import Session


def start_request(
    session: Session, secret: str, method: str, url: str, library: str, *, body: Any = None
) -> ForeignRequest:
    """The credential flow of one request, refreshed if need be. Raises as `ForeignRequest` and `refuse_proxied` do."""
    foreign = ForeignRequest(session, secret, method, url, library, body=body)
    refuse_proxied(secret, foreign.url, library)
    return foreign


def missing_package(package: str) -> MissingExtra:
    """The error for a library that is not installed."""
    return MissingExtra(f"This needs {package}: pip install {package}")
