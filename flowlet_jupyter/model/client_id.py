"""Client IDs that are addresses: of a document that somebody hosts, and atproto's for this machine. Pure.

draft-ietf-oauth-client-id-metadata-document, 2 and 4; https://atproto.com/specs/oauth, Localhost Client Development.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.fields import checked_endpoint
from flowlet_jupyter.model.hosts import is_loopback

_LOCALHOST = "http://localhost"


def localhost_client_id(redirect_uris: Iterable[str], scope: str) -> str:
    """The client ID of atproto's client of this machine: what its document would say stands in its query. Ports do not count."""
    paths = dict.fromkeys(f"http://127.0.0.1{urlsplit(uri).path or '/'}" for uri in redirect_uris)
    parameters = [("redirect_uri", uri) for uri in paths] + [("scope", " ".join(sorted(set(scope.split()))))]
    return f"{_LOCALHOST}?{urlencode(parameters, quote_via=quote)}"


def is_localhost_client(client_id: str) -> bool:
    """Whether this is atproto's client of this machine."""
    return client_id == _LOCALHOST or client_id.startswith((f"{_LOCALHOST}?", f"{_LOCALHOST}/?"))


def declared_redirect_uris(client_id: str) -> tuple[str, ...]:
    """The redirect URIs of atproto's client of this machine; any port of 127.0.0.1 is as good."""
    return tuple(parse_qs(urlsplit(client_id).query).get("redirect_uri", ["http://127.0.0.1/"]))


def with_scope(client_id: str, scope: str) -> str:
    """The same client ID, declaring `scope` too: what it does not declare, it may not ask for."""
    declared = parse_qs(urlsplit(client_id).query).get("scope", ["atproto"])[0].split()
    if set(scope.split()) <= set(declared):
        return client_id
    return localhost_client_id(declared_redirect_uris(client_id), " ".join([*declared, *scope.split()]))


def checked_document_url(url: str) -> str:
    """`url` if a client metadata document can stand there. Raises `InvalidSecret` (draft, 2)."""
    url = checked_endpoint(url, "client_id")
    parts = urlsplit(url)
    if parts.scheme != "https" or is_loopback(parts.hostname or ""):
        raise InvalidSecret(
            "A client metadata document stands at a public https:// address, which the provider can fetch.",
            field="client_id",
        )
    if parts.path in {"", "/"} or {".", ".."} & {
        part.replace("%2e", ".").replace("%2E", ".") for part in parts.path.split("/")
    }:
        raise InvalidSecret(
            "The address of a client metadata document has a path, such as https://example.org/flowlet.json, and no "
            "'.' or '..' in it.",
            field="client_id",
        )
    return url


def client_metadata(
    url: str,
    *,
    redirect_uris: Iterable[str],
    scope: str,
    client_name: str,
    dpop: bool,
    jwks: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The document to host at `url`; with `jwks` the client proves itself by a key, else it is a public one."""
    uris = list(dict.fromkeys(redirect_uris))
    document: dict[str, Any] = {
        "client_id": checked_document_url(url),
        "client_name": client_name,
        "application_type": "native" if any(uri.startswith("http://") for uri in uris) else "web",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "redirect_uris": uris,
        "token_endpoint_auth_method": "private_key_jwt" if jwks else "none",
    }
    if scope:
        document["scope"] = scope
    if dpop:
        document["dpop_bound_access_tokens"] = True
    if jwks:
        document["jwks"] = jwks
    return document


def problems_of(document: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What is wrong with a hosted `document`, in plain words; empty if a provider may take it as `expected`."""
    problems = []
    if document.get("client_id") != expected["client_id"]:
        problems.append(f"its client_id is not exactly {expected['client_id']}")
    hosted = document.get("redirect_uris")
    missing = [uri for uri in expected["redirect_uris"] if not isinstance(hosted, list) or uri not in hosted]
    problems += [f"its redirect_uris lack {uri}" for uri in missing]
    lacking = set(expected.get("scope", "").split()) - set(str(document.get("scope", "")).split())
    if lacking and "scope" in document:
        problems.append(f"its scope lacks {' '.join(sorted(lacking))}")
    if "client_secret" in document:
        problems.append("it holds a client_secret, which everybody can read")
    method = document.get("token_endpoint_auth_method", "client_secret_basic")
    if method != expected["token_endpoint_auth_method"]:
        problems.append(
            f"its token_endpoint_auth_method is {str(method)[:50]}, not {expected['token_endpoint_auth_method']}"
        )
    if expected.get("dpop_bound_access_tokens") and document.get("dpop_bound_access_tokens") is not True:
        problems.append("it does not say dpop_bound_access_tokens: true")
    return problems
