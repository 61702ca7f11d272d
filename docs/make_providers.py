"""Write docs/providers.md and the catalogue's index from the catalogue, by `python docs/make_providers.py`."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE
from flowlet_jupyter.providers import INDEX, Provider, index_text, load_providers
from flowlet_jupyter.providers.check import FACTS, facts_of
from flowlet_jupyter.providers.check.readers.lists import FOLDER_PROGRAMS
from flowlet_jupyter.providers.check.readers.programs import PROGRAMS

HERE = Path(__file__).parent
AGREEMENT: dict[str, dict[str, Any]] = json.loads((HERE / "providers-agreement.json").read_text("utf-8"))
PROJECTS = sorted(
    {name for facts in AGREEMENT.values() for _value, agree, differ in facts.values() for name in (*agree, *differ)}
)
# the projects that know many providers
COLLECTIONS = {
    "APIs.guru",
    "Kingfisher",
    "Nango",
    "Power Platform",
    "grant",
    "keyhacks",
    "nuclei-templates",
    "OAuth.io",
    "Panora",
    "Titus",
    "OpenIddict",
    "Windmill",
    "superglue",
    *(each.name for each in (*PROGRAMS, *FOLDER_PROGRAMS)),
}
_RULES = {
    "": "",
    "https": "https only",
    "not-localhost": "127.0.0.1, not localhost",
    "any-loopback-port": "any loopback port",
    "opaque": "a name that the provider gives, not a URL",
}
_INTRODUCTION = """\
{count} entries, {oauth2} of them OAuth2 and {keys} that take a key, generated from
`flowlet_jupyter/providers/catalogue/*.toml` by `python docs/make_providers.py`. Every entry is checked against one schema
and makes a valid secret and request (`tests/providers/test_catalogue.py`, `tests/providers/test_every_entry.py`); every
switch of a peculiarity has a test with the odd answer that it exists for (`tests/oauth/test_grants.py`). Run against the
provider: {verified}. {tested} entries name one harmless GET to try a secret with, {paged} say how their API pages,
{checked} carry the month in which they were held against the provider's own page.

## What the facts rest on

`python -m flowlet_jupyter.providers.check FOLDER … --write docs/providers-agreement.json` reads copies of other projects
from a disk, compares each fact of each entry with theirs, and fails if one differs for which the entry gives no reason. It
has compared with {projects} projects: the collections
{named},
and for single providers a client library, another program, the provider's own documentation, or a single file on GitHub
whose repository the search did not name. **Agrees**: two and more
have the same fact; **one source**: one has; **no source**: none says anything of it. **Differs**: at least one has something
else (counted beside the other three). Projects copy from each other, so that two of them are no proof.

{table}

Of client authentication, PKCE, the host, the GET, paging and revocation a provider often accepts several, so that another
project's choice is no contradiction there and is not counted. Not compared: rate-limit
headers, which entries do not have, as the client reads them by their words, whatever the API: every one that Nango lists is
understood (`tests/http/test_rate_limit.py`); and the spellings of a dead grant, of which no project that was read has a list
by provider.

{alone} entries have an endpoint, or the name that carries their key, on one source only, {nobody} on none: there the
entry's link is what to trust. [Seventy entries at random](providers-sample.md) were looked up by hand: fourteen differed, and were mended.

## Differences

Where a project has something else, the entry says why it does not follow. The reasons come from what the other projects
have and from general knowledge; only an entry that carries `checked` was held against the provider's own page.

{differences}"""


_ORGANISATION = """\
An organisation adds entries in `share/jupyter/flowlet/providers/*.toml` (any Jupyter data path). `type` is `oauth2` (the
default), `api_key`, `password` (Bearer), `basic` or `headers` (with `header_names`), the other fields are those of that
[kind of secret](secrets.md); `{name}` in them stands for a value that `[[parameters]]` asks for:

    title = "Our measurements"
    source = "https://wiki.example.org/measurements"
    type = "api_key"
    parameter = "X-Station-Key"
    base_url = "https://{site}.measurements.example.org/v1"
    allowed_hosts = ["{site}.measurements.example.org"]
    registration_page = "https://measurements.example.org/keys"
    test = "https://{site}.measurements.example.org/v1/stations?limit=1"

    [[parameters]]
    name = "site"
    label = "Site"

`checked = "2026-11"` says when an entry was last held against the provider's page, `ends = "2027-02-16"` when the provider
takes it away: the form and `jupyter flowlet providers` show it."""


def agreement_of(provider: Provider) -> dict[str, Any]:
    """What the last comparison found of the entry's facts, those left out that have changed since."""
    known = AGREEMENT.get(provider.key, {})
    return {
        fact: known[fact] for fact, value in facts_of(provider).items() if fact in known and known[fact][0] == value
    }


def rests_on(provider: Provider) -> list[str]:
    """The cells that say for which facts two projects agree, one or none says so, and the dates."""
    found = agreement_of(provider)
    by_count: list[list[str]] = [[], [], []]
    for fact in facts_of(provider):
        by_count[min(len(found[fact][1]), 2) if fact in found else 0].append(FACTS[fact])
    nobody, alone, agreed = (", ".join(names) for names in by_count)
    return [agreed, alone, nobody, _dates(provider)]


