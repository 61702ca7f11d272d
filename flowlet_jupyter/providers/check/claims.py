"""What one file of another project says of a provider, in a form that can be compared. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_PLACEHOLDER = re.compile(r"\$?\{\{[^}]*\}\}|\$\{[^}]*\}|#\{[^}]*\}|\{[^}]*\}|\[[^\]]*\]|%s|:[a-z]\w*(?=/|$)")
_SUFFIX = re.compile(
    r"(-?(oauth2?|api|apikey|api-key|key|token|pat|v\d|cc|basic|credentials?|provider|oauth2-cc|web|authentication))+$",
    re.IGNORECASE,
)
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Claim:
    """What one file of one project says of a provider."""

    project: str
    key: str  # the project's own name of the provider, as `plain_key` has it
    urls: frozenset[str] = _NOTHING  # every address, normalized
    # the facts whose meaning the file says (`facts.FACTS`); several values where the file has alternatives
    facts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    words: frozenset[str] = _NOTHING  # the names in a program that reads the API, where the paging's may be among them
    named: frozenset[str] = _NOTHING  # those of them that stand in quotes or in a query, where names of parameters do
    paths: frozenset[str] = _NOTHING  # what a program puts behind a host, of the addresses that it authorizes at
    is_chosen: bool = False  # somebody laid it under the entry's key, so that no address has to say what it is about

    @property
    def carriers(self) -> frozenset[str]:
        """The names of headers and query parameters that carry a key, in lower case."""
        return self.facts.get("parameter", _NOTHING)

    @functools.cached_property
    def hosts(self) -> frozenset[str]:
        """The hosts of all its addresses."""
        return frozenset(host for url in self.urls if (host := host_of(url)))


def normalized(url: str) -> str:
    """`url` without query and last slash, with `{}` for what is filled in."""
    url = _PLACEHOLDER.sub("{}", re.split("[?#]", url, maxsplit=1)[0]).rstrip("/.,;)")
    return url.replace("http://", "https://").replace("{}{}", "{}").lower()


def host_of(url: str) -> str:
    """The host of a normalized address, empty where it names none."""
    return url.split("/")[2] if url.count("/") >= 2 else ""


def plain_key(name: str) -> str:
    """A provider's name as it is compared: letters and digits, without what says only how it is authorized."""
    stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    return re.sub(r"[^a-z0-9]", "", _SUFFIX.sub("", stem.replace(" ", "-")).lower())
