"""Registering a client at a provider (RFC 7591)."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

from flowlet_jupyter.errors import ProviderError
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, DEVICE_CODE
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.discovery import metadata_naming
from flowlet_jupyter.oauth.endpoint import EndpointResponse, send
from flowlet_jupyter.session.shielded import shielded

_LATEST = 4e9  # the year 2096: a client secret that is said to end later does not
_HINTS = {
    "invalid_redirect_uri": "The provider does not take this redirect URI; register at its developer portal.",
    "invalid_client_metadata": "The provider does not take a client such as this; register at its developer portal.",
}
_WITH_SECRET = ("client_secret_basic", "client_secret_post")


@shielded("client registration")
def register_client(
    registration_endpoint: str, *, redirect_uri: str, grant_type: str, scope: str, client_name: str
) -> dict[str, Any]:
    """The fields of a secret that the provider gives: client_id, client_secret, token_endpoint_auth_method.

    A client for a user is registered without a secret where the provider takes such a one, else with. Raises
    `ProviderError`.
    """
    failed = f"The registration endpoint {registration_endpoint}"
    metadata = _client_metadata(redirect_uri=redirect_uri, grant_type=grant_type, scope=scope, client_name=client_name)
    for auth_method in _methods_to_register(registration_endpoint, grant_type):
        response = send(
            "POST",
            registration_endpoint,
            failed=failed,
            headers={"Content-Type": "application/json"},
            content=json.dumps({**metadata, "token_endpoint_auth_method": auth_method}).encode(),
        )
        # RFC 7591, 3.2.2; pyop calls it an invalid request
        if response.members.get("error") not in {"invalid_client_metadata", "invalid_request"}:
            break
    _raise_error(response, failed)
    return _fields_of(response.members)


def _client_metadata(*, redirect_uri: str, grant_type: str, scope: str, client_name: str) -> dict[str, Any]:
    """RFC 7591, 2."""
    metadata: dict[str, Any] = {
        "client_name": client_name,
        "grant_types": [grant_type, "refresh_token"]
        if grant_type in {AUTHORIZATION_CODE, DEVICE_CODE}
        else [grant_type],
        "response_types": ["code"] if grant_type == AUTHORIZATION_CODE else [],
        "redirect_uris": [redirect_uri] if grant_type == AUTHORIZATION_CODE else [],
        # the client runs on a user's machine (RFC 8252); OpenID Connect then allows http on loopback
        "application_type": "native" if redirect_uri.startswith("http://") else "web",
    }
    return {**metadata, "scope": scope} if scope else metadata


def _methods_to_register(registration_endpoint: str, grant_type: str) -> list[str]:
    """The client authentications to ask for in turn, by what the provider's metadata say, where they were read."""
    metadata = metadata_naming(registration_endpoint)
    supported = metadata.token_endpoint_auth_methods_supported if metadata else ()
    revoking = metadata.revocation_endpoint_auth_methods_supported if metadata else ()
    # some servers register what they then do not take
    methods = [method for method in _WITH_SECRET if method in supported] or list(_WITH_SECRET)
    methods.sort(key=lambda method: bool(revoking) and method not in revoking)
    if grant_type in {AUTHORIZATION_CODE, DEVICE_CODE}:
        # a provider that ends tokens of clients with a secret only is asked for one
        has_to_be_confidential = bool(revoking) and "none" not in revoking and methods[0] in revoking
        methods.insert(len(methods) if has_to_be_confidential else 0, "none")
    return methods


def _raise_error(response: EndpointResponse, failed: str) -> None:
    """Raise what `response` says went wrong, if anything did."""
    if error := response.members.get("error"):
        description = response.members.get("error_description")
        raise ProviderError(
            f"{failed} answered {str(error)[:100]}{f': {str(description)[:300]}' if description else ''}. {_HINTS.get(str(error), '')}".strip(),
            error=str(error)[:100],
        )
    if response.status not in {200, 201} or not isinstance(response.members.get("client_id"), str):
        raise ProviderError(
            f"{failed} answered with HTTP {response.status}, not with a client. Register at the provider's developer portal."
        )


def _fields_of(client: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a secret for the client that was registered (RFC 7591, 3.2.1)."""
    fields: dict[str, Any] = {"client_id": client["client_id"]}
    if isinstance(client.get("client_secret"), str) and client["client_secret"]:
        fields["client_secret"] = SecretValue(client["client_secret"])
        ends = client.get("client_secret_expires_at")  # required beside a client secret, and 0 where it does not end
        if isinstance(ends, int | float) and not isinstance(ends, bool) and 0 < ends < _LATEST:
            fields["client_secret_expires_on"] = (
                datetime.datetime.fromtimestamp(ends, tz=datetime.UTC).date().isoformat()
            )
    # the provider may have decided otherwise than it was asked
    fields["token_endpoint_auth_method"] = client.get(
        "token_endpoint_auth_method", "client_secret_basic" if "client_secret" in fields else "none"
    )
    return fields
