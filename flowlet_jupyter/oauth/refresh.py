"""A usable access token for a secret; refreshed once, whoever asks at the same time."""

from __future__ import annotations

import dataclasses
import time
from concurrent.futures import Future

from flowlet_jupyter.errors import AuthRequired, TokenEndpointError
from flowlet_jupyter.oauth import token_endpoint
from flowlet_jupyter.oauth.apart import start_apart
from flowlet_jupyter.secret import OAuth2, Record, SecretValue, TokenSet
from flowlet_jupyter.vault import Vault

# the token endpoint's deadline, behind the time that another process may hold the lock
REFRESH_DEADLINE_SECONDS = 150.0


def usable_token(vault: Vault, record: Record) -> TokenSet | Future[TokenSet]:
    """The token set of `record`, or the future of the one that a refresh brings.

    Raises `AuthRequired` when only a person can help.
    """
    token = record.token_set
    now = time.time()
    if token is None:
        raise auth_required(record)
    if not token.needs_refresh(now=now):
        return token
    if token.refresh_token is not None:
        return refresh_once(vault, record.secret.name, stale=token.access_token)
    if token.expires_at is not None and now >= token.expires_at:
        raise auth_required(record)
    return token


def token_after_rejection(vault: Vault, record: Record, rejected: SecretValue) -> Future[TokenSet] | TokenSet | None:
    """What to try after the API answered 401 to the access token `rejected`; None if there is nothing to try."""
    token = record.token_set
    if token is None:
        return None
    if token.access_token != rejected:
        return usable_token(vault, record)  # somebody else has refreshed meanwhile
    return None if token.refresh_token is None else refresh_once(vault, record.secret.name, stale=rejected)


def refresh_once(vault: Vault, name: str, *, stale: SecretValue | None) -> Future[TokenSet]:
    """Refresh unless the stored access token is no longer `stale`; None refreshes whatever is stored.

    The future raises `AuthRequired` when the provider refuses the grant, else `TokenEndpointError` or `VaultError`.
    """
    return start_apart(lambda: _refresh_under_lock(vault, name, stale), name=f"refresh of secret '{name}'")


def wait_for(refreshing: Future[TokenSet]) -> TokenSet:
    """The token set that a refresh brings; an interrupt ends the waiting only. Raises what the refresh raises."""
    try:
        return refreshing.result(REFRESH_DEADLINE_SECONDS)
    except TimeoutError:
        raise TokenEndpointError("The refresh of the access token takes too long. Try again later.") from None


def _refresh_under_lock(vault: Vault, name: str, stale: SecretValue | None) -> TokenSet:
    with vault.lock(name):
        record = vault.get(name)
        token = record.token_set
        if not isinstance(record.secret, OAuth2) or token is None or token.refresh_token is None:
            raise auth_required(record)
        if stale is not None and token.access_token != stale:
            return token
        try:
            fresh = token_endpoint.refresh(record.secret, token_set=token)
        except TokenEndpointError as error:
            if error.error != "invalid_grant":
                raise
            refused = Record(secret=record.secret, refused="invalid_grant")
        else:
            # stored before anybody uses it: a rotated refresh token that is lost loses the grant
            vault.put(dataclasses.replace(record, token_set=fresh, refused=None))
            return fresh
        vault.put(refused)
        raise auth_required(refused)


def auth_required(record: Record) -> AuthRequired:
    """The error for a secret without a usable token, with its reason and its fix."""
    name = record.secret.name
    if not isinstance(record.secret, OAuth2):
        reason = "it is not an OAuth2 secret, so there is nothing to refresh"
    elif record.refused:
        reason = f"the provider no longer accepts its refresh token ({record.refused})"
    elif record.token_set is None:
        reason = "it has no access token yet"
    else:
        reason = "its access token has expired and there is no refresh token"
    return AuthRequired(
        f"Secret '{name}' needs authorization: {reason}. "
        f"In JupyterLab run %flowlet_secret {name} and press Request access token.",
        secret_name=name,
    )
