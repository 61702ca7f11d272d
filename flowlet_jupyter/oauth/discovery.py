"""From an address that a user has to a provider's metadata.

The address is an issuer (OpenID Connect Discovery, RFC 8414), an API (RFC 9728), a FHIR server (SMART App Launch, 2.0),
the URL of one of their documents, or an atproto account.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2.rfc8414.well_known import get_well_known_url

from flowlet_jupyter.errors import DiscoveryFailed, InvalidSecret
from flowlet_jupyter.model.challenge import parameters_of
from flowlet_jupyter.model.fields import checked_endpoint
from flowlet_jupyter.oauth.atproto import Account, account_at, is_handle_host, named_account
from flowlet_jupyter.oauth.documents import asked, checked_lead, document_at, origin_of
from flowlet_jupyter.oauth.metadata import ProviderMetadata, metadata_from
from flowlet_jupyter.session import Session, default_session
from flowlet_jupyter.session.shielded import shielded

CACHE_SECONDS = 600.0
_OPENID, _RFC8414 = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
_RESOURCE = "/.well-known/oauth-protected-resource"
_SMART = "/.well-known/smart-configuration"
_BEARER = re.compile(r"(?:^|,\s*)(?:Bearer|DPoP)(?:\s|,|$)", re.IGNORECASE)
_MAX_AUTHORIZATION_SERVERS = 5


class _Cache:
    """What providers published lately, with the time of it."""

    def __init__(self, _session: Session) -> None:
        self.read: dict[str, tuple[float, ProviderMetadata]] = {}


@shielded("discovery")
def discover(address: str) -> ProviderMetadata:
    """The metadata behind an issuer, an API's or FHIR server's URL, or a `.well-known` URL; kept for ten minutes.

    Raises `DiscoveryFailed` with what was tried, or `InvalidSecret` if `address` is no https URL.
    """
    if account := named_account(address):
        return _of_account(account_at(account))
    is_bare = "://" not in address
    address = checked_endpoint(f"https://{address}" if is_bare else address, "issuer")
    cache = default_session().part(_Cache).read
    cached = cache.get(address)
    if cached and time.monotonic() - cached[0] < CACHE_SECONDS:
        return cached[1]
    if is_bare and is_handle_host(address):
        return _of_account(account_at(f"@{urlsplit(address).hostname}"))
    metadata = _of_issuer(address) or _of_fhir_server(address) or _of_resource(address)
    if metadata is None:
        raise DiscoveryFailed(
            f"{address} says nothing of its OAuth2 endpoints: it has no OpenID Connect, RFC 8414 or SMART on FHIR "
            "metadata, and its response names none (RFC 9728). Fill in the endpoints from the provider's documentation; "
            "an atproto (Bluesky) account begins with @."
        )
    cache[address] = (time.monotonic(), metadata)
    return metadata


def metadata_naming(registration_endpoint: str) -> ProviderMetadata | None:
    """The metadata, of those that were read lately, that name this registration endpoint."""
    read = [metadata for _, metadata in default_session().part(_Cache).read.values()]
    return next((each for each in read if each.endpoints.get("registration_endpoint") == registration_endpoint), None)


# ---- an issuer


def _of_issuer(address: str) -> ProviderMetadata | None:
    documents: list[tuple[str, dict[str, Any]]] = []
    for url, issuer in _candidates(address):
        content = document_at(url)
        if "issuer" not in content or (documents and content["issuer"] != documents[0][1]["issuer"]):
            continue
        if not documents:
            _check_issuer(content, url, issuer)
        documents.append((url, content))
        # some providers describe the user in one document and the tokens in the other
        if "revocation_endpoint" in content:
            break
    if not documents:
        return None
    merged: dict[str, Any] = {}
    for _, content in reversed(documents):
        merged |= content
    kinds = dict.fromkeys("OpenID Connect" if _OPENID in url else "RFC 8414" for url, _ in documents)
    return _checked_endpoints(metadata_from(merged, documents[0][0], found_by=" and ".join(kinds)), documents[0][0])


def _checked_endpoints(metadata: ProviderMetadata, url: str) -> ProviderMetadata:
    """`metadata`, which was at `url`, if none of its endpoints leads inside. Raises `DiscoveryFailed`."""
    try:
        for endpoint in {origin_of(each): each for each in metadata.endpoints.values()}.values():
            checked_lead(url, endpoint)
    except InvalidSecret as error:
        raise DiscoveryFailed(f"The metadata cannot be used. {error}") from None
    return metadata


def _candidates(address: str) -> Iterator[tuple[str, str | None]]:
    """Where metadata may be, and the issuer that it must then name (RFC 8414, 3.3), None if that is not known yet."""
    if "/.well-known/" in address:
        if issuer := _without(address, _OPENID) or _without(address, _RFC8414):
            yield address, issuer
        elif not (_without(address, _RESOURCE) or _without(address, _SMART)):
            yield address, None
        return
    issuer = address.rstrip("/")
    yield f"{issuer}{_OPENID}", address  # OpenID Connect appends
    for suffix in ("oauth-authorization-server", "openid-configuration"):
        url = get_well_known_url(issuer, external=True, suffix=suffix)
        if url != f"{issuer}{_OPENID}":
            yield url, address
    if url != f"{issuer}{_RFC8414}":  # where an issuer with a path has it that appends, as OpenID Connect does
        yield f"{issuer}{_RFC8414}", address


def _without(url: str, well_known: str) -> str | None:
    """What a document's `url` is of: the address without its well-known part, None if it is of another kind."""
    before, separator, after = url.partition(well_known)
    return f"{before}{after}" if separator else None


