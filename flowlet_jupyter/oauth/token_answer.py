"""Reading a token endpoint's answer (RFC 6749, 5.1 and 5.2), with what providers make of it. Pure."""

from __future__ import annotations

import datetime
import math
from typing import Any

from flowlet_jupyter.errors import TokenEndpointError
from flowlet_jupyter.oauth2 import OAuth2
from flowlet_jupyter.secret_value import SecretValue
from flowlet_jupyter.token_set import TokenSet

_FAR_FUTURE_SECONDS = 100 * 365 * 86400.0

# RFC 6749, 5.2 and RFC 8628, 3.5: what usually causes the error, and where to look
_HINTS = {
    "invalid_grant": "The code or refresh token was used, revoked or has expired. Request the access token again.",
    "invalid_request": "The provider misses a parameter; check that the redirect URI is the registered one.",
    "invalid_scope": "The provider does not know one of the scopes; check their spelling.",
    "unauthorized_client": "The client is not allowed this grant; allow it in the provider's settings of the app.",
    "unsupported_grant_type": "The provider does not offer this grant at this token endpoint; check its address.",
    "invalid_target": "The provider does not know the resource (RFC 8707); check its URI.",
    "invalid_dpop_proof": "The provider refused the proof of the key; check this machine's clock.",
    "access_denied": "Access was not allowed.",
    "expired_token": "The code was not entered in time. Request the access token again.",
}


def refusal(secret: OAuth2, answer: dict[str, Any], failed: str) -> TokenEndpointError | None:
    """The error that the answer says, whatever its HTTP status; None if it says none."""
    switches = secret.compliance
    said_error = answer.get("error")
    if not said_error and switches.ok_member:
        if str(answer.get(switches.ok_member)).lower() == switches.ok_value.lower():
            return None
        said_error = "refused"
    if not said_error:
        return None
    description = answer.get("error_description") or answer.get("message")
    if isinstance(said_error, dict):  # {"error": {"type": ..., "message": ...}}
        description = said_error.get("message") or description
        said_error = said_error.get("type") or said_error.get("code") or "error"
    code = str(said_error)[:100]
    said = f": {str(description)[:300]}" if description else ""
    return TokenEndpointError(f"{failed} answered {code}{said}. {_hint(secret, code)}", error=code)


def _hint(secret: OAuth2, code: str) -> str:
    if code == "invalid_client":
        tried = secret.token_endpoint_auth_method
        others = [method for method in ("client_secret_basic", "client_secret_post", "none") if method != tried]
        return (
            f"Check client ID and client secret; the client authentication was {tried}, "
            f"so try {' or '.join(others)} too."
        )
    return _HINTS.get(code, "See the provider’s documentation.")


def token_set_from(
    secret: OAuth2,
    answer: dict[str, Any],
    failed: str,
    started: float,
    *,
    kept_refresh_token: SecretValue | None = None,
    asked_scope: str = "",
    dpop_key: SecretValue | None = None,
) -> TokenSet:
    """The token set of `answer`, which came to a request sent at `started`. Raises `TokenEndpointError`."""
    switches = secret.compliance
    inner: Any = answer
    for member in filter(None, switches.token_member.split(".")):
        inner = inner.get(member) if isinstance(inner, dict) else None
    inner = inner if isinstance(inner, dict) else {}
    access_token = inner.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise TokenEndpointError(f"{failed} answered without an access token.")
    if not access_token.isascii() or not access_token.isprintable() or " " in access_token:
        raise TokenEndpointError(f"{failed} answered with an access token that cannot be sent in a header.")
    token_type = str(inner.get("token_type") or "").lower()
    # some providers leave it out or write it in capitals; another type needs another way of sending (RFC 6749, 7.1),
    # and "N_A" is no access token at all (RFC 8693, 2.2.1)
    if token_type in {"mac", "pop", "n_a"} or (token_type == "dpop" and dpop_key is None):
        raise TokenEndpointError(f"{failed} answered with a token of type {token_type}, which was not asked for.")
    refresh_token = inner.get("refresh_token")
    base_url = answer.get(switches.api_base_member) if switches.api_base_member else None
    return TokenSet(
        access_token=SecretValue(access_token),
        refresh_token=(
            SecretValue(refresh_token) if isinstance(refresh_token, str) and refresh_token else kept_refresh_token
        ),
        scope=_scope(inner.get("scope", inner.get("scopes")), asked_scope),
        obtained_at=started,
        expires_at=_expires_at(inner, started),
        # a provider that ignores the proof answers with a Bearer token (RFC 9449, 5)
        dpop_key=dpop_key if token_type == "dpop" else None,
        base_url=base_url if isinstance(base_url, str) and base_url.startswith("https://") else None,
    )


def _scope(granted: object, asked: str) -> str:
    """The scopes granted, separated by spaces; those asked for where the answer does not say (RFC 6749, 5.1)."""
    if isinstance(granted, list):
        granted = " ".join(str(entry) for entry in granted)
    if not isinstance(granted, str) or not granted.strip():
        return asked
    return " ".join(granted.replace(",", " ").split())


def _expires_at(answer: dict[str, Any], started: float) -> float | None:
    """When the access token ends, Unix time; None where it is not said or is no number: a 401 then tells the end."""
    seconds = _number(answer.get("expires_in", answer.get("expires")))
    if seconds is not None:
        return started + min(seconds, _FAR_FUTURE_SECONDS) if seconds > 0 else None
    absolute = answer.get("expires_at")
    moment = _number(absolute)
    if moment is None and isinstance(absolute, str):
        try:
            moment = datetime.datetime.fromisoformat(absolute).timestamp()
        except ValueError:
            return None
    return min(moment, started + _FAR_FUTURE_SECONDS) if moment is not None and moment > started else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
