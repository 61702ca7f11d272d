"""Registering a client without a developer portal, where the provider offers it (RFC 7591)."""

from __future__ import annotations

import json
from typing import Any

from flowlet_jupyter.errors import ProviderError
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, DEVICE_CODE
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.endpoint import send
from flowlet_jupyter.session.shielded import shielded

_HINTS = {
    "invalid_redirect_uri": "The provider does not take this redirect URI; register at its developer portal.",
    "invalid_client_metadata": "The provider does not take a client such as this; register at its developer portal.",
}


@shielded("client registration")
def register_client(
    registration_endpoint: str, *, redirect_uri: str, grant_type: str, scope: str, client_name: str
) -> dict[str, Any]:
    """The fields of a secret that the provider gives: client_id, client_secret, token_endpoint_auth_method.

    Raises `ProviderError`.
    """
    failed = f"The registration endpoint {registration_endpoint}"
    wanted: dict[str, Any] = {
        "client_name": client_name,
        "grant_types": [grant_type, "refresh_token"]
        if grant_type in {AUTHORIZATION_CODE, DEVICE_CODE}
        else [grant_type],
        "response_types": ["code"] if grant_type == AUTHORIZATION_CODE else [],
        "redirect_uris": [redirect_uri] if grant_type == AUTHORIZATION_CODE else [],
        # the client runs on a person's machine (RFC 8252); OpenID Connect then allows http on loopback
        "application_type": "native" if redirect_uri.startswith("http://") else "web",
        "token_endpoint_auth_method": "none",
    }
    if grant_type not in {AUTHORIZATION_CODE, DEVICE_CODE}:
        wanted["token_endpoint_auth_method"] = "client_secret_basic"
    if scope:
        wanted["scope"] = scope
    response = send(
        "POST",
        registration_endpoint,
        failed=failed,
        headers={"Content-Type": "application/json"},
        content=json.dumps(wanted).encode(),
    )
    given = response.members
    if error := given.get("error"):
        said = given.get("error_description")
        raise ProviderError(
            f"{failed} answered {str(error)[:100]}{f': {str(said)[:300]}' if said else ''}. {_HINTS.get(str(error), '')}".strip(),
            error=str(error)[:100],
        )
    if response.status not in {200, 201} or not isinstance(given.get("client_id"), str):
        raise ProviderError(
            f"{failed} answered with HTTP {response.status}, not with a client. Register at the provider's developer portal."
        )
    fields: dict[str, Any] = {"client_id": given["client_id"]}
    if isinstance(given.get("client_secret"), str) and given["client_secret"]:
        fields["client_secret"] = SecretValue(given["client_secret"])
    # the provider may have decided otherwise (RFC 7591, 3.2.1)
    fields["token_endpoint_auth_method"] = given.get(
        "token_endpoint_auth_method", "client_secret_basic" if "client_secret" in fields else "none"
    )
    return fields