def _check_issuer(content: dict[str, Any], url: str, expected: str | None) -> None:
    issuer = str(content["issuer"])
    # Entra answers with a template of the tenant; a catalogue entry declares that, so only the text is compared here
    is_template = "{tenantid}" in issuer
    if expected is not None and issuer.rstrip("/") != expected.rstrip("/") and not is_template:
        raise DiscoveryFailed(
            f"The metadata at {url} is of another issuer, {issuer[:200]}. It was not used (RFC 8414, 3.3)."
        )


# ---- an atproto account


def _of_account(account: Account) -> ProviderMetadata:
    """The authorization server of the account's data server, which is the API (atproto, OAuth)."""
    metadata = _of_resource_metadata(account.pds, f"{origin_of(account.pds)}{_RESOURCE}")
    if metadata is None or not metadata.is_atproto:
        raise DiscoveryFailed(
            f"The data server of {account.name}, {account.pds}, names no atproto authorization server."
        )
    return dataclasses.replace(
        metadata,
        account=account.handle or account.did,
        account_did=account.did,
        found_by=("atproto account", *metadata.found_by),
    )


# ---- a FHIR server


def _of_fhir_server(address: str) -> ProviderMetadata | None:
    """SMART App Launch, 2.0: `address` is the base of a FHIR server, its capability statement or its configuration."""
    base = _without(address, _SMART)
    if base is None and "/.well-known/" in address:
        return None
    base = (base or address).partition("?")[0].rstrip("/").removesuffix("/metadata")
    content = document_at(f"{base}{_SMART}")
    if not isinstance(content.get("token_endpoint"), str) or not isinstance(content.get("capabilities"), list):
        return None
    issuer = content.pop("issuer", None)
    content.pop("jwks_uri", None)
    smart = _checked_endpoints(metadata_from(content, f"{base}{_SMART}", found_by="SMART on FHIR"), f"{base}{_SMART}")
    smart = dataclasses.replace(smart, fhir_base_url=base)
    own = _named_issuer(base, issuer)
    # the FHIR server is believed about itself, not about an issuer whose own metadata differs (mix-up)
    if own is None or own.endpoints["token_endpoint"] != smart.endpoints["token_endpoint"]:
        return smart
    return dataclasses.replace(
        smart,
        issuer=own.issuer,
        endpoints={**own.endpoints, **smart.endpoints},
        id_token_signing_alg_values_supported=own.id_token_signing_alg_values_supported,
        authorization_response_iss_parameter_supported=own.authorization_response_iss_parameter_supported,
        found_by=(*smart.found_by, *own.found_by),
    )


