"""Hold the catalogue against other projects: `python -m flowlet_jupyter.providers.check FOLDER …`.

Prints, for each entry and each of its facts, which projects say the same, which say something else, and what rests on one
source. The folders hold copies of the projects (`sources.py` names them); nothing is downloaded.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowlet_jupyter.providers import Provider, load_providers
from flowlet_jupyter.providers.sources import Claim, normalized, plain_key, read_claims

_ENDPOINTS = ("authorization_endpoint", "token_endpoint")


@dataclass(frozen=True)
class Verdict:
    """What the projects say of one fact of an entry."""

    fact: str
    value: str
    agree: tuple[str, ...]
    differ: Mapping[str, str]  # project: what it has

    def __str__(self) -> str:
        found = [f"agree: {', '.join(self.agree)}"] if self.agree else []
        found += [f"differ: {', '.join(f'{name} has {value}' for name, value in self.differ.items())}"] * bool(self.differ)
        if len(self.agree) == 1 and not self.differ:
            found.append("one source")
        return f"{self.fact} {self.value}: {'; '.join(found) or 'no source'}"


def verdicts_of(provider: Provider, claims: Iterable[Claim]) -> list[Verdict]:
    """One verdict for each comparable fact of `provider`."""
    claims = _claims_about(provider, claims)
    found = []
    for fact, value in _facts(provider).items():
        agree = {claim.project for claim in claims if _says(claim, fact, value)}
        differ = {
            claim.project: other
            for claim in claims
            if claim.project not in agree and (other := _other(claim, fact))
        }  # fmt: skip
        found.append(Verdict(fact, value, tuple(sorted(agree)), differ))
    return found


def compared_with(verdicts: Sequence[Verdict]) -> list[str]:
    """The projects that agree in every one of the facts that say where a credential goes."""
    main = [verdict for verdict in verdicts if verdict.fact != "base_url"] or list(verdicts)
    return sorted(set.intersection(*(set(verdict.agree) for verdict in main))) if main else []


def differing(verdicts: Iterable[Verdict]) -> str:
    """The projects that say something else, each with the facts."""
    found: dict[str, list[str]] = {}
    for verdict in verdicts:
        for project in verdict.differ:
            found.setdefault(project, []).append(verdict.fact)
    return "; ".join(f"{project}: {', '.join(facts)}" for project, facts in sorted(found.items()))


def _facts(provider: Provider) -> dict[str, str]:
    fields = provider.fields
    facts = {name: normalized(fields[name]) for name in (*_ENDPOINTS, "base_url") if fields.get(name)}
    if "base_url" in facts:  # projects draw the line between base URL and path differently
        facts["base_url"] = facts["base_url"].split("/")[2]
    if provider.type == "api_key" and fields.get("location") != "basic":
        facts["parameter"] = fields.get("parameter", "X-API-Key").lower()
    elif provider.type == "headers":
        facts["parameter"] = ", ".join(sorted(name.lower() for name in provider.header_names))
    elif provider.type != "oauth2":
        facts["parameter"] = "authorization"
    return facts


def _claims_about(provider: Provider, claims: Iterable[Claim]) -> list[Claim]:
    """Those under the same name, and those with the same token endpoint."""
    keys = {plain_key(provider.key), plain_key(provider.title)}
    endpoint = normalized(provider.fields.get("token_endpoint", ""))
    is_oauth2 = provider.type == "oauth2"
    return [
        claim
        for claim in claims
        if (claim.key in keys and (is_oauth2 or claim.carriers)) or (is_oauth2 and endpoint in claim.urls)
    ]


def _says(claim: Claim, fact: str, value: str) -> bool:
    if fact == "parameter":
        return set(value.split(", ")) & claim.carriers != set()
    if fact == "base_url":
        return any(url.split("/")[2:3] == [value] for url in claim.urls)
    return value in claim.endpoints.get(fact, claim.urls)


def _other(claim: Claim, fact: str) -> str:
    if fact == "parameter":
        return ", ".join(sorted(claim.carriers))
    return " or ".join(claim.endpoints.get(fact, ())) if fact in _ENDPOINTS else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0, or 1 if a fact of an entry that says `compared` is no longer so."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="+", help="where copies of the projects lie")
    parser.add_argument("--only", metavar="KEY", help="one entry")
    options = parser.parse_args(arguments)
    claims = read_claims(options.folders)
    print(f"{len(claims)} claims of {', '.join(sorted({claim.project for claim in claims})) or 'no project'}")
    wrong = 0
    for key, provider in load_providers().items():
        if options.only not in {None, key}:
            continue
        verdicts = verdicts_of(provider, claims)
        projects = ", ".join(compared_with(verdicts))
        print(f"{key}: {projects or 'no project agrees in all'}")
        for verdict in verdicts:
            print(f"    {verdict}")
        missing = {name.strip() for name in provider.compared.split(",") if name.strip()} - set(projects.split(", "))
        if missing & {claim.project for claim in claims}:
            wrong += 1
            print(f"    the entry says compared with {', '.join(sorted(missing))}, which is not so")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
