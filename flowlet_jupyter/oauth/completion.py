"""The end of an authorization: check the response, exchange the code, store the token set."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, urlsplit

from flowlet_jupyter.errors import AuthorizationFailed
from flowlet_jupyter.model.hosts import is_loopback
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth import token_endpoint
from flowlet_jupyter.oauth.authorization_code import Flow, code_of_response
from flowlet_jupyter.session.shielded import shielded
from flowlet_jupyter.vault import Vault


@shielded("code exchange")
def complete_flow(vault: Vault, flow: Flow, parameters: Mapping[str, str]) -> Record:
    """Store what the authorization response `parameters` brings; its `state` was found to be the flow's.

    Raises `AuthorizationFailed`, `TokenEndpointError`, `VaultError`.
    """
    secret = vault.get(flow.secret_name).secret
    if not isinstance(secret, OAuth2):
        raise AuthorizationFailed(f"Secret '{flow.secret_name}' is no longer an OAuth2 secret.")
    code = code_of_response(secret, parameters)
    token_set = token_endpoint.exchange_code(
        secret, code=code, code_verifier=flow.code_verifier, redirect_uri=flow.redirect_uri, nonce=flow.nonce
    )
    kept = {name: parameters[name] for name in secret.compliance.kept_parameters if name in parameters}
    with vault.lock(flow.secret_name):
        before = vault.get(flow.secret_name)
        if before.secret != secret:
            raise AuthorizationFailed(
                f"Secret '{flow.secret_name}' was changed meanwhile. Press Request access token again."
            )
        if flow.redirect_uri not in secret.redirect_uris:  # it works, so it is registered
            secret = dataclasses.replace(secret, redirect_uris=(*secret.redirect_uris, flow.redirect_uri))
        token_set = with_previous_refresh_token(dataclasses.replace(token_set, parameters=kept), before.token_set)
        record = Record(secret=secret, token_set=token_set)
        vault.put(record)
    return record


def with_previous_refresh_token(token_set: TokenSet, before: TokenSet | None) -> TokenSet:
    """`token_set`, with the refresh token of `before` where it brings none: some providers give it once only.

    Never that of another person: a subject or name that differs rules it out, and one that is not known yet is
    compared when it is (see `http/identity.py`).
    """
    if token_set.refresh_token is not None or before is None or before.refresh_token is None:
        return token_set
    if token_set.dpop_key is not None or before.dpop_key is not None:
        return token_set  # the old one is bound to another key (RFC 9449, 5)
    for now, then in ((token_set.subject, before.subject), (token_set.identity, before.identity)):
        if now and then:
            if now != then:
                return token_set
            return dataclasses.replace(token_set, refresh_token=before.refresh_token)
    return dataclasses.replace(token_set, refresh_token=before.refresh_token, previous_identity=before.identity)


def pasted_response(flow: Flow, address: SecretValue) -> dict[str, str]:
    """The parameters of a redirected address that a person pasted, checked as the callback checks them.

    Raises `AuthorizationFailed` if it is not the redirect URI's, repeats a parameter, or has another `state`.
    """
    expected = urlsplit(flow.redirect_uri)
    try:
        text = address.reveal().strip().strip("'\"<>`").strip()
        if "://" not in text.partition("?")[0]:  # browsers hide the scheme
            text = f"{expected.scheme}://{text}"
        parts = urlsplit(text)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        _ = parts.port  # raises if it is no number
    except ValueError:
        parts, pairs = urlsplit(""), []
    if not _same_address(parts, expected):
        raise AuthorizationFailed(
            f"This is not the address that the provider redirected to: it must begin with {flow.redirect_uri}?"
        )
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise AuthorizationFailed("The address repeats a parameter. It was refused.")
    if SecretValue(parameters.get("state", "")) != flow.state:
        raise AuthorizationFailed("This address belongs to another request. Nothing was stored; start again.")
    return parameters


def _same_address(parts: SplitResult, expected: SplitResult) -> bool:
    """Whether the pasted address is the redirect URI's; this machine's names and addresses are one."""
    if (parts.scheme, parts.path or "/", parts.port) != (expected.scheme, expected.path or "/", expected.port):
        return False
    host, own = parts.hostname or "", expected.hostname or ""
    return "@" not in parts.netloc and (host == own or (is_loopback(host) and is_loopback(own)))
