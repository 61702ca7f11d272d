"""The metadata of a provider (RFC 8414, OpenID Connect Discovery, RFC 9728), and registering a client there (RFC 7591)."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2.rfc8414.well_known import get_well_known_url

from flowlet_jupyter.errors import DiscoveryFailed, InvalidSecret, ProviderError
from flowlet_jupyter.model.fields import checked_endpoint
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, DEVICE_CODE
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.endpoint import EndpointResponse, send
from flowlet_jupyter.session import Session, default_session
from flowlet_jupyter.session.shielded import shielded

CACHE_SECONDS = 600.0
ENDPOINTS = (
    "authorization_endpoint", "token_endpoint", "device_authorization_endpoint",
    "pushed_authorization_request_endpoint", "revocation_endpoint", "introspection_endpoint", "userinfo_endpoint",
    "registration_endpoint", "jwks_uri",
)  # fmt: skip
_WELL_KNOWN = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
_RESOURCE_METADATA = re.compile(r'resource_metadata="([^"]+)"')


@dataclass(frozen=True, kw_only=True)
class ProviderMetadata:
    """What a provider says of itself; names as in RFC 8414, 2. `resource` is the API that led here (RFC 9728)."""

    issuer: str
    endpoints: dict[str, str]
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    grant_types_supported: tuple[str, ...] = ("authorization_code", "implicit")
    scopes_supported: tuple[str, ...] = ()
    code_challenge_methods_supported: tuple[str, ...] = ()
    dpop_signing_alg_values_supported: tuple[str, ...] = ()
    authorization_response_iss_parameter_supported: bool = False
    id_token_signing_alg_values_supported: tuple[str, ...] = ()
    resource: str | None = None
    found_by: tuple[str, ...] = ()


class _Cache:
    """What providers said lately, with the time of it."""

    def __init__(self, _session: Session) -> None:
        self.found: dict[str, tuple[float, ProviderMetadata]] = {}


@shielded("discovery")
def discover(address: str) -> ProviderMetadata:
    """The metadata behind an issuer, a `.well-known` URL or an API's URL; kept for ten minutes.

    Raises `DiscoveryFailed` with what was tried, or `InvalidSecret` if `address` is no https URL.
    """
    address = checked_endpoint(address if "://" in address else f"https://{address}", "issuer")
    cache = default_session().part(_Cache).found
    cached = cache.get(address)
    if cached and time.monotonic() - cached[0] < CACHE_SECONDS:
        return cached[1]
    metadata = _of_issuer(address) or _of_resource(address)
    if metadata is None:
        raise DiscoveryFailed(
            f"{address} says nothing of its OAuth2 endpoints: it has no OpenID Connect or RFC 8414 metadata, and its "
            "answer names none (RFC 9728). Fill in the endpoints from the provider's documentation."
        )
    cache[address] = (time.monotonic(), metadata)
    return metadata


def _of_issuer(address: str) -> ProviderMetadata | None:
    for url, issuer in _candidates(address):
        response = _get(url)
        if response is not None and isinstance(response.content, dict) and "issuer" in response.content:
            return _metadata(response.content, url, issuer)
    return None


def _candidates(address: str) -> Iterator[tuple[str, str | None]]:
    """Where metadata may be, and the issuer that it must then name (RFC 8414, 3.3), None if that is not known yet."""
    if "/.well-known/" in address:
        yield address, _issuer_of_well_known(address)
        return
    issuer = address
    yield f"{address.rstrip('/')}{_WELL_KNOWN[0]}", issuer  # OpenID Connect appends
    for suffix in ("oauth-authorization-server", "openid-configuration"):
        url = get_well_known_url(address.rstrip("/"), external=True, suffix=suffix)
        if url != f"{address.rstrip('/')}{_WELL_KNOWN[0]}":
            yield url, issuer


def _issuer_of_well_known(url: str) -> str | None:
    for suffix in _WELL_KNOWN:
        before, found, after = url.partition(suffix)
        if found:
            return f"{before}{after}"
    return None


def _of_resource(address: str) -> ProviderMetadata | None:
    """RFC 9728: the API's 401 names its metadata, or it is at the well-known place; that names the issuer."""
    places = []
    response = _get(address)
    if response is not None and (named := _RESOURCE_METADATA.search(response.headers.get("WWW-Authenticate", ""))):
        places.append(named[1])
    places.append(get_well_known_url(address, external=True, suffix="oauth-protected-resource"))
    for place in places:
        try:
            found = _get(checked_endpoint(place, "issuer"))
        except InvalidSecret:
            continue
        content = found.members if found else {}
        resource, issuers = content.get("resource"), content.get("authorization_servers")
        # RFC 9728, 3.3: metadata of another resource is not to be used
        if not isinstance(resource, str) or not _is_below(address, resource):
            continue
        for issuer in issuers if isinstance(issuers, list) else []:
            metadata = _of_issuer(checked_endpoint(str(issuer), "issuer"))
            if metadata is not None:
                return dataclasses.replace(metadata, resource=resource)
    return None


def _is_below(address: str, resource: str) -> bool:
    one, other = urlsplit(address), urlsplit(resource)
    return (one.scheme, one.netloc) == (other.scheme, other.netloc) and one.path.startswith(other.path.rstrip("/"))


def _get(url: str) -> EndpointResponse | None:
    try:
        response = send("GET", url, failed=url)
    except ProviderError:
        return None
    return response if response.status in {200, 401, 403} else None


