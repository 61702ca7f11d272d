"""Reading a token endpoint's response (RFC 6749, 5.1 and 5.2), with what providers make of it. Pure."""

from __future__ import annotations

import contextlib
import datetime
import math
import re
from email.utils import parsedate_to_datetime
from typing import Any

from flowlet_jupyter.errors import TokenEndpointError, printable
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.client_auth import CLIENT_ERRORS

_FAR_FUTURE_SECONDS = 100 * 365 * 86400.0

# RFC 6749, 5.2 and RFC 8628, 3.5: what usually causes the error, and where to look
_HINTS = {
    "invalid_grant": "The code or refresh token was used, revoked or has expired. Request the access token again.",
    "invalid_request": "The provider misses a parameter; check that the redirect URI is the registered one.",
    "invalid_scope": "The provider does not know one of the scopes; check their spelling.",
    "unauthorized_client": "The client is not allowed this grant; allow it in the provider's settings of the app.",
    "unsupported_grant_type": "The provider does not offer this grant at this token endpoint; check its address.",
    "invalid_target": "The provider does not know the resource (RFC 8707); check its URI.",
    "invalid_authorization_details": "The provider does not take these authorization_details (RFC 9396); check their type, "
    "and that the app may use it.",
    "unmet_authentication_requirements": "The provider cannot log in as acr_values or max_age ask for it.",
    "invalid_dpop_proof": "The provider refused the proof of the key; check this machine's clock.",
    "access_denied": "Access was not allowed.",
    "app_not_installed": "The app is not installed at the provider: install it there, and request the access token again.",
    "expired_token": "The code was not entered in time. Request the access token again.",
}


# codes that say "not now": the grant lives, and asking again helps
_TEMPORARY = frozenset({
    "temporarily_unavailable", "slow_down", "server_error", "rate_limited", "ratelimited", "rate_limit_exceeded",
    "too_many_requests", "internal_error", "service_unavailable", "timeout",
})  # fmt: skip
# what a provider describes that is asked too often, whatever it calls the error and whatever its status: Zoho "Access Denied",
# Exact Online "access_denied", Meta "OAuthException" as for everything
_ASKED_TOO_OFTEN = re.compile(r"too many requests|(?:rate|request) limit", re.IGNORECASE)
# Salesforce: another refresh of the same token is under way (an "invalid_grant"), or its "unknown_error"
_PASSES = re.compile(r"request is already being processed|retry your request", re.IGNORECASE)
# the request is wrong, and neither trying again nor a new consent helps
_REQUEST_IS_WRONG = CLIENT_ERRORS | {"invalid_dpop_proof", "use_dpop_nonce", "shop_not_permitted"}
# what is called "invalid_grant" though the grant lives: Salesforce takes it from other networks or at other hours,
# QuickBooks from the client that it was given to
_TAKEN_ELSEWHERE = re.compile(r"\bip restricted or invalid login hours\b", re.IGNORECASE)
_OF_ANOTHER_CLIENT = re.compile(r"token type or client ?id\b", re.IGNORECASE)
# LinkedIn and Shopify call it "invalid_request"
_ABOUT_THE_GRANT = re.compile(r"\b(?:refresh|authorization)[ _](?:token|code|grant)\b", re.IGNORECASE)
_ABOUT_A_DOCUMENT = frozenset(
    {"invalid_client", "invalid_client_metadata", "invalid_redirect_uri", "unauthorized_client"}
)
_NO_ERROR = frozenset({"", "ok", "success", "none", "null", "0", "200", "true"})
_MAX_DESCRIPTION = 300
# statuses by which a token endpoint refuses; any other comes from what stands before it (a gateway, a moved address)
_STATUSES_OF_REFUSAL = frozenset({400, 401, 403, 410, 422})
_GRANT_ERRORS = frozenset(
    {"invalid_grant", "invalid_token", "bad_refresh_token", "invalid_refresh_token", "token_revoked", "invalid_code"}
)
# Strava says what is "invalid", and nothing else
_OF_RESOURCE = {"Application": "invalid_client", "RefreshToken": "invalid_grant", "AuthorizationCode": "invalid_grant"}
_MAX_VALUE_CHARACTERS = 100_000  # real tokens have a tenth of it; the vault's file must hold all of them


def error_from_response(
    secret: OAuth2, members: dict[str, Any], failed: str, *, status: int = 400
) -> TokenEndpointError | None:
    """The error that a response says, whatever its HTTP status and its spelling; None if it says none."""
    code, description = _error_of(secret, members)
    if code is None:
        return None
    text = f": {description.rstrip('.')}" if description else ""
    is_temporary = (
        code.lower() in _TEMPORARY
        or is_temporary_status(status)
        or code in {"429", "503"}
        or _is_called_temporary(members)
        or bool(_PASSES.search(description))
        or (code.lower() not in _GRANT_ERRORS and bool(_ASKED_TOO_OFTEN.search(description)))
    )
    return TokenEndpointError(
        f"{failed} answered {code}{text}. {'Try again later.' if is_temporary else _hint(secret, code, description)}",
        error=code,
        is_temporary=is_temporary,
        is_grant_over=not is_temporary
        and code.lower() not in _REQUEST_IS_WRONG
        and not _TAKEN_ELSEWHERE.search(description)
        and not _OF_ANOTHER_CLIENT.search(description)
        and (is_of_token_endpoint(status) or code.lower() in _GRANT_ERRORS),
        description=description,
    )


