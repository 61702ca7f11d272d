"""A secret with the tokens that a test wants it to have."""

from __future__ import annotations

import os
import secrets as random
import time

from flowlet_jupyter.credentials.handles import SecretHandle
from flowlet_jupyter.errors import InvalidSecret, UsageError
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record, Secret
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.session import Session, default_session


def put_secret(
    secret: Secret,
    *,
    access_token: str | SecretValue | None = None,
    refresh_token: str | SecretValue | None = None,
    expires_at: float | None = None,
    obtained_at: float | None = None,
    scope: str | None = None,
    session: Session | None = None,
) -> SecretHandle:
    """Store `secret` in the vault of the default session (or of `session`), in the place of one with its name.

    If any other argument is given, it is stored with a token set of these. Times are Unix times in seconds;
    `obtained_at` is now unless given, a token without `expires_at` does not end, and one without `access_token` has a
    random one. Raises `InvalidSecret` for tokens of a secret that is not an OAuth2 one, and `UsageError` where the vault
    would be the user's own.
    """
    if session is None and not os.environ.get("FLOWLET_VAULT"):
        raise UsageError(
            f"put_secret() is for tests, and would write secret '{secret.name}' into your own vault. Let the test take the "
            "fixture flowlet_session, or set FLOWLET_VAULT to a folder for tests. Nothing was stored."
        )
    session = session or default_session()
    members = (access_token, refresh_token, expires_at, obtained_at, scope)
    token_set = None
    if any(member is not None for member in members):
        if not isinstance(secret, OAuth2):
            raise InvalidSecret(f"Secret '{secret.name}' is of type {secret.type}, which has no token set.")
        token_set = TokenSet(
            access_token=_value(access_token) or SecretValue(random.token_urlsafe(24)),
            refresh_token=_value(refresh_token),
            expires_at=expires_at,
            obtained_at=time.time() if obtained_at is None else obtained_at,
            scope=scope or "",
        )
    with session.vault.lock(secret.name):
        session.vault.put(Record(secret=secret, token_set=token_set))
    return SecretHandle(secret.name, session.vault)


def _value(text: str | SecretValue | None) -> SecretValue | None:
    return SecretValue(text) if isinstance(text, str) else text
