"""Token sets, and when one must be renewed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flowlet_jupyter.model.value import SecretValue

# A token is renewed this long before it ends, so that it does not end on its way to the API ...
REFRESH_MARGIN_SECONDS = 30.0
# ... but never more than this share of its lifetime, or a token of 20 seconds would be refreshed at every request.
REFRESH_MARGIN_SHARE = 0.1


@dataclass(frozen=True)
class Accepted:
    """What the provider took where several ways are allowed: see oauth/client_auth.py. Empty where it is not known."""

    client_authentication: str = ""
    assertion_audience: str = ""


NOTHING_ACCEPTED = Accepted()


@dataclass(frozen=True, kw_only=True)
class TokenSet:
    """What a token endpoint gave (RFC 6749, 5.1). Times are Unix times in seconds."""

    access_token: SecretValue
    refresh_token: SecretValue | None = None
    scope: str = ""
    obtained_at: float = 0.0
    connected_at: float | None = None  # when the grant was given that this was obtained, and since refreshed, for
    expires_at: float | None = None
    grant_ends_at: float | None = None  # when the refresh token ends, where the provider says so
    dpop_key: SecretValue | None = None  # the private key that the tokens are bound to (RFC 9449), as a JWK
    identity: str | None = None  # whose tokens these are, as the provider calls them ("@ann")
    base_url: str | None = None  # the API's base, where the provider says it with the tokens
    parameters: Mapping[str, str] = field(default_factory=dict)  # of the redirect, kept for API calls
    subject: str | None = None  # `sub` of a validated ID token
    identity_problem: str | None = None  # why the ID token proves nothing, where one came
    # whose refresh token was taken over from an earlier consent, until it is known that this consent is by the same
    previous_identity: str | None = None
    # what it was obtained with
    client_authentication: str = ""
    assertion_audience: str = ""

    @property
    def accepted(self) -> Accepted:
        """What the provider took when it gave these tokens."""
        return Accepted(self.client_authentication, self.assertion_audience)

    def needs_refresh(self, *, now: float) -> bool:
        """Whether the access token has ended at `now`, or is so near its end that it should be renewed.

        A token without `expires_in` never does (RFC 6749, 5.1: its lifetime is then known to the server only).
        """
        if self.expires_at is None:
            return False
        lifetime = max(self.expires_at - self.obtained_at, 0.0)
        return now >= self.expires_at - min(REFRESH_MARGIN_SECONDS, lifetime * REFRESH_MARGIN_SHARE)
