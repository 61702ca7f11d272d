"""A usable access token for a secret; refreshed once, whoever asks at the same time."""

from __future__ import annotations

import asyncio
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
from flowlet_jupyter.vault import Room, Vault

_log = logging.getLogger("flowlet_jupyter.refresh")  # events and names of secrets, never values
# the token endpoint's deadline, behind the time that another process may hold the lock
REFRESH_DEADLINE_SECONDS = 150.0
PATIENCE_SECONDS = 20.0  # for tries that fail for a moment only
MAX_TRIES = 3
_FIRST_DELAY_SECONDS = 0.5
_NO_TOKEN = SecretValue("")  # differs from every access token: whoever finds one stored need not obtain another


def can_renew(record: Record) -> bool:
    """Whether a new access token can be obtained without a user."""
    secret, token = record.secret, record.token_set
    if not isinstance(secret, OAuth2):
        return False
    if secret.is_unattended:
        return record.grant_error is None
    if token is None:
        return secret.grant_type == REFRESH_TOKEN and record.grant_error is None
    return token.refresh_token is not None or secret.compliance.refresh_with == "access_token"


def usable_token(vault: Vault, record: Record, *, patience: float = PATIENCE_SECONDS) -> TokenSet | Future[TokenSet]:
    """The token set of `record`, or the future of the one that a renewal brings; `patience` as in `refresh_once`.

    Raises `AuthRequired` when only a user can help.
    """
    token = record.token_set
    now = time.time()
    if token is not None and not token.needs_refresh(now=now):
        return token
    if can_renew(record):
        return refresh_once(
            vault, record.secret.name, stale=token.access_token if token else _NO_TOKEN, patience=patience
        )
    if token is None or (token.expires_at is not None and now >= token.expires_at):
        raise auth_required(record)
    return token


def token_after_rejection(
    vault: Vault, record: Record, rejected: SecretValue, *, patience: float = PATIENCE_SECONDS
) -> Future[TokenSet] | TokenSet | None:
    """What to try after the API answered 401 to the access token `rejected`; None if there is nothing to try."""
    token = record.token_set
    if token is None:
        return None
    if token.access_token != rejected:
        return usable_token(vault, record, patience=patience)  # somebody else has refreshed meanwhile
    return refresh_once(vault, record.secret.name, stale=rejected, patience=patience) if can_renew(record) else None


def refresh_once(
    vault: Vault, name: str, *, stale: SecretValue | None, patience: float = PATIENCE_SECONDS
) -> Future[TokenSet]:
    """Refresh unless the stored access token is no longer `stale`; None, a user's wish, refreshes whatever is stored.

    A token endpoint that fails for a moment is asked again within `patience` seconds. The future raises `AuthRequired` when the provider refuses the grant, else `TokenEndpointError` or `VaultError`.
    """
    return start_shielded(lambda: _refresh_under_lock(vault, name, stale, patience), name=f"refresh of secret '{name}'")


def wait_for(refreshing: Future[TokenSet], *, seconds: float = REFRESH_DEADLINE_SECONDS) -> TokenSet:
    """The token set that a refresh brings within `seconds`. Raises what the refresh raises.

    An interrupt or the time ends the waiting only: the refresh goes on, and what it brings is stored.
    """
    try:
        return refreshing.result(seconds)
    except TimeoutError:
        raise _takes_too_long() from None


async def wait_for_async(refreshing: Future[TokenSet], *, seconds: float = REFRESH_DEADLINE_SECONDS) -> TokenSet:
    """The async twin; no thread waits, which the end of an event loop would wait for."""
    try:
        return await asyncio.wait_for(asyncio.wrap_future(refreshing), seconds)
    except TimeoutError:
        raise _takes_too_long() from None


def _takes_too_long() -> TokenEndpointError:
    return TokenEndpointError(
        "The refresh of the access token takes too long. It goes on; try again in a moment.", is_temporary=True
    )


def _refresh_under_lock(vault: Vault, name: str, stale: SecretValue | None, patience: float) -> TokenSet:
    with vault.lock(name):
        record = vault.get(name)
        secret, token = record.secret, record.token_set
        # a user's wish is another try of what was refused, since its cause may lie at the provider
        is_allowed = can_renew(record) or (stale is None and isinstance(secret, OAuth2) and secret.is_unattended)
        if not isinstance(secret, OAuth2) or not is_allowed:
            raise auth_required(record)
        if stale is not None and token is not None and token.access_token != stale:
            _log.debug("refresh of secret %r shared: another thread or process has done it", name)
            return token
        _log.debug("refresh of secret %r started", name)
        # before the provider is asked: a rotated refresh token that cannot be stored loses the grant
        with vault.room_for(name) as room:
            return _refreshed(vault, record, secret, patience, room)


