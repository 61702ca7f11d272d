"""Accounts of the AT Protocol (Bluesky): from a handle to its data server, and whose tokens a provider may give.

A handle is a host name that names a DID; the DID's document names the handle and the data server (PDS); the data server
names its authorization server (RFC 9728). https://atproto.com/specs/oauth says what a client must check of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from flowlet_jupyter.errors import DiscoveryFailed, InvalidSecret, ProviderError, TokenEndpointError, printable
from flowlet_jupyter.model.hosts import is_loopback
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.oauth.documents import checked_lead, document_at, origin_of
from flowlet_jupyter.oauth.endpoint import send
from flowlet_jupyter.settings import handle_resolver, plc_directory

SCOPE = "atproto"  # asked for, it has the provider say whose tokens it gives

_DID = re.compile(r"did:(?:plc:[a-z2-7]{24}|web:[A-Za-z0-9.%\-]{1,250})")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HANDLE = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
_MAX_HANDLE_CHARACTERS = 253


@dataclass(frozen=True)
class Account:
    """An account as its DID document has it; `handle` is what it calls itself, which only `is_its_handle` proves."""

    did: str
    pds: str
    handle: str | None = None

    @property
    def name(self) -> str:
        """How it is called."""
        return f"{self.did} (@{self.handle})" if self.handle else self.did


def named_account(address: str) -> str | None:
    """The account that `address` is written as: `@handle`, a DID or an at:// address; None if it is none of these."""
    text = address.strip()
    if text.startswith("at://"):
        text = text.removeprefix("at://").partition("/")[0]
        return text if text.startswith("did:") else f"@{text}"
    return text if text.startswith(("@", "did:")) else None


def is_handle_host(address: str) -> bool:
    """Whether the host of `address` says itself that its name is a handle."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    return parts.netloc == host and parts.path in {"", "/"} and bool(_HANDLE.fullmatch(host)) and bool(_did_at(host))


def account_at(identifier: str) -> Account:
    """The account behind `@handle` or a DID; a handle counts if the DID's document names it. Raises `DiscoveryFailed`."""
    if identifier.startswith("did:"):
        return account_of(identifier)
    handle = identifier.removeprefix("@").rstrip(".").lower()
    if len(handle) > _MAX_HANDLE_CHARACTERS or not _HANDLE.fullmatch(handle):
        raise DiscoveryFailed(f"{printable(identifier[:100])} is no atproto handle, such as @ann.example.org.")
    did, named_by = _did_of(handle)
    if did is None:
        raise DiscoveryFailed(
            f"Nobody knows the atproto handle @{handle}: neither {handle} itself nor {urlsplit(handle_resolver()).netloc}. "
            "Check its spelling, or give the account's DID or the address of its data server."
        )
    account = account_of(did, named_by=named_by)
    if account.handle != handle:
        raise DiscoveryFailed(
            f"The handle @{handle} leads to {did}, which does not call itself so. It was not used; give the account's DID."
        )
    return account


def _did_of(handle: str) -> tuple[str | None, str]:
    """The DID of a handle, and who says so: its own host, or a service that also knows handles by DNS."""
    if did := _did_at(handle):
        return did, f"https://{handle}"
    return _did_by_resolver(handle), handle_resolver()


def is_its_handle(account: Account) -> bool:
    """Whether the handle that the account calls itself leads back to it."""
    if account.handle is None:
        return False
    try:
        checked_lead(account.pds, f"https://{account.handle}")  # which the document of a stranger names
        return _did_of(account.handle)[0] == account.did
    except (DiscoveryFailed, InvalidSecret):
        return False


