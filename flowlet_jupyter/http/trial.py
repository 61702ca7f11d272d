"""One harmless request with a secret, for the button "Test": whether the API takes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http.client import responses
from urllib.parse import urlsplit

import httpx

from flowlet_jupyter.errors import HostNotAllowed, RequestFailed, UsageError
from flowlet_jupyter.http.client import shared_ssl_context
from flowlet_jupyter.http.transport import CredentialTransport
from flowlet_jupyter.model.hosts import check_destination
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record, base_url_of, host_rules
from flowlet_jupyter.oauth.bounded_request import bounded_request
from flowlet_jupyter.session.shielded import shielded
from flowlet_jupyter.settings.network import NetworkTransport
from flowlet_jupyter.vault import Vault

_TIMEOUT_SECONDS = 15.0
_PLAIN = re.compile(r"[A-Za-z0-9/:.?&=%_~,@+-]+")  # what a line magic takes without quotes
_REFUSALS = frozenset({401, 403, 407})


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What an API answered to the request; `is_accepted` is false if it refused the credentials."""

    method: str
    host: str
    status: int
    reason: str
    is_accepted: bool


@shielded("test request")
def try_secret(vault: Vault, name: str, *, url: str = "") -> Trial:
    """Send one GET with the secret `name`: to `url`, else to its identity URL, its base URL or its first host.

    Redirects are not followed, and of the response only the status is read. Raises `UsageError` if the secret names
    nothing to ask, `AuthRequired`, `HostNotAllowed`, `RequestFailed` and what else a request with the secret raises.
    """
    record = vault.get(name)
    url = url or _harmless_url(record)
    host = urlsplit(url).netloc
    try:
        response = bounded_request(
            lambda: httpx.Client(
                transport=CredentialTransport(NetworkTransport(shared_ssl_context()), vault=vault, secret_name=name),
                timeout=_TIMEOUT_SECONDS,
                trust_env=False,
            ),
            "GET",
            url,
            headers={"Accept": "application/json, */*;q=0.5"},
            seconds=_TIMEOUT_SECONDS,
        )
    except httpx.HTTPError as error:
        problem = type(error).__name__
    else:
        status = response.status
        reason = responses.get(status, "")
        return Trial(method="GET", host=host, status=status, reason=reason, is_accepted=status not in _REFUSALS)
    # outside, so that the request, which holds the credentials, is in no chain of exceptions
    raise RequestFailed(f"The request to {host} failed: {problem}. The secret '{name}' is as it was.")


def example_url(record: Record, url: str = "") -> str | None:
    """The harmless request's URL as a cell would name it, relative to the base URL; None if the secret may not go there.

    `url` is the one that the catalogue's entry names. A host alone is no example: its front page shows nothing.
    """
    url = url or _known_url(record)
    try:
        parts = urlsplit(url)
        check_destination(record.secret.name, host_rules(record.secret),
                          scheme=parts.scheme, host=parts.hostname or "", port=parts.port)  # fmt: skip
    except (HostNotAllowed, ValueError):
        return None
    base = (base_url_of(record) or "").rstrip("/")
    if base and (url == base or url.startswith(f"{base}/")):
        url = url.removeprefix(base) or "/"
    return url if _PLAIN.fullmatch(url) else None


def _known_url(record: Record) -> str:
    secret = record.secret
    if isinstance(secret, OAuth2) and secret.identity_url and secret.identity_method == "GET":
        return secret.identity_url
    return base_url_of(record) or ""


def _harmless_url(record: Record) -> str:
    if url := _known_url(record):
        return url
    secret = record.secret
    host = next((host for host in secret.allowed_hosts if not host.startswith("*.")), None)
    if host is None:
        raise UsageError(f"Secret '{secret.name}' names no host to ask. Give it a base URL.")
    return f"https://{host}/"
