"""The catalogue's entry for settings that came from elsewhere: a file of another tool, or a provider's own metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE
from flowlet_jupyter.providers import Provider, fields_for, load_providers
from flowlet_jupyter.providers.fill import endpoint_pattern

# what an entry says of a user's authorization, which other grants have no use for
_OF_A_PERSON = (
    "scope",
    "authorization_parameters",
    "identity_url",
    "identity_name",
    "identity_method",
    "redirect_uris",
)


def completed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` of a secret, and what the entry with the same token endpoint knows beside them.

    That is the client authentication, parameters, scope, allowed hosts, base URL and, by `provider`, the paging. What
    `fields` say stays; fields that name their provider are left as they are.
    """
    if fields.get("provider"):
        return dict(fields)
    entries = [known for provider in load_providers().values() if (known := _known(provider, fields))]
    if not entries:
        return dict(fields)
    # several APIs of one provider: the entry of the provider itself, else what they agree on, which is no entry's name
    entries = [entry for entry in entries if _names_others(entry, entries)] or entries
    known = {name: value for name, value in entries[0].items() if all(entry.get(name) == value for entry in entries)}
    if fields.get("grant_type", AUTHORIZATION_CODE) != AUTHORIZATION_CODE:
        known = {name: value for name, value in known.items() if name not in _OF_A_PERSON}
    return {**known, **{name: value for name, value in fields.items() if value not in (None, "", [], ())}}


def _names_others(entry: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> bool:
    """Whether this is the provider itself, and others are its single APIs: `google`, and `google-drive`."""
    return any(str(other["provider"]).startswith(f"{entry['provider']}-") for other in others)


def _known(provider: Provider, fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of the entry, its parameters read from the token endpoint; None if that is another one's."""
    endpoint, template = fields.get("token_endpoint"), provider.fields.get("token_endpoint")
    if not isinstance(endpoint, str) or not template:
        return None
    matched = endpoint_pattern(template).fullmatch(endpoint)
    if not matched:
        return None
    values = matched.groupdict()
    for parameter in provider.parameters:
        # a host of its own may be anybody's: "/oauth/token" is no sign of one provider
        if parameter.kind == "host" and values.get(parameter.name) != parameter.default:
            return None
    try:
        return fields_for(provider, values)
    except InvalidSecret:  # a parameter that the token endpoint does not tell
        return None