def account_of(did: str, *, named_by: str | None = None) -> Account:
    """What the document of `did` says; its handle is not checked here. Raises `DiscoveryFailed`.

    `named_by` is the server that named the DID, None where the user did.
    """
    if not _DID.fullmatch(did):
        raise DiscoveryFailed(f"{printable(did[:100])} is no DID of atproto (did:plc or did:web).")
    url = _document_url(did)
    try:
        # the directory is the user's own choice, wherever it is
        url = url if named_by is None or did.startswith("did:plc:") else checked_lead(named_by, url)
    except InvalidSecret as error:
        raise DiscoveryFailed(str(error)) from None
    document = document_at(url)
    if document.get("id") != did:
        raise DiscoveryFailed(f"There is no document of {did} at {url}.")
    services = document.get("service")
    for service in services if isinstance(services, list) else []:
        if not isinstance(service, dict) or service.get("type") != "AtprotoPersonalDataServer":
            continue
        if str(service.get("id", "")).removeprefix(did) != "#atproto_pds":
            continue
        try:
            pds = checked_lead(url, str(service.get("serviceEndpoint")))
        except InvalidSecret as error:
            raise DiscoveryFailed(f"The data server of {did} cannot be used. {error}") from None
        return Account(did, origin_of(pds), _handle_in(document))
    raise DiscoveryFailed(f"{did} names no data server. If you know its address, give that one.")


def _handle_in(document: dict[str, Any]) -> str | None:
    """The first handle of a DID document, as atproto counts them."""
    names = document.get("alsoKnownAs")
    for name in names if isinstance(names, list) else []:
        if isinstance(name, str) and name.startswith("at://"):
            handle = name.removeprefix("at://").lower()
            return handle if len(handle) <= _MAX_HANDLE_CHARACTERS and _HANDLE.fullmatch(handle) else None
    return None


def _document_url(did: str) -> str:
    if did.startswith("did:plc:"):
        return f"{plc_directory()}/{did}"
    host = unquote(did.removeprefix("did:web:"))
    name = host.partition(":")[0]
    if is_loopback(name):  # a port is allowed on this machine only
        return f"http://{host}/.well-known/did.json"
    return f"https://{name}/.well-known/did.json"


def _did_at(handle: str) -> str | None:
    """What the handle's own host says."""
    try:
        text = send("GET", f"https://{handle}/.well-known/atproto-did", failed=handle).text
    except ProviderError:
        return None
    return text.strip() if text and _DID.fullmatch(text.strip()) else None


def _did_by_resolver(handle: str) -> str | None:
    """What a service says that also knows handles by DNS; the DID's document has the last word."""
    url = f"{handle_resolver()}/xrpc/com.atproto.identity.resolveHandle?handle={handle}"
    did = document_at(url).get("did")
    return did if isinstance(did, str) and _DID.fullmatch(did) else None


def checked_account(secret: OAuth2, members: dict[str, Any], *, failed: str) -> Account:
    """Whose tokens a token response holds, if the provider may give them. Raises `TokenEndpointError`.

    A provider speaks only for the accounts whose data server names it; and if the secret is for one account, for that one.
    """
    did = members.get("sub")
    if not isinstance(did, str) or not _DID.fullmatch(did):
        raise TokenEndpointError(f"{failed} does not say whose tokens these are (sub), as atproto demands. Not used.")
    if SCOPE not in str(members.get("scope", "")).split():
        raise TokenEndpointError(f"{failed} did not grant the scope {SCOPE}. Not used.")
    if secret.subject and secret.subject != did:
        raise TokenEndpointError(
            f"Access was allowed by another account, {did}, and secret '{secret.name}' is for {secret.subject}. "
            "Log in as that one at the provider, or change the secret's subject."
        )
    try:
        account = account_of(did, named_by=secret.token_endpoint)
        named = document_at(f"{account.pds}/.well-known/oauth-protected-resource").get("authorization_servers")
    except DiscoveryFailed as error:
        raise TokenEndpointError(
            f"It could not be checked whose tokens these are, so they were not used. {error}"
        ) from None
    if not isinstance(named, list) or secret.issuer not in named:
        raise TokenEndpointError(
            f"{failed} gave tokens for {did}, whose data server {account.pds} does not name {secret.issuer} as its "
            "provider. Not used."
        )
    return account if is_its_handle(account) else replace(account, handle=None)
