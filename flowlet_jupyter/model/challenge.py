"""What an API says that it wants in `WWW-Authenticate` (RFC 9110, 11.6.1; RFC 6750, 3; RFC 9470, 3). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flowlet_jupyter.errors import printable

_PARAMETER = re.compile(r'(?<![A-Za-z_])([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_MAX_CHARACTERS = 500
# a fresh access token of the same consent would be refused as well: only a user can give more
_NEEDS_USER = frozenset({"insufficient_scope", "insufficient_user_authentication"})


@dataclass(frozen=True)
class Challenge:
    """The parameters that say what is missing; each is empty where the API does not name it."""

    error: str = ""
    scope: str = ""
    acr_values: str = ""
    max_age: str = ""

    @property
    def needs_user(self) -> bool:
        """Whether the token is good and not enough: the user must allow more, or log in again or otherwise."""
        return self.error in _NEEDS_USER


def parameters_of(header: str) -> dict[str, str]:
    """The parameters of a `WWW-Authenticate` header, of each the first, by their names in small letters."""
    parameters: dict[str, str] = {}
    for match in _PARAMETER.finditer(header[:10_000]):
        text = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
        parameters.setdefault(match[1].lower(), text)
    return parameters


def challenge_of(headers: Mapping[str, str]) -> Challenge:
    """What the headers of a response ask for; an unknown `max_age` is left out."""
    parameters = {
        name: printable(" ".join(text.split())[:_MAX_CHARACTERS])
        for name, text in parameters_of(headers.get("WWW-Authenticate", "")).items()
    }
    max_age = parameters.get("max_age", "")
    return Challenge(
        error=parameters.get("error", "").lower(),
        scope=parameters.get("scope") or _scope_in(parameters.get("error_description", "")),
        acr_values=parameters.get("acr_values", ""),
        max_age=max_age if max_age.isascii() and max_age.isdigit() else "",
    )


# the MCP SDK's server names it here only: "Required scope: read"
_NAMED = re.compile(
    r"(?:required|missing|needed|needs|requires)(?: the)? scopes?:?\s+[\"']?([^\s\"',.;]+(?:[ ,]+[^\s\"',.;]+)*)[\"']?\.?$"
)


def _scope_in(description: str) -> str:
    """The scopes that end an error's description; empty if it does not say so plainly."""
    match = _NAMED.search(description[:1].lower() + description[1:])
    return " ".join(match[1].replace(",", " ").split()) if match else ""
