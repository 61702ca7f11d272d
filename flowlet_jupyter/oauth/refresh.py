"""A usable access token for a secret; refreshed once, whoever asks at the same time."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import time
from concurrent.futures import Future

from flowlet_jupyter.errors import AuthRequired, TokenEndpointError
from flowlet_jupyter.model.oauth2 import REFRESH_TOKEN, TOKEN_EXCHANGE, OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.session.shielded import start_shielded
from flowlet_jupyter.vault import Vault

_log = logging.getLogger("flowlet_jupyter.refresh")  # events and names of secrets, never values
# the token endpoint's deadline, behind the time that another process may hold the lock
REFRESH_DEADLINE_SECONDS = 150.0
PATIENCE_SECONDS = 20.0  # for tries that fail for a moment only
MAX_TRIES = 3
_FIRST_DELAY_SECONDS = 0.5
_NO_TOKEN = SecretValue("")  # differs from every access token: whoever finds one stored need not obtain another


def can_renew(record: Record) -> bool:
    """Whether a new access token can be obtained without a person."""
    secret, token = record.secret, record.token_set
    if not isinstance(secret, OAuth2):
        return False
    if secret.is_unattended:
        return True
    if token is None:
        return secret.grant_type == REFRESH_TOKEN and record.refused is None
    return token.refresh_token is not None or secret.compliance.refresh_with == "access_token"


def usable_token(vault: Vault, record: Record) -> TokenSet | Future[TokenSet]:
    """The token set of `record`, or the future of the one that a renewal brings.

    Raises `AuthRequired` when only a person can help.
    """
    token = record.token_set
    now = time.time()
    if token is not None and not token.needs_refresh(now=now):
        return token
    if can_renew(record):
        return refresh_once(vault, record.secret.name, stale=token.access_token if token else _NO_TOKEN)
    if token is None or (token.expires_at is not None and now >= token.expires_at):
        raise auth_required(record)
    return token


def token_after_rejection(vault: Vault, record: Record, rejected: SecretValue) -> Future[TokenSet] | TokenSet | None:
    """What to try after the API answered 401 to the access token `rejected`; None if there is nothing to try."""
    token = record.token_set
    if token is None:
        return None
    if token.access_token != rejected:
        return usable_token(vault, record)  # somebody else has refreshed meanwhile
    return refresh_once(vault, record.secret.name, stale=rejected) if can_renew(record) else None


def refresh_once(vault: Vault, name: str, *, stale: SecretValue | None) -> Future[TokenSet]:
    """Refresh unless the stored access token is no longer `stale`; None refreshes whatever is stored.

    The future raises `AuthRequired` when the provider refuses the grant, else `TokenEndpointError` or `VaultError`.
    """
    return start_shielded(lambda: _refresh_under_lock(vault, name, stale), name=f"refresh of secret '{name}'")


def wait_for(refreshing: Future[TokenSet]) -> TokenSet:
    """The token set that a refresh brings; an interrupt ends the waiting only. Raises what the refresh raises."""
    try:
        return refreshing.result(REFRESH_DEADLINE_SECONDS)
    except TimeoutError:
        raise TokenEndpointError(
            "The refresh of the access token takes too long. Try again later.", is_temporary=True
        ) from None


def _refresh_under_lock(vault: Vault, name: str, stale: SecretValue | None) -> TokenSet:
    with vault.lock(name):
        record = vault.get(name)
        secret, token = record.secret, record.token_set
        if not isinstance(secret, OAuth2) or not can_renew(record):
            raise auth_required(record)
        if stale is not None and token is not None and token.access_token != stale:
            _log.debug("refresh of secret %r shared: another thread or process has done it", name)
            return token
        _log.debug("refresh of secret %r started", name)
        try:
            fresh = _request_patiently(vault, name, secret, token)
        except TokenEndpointError as error:
            if not error.is_grant_over or secret.is_unattended:
                raise
            said = ": ".join(filter(None, (error.error, error.description)))
            grant_error = Record(secret=secret, refused=said or "no reason given")
        else:
            # stored before anybody uses it: a rotated refresh token that is lost loses the grant
            vault.put(dataclasses.replace(record, token_set=fresh, refused=None))
            _log.debug("refresh of secret %r stored", name)
            return fresh
        _log.debug("grant of secret %r refused", name)
        # stored too, so that the provider is not asked again at every request
        vault.put(grant_error)
        raise auth_required(grant_error)


def _request_patiently(vault: Vault, name: str, secret: OAuth2, token: TokenSet | None) -> TokenSet:
    """Ask the token endpoint; again after a moment where it fails for a moment only."""
    # only now: most requests and commands find a token that is good, and need neither httpx nor Authlib for it
    from flowlet_jupyter.oauth import token_endpoint
    from flowlet_jupyter.oauth.bounded_request import pause

    started = time.monotonic()
    for tries in itertools.count(1):
        try:
            if secret.is_unattended:
                return token_endpoint.request_token(
                    secret, subject_token=lambda other: _token_of(vault, other, wanted_by=name), token_set=token
                )
            return token_endpoint.refresh(secret, token_set=token)
        except TokenEndpointError as error:
            delay = error.retry_after if error.retry_after is not None else _FIRST_DELAY_SECONDS * 2 ** (tries - 1)
            left = PATIENCE_SECONDS - (time.monotonic() - started)
            if not error.is_temporary or tries >= MAX_TRIES or delay > left or not pause(delay):
                raise
    raise AssertionError("the tries are counted")


def _token_of(vault: Vault, name: str, *, wanted_by: str) -> SecretValue:
    """The access token of another secret, as the subject token of an exchange."""
    record = vault.get(name)
    if not isinstance(record.secret, OAuth2) or record.secret.grant_type == TOKEN_EXCHANGE:
        # two secrets that exchange each other's token would wait for each other's lock
        raise TokenEndpointError(
            f"Secret '{wanted_by}' cannot exchange the token of '{name}': that must be an OAuth2 secret with a grant "
            "of its own."
        )
    token = usable_token(vault, record)
    return (wait_for(token) if isinstance(token, Future) else token).access_token


def auth_required(record: Record) -> AuthRequired:
    """The error for a secret without a usable token, with its reason and its fix."""
    name = record.secret.name
    if not isinstance(record.secret, OAuth2):
        reason = "it is not an OAuth2 secret, so there is nothing to refresh"
    elif record.refused:
        reason = f"the provider no longer accepts its refresh token ({record.refused})"
    elif record.token_set is None:
        reason = "it has no access token yet"
    elif record.token_set.expires_at is not None and time.time() >= record.token_set.expires_at:
        reason = "its access token has expired and there is no refresh token"
    else:
        reason = "its access token cannot be renewed, since the provider gave no refresh token with it"
    return AuthRequired(
        f"Secret '{name}' needs authorization: {reason}. "
        f"In JupyterLab run %flowlet_secret {name} and press Request access token.",
        secret_name=name,
    )
