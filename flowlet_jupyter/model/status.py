"""What may be shown of a secret's tokens."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from flowlet_jupyter.model.oauth2 import REFRESH_TOKEN, OAuth2
from flowlet_jupyter.model.secret import Record

_WITHOUT_TOKEN = {
    "ready": "ready",
    "on_demand": "obtained at the first request",
    "no_token": "no access token yet",
}


@dataclass(frozen=True, kw_only=True)
class Status:
    """What may be shown of a secret's tokens: times and scopes, never a value or a part of one.

    `state` is one of: `ready` (not OAuth2, always usable), `on_demand` (obtained at the first request, by a grant that
    needs nobody), `connected`, `expired` (renewed at the next request), `no_token`, `needs_authorization`.
    """

    state: Literal["ready", "on_demand", "connected", "expired", "no_token", "needs_authorization"]
    access_token: bool = False
    refresh_token: bool = False
    scope: str = ""
    obtained_at: float | None = None
    connected_at: float | None = None  # None if the tokens were obtained by a version that did not note it
    expires_at: float | None = None
    problem: str | None = None
    identity: str | None = None
    identity_problem: str | None = None

    def summary(self, *, now: float | None = None) -> str:
        """One line for a table or a terminal."""
        if self.state == "needs_authorization":
            return self.problem or "needs authorization"
        if self.state in _WITHOUT_TOKEN:
            return _WITHOUT_TOKEN[self.state]
        refresh = "refresh token obtained" if self.refresh_token else "no refresh token"
        if self.identity_problem:
            refresh += f"; identity not proven: {self.identity_problem}"
        if self.state == "expired":
            return f"access token expired, {refresh}"
        if self.expires_at is None:
            return f"access token obtained, no expiry given, {refresh}"
        left = max(int(self.expires_at - (time.time() if now is None else now)), 0)
        return f"access token obtained, expires in {_span_of_time(left)}, {refresh}"


def _span_of_time(seconds: int) -> str:
    """A span as the views have it (frontend/time.js), without the seconds: this line does not count down."""
    if seconds >= 2 * 86400:
        return f"{seconds // 86400:,} days"
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
    return f"{seconds // 60} min" if seconds >= 120 else f"{seconds} s"


def _refuses(record: Record) -> str:
    is_unattended = isinstance(record.secret, OAuth2) and record.secret.is_unattended
    return "refuses this client, key or password" if is_unattended else "no longer accepts the grant"


def status_of(record: Record, *, now: float) -> Status:
    """The status of `record` at `now` (Unix time, seconds)."""
    token = record.token_set
    if record.secret.type != "oauth2":
        return Status(state="ready")
    if token is None:
        if record.grant_error:
            return Status(
                state="needs_authorization",
                problem=f"the provider {_refuses(record)} ({record.grant_error})",
            )
        if isinstance(record.secret, OAuth2) and (
            record.secret.is_unattended or record.secret.grant_type == REFRESH_TOKEN
        ):
            return Status(state="on_demand")
        return Status(state="no_token")
    expired = token.expires_at is not None and now >= token.expires_at
    state: Literal["connected", "expired", "needs_authorization"] = "connected"
    problem = None
    unattended = isinstance(record.secret, OAuth2) and record.secret.is_unattended
    if expired and (token.refresh_token or unattended):
        state = "expired"
    elif expired:
        state, problem = "needs_authorization", "the access token has expired and there is no refresh token"
    return Status(
        state=state,
        access_token=True,
        refresh_token=token.refresh_token is not None,
        scope=token.scope,
        obtained_at=token.obtained_at,
        connected_at=token.connected_at,
        expires_at=token.expires_at,
        problem=problem,
        identity=token.identity,
        identity_problem=token.identity_problem,
    )
