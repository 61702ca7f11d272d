"""The redirect URI of this server, as the browser reaches it."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.model.client_id import declared_redirect_uris, is_localhost_client
from flowlet_jupyter.model.hosts import is_loopback
from flowlet_jupyter.providers import provider_named

_KEY_LENGTH = 16
PROVIDER_KEY = rf"[0-9a-f]{{{_KEY_LENGTH}}}"
_CALLBACK = re.compile(rf"/flowlet/callback(?:/(?P<key>{PROVIDER_KEY}))?$")


def callback_path(handler: JupyterHandler) -> str:
    """The path of the callback: below the server's base URL, or a fixed one where the base URL is a secret."""
    fixed = handler.settings.get("flowlet_callback")
    return str(fixed or url_path_join(handler.base_url, "flowlet", "callback"))


def redirect_uri(handler: JupyterHandler) -> str:
    """`<origin><base_url>flowlet/callback`, the origin being that of the request; on a JupyterHub the hub's stable one.

    The hub sends each user to the user's own default server and keeps the query, so an organisation registers one
    redirect URI. It would miss a named server, which therefore has one of its own that leads straight to it. Behind a proxy the server must trust its headers (`ServerApp.trust_xheaders`) to see https.
    """
    request = handler.request
    hub = os.environ.get("JUPYTERHUB_BASE_URL")
    is_default = not os.environ.get("JUPYTERHUB_SERVER_NAME")
    if (
        hub
        and is_default
        and os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
        and "flowlet_callback" not in handler.settings
    ):
        path = url_path_join(hub, "hub", "user-redirect", "flowlet", "callback")
    else:
        path = callback_path(handler)
    return f"{request.protocol}://{request.host}{path}"


def own_redirect_uri(handler: JupyterHandler, authorization_endpoint: str) -> str:
    """The redirect URI of this server for one provider only.

    Where it is registered, a response that another provider was made to give comes back at another address than the
    flow expects, and is refused (RFC 9700, 4.4.2.2).
    """
    return f"{redirect_uri(handler)}/{hashlib.sha256(authorization_endpoint.encode()).hexdigest()[:_KEY_LENGTH]}"


def is_address_of(uri: str, provider_key: str | None) -> bool:
    """Whether a response that came to the callback, or to that of `provider_key`, came to the redirect URI `uri`."""
    match = _CALLBACK.search(urlsplit(uri).path)
    return match is None or match["key"] == provider_key  # an opaque redirect URI names no address of ours


def proxy_problem(handler: JupyterHandler) -> str | None:
    """What to set where the browser came by https and this server does not know it; None if nothing is wrong."""
    headers = handler.request.headers
    if handler.request.protocol == "https":
        return None
    forwarded = headers.get("X-Forwarded-Proto", headers.get("X-Scheme", "")).split(",")[-1].strip().lower()
    by_standard = re.search(r"proto=\"?https", headers.get("Forwarded", ""), re.IGNORECASE)
    host = handler.request.host
    from_page = any(headers.get(name, "").startswith(f"https://{host}") for name in ("Origin", "Referer"))
    if forwarded != "https" and not by_standard and not from_page:
        return None
    return (
        "Your browser reaches this server by https, through a proxy that the server does not trust, so that the redirect "
        "URI begins with http://. Start Jupyter with --ServerApp.trust_xheaders=True, and let the proxy send "
        "X-Forwarded-Proto."
    )


@dataclass(frozen=True)
class RedirectPlan:
    """Which redirect URI a flow uses; `problem` says in plain words why the provider will probably refuse it."""

    uri: str
    problem: str | None = None

    def is_elsewhere(self, here: str) -> bool:
        """Whether the flow comes back under another name of this machine, where this browser has no cookie yet."""
        # only between localhost and 127.0.0.1: a ticket never goes to another host, nor to an opaque redirect URI
        twin = _twin(here)
        return twin is not None and (self.uri == twin or self.uri.startswith(f"{twin}/"))


def plan_redirect(here: str, registered: tuple[str, ...], rule: str, *, own: str | None = None) -> RedirectPlan:
    """The redirect URI for a server that the browser reaches as `here`, given those registered and the provider's rule.

    `own` is the one for this provider only, taken where it is registered. `rule` is that of the catalogue entry: `https`,
    `not-localhost`, `any-loopback-port`, `opaque` or empty. Pure.
    """
    if own and any(uri.rpartition("/")[2] == own.rpartition("/")[2] for uri in registered):
        here = own
    twin = _twin(here)
    for known in (here, twin):
        if known and known in registered:
            return RedirectPlan(known)
    if rule == "opaque" and registered:
        return RedirectPlan(registered[0])
    if rule == "not-localhost" and twin and urlsplit(here).hostname == "localhost":
        here = twin
    if rule == "https" and here.startswith("http://"):
        return RedirectPlan(
            here,
            f"This provider takes only redirect URIs with https://, and this server is reached as {here}. What works: a "
            "JupyterHub or a tunnel with https; or register any https:// address of yours, and paste the address that "
            "the browser is sent to: %flowlet_secret NAME --paste",
        )
    if registered and not (rule == "any-loopback-port" and _is_loopback(here) and any(map(_is_loopback, registered))):
        return RedirectPlan(
            here,
            f"So far {' and '.join(registered)} was used, but this server is now reached as {here}. The provider will "
            "refuse it unless it is registered there too. Register it, or open Jupyter at its former address.",
        )
    return RedirectPlan(here)


def plan_localhost_client(here: str, client_id: str) -> RedirectPlan:
    """The redirect URI of atproto's client of this machine: an address of 127.0.0.1 that its client ID names. Pure."""
    parts = urlsplit(here)
    if not is_loopback(parts.hostname or ""):
        return RedirectPlan(
            here,
            f"This client ID is for a browser on the machine that Jupyter runs on, and this server is reached as {here}. "
            "Host a client metadata document (jupyter flowlet client-metadata), and use its address as the client ID.",
        )
    numbered = _twin(here) if parts.hostname == "localhost" else None
    if parts.path in {urlsplit(uri).path for uri in declared_redirect_uris(client_id)}:
        return RedirectPlan(numbered or here)
    return RedirectPlan(
        numbered or here,
        f"The client ID names other redirect URIs than {numbered or here}. Make the secret once more here, or put this "
        "address into its client ID.",
    )


def plan_for_request(
    handler: JupyterHandler,
    *,
    provider: str | None,
    authorization_endpoint: str,
    registered: tuple[str, ...],
    client_id: str = "",
) -> RedirectPlan:
    """What the form shows and what the authorization request sends: the redirect URI of this server at `provider`.

    Reads the provider's entry.
    """
    if is_localhost_client(client_id):
        return plan_localhost_client(redirect_uri(handler), client_id)
    own = own_redirect_uri(handler, authorization_endpoint)
    return plan_redirect(redirect_uri(handler), registered, _redirect_rule(provider), own=own)


def _redirect_rule(provider: str | None) -> str:
    """The provider's rule for redirect URIs; empty if its entry is gone or broken, which is no reason not to connect."""
    if not provider:
        return ""
    try:
        entry = provider_named(provider)
    except FlowletError:
        return ""
    return entry.redirect_rule if entry else ""


def _twin(uri: str) -> str | None:
    """The same address under the other name of this machine: localhost and 127.0.0.1."""
    parts = urlsplit(uri)
    other = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}.get(parts.hostname or "")
    if other is None:
        return None
    return parts._replace(netloc=other if parts.port is None else f"{other}:{parts.port}").geturl()


def _is_loopback(uri: str) -> bool:
    return is_loopback(urlsplit(uri).hostname or "")
