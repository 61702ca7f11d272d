"""A secret for Azure's SDK."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.bridges.credentials import missing_package
from flowlet_jupyter.credentials.flow import refuse_what_redirects_carry
from flowlet_jupyter.credentials.foreign_request import check_host
from flowlet_jupyter.credentials.handles import SecretHandle
from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.static import Basic, External
from flowlet_jupyter.session import Session, default_session
from flowlet_jupyter.vault import Vault

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken


def azure_credential(secret: str, endpoint: str, *, session: Session | None = None) -> Any:
    """A `TokenCredential` for the Azure client of `endpoint`, whose host must be an allowed one.

    Azure's pipeline asks for a token and puts it on the request itself; that request's host is checked here only once.
    """
    try:
        from azure.core.credentials import AccessToken
    except ImportError:
        raise missing_package("azure-core") from None
    _check_pipeline()
    vault = (session or default_session()).vault
    check_host(vault, secret, endpoint)
    _refuse_other_than_bearer(vault, secret)

    class FlowletTokenCredential:
        def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
            check_host(vault, secret, endpoint)  # the secret may have been edited since
            _refuse_other_than_bearer(vault, secret)
            handle = SecretHandle(secret, vault)
            token = handle.token()
            expires_at = handle.status().expires_at
            return AccessToken(token.reveal(), int(expires_at if expires_at is not None else time.time() + 300))

        def __repr__(self) -> str:
            return f"<azure credential of secret '{secret}' for {endpoint}>"

    return FlowletTokenCredential()


def _check_pipeline() -> None:
    """Raise `MissingExtra` for a pipeline that would put the token on a redirect to another host too."""
    try:
        from azure.core.pipeline.policies import SensitiveHeaderCleanupPolicy  # noqa: F401 - that it is there is enough
    except ImportError:
        raise missing_package("azure-core>=1.30") from None


def _refuse_other_than_bearer(vault: Vault, secret: str) -> None:
    """Azure's pipeline puts `Authorization: Bearer` before whatever it is given: a secret sent otherwise would go wrong."""
    record = vault.get(secret)
    stored, token_set = record.secret, record.token_set
    refuse_what_redirects_carry(stored, "Azure's SDK")
    scheme = "Bearer"
    if isinstance(stored, Basic):
        scheme = "Basic"
    elif isinstance(stored, External):
        scheme = stored.scheme
    elif isinstance(stored, OAuth2):
        is_bound = token_set is not None and token_set.dpop_key is not None
        scheme = "DPoP" if is_bound else stored.compliance.authorization_scheme
    if scheme.lower() != "bearer":
        raise InvalidSecret(
            f"Secret '{secret}' is sent as '{scheme or 'no scheme'}', and Azure's SDK sends only bearer tokens. Use "
            f"flowlet.client('{secret}')."
        )
