"""The facts of an entry that can be compared, each as a short text, and how two sources' texts of one fact relate. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE
from flowlet_jupyter.providers.check.claims import Claim, host_of, normalized
from flowlet_jupyter.providers.entry import Provider

# each fact, and what it is called in docs/providers.md
FACTS = {
    "authorization_endpoint": "authorization endpoint",
    "token_endpoint": "token endpoint",
    "revocation_endpoint": "revocation endpoint",
    "base_url": "host of the API",
    "client_authentication": "client authentication",
    "pkce": "PKCE",
    "scope_separator": "scope separator",
    "refresh_token": "what asks for a refresh token",
    "parameter": "name of the header or parameter that carries a key",
    "scheme": "scheme in the Authorization header",
    "test": "the harmless GET",
    "paging": "paging",
}
# facts of which a provider may accept several, so that another project's other choice contradicts nothing
WITH_ALTERNATIVES = frozenset({"client_authentication", "pkce", "base_url", "test", "revocation_endpoint", "paging"})
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "revocation_endpoint")

_NOTHING: frozenset[str] = frozenset()
_REFRESH_SCOPES = frozenset({"offline_access", "offline.access", "offline", "refresh_token", "extended"})
_REFRESH_PARAMETERS = frozenset({"access_type=offline", "token_access_type=offline", "duration=permanent"})


def facts_of(provider: Provider) -> dict[str, str]:
    """What `provider`'s entry says, by fact; a fact that it does not have is left out."""
    fields = provider.fields
    facts = {name: normalized(fields[name]) for name in (*ENDPOINTS, "base_url") if fields.get(name)}
    if "base_url" in facts:  # projects draw the line between base URL and path differently
        facts["base_url"] = host_of(facts["base_url"])
    facts |= _oauth2_facts(fields) if provider.type == "oauth2" else _key_facts(provider)
    test = provider.test or (fields.get("identity_url", "") if fields.get("identity_method", "GET") == "GET" else "")
    if test:
        facts["test"] = normalized(test)
    if provider.paging:
        facts["paging"] = paging_text(provider.paging)
    return facts


def _oauth2_facts(fields: Mapping[str, Any]) -> dict[str, str]:
    compliance = fields.get("compliance", {})
    facts = {"client_authentication": fields.get("token_endpoint_auth_method", "client_secret_basic")}
    if fields.get("grant_type", AUTHORIZATION_CODE) == AUTHORIZATION_CODE:
        facts["pkce"] = "yes" if compliance.get("pkce", True) else "no"
        facts["scope_separator"] = {" ": "space", ",": "comma"}.get(compliance.get("scope_separator", " "), "other")
        parameters = fields.get("authorization_parameters", {})
        facts["refresh_token"] = refresh_text(fields.get("scope", ""), parameters)
    return facts


def _key_facts(provider: Provider) -> dict[str, str]:
    fields = provider.fields
    if provider.type == "headers":
        return {"parameter": ", ".join(sorted(name.lower() for name in provider.header_names))}
    if provider.type == "api_key" and fields.get("location") != "basic":
        name = fields.get("parameter", "X-API-Key").lower()
        scheme = re.split("[ =]", fields.get("prefix", "").strip().lower())[0]
    else:
        name = "authorization"
        scheme = fields.get("scheme", "bearer").lower() if provider.type == "password" else "basic"
    return {"parameter": name, **({"scheme": scheme} if name == "authorization" and scheme else {})}


def refresh_text(scope: str, parameters: Mapping[str, Any]) -> str:
    """What of an authorization request makes a provider give a refresh token, "nothing" if no part of it is known to."""
    scopes = {f"scope {name}" for name in re.split(r"[ ,]+", scope) if name in _REFRESH_SCOPES}
    pairs = {f"{name}={value}" for name, value in parameters.items()}
    return ", ".join(sorted(scopes | (pairs & _REFRESH_PARAMETERS))) or "nothing"


def paging_text(paging: Mapping[str, str]) -> str:
    """The way of paging and the names that it goes by."""
    names = (
        paging[name] for name in ("cursor_path", "next_path", "cursor_parameter", "offset_parameter") if name in paging
    )
    return " ".join((paging["style"], *names))


def agrees(claim: Claim, fact: str, value: str) -> bool:
    """Whether `claim` says `value` of `fact`."""
    stated = claim.facts.get(fact, _NOTHING)
    if fact in {"parameter", "scheme"}:
        names = set(value.split(", "))
        return bool(names & stated) or (not stated and names <= claim.named)
    if fact == "base_url":
        return value in claim.hosts
    if fact == "paging":
        spelled = {_last(name).lower() for name in value.split()[1:]}
        return value in stated or (bool(spelled) and spelled <= claim.words)
    if fact == "test" or (fact in ENDPOINTS and not stated):
        # a program that was laid under the entry's key has an example of the host that is filled in
        _, is_any, path = value.partition("https://{}/") if claim.is_chosen else ("", "", "")
        is_example = bool(is_any) and any(url.split("/", 3)[3:] == [path] for url in claim.urls)
        return value in claim.urls or is_example or (fact in ENDPOINTS and _is_put_together(claim, value))
    return value in stated or (fact in ENDPOINTS and any(_is_same_address(value, url) for url in stated))


def _is_put_together(claim: Claim, value: str) -> bool:
    """Whether a program for this provider has the path of `value`, and its host apart from it if that is not filled in."""
    host, _, path = value.removeprefix("https://").partition("/")
    if claim.paths and "{}" in value:
        pattern = _pattern_of(value)
        if any(pattern.fullmatch(url) for url in claim.urls if "://{}" not in url):
            return True
    return path in claim.paths and (host == "{}" or any(_is_same_address(host, other) for other in claim.hosts))


def _is_same_address(one: str, other: str) -> bool:
    """Whether one has a place to fill in where the other has a value, or a larger place (`{}` and `{}.okta.com`)."""
    pairs = ((one, other), (other, one))
    return any(_pattern_of(pattern).fullmatch(text) is not None for pattern, text in pairs if "{}" in pattern)


@functools.lru_cache(maxsize=10_000)
def _pattern_of(address: str) -> re.Pattern[str]:
    """What is the same address, with any text in the place of each `{}`."""
    return re.compile(re.escape(address).replace(re.escape("{}"), "[^/]+"))


def other_value(claim: Claim, fact: str) -> str:
    """What `claim` says of `fact`, empty if it says nothing or what it says contradicts no other choice."""
    stated = claim.facts.get(fact, _NOTHING) - {
        "nothing"
    }  # scopes are often left to the settings of whoever runs the project
    return "" if fact in WITH_ALTERNATIVES else " or ".join(sorted(stated))


def _last(path: str) -> str:
    """The last name of a path in a body: `after` of `paging.next.after`."""
    names = re.findall(r"[\w@]+", path)
    return next((name for name in reversed(names) if not name.isdigit()), path)
