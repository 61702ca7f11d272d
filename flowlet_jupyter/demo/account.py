"""Connect a secret to Birdsong without a browser: for notebooks that are about something else than connecting."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

from flowlet_jupyter.credentials.handles import SecretHandle, Secrets, default_secrets
from flowlet_jupyter.demo.provider import SCOPES, USERS
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.authorization_code import (
    authorization_url,
    complete_flow,
    new_flow,
    pasted_response,
    request_parameters,
)

if TYPE_CHECKING:
    from flowlet_jupyter.demo.process import Birdsong

_REDIRECT_URI = "http://127.0.0.1/birdsong-demo"


def connect(birdsong: Birdsong, *, name: str = "birdsong", user: str = "ada") -> SecretHandle:
    """The secret `name`, connected as one of Birdsong's users, whose password everybody knows.

    It is made if it is not there: an app is registered, and the login page is filled in as a user would. An account of
    another secret (`birds/ben`) logs in with that one's client.
    """
    vault = default_secrets().vault
    if name not in vault.names():
        Secrets(vault).add(_registered(birdsong, name))
    secret = vault.get(name).secret
    assert isinstance(secret, OAuth2)  # noqa: S101 - made here, or an account of one that was
    flow = new_flow(name, redirect_uri=_REDIRECT_URI, now=time.time())
    login = {"username": user, "password": USERS[user]["password"], "decision": "allow"}
    location = _posted(authorization_url(secret, request_parameters(secret, flow)), login)[0]
    parameters = pasted_response(flow, SecretValue(location))
    complete_flow(vault, flow, parameters)
    return SecretHandle(name, vault)


def register_public_app(birdsong: Birdsong) -> str:
    """The client ID of a new app without a client secret."""
    _, page = _posted(birdsong.developer_page, {"name": "Demo", "redirect_uri": _REDIRECT_URI, "public": "yes"})
    match = re.search(r'<code id="client_id">([^<]+)</code>', page)
    assert match is not None  # noqa: S101 - Birdsong's own page
    return match[1]


def _registered(birdsong: Birdsong, name: str) -> OAuth2:
    _, page = _posted(birdsong.developer_page, {"name": "Demo", "redirect_uri": _REDIRECT_URI})
    client_id, client_secret = re.findall(r'<code id="client_(?:id|secret)">([^<]+)</code>', page)
    return OAuth2(
        name=name,
        authorization_endpoint=birdsong.authorization_endpoint,
        token_endpoint=birdsong.token_endpoint,
        client_id=client_id,
        client_secret=client_secret,
        scope=" ".join(SCOPES),
        base_url=birdsong.url,
    )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """The redirect is what we are after."""


def _posted(url: str, form: dict[str, str]) -> tuple[str, str]:
    """Where the response leads, and its page."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    data = urllib.parse.urlencode(form).encode()
    try:
        with opener.open(url, data, timeout=10) as response:  # loopback, as `Birdsong` says
            return "", response.read().decode()
    except urllib.error.HTTPError as response:
        with response:
            return response.headers.get("Location", ""), response.read().decode()
