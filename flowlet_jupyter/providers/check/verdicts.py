"""What the projects together say of one entry. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flowlet_jupyter.providers.check.claims import Claim, host_of, normalized, plain_key
from flowlet_jupyter.providers.check.facts import agrees, facts_of, other_value
from flowlet_jupyter.providers.entry import Provider


@dataclass(frozen=True)
class Verdict:
    """What the projects say of one fact of an entry."""

    fact: str
    value: str
    agree: tuple[str, ...]
    differ: Mapping[str, str]  # project: what it has

    @property
    def rests_on(self) -> str:
        """In a word: "agrees" (two projects and more), "one source", or "no source"."""
        return ("no source", "one source", "agrees")[min(len(self.agree), 2)]

    def __str__(self) -> str:
        sentences = [f"{self.rests_on}: {', '.join(self.agree)}" if self.agree else self.rests_on]
        sentences += [f"differs: {name} has {value}" for name, value in self.differ.items()]
        return f"{self.fact} {self.value}: {'; '.join(sentences)}"


def verdicts_of(provider: Provider, claims: Iterable[Claim]) -> list[Verdict]:
    """One verdict for each comparable fact of `provider`."""
    named, nearby = _claims_about(provider, claims)
    verdicts = []
    for fact, value in facts_of(provider).items():
        agree = {claim.project for claim in (*named, *nearby) if agrees(claim, fact, value)}
        differ = {
            claim.project: other
            for claim in named
            if claim.project not in agree and (other := other_value(claim, fact))
        }  # fmt: skip
        verdicts.append(Verdict(fact, value, tuple(sorted(agree)), dict(sorted(differ.items()))))
    return verdicts


def _claims_about(provider: Provider, claims: Iterable[Claim]) -> tuple[list[Claim], list[Claim]]:
    """Those under the same name; and those under another that speak of the same API or token endpoint.

    A client that was laid under another entry's key may name this API without sending it anything.
    """
    keys = {plain_key(provider.key), plain_key(provider.title)}
    endpoint = normalized(provider.fields.get("token_endpoint", ""))
    host = host_of(normalized(provider.fields.get("base_url", "")))
    is_oauth2 = provider.type == "oauth2"
    named, nearby = [], []
    for claim in claims:
        # a client's names say something only of the API that it reads, whatever its folder is called
        if (
            claim.words
            and not claim.is_chosen
            and host not in {"", "{}"}
            and host not in claim.hosts
            and endpoint not in claim.urls
        ):
            continue
        if (is_oauth2 and host_of(endpoint) not in {"", "{}"} and endpoint in claim.urls) or claim.key in keys:
            named.append(claim)
        elif not claim.is_chosen and host not in {"", "{}"} and host in claim.hosts:
            nearby.append(claim)
    return named, nearby
