"""Ending a token at its provider (RFC 7009), and asking whether it is active (RFC 7662)."""

from __future__ import annotations

from flowlet_jupyter.errors import ProviderError
from flowlet_jupyter.oauth.endpoint import Answer, send_as_client
from flowlet_jupyter.oauth.token_answer import refusal
from flowlet_jupyter.oauth2 import OAuth2
from flowlet_jupyter.secret_value import SecretValue
from flowlet_jupyter.shielded import shielded
from flowlet_jupyter.token_set import TokenSet


@shielded("revocation")
def revoke(secret: OAuth2, token_set: TokenSet) -> None:
    """Revoke the refresh token, and the access token too. Raises `ProviderError` if there is no such endpoint."""
    if secret.revocation_endpoint is None:
        raise ProviderError(
            f"Secret '{secret.name}' has no revocation endpoint. Take the app's access away in the provider's settings."
        )
    # the refresh token first: RFC 7009, 2.1, ends its access tokens with it at most providers
    for token, hint in ((token_set.refresh_token, "refresh_token"), (token_set.access_token, "access_token")):
        if token is not None:
            _ask(secret, secret.revocation_endpoint, token, hint, "revocation endpoint")


@shielded("introspection")
def is_active(secret: OAuth2, token_set: TokenSet) -> bool:
    """Whether the provider still takes the access token. Raises `ProviderError`."""
    if secret.introspection_endpoint is None:
        raise ProviderError(f"Secret '{secret.name}' has no introspection endpoint.")
    answer = _ask(
        secret, secret.introspection_endpoint, token_set.access_token, "access_token", "introspection endpoint"
    )
    return answer.members.get("active") is True


def _ask(secret: OAuth2, url: str, token: SecretValue, hint: str, what: str) -> Answer:
    failed = f"Secret '{secret.name}': the {what} {url}"
    answer = send_as_client(secret, url, [("token", token.reveal()), ("token_type_hint", hint)], failed=failed)
    if refused := refusal(secret, answer.members, failed):
        raise ProviderError(str(refused), error=refused.error)
    if answer.status >= 300:
        raise ProviderError(f"{failed} answered with HTTP {answer.status}.")
    return answer
