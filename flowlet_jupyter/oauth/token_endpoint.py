"""The only caller of token endpoints: code exchange and refresh (RFC 6749, 4.1.3 and 6).

Call these through `apart.start_apart`: their frames hold codes and tokens in clear.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.client import OAuth2Client

from flowlet_jupyter.errors import TokenEndpointError
from flowlet_jupyter.oauth.client_auth import HttpxClientAuth, encode_client_secret_basic
from flowlet_jupyter.secret import OAuth2, SecretValue, TokenSet

TIMEOUT = httpx.Timeout(20.0, connect=10.0)
DEADLINE_SECONDS = 40.0  # for the whole answer: a server that drips bytes never meets a read timeout
MAX_ANSWER_BYTES = 1_000_000
_FAR_FUTURE_SECONDS = 100 * 365 * 86400.0

# RFC 6749, 5.2: what usually causes the error, and where to look
_HINTS = {
    "invalid_client": "Check client ID and client secret, and try another client authentication (client_secret_post?).",
    "invalid_grant": "The code or refresh token was used, revoked or has expired. Request the access token again.",
    "invalid_request": "The provider misses a parameter; check that the redirect URI is the registered one.",
    "invalid_scope": "The provider does not know one of the scopes; check their spelling.",
    "unauthorized_client": "The client is not allowed this grant; allow it in the provider's settings of the app.",
    "unsupported_grant_type": "The provider does not offer this grant at this token endpoint; check its address.",
}


class _Client(OAuth2Client):  # type: ignore[misc]  # Authlib has no type hints
    client_auth_class = HttpxClientAuth

    answer: dict[str, Any]

    def parse_response_token(self, resp: httpx.Response) -> dict[str, Any]:
        """Keep the answer as it came; Authlib's own token object fails on an `expires_in` that is no integer."""
        if resp.status_code >= 500:
            resp.raise_for_status()
        try:
            answer = resp.json()
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            resp.raise_for_status()
            raise ValueError("not a JSON object")  # noqa: TRY004 - as Authlib does; the caller makes one error of both
        if "error" in answer:
            raise OAuth2Error(error=answer["error"], description=answer.get("error_description"))
        self.token: dict[str, Any] = {}  # where Authlib puts a refresh token that was kept
        self.answer = answer
        return answer


def exchange_code(secret: OAuth2, *, code: SecretValue, code_verifier: SecretValue, redirect_uri: str) -> TokenSet:
    """The token set for an authorization code. Raises `TokenEndpointError`."""
    return _request_token(
        secret,
        lambda client: client.fetch_token(
            secret.token_endpoint,
            grant_type="authorization_code",
            code=code.reveal(),
            code_verifier=code_verifier.reveal(),
            redirect_uri=redirect_uri,
        ),
        kept_refresh_token=None,
        asked_scope=secret.scope,
    )


def refresh(secret: OAuth2, *, token_set: TokenSet) -> TokenSet:
    """A new token set for the refresh token of `token_set`; an old one that is not replaced is kept.

    `scope` is not sent: leaving it out asks for what was granted (RFC 6749, 6), where sending what was once asked
    fails if the user granted less. Raises `TokenEndpointError`.
    """
    refresh_token = token_set.refresh_token
    if refresh_token is None:
        raise TokenEndpointError(f"Secret '{secret.name}' has no refresh token.")
    return _request_token(
        secret,
        lambda client: client.refresh_token(secret.token_endpoint, refresh_token=refresh_token.reveal()),
        kept_refresh_token=refresh_token,
        asked_scope=token_set.scope,
    )


def _request_token(
    secret: OAuth2,
    call: Callable[[OAuth2Client], Any],
    *,
    kept_refresh_token: SecretValue | None,
    asked_scope: str,
) -> TokenSet:
    started = time.time()  # before the call: the lifetime counts from when the provider made the token
    failed = f"Secret '{secret.name}': the token endpoint {secret.token_endpoint}"
    with httpx.Client(timeout=TIMEOUT, follow_redirects=False, event_hooks={"response": [_limit]}) as session:
        client = _Client(
            session,
            client_id=secret.client_id,
            client_secret=secret.client_secret.reveal() if secret.client_secret else None,
            token_endpoint_auth_method=secret.token_endpoint_auth_method,
        )
        client.register_client_auth_method(("client_secret_basic", encode_client_secret_basic))
        try:
            call(client)
        except OAuth2Error as error:
            code = str(error.error or "")[:100]
            said = f": {str(error.description)[:300]}" if error.description else ""
            raise TokenEndpointError(
                f"{failed} answered {code}{said}. {_HINTS.get(code, 'See the provider’s documentation.')}", error=code
            ) from None
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            raise TokenEndpointError(
                f"{failed} answered with HTTP {status}, not with a token. "
                + ("Try again later." if status >= 500 or status == 429 else "Check its address.")
            ) from None
        except httpx.TimeoutException:
            raise TokenEndpointError(f"{failed} did not answer in time. Try again later.") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise TokenEndpointError(
                f"{failed} could not be reached ({type(error).__name__}). Check its address and the network."
            ) from None
        except (ValueError, TypeError):
            raise TokenEndpointError(f"{failed} did not answer with a JSON object. Check its address.") from None
    return _token_set(client.answer, failed, started, kept_refresh_token=kept_refresh_token, asked_scope=asked_scope)


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


def _token_set(
    answer: dict[str, Any],
    failed: str,
    started: float,
    *,
    kept_refresh_token: SecretValue | None,
    asked_scope: str,
) -> TokenSet:
    access_token = answer.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise TokenEndpointError(f"{failed} answered without an access token.")
    if not access_token.isascii() or not access_token.isprintable() or " " in access_token:
        raise TokenEndpointError(f"{failed} answered with an access token that cannot be sent in a header.")
    token_type = answer.get("token_type")
    # some providers leave it out or write it in capitals; another type needs another way of sending (RFC 6749, 7.1)
    if isinstance(token_type, str) and token_type.lower() in {"mac", "dpop", "pop"}:
        raise TokenEndpointError(f"{failed} answered with a token of type {token_type}, which is not supported.")
    refresh_token = answer.get("refresh_token")
    scope = answer.get("scope")
    lifetime = _lifetime(answer.get("expires_in"))
    return TokenSet(
        access_token=SecretValue(access_token),
        refresh_token=(
            SecretValue(refresh_token) if isinstance(refresh_token, str) and refresh_token else kept_refresh_token
        ),
        scope=" ".join(scope.split()) if isinstance(scope, str) and scope.strip() else asked_scope,
        obtained_at=started,
        expires_at=None if lifetime is None else started + lifetime,
    )


def _lifetime(expires_in: object) -> float | None:
    """The lifetime in seconds; None where it is missing, 0, negative or no number: a 401 then tells the end."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return None
    try:
        seconds = float(expires_in)
    except ValueError:
        return None
    return min(seconds, _FAR_FUTURE_SECONDS) if math.isfinite(seconds) and seconds > 0 else None
