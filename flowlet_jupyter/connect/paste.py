"""The browser is on another machine: the user pastes the address that it was redirected to."""

from __future__ import annotations

import getpass
import time

from flowlet_jupyter.connect.wait import Line
from flowlet_jupyter.errors import AuthRequired, InvalidSecret
from flowlet_jupyter.http.identity import identify
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, OAuth2
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.authorization_code import authorization_request, complete_flow, new_flow, pasted_response
from flowlet_jupyter.settings import loopback_redirect_uri
from flowlet_jupyter.vault import Vault


class PastePrompt:
    """Asks by a password prompt, so that the code in the address is neither shown nor kept in a history."""

    def authorize(self, vault: Vault, needed: AuthRequired) -> None:
        """Print the link, take the address. Raises `InvalidSecret` for another grant, `needed` where nobody can type."""
        if not _paste(vault, needed.secret_name):
            raise needed


def by_paste(vault: Vault, name: str, line: Line) -> bool:  # noqa: ARG001 - each way has a line; this one asks
    """The same, as one of the ways that are chosen from; false where nobody can type."""
    return _paste(vault, name)


def _paste(vault: Vault, name: str) -> bool:
    secret = vault.get(name).secret
    if not isinstance(secret, OAuth2) or secret.grant_type != AUTHORIZATION_CODE:
        raise InvalidSecret(f"Secret '{name}' does not use the authorization code grant: there is nothing to paste.")
    address = next(iter(secret.redirect_uris), loopback_redirect_uri())
    flow = new_flow(name, redirect_uri=address, now=time.time(), is_bound=secret.dpop)
    url = authorization_request(vault, flow)
    print(  # noqa: T201 - it comes before the prompt, in a terminal as in a notebook
        f"1. Open {url}\n2. Allow it. The browser then goes to {flow.redirect_uri}?…, and may say that nobody "
        "answers.\n3. Copy that whole address and paste it here (it is not shown)."
    )
    try:
        pasted = SecretValue(getpass.getpass("Address: "))
    except (EOFError, NotImplementedError):  # as IPython's StdinNotImplementedError is
        return False
    complete_flow(vault, flow, pasted_response(flow, pasted))
    identify(vault, name)
    return True