def _named_issuer(address: str, issuer: object) -> ProviderMetadata | None:
    """The metadata of an issuer that the server at `address` names; None where it has none, or is none."""
    try:
        return _of_issuer(checked_lead(address, str(issuer))) if issuer else None
    except (InvalidSecret, DiscoveryFailed):
        return None


# ---- an API


def _of_resource(address: str) -> ProviderMetadata | None:
    """RFC 9728: the API's 401 names its metadata, or it is at a well-known place; that names the issuer."""
    candidates = []
    challenge = ""
    if pasted := _without(address, _RESOURCE):
        candidates, address = [address], pasted
    else:
        response = asked(address)
        challenge = response.headers.get("WWW-Authenticate", "") if response is not None else ""
        if named := parameters_of(challenge).get("resource_metadata"):
            candidates.append(named)
        candidates.append(get_well_known_url(address, external=True, suffix="oauth-protected-resource"))
        # MCP, authorization: at the root where it is not below it
        candidates.append(f"{origin_of(address)}{_RESOURCE}")
    challenged = parameters_of(challenge).get("scope")
    for url in dict.fromkeys(candidates):
        metadata = _of_resource_metadata(address, url)
        if metadata is not None:
            # MCP, scope selection: what the API asks for, else what its metadata names
            return dataclasses.replace(metadata, resource_scope=challenged) if challenged else metadata
    if not _BEARER.search(challenge) or urlsplit(address).path in {"", "/"}:
        return None
    # MCP of March 2025: the API's own origin is the issuer
    metadata = _named_issuer(address, origin_of(address))
    return metadata and dataclasses.replace(metadata, resource=address, found_by=("401", *metadata.found_by))


def _of_resource_metadata(address: str, url: str) -> ProviderMetadata | None:
    try:
        content = document_at(checked_lead(address, url))
    except InvalidSecret:
        return None
    resource, issuers = content.get("resource"), content.get("authorization_servers")
    # RFC 9728, 3.3: metadata of another resource is not to be used
    if not isinstance(resource, str) or not _is_below(address, resource) or not isinstance(issuers, list):
        return None
    problem = "It has no OpenID Connect or RFC 8414 metadata."
    for issuer in issuers[:_MAX_AUTHORIZATION_SERVERS]:
        try:
            metadata = _of_issuer(checked_lead(address, str(issuer)))
        except (InvalidSecret, DiscoveryFailed) as error:
            problem = str(error)
            continue
        if metadata is not None:
            scopes = content.get("scopes_supported")
            return dataclasses.replace(
                metadata,
                resource=resource,
                resource_scope=" ".join(map(str, scopes)) if isinstance(scopes, list) else "",
                scopes_supported=tuple(map(str, scopes))
                if isinstance(scopes, list) and scopes
                else metadata.scopes_supported,
                found_by=("RFC 9728", *metadata.found_by),
            )
    if not issuers:
        return None
    named = ", ".join(str(issuer)[:100] for issuer in issuers[:_MAX_AUTHORIZATION_SERVERS])
    raise DiscoveryFailed(f"{address} names an authorization server that cannot be used: {named}. {problem}")


def _is_below(address: str, resource: str) -> bool:
    """Whether `address` is the resource, or a path below it."""
    path = urlsplit(resource).path.rstrip("/")
    own = urlsplit(address).path.rstrip("/")
    return origin_of(address) == origin_of(resource) and (own == path or own.startswith(f"{path}/"))