def summary(providers: Iterable[Provider]) -> str:
    """The table of facts: in how many entries two projects agree, one or none says so, and one differs."""
    counted: Counter[tuple[str, str]] = Counter()
    for provider in providers:
        found = agreement_of(provider)
        for fact in facts_of(provider):
            _value, agree, differ = found.get(fact, ("", [], {}))
            counted[fact, ("no source", "one source", "agrees")[min(len(agree), 2)]] += 1
            counted[fact, "differs"] += bool(differ)
    words = ("agrees", "one source", "no source", "differs")
    rows = (_line([name, *(str(counted[fact, word]) for word in words)]) for fact, name in FACTS.items())
    return "\n".join(_table(("Fact", "Agrees", "One source", "No source", "Differs"), rows)).rstrip()


def differences(providers: Iterable[Provider]) -> str:
    """The table of the facts in which a project has something else, with the reason."""
    rows = [
        _line([f"`{provider.key}`", FACTS[fact], f"{project}: {value}", provider.decided.get(fact, "")])
        for provider in providers
        for fact, (_value, _agree, differ) in agreement_of(provider).items()
        for project, value in differ.items()
    ]
    return "\n".join(_table(("Key", "Fact", "Another project", "Why not"), rows)).rstrip()


def _rest_of_main(provider: Provider) -> int:
    """How many projects at most agree in the worst of the facts that say where a credential goes."""
    found = agreement_of(provider)
    main = {"authorization_endpoint", "token_endpoint", "parameter"} & set(facts_of(provider))
    return min((len(found[fact][1]) if fact in found else 0 for fact in main), default=0)


def oauth2_row(provider: Provider) -> str:
    """One line of the table of OAuth2 providers."""
    fields = provider.fields
    grant = fields.get("grant_type", AUTHORIZATION_CODE).rpartition(":")[2]
    cells = [
        f"`{provider.key}`",
        f"[{provider.title}]({provider.source})",
        grant + (", device" if "device_authorization_endpoint" in fields else ""),
        fields.get("token_endpoint_auth_method", "client_secret_basic"),
        ", ".join(parameter.name for parameter in provider.parameters),
        provider.refresh_token_from,
        _RULES[provider.redirect_rule],
        ", ".join(fields.get("compliance", {})),
        provider.paging.get("style", ""),
        *rests_on(provider),
    ]
    return _line(cells)


def key_row(provider: Provider) -> str:
    """One line of the table of providers that take a key."""
    cells = [
        f"`{provider.key}`",
        f"[{provider.title}]({provider.source})",
        carrier(provider),
        ", ".join(parameter.name for parameter in provider.parameters),
        ", ".join(provider.fields["allowed_hosts"]),
        *rests_on(provider),
    ]
    return _line(cells)


def carrier(provider: Provider) -> str:
    """Where the key stands in a request."""
    fields = provider.fields
    if provider.type == "headers":
        return ", ".join(provider.header_names)
    if provider.type == "basic":
        return "Authorization: Basic"
    if provider.type == "password":
        return "Authorization: Bearer"
    name = fields.get("parameter", "X-API-Key")
    if fields.get("location") == "basic":
        return f"Authorization: Basic with `{name}`"
    return f"?{name}=" if fields.get("location") == "query" else f"{name}: {fields.get('prefix', '')}".rstrip(": ")


def _dates(provider: Provider) -> str:
    found = [f"checked {provider.checked}"] if provider.checked else []
    return ", ".join(found + ([f"ends {provider.ends}"] if provider.ends else []))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _table(head: tuple[str, ...], rows: Iterable[str]) -> list[str]:
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *rows, ""]


def page() -> str:
    """The whole page."""
    providers = load_providers().values()
    oauth2 = [provider for provider in providers if provider.type == "oauth2"]
    keys = [provider for provider in providers if provider.type != "oauth2"]
    held = ("Agrees", "One source", "No source", "Dates")
    counts = {
        "count": len(providers), "oauth2": len(oauth2), "keys": len(keys),
        "verified": sum(provider.verified for provider in providers),
        "checked": sum(bool(provider.checked) for provider in providers),
        "tested": sum("test" in facts_of(provider) for provider in providers),
        "paged": sum(bool(provider.paging) for provider in providers),
        "projects": len(PROJECTS), "named": textwrap.fill(", ".join(name for name in PROJECTS if name in COLLECTIONS), 118, break_on_hyphens=False),
        "table": summary(providers), "differences": differences(providers),
        "alone": sum(_rest_of_main(provider) == 1 for provider in providers),
        "nobody": sum(_rest_of_main(provider) == 0 for provider in providers),
    }  # fmt: skip
    return "\n".join(
        [
            "# Providers",
            "",
            _INTRODUCTION.format(**counts),
            "",
            _ORGANISATION,
            "",
            "## OAuth2",
            "",
            *_table(
                ("Key", "Provider and source", "Grants", "Client authentication", "Asks for",
                 "What gives a refresh token", "Redirect URI", "Peculiarities", "Paging", *held),
                map(oauth2_row, oauth2),
            ),
            "## Keys",
            "",
            *_table(("Key", "Provider and source", "Where the key stands", "Asks for", "Hosts", *held), map(key_row, keys)),
        ]
    )  # fmt: skip


if __name__ == "__main__":
    INDEX.write_text(index_text(), "utf-8")
    (HERE / "providers.md").write_text(page(), "utf-8")
