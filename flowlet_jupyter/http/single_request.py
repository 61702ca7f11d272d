"""One request of our own with a secret, beside the pool of clients for a user's: it ends, and no redirect is followed."""

from __future__ import annotations

import httpx

from flowlet_jupyter.http.client import shared_ssl_context
from flowlet_jupyter.http.transport import CredentialTransport
from flowlet_jupyter.oauth.bounded_request import BoundedResponse, bounded_request
from flowlet_jupyter.settings.network import NetworkTransport
from flowlet_jupyter.vault import Vault


def request_once(
    vault: Vault, name: str, method: str, url: str, *, accept: str, seconds: float, keep_bytes: int | None = None
) -> BoundedResponse:
    """Send one request with the secret `name`, under its host rule; its response is read within `seconds`.

    Raises as `bounded_request` does, and what a request with the secret raises.
    """
    return bounded_request(
        lambda: httpx.Client(
            transport=CredentialTransport(NetworkTransport(shared_ssl_context()), vault=vault, secret_name=name),
            timeout=seconds,
            trust_env=False,
        ),
        method,
        url,
        headers={"Accept": accept},
        seconds=seconds,
        keep_bytes=keep_bytes,
    )
