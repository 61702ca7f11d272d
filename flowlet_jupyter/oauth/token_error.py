"""What went wrong at a token endpoint, by its response: the grant, the clock, the server, or an address that is none."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from flowlet_jupyter.errors import TokenEndpointError
from flowlet_jupyter.model.oauth2 import JWT_BEARER, OAuth2
from flowlet_jupyter.oauth.endpoint import EndpointResponse
from flowlet_jupyter.oauth.token_response import error_from_response, is_of_token_endpoint, is_temporary_status

CLOCK_TOLERANCE_SECONDS = 10.0


def raise_error(secret: OAuth2, response: EndpointResponse, failed: str) -> None:
    """Raise `TokenEndpointError` with what `response` says went wrong, if anything did."""
    status = response.status
    if status < 500 and (error := error_from_response(secret, response.members, failed, status=status)) is not None:
        error.retry_after = retry_after_seconds(response.headers)
        if secret.grant_type == JWT_BEARER and error.error == "invalid_grant":
            ahead = clock_ahead(response.headers)
            raise TokenEndpointError(
                f"{error} {_about_the_clock(ahead)}",
                error=error.error,
                # a clock that is set right makes the same assertion good
                is_grant_over=ahead is None or abs(ahead) < CLOCK_TOLERANCE_SECONDS,
                description=error.description,
            )
        raise error
    if status >= 300:
        is_temporary = is_temporary_status(status)
        is_page = str(response.headers.get("content-type", "")).startswith("text/html")
        raise TokenEndpointError(
            f"{failed} answered with HTTP {status}, not with a token. "
            + ("Try again later." if is_temporary else "Check its address."),
            error=f"HTTP {status}",
            is_temporary=is_temporary,
            retry_after=retry_after_seconds(response.headers),
            # a page comes from a firewall or a gateway as often as from the token endpoint
            # and RFC 6749, 5.2, has a 401 with a challenge say that the client is wrong
            is_grant_over=is_of_token_endpoint(status)
            and not is_page
            and not (status == 401 and "WWW-Authenticate" in response.headers),
        )
    if not isinstance(response.content, dict):
        raise TokenEndpointError(f"{failed} did not answer with a JSON object. Check its address.")


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """The seconds of a `Retry-After` (RFC 9110, 10.2.3), a number or a date."""
    text = (headers.get("Retry-After") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    return None


def clock_ahead(headers: Mapping[str, str]) -> float | None:
    """By how many seconds this machine's clock is ahead of the provider's; None if the response has no date."""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return time.time() - parsedate_to_datetime(headers.get("Date") or "").timestamp()
    return None


def _about_the_clock(ahead: float | None) -> str:
    if ahead is None:
        return "Check this machine's clock, the key, its ID and the subject."
    if abs(ahead) < CLOCK_TOLERANCE_SECONDS:
        return "This machine's clock agrees with the provider's; check the key, its ID and the subject."
    return f"This machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the provider's: set it right."
