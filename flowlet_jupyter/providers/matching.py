"""The catalogue's entry for settings that came from elsewhere: a stored secret, a file of another tool, a provider's metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE
from flowlet_jupyter.providers import Provider, fields_for, load_providers, provider_index, provider_named
from flowlet_jupyter.providers.fill import endpoint_pattern, known_fields, trial_url

# what an entry says of a user's authorization, which other grants have no use for
_OF_A_PERSON = (
    "scope",
    "authorization_parameters",
    "identity_url",
    "identity_name",
    "identity_method",
    "redirect_uris",
)


@dataclass(frozen=True)
class HarmlessRequest:
    """A GET that changes nothing, and the JMESPath at which its response names the user; each "" where none is known."""

    url: str = ""
    identity_name: str = ""


def harmless_request(configuration: Mapping[str, Any]) -> HarmlessRequest:
    """What the entry of a secret names to try it with. `configuration` is what `secret.configuration` gives."""
    try:
        entry = entry_of(configuration)
        if entry is None:
            return HarmlessRequest()
        values = known_fields(configuration, entry).get("parameters", {})
        # of the identity request, where another one tries an OAuth2 secret
        is_other = entry.type == "oauth2" and entry.test not in {"", entry.fields.get("identity_url")}
        return HarmlessRequest(trial_url(entry, values), "" if is_other else entry.identity_name)
    except InvalidSecret:
        return (
            HarmlessRequest()
        )  # a parameter that cannot be read back, or an entry of an organisation's that is broken


def entry_of(configuration: Mapping[str, Any]) -> Provider | None:
    """The entry of a secret: the one that it names, or the one of its kind that goes to the same hosts.

    Raises `InvalidSecret` where an entry of an organisation's is broken.
    """
    if configuration["type"] == "oauth2":
        return provider_named(configuration["provider"]) if configuration.get("provider") else None
    hosts = list(configuration["allowed_hosts"])
    same = (
        entry["key"] for entry in provider_index() if entry["type"] == configuration["type"] and _goes_to(entry, hosts)
    )
    key = next(same, None)
    return None if key is None else provider_named(key)


def _goes_to(entry: Mapping[str, Any], hosts: Sequence[str]) -> bool:
    """Whether `hosts` are the entry's, whatever its parameters are; a host of one's own is no sign of one provider."""
    own = {parameter["name"] for parameter in entry["parameters"] if parameter["kind"] == "host"}
    templates = entry["hosts"]
    if len(templates) != len(hosts) or any(f"{{{name}}}" in template for template in templates for name in own):
        return False
    return all(
        template == host or ("{" in template and endpoint_pattern(template).fullmatch(host))
        for template, host in zip(templates, hosts, strict=True)
    )


def completed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` of a secret, and what the entry with the same token endpoint knows beside them.

    That is the client authentication, parameters, scope, allowed hosts, base URL and, by `provider`, the paging. What
    `fields` say stays; fields that name their provider are left as they are.
    """
    if fields.get("provider") or not fields.get("token_endpoint"):  # all entries are read for the rest
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