def _is_called_temporary(members: dict[str, Any]) -> bool:
    """Whether the error says so of itself, as Meta's do beside a type that is the same for every error."""
    error = members.get("error")
    return isinstance(error, dict) and error.get("is_transient") is True


def is_of_token_endpoint(status: int) -> bool:
    """Whether a token endpoint itself answers so, not something before it."""
    return status < 300 or status in _STATUSES_OF_REFUSAL


def is_temporary_status(status: int) -> bool:
    """Whether an HTTP status says that the same request may succeed later."""
    return status in {408, 425, 429} or status >= 500


def _error_of(secret: OAuth2, members: dict[str, Any]) -> tuple[str | None, str]:
    """The error code and description of a response, in the spellings that providers have; no code, no error."""
    compliance = secret.compliance
    error: Any = members.get("error")
    described = _first_text(
        members, "error_description", "errorDescription", "message", "msg", "error_message", "detail"
    )
    if compliance.ok_member and not error:
        if str(members.get(compliance.ok_member)).lower() == compliance.ok_value.lower():
            return None, ""
        error = "refused"
    errors = members.get("errors")
    if not error and isinstance(errors, list | dict) and errors:
        error = errors[0] if isinstance(errors, list) else errors
    if isinstance(error, dict):  # {"error": {"type": ..., "message": ...}}
        described = _first_text(error, "message", "error_description", "detail", "title") or described
        named = _OF_RESOURCE.get(str(error.get("resource")), "")
        error = named or _first_text(error, "type", "code", "errorType", "error", "status") or "error"
    if not error and any(members.get(name) is False for name in ("ok", "success")):
        error = _first_text(members, "code", "error_code", "errorCode", "status") or "refused"
    if not error and not _token_members(members, ""):
        error = _first_text(members, "status", "error_code", "errorCode", "errcode", "code", "reason")
        if error.isdigit() and 200 <= int(error) < 300:
            error = ""
    code = _line(str(error or ""))[:100]
    before, separator, rest = code.partition(": ")
    if separator and before in _HINTS:  # EVE Online has the description behind the code too
        code, described = before, described or rest
    return (None, "") if code.lower() in _NO_ERROR else (code, described)


def _first_text(members: dict[str, Any], *names: str) -> str:
    for name in names:
        value = members.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return _line(str(value))[:_MAX_DESCRIPTION]
    return ""


def _line(text: str) -> str:
    """A provider's text as one line that can be shown and stored."""
    return printable(" ".join(text[: 10 * _MAX_DESCRIPTION].split()))


def _hint(secret: OAuth2, code: str, description: str) -> str:
    if secret.client_id.startswith("https://") and code in _ABOUT_A_DOCUMENT and secret.client_secret is None:
        return (
            "The client ID is the address of a document, which the provider reads: see that it is as it should be, "
            f"jupyter flowlet client-metadata {secret.client_id} --check"
        )
    if _TAKEN_ELSEWHERE.search(description):
        return "The provider takes this account from other networks or at other hours: try again from there."
    if _OF_ANOTHER_CLIENT.search(description):
        return "The token is of another client: check client ID and client secret, or request the access token again."
    if code.lower() in _GRANT_ERRORS or (code == "invalid_request" and _ABOUT_THE_GRANT.search(description)):
        return _HINTS["invalid_grant"]
    if code.lower() in CLIENT_ERRORS - {"unauthorized_client"}:
        tried = secret.token_endpoint_auth_method
        others = [method for method in ("client_secret_basic", "client_secret_post", "none") if method != tried]
        return (
            f"Check client ID and client secret; the client authentication was {tried}, "
            f"so try {' or '.join(others)} too."
        )
    return _HINTS.get(code, "See the provider’s documentation.")


