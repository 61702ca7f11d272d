"""Client authentication at the token endpoint (RFC 6749, 2.3), for Authlib's client over httpx."""

from __future__ import annotations

import base64
from collections.abc import Generator
from typing import Any
from urllib.parse import quote_plus

import httpx
from authlib.oauth2.auth import ClientAuth


class HttpxClientAuth(httpx.Auth, ClientAuth):  # type: ignore[misc]  # Authlib has no type hints
    """Authlib's client authentication as an `httpx.Auth`: without it httpx refuses Authlib's object."""

    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request as the client authentication method prepares it."""
        headers: dict[str, Any] = dict(request.headers)
        headers.pop("content-length", None)  # the body may grow; httpx counts it again
        url, headers, body = self.prepare(request.method, str(request.url), headers, request.content.decode())
        yield httpx.Request(request.method, url, headers=headers, content=body, extensions=request.extensions)


def encode_client_secret_basic(client: Any, _method: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
    """HTTP Basic with both parts form-encoded first, as RFC 6749, 2.3.1 asks (Authlib's own leaves that out)."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return uri, headers, body
