"""Ending a token at its provider (RFC 7009), and asking whether it is active (RFC 7662)."""

from __future__ import annotations

from flowlet_jupyter.errors import ProviderError
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.endpoint import EndpointResponse, send_as_client
from flowlet_jupyter.oauth.token_response import error_from_response
from flowlet_jupyter.session.shielded import shielded


@shielded("revocation")
def revoke(secret: OAuth2, token_set: TokenSet) -> None:
    """Revoke the refresh token, and the access token too. Raises `ProviderError` if there is no such endpoint."""
    if secret.revocation_endpoint is None:
        raise ProviderError(
            f"Secret '{secret.name}' has no revocation endpoint. Take the app's access away in the provider's settings."
        )
    # the refresh token first: RFC 7009, 2.1, ends its access tokens with it at most providers
    ended_one = False
    for token, hint in ((token_set.refresh_token, "refresh_token"), (token_set.access_token, "access_token")):
        if token is None:
            continue
        try:
            _ask(secret, secret.revocation_endpoint, token, hint, what="revocation endpoint", token_set=token_set)
        except ProviderError as error:
            if not _finds_nothing(error, ended_one=ended_one):
                raise
        ended_one = True


# what providers say of a token that has ended, where RFC 7009, 2.2, has them respond 200
_ENDED = frozenset({"invalid_token", "invalid_grant", "token_expired", "token_revoked", "token_not_found", "not_found",
                    "expired_token", "invalid_refresh_token"})  # fmt: skip


def _finds_nothing(error: ProviderError, *, ended_one: bool) -> bool:
    """Whether the provider has no such token any more: then all is as it should be."""
    if error.is_temporary or error.error is None:
        return False
    # the access token ended with its refresh token, and some providers then call the request wrong
    return error.error in _ENDED or (ended_one and error.error == "invalid_request")


@shielded("introspection")
def is_active(secret: OAuth2, token_set: TokenSet) -> bool:
    """Whether the provider still takes the access token. Raises `ProviderError`."""
    if secret.introspection_endpoint is None:
        raise ProviderError(f"Secret '{secret.name}' has no introspection endpoint.")
    response = _ask(
        secret,
        secret.introspection_endpoint,
        token_set.access_token,
        "access_token",
        what="introspection endpoint",
        token_set=token_set,
    )
    return response.members.get("active") is True


def _ask(
    secret: OAuth2, url: str, token: SecretValue, hint: str, *, what: str, token_set: TokenSet
) -> EndpointResponse:
    failed = f"Secret '{secret.name}': the {what} {url}"
    response = send_as_client(
        secret,
        url,
        [("token", token.reveal()), ("token_type_hint", hint)],
        failed=failed,
        dpop_key=token_set.dpop_key,  # no RFC asks for it; atproto's servers do of a client whose tokens are bound
        accepted=token_set.accepted,
    )
    if error := error_from_response(secret, response.members, failed, status=response.status):
        if error.error == "invalid_client" and secret.token_endpoint_auth_method == "none":
            raise ProviderError(
                f"{failed} takes clients that have a secret only, and this one has none. Take the app's access away in "
                "the provider's settings.",
                error=error.error,
            )
        raise ProviderError(str(error), error=error.error, is_temporary=error.is_temporary)
    if response.status >= 300:
        raise ProviderError(f"{failed} answered with HTTP {response.status}.")
    return response
