"""What `jupyter flowlet probe` says: what a provider's metadata offers, and what this client does with it.

Lines of a Markdown table, for a terminal and for a bug report. Nothing but the metadata is asked for.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator, Mapping

from flowlet_jupyter.errors import printable
from flowlet_jupyter.model.oauth2 import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    JWT_BEARER,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
)
from flowlet_jupyter.oauth.dpop import ALGORITHM as DPOP_ALGORITHM
from flowlet_jupyter.oauth.id_token import can_check
from flowlet_jupyter.oauth.metadata import ProviderMetadata, fields_of, hosts_of

_MAX_ENTRIES = 12
_MAX_CHARACTERS = 100
_NO = "no"
_GRANTS: Mapping[str, str] = {
    AUTHORIZATION_CODE: "in the browser",
    DEVICE_CODE: "by a code on another device",
    REFRESH_TOKEN: "renews the access token",
    CLIENT_CREDENTIALS: "for the client itself",
    JWT_BEARER: "with a private key",
    TOKEN_EXCHANGE: "for another token",
    PASSWORD: "only where nothing else is offered",
}


def probe_lines(metadata: ProviderMetadata) -> Iterator[str]:
    """The table, line by line. Text of the provider is limited, and escaped for a terminal and for Markdown."""
    yield _row("", "The provider offers", f"flowlet-jupyter {importlib.metadata.version('flowlet-jupyter')}")
    yield "|---|---|---|"
    yield _row("Discovery", _texts(metadata.found_by), _discovery(metadata))
    yield _row("Hosts", _texts(hosts_of(metadata)), "shows these before the secret is saved")
    yield _row("Grants", _texts(metadata.grant_types_supported), _grants(metadata))
    yield _row("PKCE", _texts(metadata.code_challenge_methods_supported), _pkce(metadata))
    yield _row("Pushed authorization requests", _offer(metadata, "pushed_authorization_request_endpoint",
                                                       metadata.require_pushed_authorization_requests), _par(metadata))  # fmt: skip
    yield _row("`iss` in the response", _yes(metadata.authorization_response_iss_parameter_supported), _iss(metadata))
    yield _row("DPoP", _texts(metadata.dpop_signing_alg_values_supported), _dpop(metadata))
    yield _row(
        "Client authentication",
        _texts(metadata.token_endpoint_auth_methods_supported),
        _client_authentication(metadata),
    )
    if metadata.resource_scope:
        yield _row("Scope of the API", _texts(metadata.resource_scope.split()), "fills it in")
    if types := metadata.authorization_details_types_supported:
        yield _row(
            "Rich authorization requests",
            _texts(types),
            "sends `authorization_details` of the secret's authorization parameters",
        )
    if values := metadata.acr_values_supported:
        yield _row(
            "Kinds of login",
            _texts(values),
            "asks for one where an API wants it: `%flowlet_secret NAME --connect --acr-values X`",
        )
    yield _row("ID token", _texts(metadata.id_token_signing_alg_values_supported), _id_token(metadata))
    yield _row(
        "Userinfo",
        _offer(metadata, "userinfo_endpoint"),
        "is asked for a name"
        if "userinfo_endpoint" in metadata.endpoints
        else "shows no name, but that of an ID token",
    )
    yield _row("Revocation", _offer(metadata, "revocation_endpoint"), _revocation(metadata))
    yield _row(
        "Introspection",
        _offer(metadata, "introspection_endpoint"),
        "asks whether a token is active: `jupyter flowlet status NAME --ask`"
        if "introspection_endpoint" in metadata.endpoints
        else "cannot ask",
    )
    yield _row("Registration", _registration_offer(metadata), _registration(metadata))


def _discovery(metadata: ProviderMetadata) -> str:
    issuer = f"issuer {_text(metadata.issuer)}" if metadata.issuer else "no issuer: who the user is cannot be proven"
    return f"{issuer}; API {_text(metadata.api)}" if metadata.api else issuer


def _grants(metadata: ProviderMetadata) -> str:
    offered = {grant for grant in metadata.grant_types_supported if grant in _GRANTS}
    notes = []
    # some providers leave out what they have an endpoint for, or name what they have none for
    if "authorization_endpoint" not in metadata.endpoints and AUTHORIZATION_CODE in offered:
        offered.remove(AUTHORIZATION_CODE)
        notes.append("authorization_code has no endpoint")
    if "authorization_endpoint" in metadata.endpoints and AUTHORIZATION_CODE not in offered:
        notes.append("authorization_code is not named, though it has an endpoint")
    if "device_authorization_endpoint" in metadata.endpoints:
        offered.add(DEVICE_CODE)
    used = [f"{grant.rpartition(':')[2]} {how}" for grant, how in _GRANTS.items() if grant in offered]
    return "; ".join(used + notes) or "no grant of these"


def _pkce(metadata: ProviderMetadata) -> str:
    methods = metadata.code_challenge_methods_supported
    if not methods:
        return "sends S256, which a server that does not know it ignores"
    return "sends S256" if "S256" in methods else "sends S256, which is not among these: the request may be refused"


def _par(metadata: ProviderMetadata) -> str:
    if "pushed_authorization_request_endpoint" in metadata.endpoints:
        return "pushes the request"
    return "cannot push what is demanded" if metadata.require_pushed_authorization_requests else "sends it in the URL"


def _iss(metadata: ProviderMetadata) -> str:
    if not metadata.authorization_response_iss_parameter_supported:
        return "checks it where it comes"
    return "checks it, and refuses a response without it"


def _dpop(metadata: ProviderMetadata) -> str:
    algorithms = metadata.dpop_signing_alg_values_supported
    if not algorithms:
        return "uses bearer tokens"
    if DPOP_ALGORITHM in algorithms and metadata.is_atproto:
        return f"binds tokens to a key ({DPOP_ALGORITHM}), as atproto demands"
    if DPOP_ALGORITHM in algorithms:
        return f"binds tokens to a key ({DPOP_ALGORITHM}) where the secret's `dpop` is on"
    return f"has {DPOP_ALGORITHM} only: leave the secret's `dpop` off"


def _client_authentication(metadata: ProviderMetadata) -> str:
    methods = metadata.token_endpoint_auth_methods_supported
    if metadata.is_atproto:
        return (
            "as a public client: none; with a private key, whose public half is in a hosted document: private_key_jwt"
        )
    with_secret = fields_of(metadata).get("token_endpoint_auth_method", "client_secret_basic")
    ways = [f"with a client secret: {with_secret}"]
    if with_secret == "client_secret_basic":
        ways.append("client_secret_post where that is refused")
    for method, client in (
        ("private_key_jwt", "with a private key"),
        ("tls_client_auth", "with a certificate"),
        ("none", "as a public client"),
    ):
        if method in methods:
            ways.append(f"{client}: {method}")
    return "; ".join(ways)


def _id_token(metadata: ProviderMetadata) -> str:
    algorithms = metadata.id_token_signing_alg_values_supported
    checked = [name for name in algorithms if can_check(name, metadata.id_token_signing_alg_values_supported)]
    if metadata.is_atproto:
        return "needs none: the account's own document proves whose tokens they are"
    if not algorithms:
        return "asks for none"
    if not checked:
        return "can check none of these: identity is not proven, the access token works"
    if "jwks_uri" not in metadata.endpoints and not any(name.startswith("HS") for name in checked):
        return "knows no keys to check it with: identity is not proven, the access token works"
    return f"checks {_texts(checked)}"


def _revocation(metadata: ProviderMetadata) -> str:
    if "revocation_endpoint" in metadata.endpoints:
        return "ends refresh token and access token"
    return "forgets tokens, and cannot end them at the provider"


def _registration_offer(metadata: ProviderMetadata) -> str:
    offers = ["dynamic (RFC 7591)"] if "registration_endpoint" in metadata.endpoints else []
    if metadata.client_id_metadata_document_supported:
        offers.append("client ID metadata document")
    return ", ".join(offers) or _NO


def _registration(metadata: ProviderMetadata) -> str:
    if "registration_endpoint" in metadata.endpoints:
        document = (
            "; takes the address of a hosted document too" if metadata.client_id_metadata_document_supported else ""
        )
        return f"registers a client where one asks for it; some providers want an account for that{document}"
    if metadata.is_atproto:
        return "needs none: on this machine the client ID says what the client is; on a hub, the address of a hosted document"
    if metadata.client_id_metadata_document_supported:
        return "takes the address of a document that you host: `jupyter flowlet client-metadata URL`"
    return "needs a client ID from the provider"


def _offer(metadata: ProviderMetadata, endpoint: str, is_required: bool = False) -> str:  # noqa: FBT001, FBT002 - private
    return ("yes" if endpoint in metadata.endpoints else _NO) + (", required" if is_required else "")


def _yes(value: bool) -> str:  # noqa: FBT001 - private
    return "yes" if value else _NO


def _texts(entries: Iterable[str]) -> str:
    listed = list(entries)
    shown = ", ".join(_text(entry) for entry in listed[:_MAX_ENTRIES])
    more = f", and {len(listed) - _MAX_ENTRIES} more" if len(listed) > _MAX_ENTRIES else ""
    return f"{shown}{more}" or "none named"


def _text(text: str | None) -> str:
    """Text of the provider: of limited length, and neither control sequences nor Markdown or HTML."""
    short = text or ""
    short = short if len(short) <= _MAX_CHARACTERS else f"{short[:_MAX_CHARACTERS]}…"
    return "".join(f"\\{each}" if each in "\\`*[]<>|!~&@#" else each for each in printable(short))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
