"""The documents that providers publish, and which address may lead to which."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flowlet_jupyter.errors import DiscoveryFailed, InvalidSecret, ProviderError
from flowlet_jupyter.model.fields import checked_endpoint
from flowlet_jupyter.oauth.endpoint import EndpointResponse, send
from flowlet_jupyter.settings.addresses import is_public


def document_at(url: str) -> dict[str, Any]:
    """The JSON object at `url`, empty if there is none. Raises `DiscoveryFailed` if the server does not answer."""
    response = asked(url)
    return dict(response.members) if response is not None and response.status == 200 else {}


def asked(url: str) -> EndpointResponse | None:
    """What a GET of `url` gives, None if it cannot be read. Raises `DiscoveryFailed` if the server does not answer."""
    try:
        return send("GET", url, failed=url)
    except ProviderError as error:
        if error.is_temporary:  # a server that does not answer says nothing of where its metadata is
            raise DiscoveryFailed(str(error)) from None
        return None


def checked_lead(address: str, url: str) -> str:
    """`url`, which the server at `address` named, if it may be asked. Raises `InvalidSecret`.

    A server elsewhere does not make this machine ask itself, nor another one in its network.
    """
    checked = checked_endpoint(url, "issuer")
    if not is_public(checked) and is_public(address):
        raise InvalidSecret(
            f"{address} leads to {origin_of(checked)}, inside this machine or network, which it cannot know. It was not "
            "followed; if that address is right, give it yourself.",
            field="issuer",
        )
    return checked


def origin_of(url: str) -> str:
    """Scheme, host and port of `url`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def hosted_document(url: str) -> tuple[dict[str, Any], str]:
    """The client metadata document that stands at `url`, and what is wrong with how it is served; empty if nothing is."""
    try:
        response = send("GET", url, failed=url)
    except ProviderError as error:
        return {}, str(error).rstrip(".")
    if response.status != 200:
        return {}, f"it answers with HTTP {response.status}; a provider follows no redirect, and takes 200 only"
    if not isinstance(response.content, dict):
        return {}, "it is no JSON object"
    media_type = str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        return response.content, f"its Content-Type is {media_type[:50] or 'missing'}, not application/json"
    return response.content, ""
