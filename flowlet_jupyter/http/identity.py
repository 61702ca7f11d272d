"""Whose token it is: the provider's identity request or userinfo, for "connected as @ann"."""

from __future__ import annotations

import contextlib
import dataclasses
import json

import httpx

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.account_name import account_in
from flowlet_jupyter.http.single_request import request_once
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.redaction import HIDDEN
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.oauth.id_token import identity_of
from flowlet_jupyter.session.shielded import shielded
from flowlet_jupyter.vault import Vault

_TIMEOUT_SECONDS = 10.0


@shielded("identity")
def identify(vault: Vault, name: str) -> None:
    """Ask the provider whose token the secret `name` has, and keep the response with the token set.

    Nothing depends on the response but what is shown, so a failure is no error: the status then names nobody.
    """
    with contextlib.suppress(FlowletError, httpx.HTTPError, ValueError, AttributeError, RecursionError):
        record = vault.get(name)
        secret, token_set = record.secret, record.token_set
        if not isinstance(secret, OAuth2) or token_set is None:
            return
        # a name that is only the ID token's subject is worth a better one
        if token_set.identity and token_set.identity != token_set.subject:
            return
        url = secret.identity_url or secret.userinfo_endpoint
        # the request obeys the host rule as any other; userinfo often lives where the API does not
        if url is None:
            return
        method = secret.identity_method if secret.identity_url else "GET"
        response = request_once(vault, name, method, url, accept="application/json", seconds=_TIMEOUT_SECONDS)
        # first the values, then a name of bounded length: a value that is cut in two would be found no more
        members = (
            json.loads(response.sent_values.redact_bytes(response.content)) if 200 <= response.status < 300 else None
        )
        if members is None:
            return
        is_userinfo = url == secret.userinfo_endpoint
        if is_userinfo and token_set.subject and members.get("sub") != token_set.subject:
            return  # OpenID Connect Core, 5.3.2: of somebody else, so not to be used
        if is_userinfo and not secret.identity_name:
            identity = identity_of(members)
        else:
            identity = account_in(members, url=url, path=secret.identity_name or "")
        if identity and HIDDEN not in identity:
            _keep(vault, name, token_set, identity)


def keep_identity(vault: Vault, name: str, identity: str) -> None:
    """Remember as whose the token of the secret `name` was taken, where that was not known."""
    token_set = vault.get(name).token_set
    if token_set is not None and token_set.identity in {None, token_set.subject}:
        _keep(vault, name, token_set, identity)


def _keep(vault: Vault, name: str, token_set: TokenSet, identity: str) -> None:
    with vault.lock(name):
        current = vault.get(name)
        if current.token_set != token_set:
            return  # refreshed or requested again meanwhile
        named = dataclasses.replace(token_set, identity=identity, previous_identity=None)
        if token_set.previous_identity not in {None, identity}:
            named = dataclasses.replace(named, refresh_token=None)  # of another user's earlier consent
        vault.put(dataclasses.replace(current, token_set=named))
