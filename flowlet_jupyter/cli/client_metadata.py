"""`jupyter flowlet client-metadata`: the document that makes its own address a client ID."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from flowlet_jupyter.credentials.handles import default_secrets
from flowlet_jupyter.errors import InvalidOption
from flowlet_jupyter.model.client_id import client_metadata, problems_of
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.settings import loopback_redirect_uri


def show(options: Namespace) -> int:
    """Print the document to host at a URL; with --check say whether what is there will do."""
    expected = _expected(options)
    if not options.check:
        print(json.dumps(expected, indent=2))
        return 0
    from flowlet_jupyter.oauth.documents import hosted_document

    document, problem = hosted_document(options.url)
    problems = [problem] if problem else problems_of(document, expected)
    for each in problems:
        print(f"{options.url}: {each}.")
    if not problems:
        print(f"{options.url} is as it should be. Use it as the client ID, or set FLOWLET_CLIENT_ID_URL to it.")
    return 1 if problems else 0


def _expected(options: Namespace) -> dict[str, Any]:
    secret = _secret(options.of) if options.of else None
    redirect_uris = options.redirect_uri or [loopback_redirect_uri()]
    if secret:
        redirect_uris = [*redirect_uris, *secret.redirect_uris]
    return client_metadata(
        options.url,
        redirect_uris=redirect_uris,
        scope=options.scope or (secret.scope if secret else ""),
        client_name=options.name,
        dpop=options.dpop or (secret is not None and secret.dpop),
        jwks=_public_keys(secret) if secret and secret.private_key else None,
    )


def _secret(name: str) -> OAuth2:
    secret = default_secrets().vault.get(name).secret
    if not isinstance(secret, OAuth2):
        raise InvalidOption(f"Secret '{name}' is of type {secret.type}, which has no client.")
    return secret


def _public_keys(secret: OAuth2) -> dict[str, Any]:
    from flowlet_jupyter.oauth.client_auth import public_key

    return {"keys": [public_key(secret)]}
