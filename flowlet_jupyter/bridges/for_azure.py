"""A secret for Azure's SDK."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.bridges.credentials import check_host, needs
from flowlet_jupyter.oauth.collection import SecretHandle
from flowlet_jupyter.vault import default_vault

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken


def azure_credential(secret: str, endpoint: str) -> Any:
    """A `TokenCredential` for the Azure client of `endpoint`, whose host must be an allowed one.

    Azure's pipeline asks for a token and puts it on the request itself; that request's host is checked here only once.
    """
    try:
        from azure.core.credentials import AccessToken
    except ImportError:
        raise needs("azure-core") from None
    check_host(secret, endpoint)

    class FlowletTokenCredential:
        def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
            handle = SecretHandle(secret, default_vault())
            token = handle.token()
            expires_at = handle.status().expires_at
            return AccessToken(token.reveal(), int(expires_at if expires_at is not None else time.time() + 300))

        def __repr__(self) -> str:
            return f"<azure credential of secret '{secret}' for {endpoint}>"

    return FlowletTokenCredential()
