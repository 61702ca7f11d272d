"""One bounded request to an endpoint of a provider: it ends, it is not redirected, and what goes wrong has a name.

Call these through `apart.start_apart`: their frames hold codes, client secrets and tokens in clear.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

import httpx

from flowlet_jupyter.errors import InvalidSecret, ProviderError
from flowlet_jupyter.oauth import dpop
from flowlet_jupyter.oauth.client_auth import Parameters, authenticate
from flowlet_jupyter.oauth2 import OAuth2
from flowlet_jupyter.secret_value import SecretValue

TIMEOUT = httpx.Timeout(20.0, connect=10.0)
DEADLINE_SECONDS = 40.0  # for the whole answer: a server that drips bytes never meets a read timeout
MAX_ANSWER_BYTES = 1_000_000


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered; `content` is the JSON (or form) in its body, None if there is neither."""

    status: int
    headers: Mapping[str, str]
    content: Any

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
) -> Answer:
    """Send one request. Raises `ProviderError`, its message beginning with `failed`, if there is no answer to read."""
    try:
        with httpx.Client(
            timeout=TIMEOUT,
            follow_redirects=False,  # the client secret would go with it
            event_hooks={"response": [_limit]},
            verify=_ssl_context(certificate),
        ) as session:
            response = session.request(
                method, url, headers={"Accept": "application/json", **(headers or {})}, content=content
            )
            return Answer(response.status_code, response.headers, _content(response))
    except httpx.TimeoutException:
        raise ProviderError(f"{failed} did not answer in time. Try again later.", is_temporary=True) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise ProviderError(
            f"{failed} could not be reached ({type(error).__name__}). Check its address and the network.",
            is_temporary=True,
        ) from None


def send_as_client(
    secret: OAuth2,
    url: str,
    parameters: Parameters,
    *,
    failed: str,
    method: str = "POST",
    dpop_key: SecretValue | None = None,
) -> Answer:
    """Send `parameters` with the client's authentication, and a DPoP proof if there is a key. Raises `ProviderError`."""
    switches = secret.compliance
    answer = None
    for _ in range(2):
        headers = dict(switches.token_headers)
        authenticated = list(parameters)
        authenticate(secret, authenticated, headers)
        if dpop_key is not None:
            headers["DPoP"] = dpop.proof(dpop_key, method, url)
        content: bytes | None = None
        target = url
        if method == "GET":
            target = f"{url}{'&' if '?' in url else '?'}{urlencode(authenticated)}"
        elif switches.token_request == "json":
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
        answer = send(method, target, failed=failed, headers=headers, content=content, certificate=certificate)
        is_new = dpop_key is not None and dpop.remember_nonce(url, answer.headers.get("DPoP-Nonce"))
        if not (is_new and answer.members.get("error") == "use_dpop_nonce"):  # RFC 9449, 8
            break
    assert answer is not None  # noqa: S101 - the loop runs
    return _without_what_was_sent(answer, authenticated, secret)


# what a provider may repeat in its error: everything else that is sent is a value, or proves one
_NO_VALUES = frozenset({"grant_type", "client_id", "redirect_uri", "scope", "resource", "token_type_hint", "username",
                        "subject_token_type", "client_assertion_type", "response_type"})  # fmt: skip
_SHORTEST_VALUE = 6


def _without_what_was_sent(answer: Answer, parameters: Parameters, secret: OAuth2) -> Answer:
    """`answer`, its error texts without the values of the request, which some providers repeat in them."""
    if not answer.members or "access_token" in answer.members:
        return answer
    sent = {value for name, value in parameters if name not in _NO_VALUES and len(value) >= _SHORTEST_VALUE}
    if secret.client_secret and len(secret.client_secret.reveal()) >= _SHORTEST_VALUE:
        sent.add(secret.client_secret.reveal())
    sent |= {quote_plus(value) for value in sent}  # as the form had them

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(inner) for key, inner in value.items()}
        if isinstance(value, str):
            for text in sent:
                value = value.replace(text, "(value)")
        return value

    return dataclasses.replace(answer, content=clean(answer.content))


@functools.lru_cache(maxsize=8)
def _ssl_context(certificate: tuple[str, str | None] | None) -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    if certificate is not None:
        try:
            context.load_cert_chain(*certificate)
        except (OSError, ssl.SSLError):
            raise InvalidSecret(
                f"The client's certificate {certificate[0]} or its key cannot be read.", field="client_certificate_file"
            ) from None
    return context


def _content(response: httpx.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        pass
    # what GitHub answers to a request without Accept, and some others to every request
    if response.headers.get("content-type", "").startswith(("application/x-www-form-urlencoded", "text/plain")):
        return dict(parse_qsl(response.text)) or None
    return None


class _LimitedStream(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        size, deadline = 0, time.monotonic() + DEADLINE_SECONDS
        for chunk in self._stream:
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                raise httpx.ReadError("the answer is too large")
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer takes too long")
            yield chunk

    def close(self) -> None:
        self._stream.close()


def _limit(response: httpx.Response) -> None:
    if isinstance(response.stream, httpx.SyncByteStream):
        response.stream = _LimitedStream(response.stream)