def _metadata(content: dict[str, Any], url: str, expected: str | None) -> ProviderMetadata:
    issuer = str(content["issuer"])
    # Entra answers with a template of the tenant; a catalogue entry declares that, so only the text is compared here
    is_template = "{tenantid}" in issuer
    if expected is not None and issuer.rstrip("/") != expected.rstrip("/") and not is_template:
        raise DiscoveryFailed(
            f"The metadata at {url} is of another issuer, {issuer[:200]}. It was not used (RFC 8414, 3.3)."
        )
    endpoints = {}
    for name in ENDPOINTS:
        if isinstance(content.get(name), str):
            try:
                endpoints[name] = checked_endpoint(content[name], name)
            except InvalidSecret as error:
                raise DiscoveryFailed(f"The metadata at {url} cannot be used. {error}") from None
    if "token_endpoint" not in endpoints:
        raise DiscoveryFailed(f"The metadata at {url} names no token endpoint.")

    def texts(name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = content.get(name)
        return tuple(str(entry) for entry in value) if isinstance(value, list) else default

    return ProviderMetadata(
        issuer=issuer,
        endpoints=endpoints,
        token_endpoint_auth_methods_supported=texts("token_endpoint_auth_methods_supported", ("client_secret_basic",)),
        grant_types_supported=texts("grant_types_supported", ("authorization_code", "implicit")),
        scopes_supported=texts("scopes_supported"),
        code_challenge_methods_supported=texts("code_challenge_methods_supported"),
        dpop_signing_alg_values_supported=texts("dpop_signing_alg_values_supported"),
        id_token_signing_alg_values_supported=texts("id_token_signing_alg_values_supported"),
        authorization_response_iss_parameter_supported=(
            content.get("authorization_response_iss_parameter_supported") is True
        ),
    )


# the order in which a client with a secret authenticates itself, the best first
_PREFERRED = ("client_secret_basic", "client_secret_post", "client_secret_jwt")


def fields_of(metadata: ProviderMetadata) -> dict[str, Any]:
    """The fields of a secret that the metadata fills in; the client authentication is left to what the person has."""
    fields: dict[str, Any] = {name: url for name, url in metadata.endpoints.items() if name != "registration_endpoint"}
    fields["issuer"] = metadata.issuer
    fields["authorization_response_iss_parameter_supported"] = metadata.authorization_response_iss_parameter_supported
    if symmetric := [name for name in metadata.id_token_signing_alg_values_supported if name.startswith("HS")]:
        fields["id_token_signing_alg_values_supported"] = symmetric
    if metadata.resource:
        fields["resource"] = [metadata.resource]
    with_secret = [method for method in _PREFERRED if method in metadata.token_endpoint_auth_methods_supported]
    if with_secret and with_secret[0] != "client_secret_basic":
        fields["token_endpoint_auth_method"] = with_secret[0]
    return fields


def hosts_of(metadata: ProviderMetadata) -> list[str]:
    """The hosts of all endpoints: shown before anything is saved."""
    return sorted({urlsplit(url).netloc for url in metadata.endpoints.values()})


_REGISTRATION_HINTS = {
    "invalid_redirect_uri": "The provider does not take this redirect URI; register at its developer portal.",
    "invalid_client_metadata": "The provider does not take a client such as this; register at its developer portal.",
}


@shielded("client registration")
def register_client(
    registration_endpoint: str, *, redirect_uri: str, grant_type: str, scope: str, client_name: str
) -> dict[str, Any]:
    """The fields of a secret that the provider gives: client_id, client_secret, token_endpoint_auth_method.

    Raises `ProviderError`.
    """
    failed = f"The registration endpoint {registration_endpoint}"
    wanted: dict[str, Any] = {
        "client_name": client_name,
        "grant_types": [grant_type, "refresh_token"]
        if grant_type in {AUTHORIZATION_CODE, DEVICE_CODE}
        else [grant_type],
        "response_types": ["code"] if grant_type == AUTHORIZATION_CODE else [],
        "redirect_uris": [redirect_uri] if grant_type == AUTHORIZATION_CODE else [],
        # the client runs on a person's machine (RFC 8252); OpenID Connect then allows http on loopback
        "application_type": "native" if redirect_uri.startswith("http://") else "web",
        "token_endpoint_auth_method": "none",
    }
    if grant_type not in {AUTHORIZATION_CODE, DEVICE_CODE}:
        wanted["token_endpoint_auth_method"] = "client_secret_basic"
    if scope:
        wanted["scope"] = scope
    response = send(
        "POST",
        registration_endpoint,
        failed=failed,
        headers={"Content-Type": "application/json"},
        content=json.dumps(wanted).encode(),
    )
    given = response.members
    if error := given.get("error"):
        said = given.get("error_description")
        raise ProviderError(
            f"{failed} answered {str(error)[:100]}{f': {str(said)[:300]}' if said else ''}. {_REGISTRATION_HINTS.get(str(error), '')}".strip(),
            error=str(error)[:100],
        )
    if response.status not in {200, 201} or not isinstance(given.get("client_id"), str):
        raise ProviderError(
            f"{failed} answered with HTTP {response.status}, not with a client. Register at the provider's developer portal."
        )
    fields: dict[str, Any] = {"client_id": given["client_id"]}
    if isinstance(given.get("client_secret"), str) and given["client_secret"]:
        fields["client_secret"] = SecretValue(given["client_secret"])
    # the provider may have decided otherwise (RFC 7591, 3.2.1)
    fields["token_endpoint_auth_method"] = given.get(
        "token_endpoint_auth_method", "client_secret_basic" if "client_secret" in fields else "none"
    )
    return fields