def _refreshed(vault: Vault, record: Record, secret: OAuth2, patience: float, room: Room) -> TokenSet:
    """Ask, and store what comes. Under the secret's lock."""
    name = secret.name
    try:
        fresh = _request_patiently(vault, record, patience)
    except TokenEndpointError as error:
        if not _is_final(secret, error):
            raise
        text = ": ".join(filter(None, (error.error, error.description)))
        grant_error = Record(secret=secret, grant_error=text or "no reason given", accepted=record.accepted)
        _log.debug("grant of secret %r refused", name)
        # stored too, so that the provider is not asked again at every request
        vault.put(grant_error, room)
        if secret.is_unattended:
            raise  # it says what to try; no user's consent would help
    else:
        # stored before anybody uses it: a rotated refresh token that is lost loses the grant
        vault.put(dataclasses.replace(record, token_set=fresh, grant_error=None), room)
        _log.debug("refresh of secret %r stored", name)
        return fresh
    raise auth_required(grant_error)


def _is_final(secret: OAuth2, error: TokenEndpointError) -> bool:
    """Whether the same request would be refused again, until a user authorizes or changes the secret."""
    if not secret.is_unattended:
        return error.is_grant_over
    from flowlet_jupyter.oauth.client_auth import CLIENT_ERRORS  # brings Authlib with it

    if error.error is not None and error.error.lower() in CLIENT_ERRORS:
        return True
    # the subject token of an exchange is another one the next time
    return error.is_grant_over and secret.grant_type != TOKEN_EXCHANGE


def _request_patiently(vault: Vault, record: Record, patience: float) -> TokenSet:
    """Ask the token endpoint; again after a moment where it fails for a moment only."""
    secret, name = record.secret, record.secret.name
    assert isinstance(secret, OAuth2)  # noqa: S101 - whoever calls has seen it

    # only now: most requests and commands find a token that is good, and need neither httpx nor Authlib for it
    from flowlet_jupyter.oauth import token_endpoint
    from flowlet_jupyter.oauth.bounded_request import pause

    started = time.monotonic()
    for tries in itertools.count(1):
        try:
            if secret.is_unattended:
                return token_endpoint.request_token(
                    secret,
                    subject_token=lambda other: _token_of(vault, other, required_by=name),
                    accepted=record.accepted,
                )
            return token_endpoint.refresh(secret, token_set=record.token_set, accepted=record.accepted)
        except TokenEndpointError as error:
            delay = error.retry_after if error.retry_after is not None else _FIRST_DELAY_SECONDS * 2 ** (tries - 1)
            left = patience - (time.monotonic() - started)
            if not error.is_temporary or tries >= MAX_TRIES or delay > left or not pause(delay):
                raise
    raise AssertionError("the tries are counted")


def _token_of(vault: Vault, name: str, *, required_by: str) -> SecretValue:
    """The access token of another secret, as the subject token of an exchange."""
    record = vault.get(name)
    if not isinstance(record.secret, OAuth2) or record.secret.grant_type == TOKEN_EXCHANGE:
        # two secrets that exchange each other's token would wait for each other's lock
        raise TokenEndpointError(
            f"Secret '{required_by}' cannot exchange the token of '{name}': that must be an OAuth2 secret with a grant "
            "of its own."
        )
    token = usable_token(vault, record)
    return (wait_for(token) if isinstance(token, Future) else token).access_token


def auth_required(record: Record) -> AuthRequired:
    """The error for a secret without a usable token, with its reason and its fix."""
    name = record.secret.name
    if record.grant_error and isinstance(record.secret, OAuth2) and record.secret.is_unattended:
        return AuthRequired(
            f"Secret '{name}' needs authorization: the provider refuses it ({record.grant_error}). Correct the client ID, "
            f"secret, key or password: %flowlet_secret {name}. If the cause is at the provider, press Request access "
            "token there once it is mended; until then it is not asked again.",
            secret_name=name,
        )
    if not isinstance(record.secret, OAuth2):
        reason = "it is not an OAuth2 secret, so there is nothing to refresh"
    elif record.grant_error:
        reason = f"the provider no longer accepts its refresh token ({record.grant_error})"
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
