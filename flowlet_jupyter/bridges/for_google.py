"""A secret for Google's client libraries."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.bridges.credentials import missing_package, start_request
from flowlet_jupyter.credentials.flow import refuse_what_redirects_carry
from flowlet_jupyter.credentials.foreign_request import renew_rejected
from flowlet_jupyter.session import Session, default_session

if TYPE_CHECKING:
    from google.auth.credentials import Credentials


def google_credentials(secret: str, *, session: Session | None = None) -> Credentials:
    """Credentials for Google's client libraries, which ask here before each request: the host rule and refresh-once hold."""
    try:
        from google.auth import credentials, exceptions
    except ImportError:
        raise missing_package("google-auth") from None
    own = session or default_session()
    refuse_what_redirects_carry(own.vault.get(secret).secret, "Google's library")

    class FlowletCredentials(credentials.Credentials):
        def __init__(self) -> None:
            super().__init__()  # type: ignore[no-untyped-call]  # google-auth has no hint
            self._sent = threading.local()  # what this thread sent last: many threads may share these credentials

        def refresh(self, request: Any) -> None:  # noqa: ARG002 - the base class's signature
            # their transports call this after a 401, and whenever they think that the token has ended
            renew_rejected(own, secret, getattr(self._sent, "token", None))

        @property
        def valid(self) -> bool:
            return True  # before_request sees to it

        @property
        def expired(self) -> bool:
            return False

        def before_request(self, request: Any, method: str, url: str, headers: dict[str, str]) -> None:  # noqa: ARG002 - as above
            started = start_request(own, secret, method, url, "Google's library")
            self._sent.token = started.token
            headers.update(started.headers)

        def apply(self, headers: dict[str, str], token: str | None = None) -> None:  # noqa: ARG002 - as above
            raise exceptions.GoogleAuthError(  # type: ignore[no-untyped-call]  # google-auth has no hint
                f"Secret '{secret}' is only put on requests whose host is known. Use before_request()."
            )

    return FlowletCredentials()
