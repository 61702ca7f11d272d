"""A secret of any kind, and what the vault holds of one. No I/O."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any

from flowlet_jupyter.model.compliance import Compliance
from flowlet_jupyter.model.external import External
from flowlet_jupyter.model.fields import set_field
from flowlet_jupyter.model.hosts import HostRule, parse_host_rule
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.redaction import SentValues
from flowlet_jupyter.model.static import ApiKey, Basic, Headers, Password
from flowlet_jupyter.model.tokens import NOTHING_ACCEPTED, Accepted, TokenSet

StaticSecret = Password | Basic | Headers | ApiKey | External
Secret = OAuth2 | StaticSecret
SECRET_TYPES: dict[str, type[Secret]] = {
    kind.type: kind for kind in (OAuth2, Password, Basic, Headers, ApiKey, External)
}


def host_rules(secret: Secret) -> tuple[HostRule, ...]:
    """The parsed allowed hosts of `secret`."""
    return tuple(parse_host_rule(entry) for entry in secret.allowed_hosts)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What one vault file holds: the secret, its token set, and why the last one was refused.

    `accepted` outlives the token set: the next authorization begins with what worked.
    """

    secret: Secret
    token_set: TokenSet | None = None
    # set when the provider no longer accepts the grant: its error and its words, for the status view
    grant_error: str | None = None
    accepted: Accepted = NOTHING_ACCEPTED

    def __post_init__(self) -> None:
        if self.token_set is not None and self.token_set.accepted != NOTHING_ACCEPTED:
            set_field(self, "accepted", self.token_set.accepted)

    @functools.cached_property
    def sent_values(self) -> SentValues:
        """The values of the secret and its token set, to be hidden where an API repeats one."""
        # one object for all requests: making the forms in which a value is looked for takes longer than a request
        return SentValues(holders=(self.secret, self.token_set))

    @property
    def authorization_scheme(self) -> str:
        """What stands before the value in the `Authorization` header that is sent; empty for nothing."""
        is_bound = self.token_set is not None and self.token_set.dpop_key is not None
        return "DPoP" if is_bound else self.secret.authorization_scheme


def base_url_of(record: Record) -> str | None:
    """The API's base URL: the one that the provider gave with the tokens, else the secret's."""
    token_set = record.token_set
    return (token_set.base_url if token_set else None) or record.secret.base_url


def configuration(secret: Secret) -> dict[str, Any]:
    """Everything of `secret` that is not secret, as JSON-ready values; of headers only their names."""
    shown: dict[str, Any] = {"type": secret.type}
    for spec in dataclasses.fields(secret):
        if not spec.compare:
            continue  # what flowlet found out by itself
        value = getattr(secret, spec.name)
        if isinstance(secret, Headers) and spec.name == "headers":
            shown["header_names"] = list(secret.headers)
        elif spec.name in secret.value_fields:
            shown[f"has_{spec.name}"] = bool(value)
        else:
            shown[spec.name] = plain(value)
    return shown


def plain(value: Any) -> Any:
    """A field's value as JSON has it."""
    if isinstance(value, Compliance):
        return value.declared()
    return list(value) if isinstance(value, tuple) else value
