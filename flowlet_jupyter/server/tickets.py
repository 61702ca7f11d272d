"""Tickets by which a flow is handed over to the other name of this machine, where the browser has no cookie of ours yet."""

from __future__ import annotations

import secrets as random
import time
from dataclasses import dataclass

from flowlet_jupyter.oauth.authorization_code import Flow
from flowlet_jupyter.session import Session, session_of
from flowlet_jupyter.vault import Vault

TICKET_SECONDS = 60.0


@dataclass(frozen=True)
class Ticket:
    """A flow to be taken over, and the address at the provider that it goes on to."""

    flow: Flow
    at_provider: str
    ends_at: float


class _Tickets:
    """The tickets of a server's session that nobody has redeemed yet."""

    def __init__(self, _session: Session) -> None:
        self.issued: dict[str, Ticket] = {}


def issue_ticket(vault: Vault, ticket: Ticket) -> str:
    """A random name for the ticket."""
    tickets = session_of(vault).part(_Tickets).issued
    for name in [name for name, old in tickets.items() if old.ends_at < time.monotonic()]:
        del tickets[name]
    name = random.token_urlsafe(32)
    tickets[name] = ticket
    return name


def redeem_ticket(vault: Vault, name: str, *, now: float) -> Ticket | None:
    """The ticket of this name, for the first who asks and in time."""
    ticket = session_of(vault).part(_Tickets).issued.pop(name, None)
    return ticket if ticket is not None and now <= ticket.ends_at else None
