"""What all bridges need: the headers of one request, under the host rule."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from flowlet_jupyter.errors import InvalidOption, MissingExtra
from flowlet_jupyter.hosts import check_destination
from flowlet_jupyter.http.credentials import credential_flow
from flowlet_jupyter.oauth.collection import SecretHandle
from flowlet_jupyter.secret import host_rules
from flowlet_jupyter.secret_value import Credentials
from flowlet_jupyter.vault import default_vault


def check_host(secret: str, url: str) -> None:
    """Raise `HostNotAllowed` unless the secret may be sent to `url`."""
    parts = urlsplit(url)
    rules = host_rules(default_vault().get(secret).secret)
    check_destination(secret, rules, scheme=parts.scheme, host=parts.hostname or "", port=parts.port)


def headers_for(secret: str, method: str, url: str) -> dict[str, str]:
    """The headers that one request needs, in clear, refreshed if need be.

    Raises `HostNotAllowed`, `AuthRequired`, `TokenEndpointError`, and `InvalidOption` if the token goes in the URL.
    """
    check_host(secret, url)
    if default_vault().get(secret).secret.is_renewable:
        SecretHandle(secret, default_vault()).token()  # refreshes an expired one
    found: dict[str, str] = {}

    def keep(request: httpx.Request, credentials: Credentials) -> httpx.Request:
        if credentials.query:
            raise InvalidOption(
                "This provider takes its token in the URL, where other clients show it. Use flowlet.client()."
            )
        found.update({name: value.reveal() for name, value in credentials.headers.items()})
        return request

    flow = credential_flow(default_vault(), secret, httpx.Request(method, url), keep)
    next(flow)
    flow.close()
    return found


def needs(package: str) -> MissingExtra:
    """The error for a library that is not installed."""
    return MissingExtra(f"This needs {package}: pip install {package}")
