"""What a provider says of itself (RFC 8414, 2), and the fields of a secret that it fills in. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flowlet_jupyter.errors import DiscoveryFailed, InvalidSecret
from flowlet_jupyter.model.client_id import localhost_client_id
from flowlet_jupyter.model.fields import checked_endpoint
from flowlet_jupyter.model.hosts import is_loopback

ENDPOINTS = (
    "authorization_endpoint", "token_endpoint", "device_authorization_endpoint",
    "pushed_authorization_request_endpoint", "revocation_endpoint", "introspection_endpoint", "userinfo_endpoint",
    "registration_endpoint", "jwks_uri",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ProviderMetadata:
    """What a provider says of itself; names as in RFC 8414, 2.

    `resource` is the API that led here (RFC 9728), and `fhir_base_url` the one whose SMART configuration this is.
    `issuer` is None where a SMART configuration names none that holds. `found_by` names the documents, in the order in
    which each led to the next.
    """

    issuer: str | None
    endpoints: Mapping[str, str]
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    # what only some providers say, and then it may leave public clients out
    revocation_endpoint_auth_methods_supported: tuple[str, ...] = ()
    grant_types_supported: tuple[str, ...] = ("authorization_code", "implicit")
    scopes_supported: tuple[str, ...] = ()  # of the API where one led here, else of the provider
    scopes_of_provider: tuple[str, ...] = ()
    code_challenge_methods_supported: tuple[str, ...] = ()
    dpop_signing_alg_values_supported: tuple[str, ...] = ()
    authorization_response_iss_parameter_supported: bool = False
    id_token_signing_alg_values_supported: tuple[str, ...] = ()
    require_pushed_authorization_requests: bool = False
    client_id_metadata_document_supported: bool = False
    resource: str | None = None
    resource_scope: str = ""  # what the API says that its requests need
    fhir_base_url: str | None = None
    is_atproto: bool = False  # whether it follows atproto's profile, where every client is named by a URL
    account: str | None = None  # the atproto account that led here: its handle or DID ...
    account_did: str | None = None  # ... and its DID
    authorization_details_types_supported: tuple[str, ...] = ()
    acr_values_supported: tuple[str, ...] = ()
    found_by: tuple[str, ...] = ()

    @property
    def api(self) -> str | None:
        """The base of the API, where an API's address led here."""
        return self.fhir_base_url or self.resource


def metadata_from(content: Mapping[str, Any], url: str, *, found_by: str) -> ProviderMetadata:
    """The metadata in the JSON object `content`, which was at `url`. Raises `DiscoveryFailed` if it cannot be used."""
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
        issuer=str(content["issuer"]) if "issuer" in content else None,
        endpoints=endpoints,
        token_endpoint_auth_methods_supported=texts("token_endpoint_auth_methods_supported", ("client_secret_basic",)),
        revocation_endpoint_auth_methods_supported=texts("revocation_endpoint_auth_methods_supported"),
        grant_types_supported=texts("grant_types_supported", ("authorization_code", "implicit")),
        scopes_supported=texts("scopes_supported"),
        scopes_of_provider=texts("scopes_supported"),
        code_challenge_methods_supported=texts("code_challenge_methods_supported"),
        dpop_signing_alg_values_supported=texts("dpop_signing_alg_values_supported"),
        id_token_signing_alg_values_supported=texts("id_token_signing_alg_values_supported"),
        authorization_response_iss_parameter_supported=(
            content.get("authorization_response_iss_parameter_supported") is True
        ),
        require_pushed_authorization_requests=content.get("require_pushed_authorization_requests") is True,
        client_id_metadata_document_supported=content.get("client_id_metadata_document_supported") is True,
        is_atproto="atproto" in texts("scopes_supported")
        and content.get("client_id_metadata_document_supported") is True,
        authorization_details_types_supported=texts("authorization_details_types_supported"),
        acr_values_supported=texts("acr_values_supported"),
        found_by=(found_by,),
    )


# the order in which a client with a secret authenticates itself, the best first
_PREFERRED = ("client_secret_basic", "client_secret_post", "client_secret_jwt")


def fields_of(metadata: ProviderMetadata) -> dict[str, Any]:
    """The fields of a secret that the metadata fills in; the client authentication is left to what the user has."""
    fields: dict[str, Any] = {name: url for name, url in metadata.endpoints.items() if name != "registration_endpoint"}
    if metadata.issuer is not None:
        fields["issuer"] = metadata.issuer
    fields["authorization_response_iss_parameter_supported"] = metadata.authorization_response_iss_parameter_supported
    if symmetric := [name for name in metadata.id_token_signing_alg_values_supported if name.startswith("HS")]:
        fields["id_token_signing_alg_values_supported"] = symmetric
    if metadata.api:
        fields["base_url"] = metadata.api
    if metadata.resource and not metadata.is_atproto:  # whose tokens are for the account's data server only
        fields["resource"] = [metadata.resource]
    if scope := _scope_of_api(metadata):
        fields["scope"] = scope
    if metadata.fhir_base_url:
        # SMART App Launch, 2.1: which FHIR server the token is for, so that it is given to no other
        fields["authorization_parameters"] = {"aud": metadata.fhir_base_url}
    if metadata.is_atproto:
        fields |= _atproto_fields(metadata)
    with_secret = [method for method in _PREFERRED if method in metadata.token_endpoint_auth_methods_supported]
    if with_secret and with_secret[0] != "client_secret_basic":
        fields["token_endpoint_auth_method"] = with_secret[0]
    return fields


def _scope_of_api(metadata: ProviderMetadata) -> str:
    """What the API asks for, and what brings a refresh token where the provider knows it (MCP, scope selection)."""
    scopes = metadata.resource_scope.split()
    if scopes and "offline_access" in metadata.scopes_of_provider:
        scopes.append("offline_access")
    return " ".join(dict.fromkeys(scopes))


def _atproto_fields(metadata: ProviderMetadata) -> dict[str, Any]:
    """What atproto's profile demands: tokens bound to a key, its scope, and one account where one was named."""
    fields: dict[str, Any] = {"dpop": True, "scope": "atproto"}
    if "transition:generic" in metadata.scopes_supported:
        fields["scope"] = "atproto transition:generic"
    if metadata.account:
        fields |= {"authorization_parameters": {"login_hint": metadata.account}, "subject": metadata.account_did}
    return fields


def client_for(metadata: ProviderMetadata, redirect_uris: Sequence[str], *, scope: str, hosted: str) -> dict[str, Any]:
    """The client ID that needs no registration: that of a document somebody hosts, or atproto's for this machine.

    `hosted` is the address of the document; empty if there is none. Empty where the provider takes neither.
    """
    if metadata.client_id_metadata_document_supported and hosted:
        return {"client_id": hosted, "token_endpoint_auth_method": "none"}
    local = [uri for uri in redirect_uris if is_loopback(urlsplit(uri).hostname or "")]
    if metadata.is_atproto and local:
        return {"client_id": localhost_client_id(local, scope), "token_endpoint_auth_method": "none"}
    return {}


def hosts_of(metadata: ProviderMetadata) -> list[str]:
    """The hosts of all endpoints and of the API: shown before anything is saved."""
    return sorted({urlsplit(url).netloc for url in [*metadata.endpoints.values(), metadata.api or ""] if url})
