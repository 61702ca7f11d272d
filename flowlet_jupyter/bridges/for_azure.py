"""A secret for Azure's SDK."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.bridges.credentials import missing_package
from flowlet_jupyter.credentials.flow import refuse_what_redirects_carry
from flowlet_jupyter.credentials.foreign_request import check_host
from flowlet_jupyter.credentials.handles import SecretHandle
from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.session import Session, default_session

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
    own = session or default_session()
    check_host(own, secret, endpoint)
    _refuse_other_than_bearer(own, secret)

    class FlowletTokenCredential:
        def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
            check_host(own, secret, endpoint)  # the secret may have been edited since
            _refuse_other_than_bearer(own, secret)
            handle = SecretHandle(secret, own.vault)
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


def _refuse_other_than_bearer(session: Session, secret: str) -> None:
    """Azure's pipeline puts `Authorization: Bearer` before whatever it is given: a secret sent otherwise would go wrong."""
    record = session.vault.get(secret)
    refuse_what_redirects_carry(record.secret, "Azure's SDK")
    scheme = record.authorization_scheme
    if scheme.lower() != "bearer":
        raise InvalidSecret(
            f"Secret '{secret}' is sent as '{scheme or 'no scheme'}', and Azure's SDK sends only bearer tokens. Use "
            f"flowlet.client('{secret}')."
        )
