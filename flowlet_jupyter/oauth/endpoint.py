"""One bounded request to an endpoint of a provider: it ends, it is not redirected, and what goes wrong has a name.

What is sent as a client is shielded: the frames hold codes, client secrets and tokens in clear.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import html
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx

from flowlet_jupyter.errors import InvalidSecret, ProviderError
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.redaction import SentValues
from flowlet_jupyter.model.tokens import NOTHING_ACCEPTED, Accepted
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth import dpop
from flowlet_jupyter.oauth.bounded_request import bounded_request
from flowlet_jupyter.oauth.client_auth import (
    ClientAuthentication,
    Parameters,
    authenticate,
    is_client_refused,
    name_of,
    ways_to_authenticate,
)
from flowlet_jupyter.session.shielded import shielded
from flowlet_jupyter.settings.network import NetworkTransport, certificate_advice, tls_context

TIMEOUT = httpx.Timeout(20.0, connect=10.0)
_MAX_TEXT_BYTES = 2048
DEADLINE_SECONDS = 40.0  # from connect to the last byte: a server that drips bytes never meets a read timeout


@dataclass(frozen=True)
class EndpointResponse:
    """What an endpoint sent; `content` is the JSON (or form) in its body, None if there is neither."""

    status: int
    headers: Mapping[str, str]
    content: Any
    # how the client authenticated itself in the end, for those who remember what worked
    authentication: ClientAuthentication | None = None
    text: str | None = None  # of a plain text

    @property
    def accepted(self) -> Accepted:
        """What is to be remembered, where the provider took the client."""
        way = self.authentication
        return NOTHING_ACCEPTED if way is None else Accepted(name_of(way), way.audience)

    @property
    def members(self) -> dict[str, Any]:
        """The JSON object of the body, empty if it is something else."""
        return self.content if isinstance(self.content, dict) else {}


def send(
    method: str,
    url: str,
    *,
    failed: str,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    certificate: tuple[str, str | None] | None = None,
) -> EndpointResponse:
    """Send one request. Raises `ProviderError`, its message beginning with `failed`, if there is no response to read.

    The error is temporary (`is_temporary`) where the network or the time was to blame. Whoever gives it a value, in a
    header or in `content`, is shielded itself.
    """
    try:
        response = bounded_request(
            # redirects are not followed: the client secret would go with them
            lambda: httpx.Client(
                timeout=TIMEOUT, transport=NetworkTransport(_ssl_context(certificate)), trust_env=False
            ),
            method,
            url,
            headers={"Accept": "application/json", **(headers or {})},
            content=content,
            seconds=DEADLINE_SECONDS,
        )
    except httpx.TimeoutException:
        raise ProviderError(f"{failed} did not answer in time. Try again later.", is_temporary=True) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        advice = certificate_advice(error) or "Check its address and the network."
        raise ProviderError(
            f"{failed} could not be reached ({type(error).__name__}). {advice}",
            is_temporary=isinstance(error, httpx.TransportError),
        ) from None
    is_text = response.status == 200 and str(response.headers.get("content-type", "")).startswith("text/plain")
    text = response.content[:_MAX_TEXT_BYTES].decode("utf-8", "replace") if is_text else None
    return EndpointResponse(response.status, response.headers, _content(response.content), text=text)


@shielded("request to an endpoint")
def send_as_client(
    secret: OAuth2,
    url: str,
    parameters: Parameters,
    *,
    failed: str,
    method: str = "POST",
    dpop_key: SecretValue | None = None,
    accepted: Accepted = NOTHING_ACCEPTED,
) -> EndpointResponse:
    """Send `parameters` with the client's authentication, and a DPoP proof if there is a key. Raises `ProviderError`.

    `accepted` is what worked before. Where the provider refuses the client, the other ways that nobody ruled out are
    tried once; the response says which one was used. It is the first one if none is taken: that is the one about what
    the user chose.
    """
    refused: EndpointResponse | None = None
    for authentication in ways_to_authenticate(secret, accepted):
        response = _send_authenticated(
            secret, url, parameters, authentication, failed=failed, method=method, dpop_key=dpop_key
        )
        response = dataclasses.replace(response, authentication=authentication)
        if not is_client_refused(response.status, response.members):
            return response
        refused = refused or response
    assert refused is not None  # noqa: S101 - there is always a way
    return refused


def _send_authenticated(
    secret: OAuth2,
    url: str,
    parameters: Parameters,
    authentication: ClientAuthentication,
    *,
    failed: str,
    method: str,
    dpop_key: SecretValue | None,
) -> EndpointResponse:
    compliance = secret.compliance
    for is_last in (False, True):
        headers = dict(compliance.token_headers)
        authenticated = list(parameters)
        authenticate(secret, authenticated, headers, authentication)
        if dpop_key is not None:
            headers["DPoP"] = dpop.dpop_proof(dpop_key, method, url)
        content: bytes | None = None
        target = url
        if method == "GET":
            target = f"{url}{'&' if '?' in url else '?'}{urlencode(authenticated)}"
        elif compliance.token_request == "json":
            headers["Content-Type"] = "application/json"
            content = json.dumps(dict(authenticated)).encode()
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            content = urlencode(authenticated).encode()
        certificate = (
            (secret.client_certificate_file, secret.client_key_file)
            if secret.token_endpoint_auth_method == "tls_client_auth" and secret.client_certificate_file
            else None
        )
        response = send(method, target, failed=failed, headers=headers, content=content, certificate=certificate)
        is_new = dpop_key is not None and dpop.remember_nonce(url, response.headers.get("DPoP-Nonce"))
        if is_last or not (is_new and response.members.get("error") == "use_dpop_nonce"):  # RFC 9449, 8
            break
    return _without_what_was_sent(response, authenticated, headers, secret)


# what a provider may repeat in its error: everything else that is sent is a value, or proves one
_NO_VALUES = frozenset({"grant_type", "client_id", "redirect_uri", "scope", "resource", "token_type_hint", "username",
                        "subject_token_type", "client_assertion_type", "response_type"})  # fmt: skip


def _without_what_was_sent(
    response: EndpointResponse, parameters: Parameters, headers: Mapping[str, str], secret: OAuth2
) -> EndpointResponse:
    """`response`, its error texts without the values of the request, which some providers repeat in them."""
    if not response.members or "access_token" in response.members:
        return response
    values = [value for name, value in parameters if name not in _NO_VALUES]
    # the pair of RFC 6749, 2.3.1 has the client secret URL-encoded, and then in base64
    values += [headers[name].rpartition(" ")[2] for name in ("Authorization", "DPoP") if name in headers]
    sent = SentValues(map(SecretValue, values), holders=(secret,))

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [clean(inner) for inner in value]
        return sent.redact(value) if isinstance(value, str) else value

    return dataclasses.replace(response, content=clean(response.content))


@functools.lru_cache(maxsize=8)
def _ssl_context(certificate: tuple[str, str | None] | None) -> ssl.SSLContext:
    try:
        return tls_context(certificate)
    except (OSError, ssl.SSLError):
        named = certificate[0] if certificate else ""
        raise InvalidSecret(
            f"The client's certificate {named} or its key cannot be read.", field="client_certificate_file"
        ) from None


# one way to match: a repetition in which `&` could also be part of a value takes exponential time for what is no form
_FORM = re.compile(r"[\w.\-\[\]%]+=[^\s<>{}]*")
# Shopify says in a page what is wrong, in its title without the description
_ERROR_IN_A_PAGE = re.compile(r"\bOauth error ([a-z_]{1,60})(?:: ([^<>]{1,300}))?", re.IGNORECASE)


def _content(body: bytes) -> Any:
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(body)
    # GitHub sends a form to a request without Accept, others to every request, and Deezer calls it text/html
    text = body.decode("utf-8", "replace").strip()
    if _FORM.fullmatch(text):
        return dict(parse_qsl(text)) or None
    found = [match.groups() for match in _ERROR_IN_A_PAGE.finditer(text)] if text.startswith("<") else []
    code, description = max(found, key=lambda groups: bool(groups[1]), default=("", ""))
    return {"error": code, "error_description": html.unescape(description or "")} if code else None
