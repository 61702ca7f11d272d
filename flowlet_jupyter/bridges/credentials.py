"""What all bridges need: the headers of one request, under the host rule."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from flowlet_jupyter.credentials.flow import (
    credential_flow,
    refuse_beyond_authorization,
    refuse_what_redirects_carry,
)
from flowlet_jupyter.credentials.handles import SecretHandle, default_secrets
from flowlet_jupyter.errors import InvalidOption, MissingExtra
from flowlet_jupyter.http.auth import refuse_proxied
from flowlet_jupyter.model.hosts import check_destination
from flowlet_jupyter.model.secret import host_rules
from flowlet_jupyter.model.value import Credentials


def check_host(secret: str, url: str) -> None:
    """Raise `HostNotAllowed` unless the secret may be sent to `url`."""
    rules = host_rules(default_secrets().vault.get(secret).secret)
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        raise InvalidOption(f"'{url[:80]}' is no URL that secret '{secret}' could be sent to.") from None
    check_destination(secret, rules, scheme=scheme, host=host, port=port)


def headers_for(secret: str, method: str, url: str, library: str) -> dict[str, str]:
    """The headers that one request needs, in clear, refreshed if need be.

    Raises `HostNotAllowed`, `AuthRequired`, `TokenEndpointError`, and `InvalidOption` if anything but `Authorization`
    would be set.
    """
    check_host(secret, url)
    refuse_proxied(secret, httpx.URL(url), library)
    refuse_what_redirects_carry(default_secrets().vault.get(secret).secret, library)
    if default_secrets().vault.get(secret).secret.is_renewable:
        SecretHandle(secret, default_secrets().vault).token()  # refreshes an expired one
    flow = credential_flow(default_secrets().vault, secret, httpx.Request(method, url))
    credentials = next(flow)
    flow.close()
    assert isinstance(credentials, Credentials)  # noqa: S101 - the token is there and fresh, so nothing comes before
    refuse_beyond_authorization(secret, library, credentials)
    return {name: value.reveal() for name, value in credentials.headers.items()}


def missing_package(package: str) -> MissingExtra:
    """The error for a library that is not installed."""
    return MissingExtra(f"This needs {package}: pip install {package}")