def token_set_from(
    secret: OAuth2,
    response: dict[str, Any],
    failed: str,
    started: float,
    *,
    previous_refresh_token: SecretValue | None = None,
    asked_scope: str = "",
    dpop_key: SecretValue | None = None,
) -> TokenSet:
    """The token set of `response`, which came to a request sent at `started`. Raises `TokenEndpointError`."""
    compliance = secret.compliance
    inner = _token_members(response, compliance.token_member) or {}
    access_token = inner.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise TokenEndpointError(f"{failed} answered without an access token ({_names(response)}).")
    if not access_token.isascii() or not access_token.isprintable() or " " in access_token:
        raise TokenEndpointError(f"{failed} answered with an access token that cannot be sent in a header.")
    for name in ("access_token", "refresh_token", "scope"):
        if len(str(inner.get(name) or "")) > _MAX_VALUE_CHARACTERS:
            raise TokenEndpointError(f"{failed} answered with a {name} that is too long to be stored.")
    token_type = str(inner.get("token_type") or "").lower()
    # some providers leave it out or write it in capitals; another type needs another way of sending (RFC 6749, 7.1),
    # and "N_A" is no access token at all (RFC 8693, 2.2.1)
    if token_type in {"mac", "pop", "n_a"} or (token_type == "dpop" and dpop_key is None):
        raise TokenEndpointError(f"{failed} answered with a token of type {token_type}, which was not asked for.")
    refresh_token = inner.get("refresh_token")
    if isinstance(refresh_token, str) and not refresh_token.isprintable():
        raise TokenEndpointError(f"{failed} answered with a refresh token that cannot be sent back.")
    base_url = response.get(compliance.api_base_member) if compliance.api_base_member else None
    return TokenSet(
        access_token=SecretValue(access_token),
        refresh_token=(
            SecretValue(refresh_token) if isinstance(refresh_token, str) and refresh_token else previous_refresh_token
        ),
        scope=_scope(inner.get("scope", inner.get("scopes")), asked_scope),
        obtained_at=started,
        connected_at=started,
        expires_at=_expires_at(inner, started),
        grant_ends_at=_grant_ends_at(inner, started),
        # a provider that ignores the proof answers with a Bearer token (RFC 9449, 5)
        dpop_key=dpop_key if token_type == "dpop" else None,
        base_url=base_url if isinstance(base_url, str) and base_url.startswith("https://") else None,
    )


def _scope(granted: object, asked: str) -> str:
    """The scopes granted, separated by spaces; those asked for where the response does not say (RFC 6749, 5.1)."""
    if isinstance(granted, list):
        granted = " ".join(str(entry) for entry in granted)
    if not isinstance(granted, str) or not granted.strip():
        return asked
    return printable(" ".join(granted.replace(",", " ").split()))


def _token_members(response: dict[str, Any], member: str) -> dict[str, Any] | None:
    """The members of the token set: in the member that is declared, at the top, or in whatever they are wrapped in."""
    if member:
        inner: Any = response
        for name in member.split("."):
            inner = inner.get(name) if isinstance(inner, dict) else None
        return _snake_case(inner) if isinstance(inner, dict) else None
    top = _snake_case(response)
    if "access_token" in top:
        return top
    for name in _WRAPPERS:
        inner = top.get(name)
        inner = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(inner, dict) and "access_token" in (members := _snake_case(inner)):
            return members
    return None


_WRAPPERS = ("data", "authed_user", "result", "results", "response", "body", "token", "tokens", "payload")


def id_token_of(response: dict[str, Any], member: str) -> str | None:
    """The ID token of a token response, if there is one."""
    value = (_token_members(response, member) or {}).get("id_token", response.get("id_token"))
    return value if isinstance(value, str) and value else None


def _snake_case(members: dict[str, Any]) -> dict[str, Any]:
    """`members` with names such as `accessToken` as RFC 6749 writes them; a name that is right already wins."""
    renamed = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower(): value for name, value in members.items()}
    return {**renamed, **members}


def _names(members: dict[str, Any]) -> str:
    names = ", ".join(ascii(str(name)[:40])[1:-1] for name in list(members)[:10])
    return f"its members: {names}" if names else "it is empty"


def _expires_at(members: dict[str, Any], started: float) -> float | None:
    """When the access token ends, Unix time; None where nothing says so in a form that is known: a 401 then tells."""
    for name in ("expires_in", "expires"):
        seconds = _number(members.get(name))
        if seconds is not None and (name == "expires_in" or seconds < _EARLIEST):
            return started + min(seconds, _FAR_FUTURE_SECONDS) if seconds > 0 else None
    for name in ("expires_at", "expires", "expires_on", "expiry", "expiry_date", ".expires", "expiration"):
        moment = _moment(members.get(name))
        if moment is not None:
            return min(moment, started + _FAR_FUTURE_SECONDS) if moment > started else None
    return None


def _grant_ends_at(members: dict[str, Any], started: float) -> float | None:
    """When the refresh token ends, in the spellings that providers have; 0 says that it does not (Keycloak's offline ones)."""
    for name in ("refresh_token_expires_in", "x_refresh_token_expires_in", "refresh_expires_in", "rt_expires_in"):
        seconds = _number(members.get(name))
        if seconds is not None and 0 < seconds < _EARLIEST:
            return started + seconds
    for name in ("refresh_token_expires_at", "refresh_token_expires_on", "refresh_expires_at"):
        moment = _moment(members.get(name))
        if moment is not None and started < moment < started + _FAR_FUTURE_SECONDS:
            return moment
    return None


_EARLIEST = 1e9  # as seconds, 32 years; as Unix time, 2001
_MILLISECONDS = 1e11  # a Unix time beyond this is in milliseconds


def _moment(value: object) -> float | None:
    """A point in time as Unix time, from a number of seconds or milliseconds, ISO 8601 or an HTTP date."""
    number = _number(value)
    if number is not None:
        return number / 1000 if number >= _MILLISECONDS else number
    if not isinstance(value, str):
        return None
    for parse in (datetime.datetime.fromisoformat, parsedate_to_datetime):
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            moment = parse(value.strip())
            return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
    return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
