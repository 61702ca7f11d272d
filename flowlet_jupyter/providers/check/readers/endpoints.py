"""Projects that state where providers' authorization and token endpoints are, and clients that speak OAuth2 with one provider."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import parse

from flowlet_jupyter.providers.check.claims import Claim, normalized, plain_key
from flowlet_jupyter.providers.check.readers.data import Facts, all_of, sets
from flowlet_jupyter.providers.check.readers.lists import text_below
from flowlet_jupyter.providers.check.readers.programs import oauth2_urls

_SUFFIXES = (
    ".py", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".go", ".R", ".r", ".rb", ".php", ".java", ".rs", ".cs", ".kt", ".ex",
    ".exs", ".swift", ".pm", ".clj", ".scala", ".dart", ".c", ".yaml", ".yml", ".json", ".xml", ".properties", ".md", ".rst",
)  # fmt: skip
_PATH = re.compile(r"(?:[\w.~-]|\{\}|/)+")
# one name, as a `{` that opens a block of code on the same line is no place to fill in
_PLACE = re.compile(r"[$#]?\{{1,2}[^{}\"'`\s:,;]*\}{1,2}|%s")
_IS_OF_OAUTH2 = re.compile(r"auth|token|login|connect")
_TEMPLATE = re.compile(r"\n {2}[\"']?([\w-]+)[\"']?: \{(.*?)(?=\n {2}\})", re.DOTALL)
_ADDRESS = re.compile(r"\b(authUrl|tokenUrl): [\"'](https://[^\"']+)")
_OF_HOST = re.compile(r"\{CreateAbsoluteUri\(settings\.Issuer, '([^']+)'\)\}")
_OF_OPENIDDICT = {
    "AuthorizationEndpoint": "authorization_endpoint",
    "TokenEndpoint": "token_endpoint",
    "RevocationEndpoint": "revocation_endpoint",
}


def oauth_client(folder: Path) -> Iterator[Claim]:
    """A program that connects to one provider, or the provider's own, under the key of the entry: `oauth-clients/polar/NAME`.

    Most put an address together from a host and a path that stand apart, so that either is kept.
    """
    text = text_below(folder, _SUFFIXES) if folder.is_dir() else ""
    if text:
        urls = oauth2_urls(text)
        yield Claim(folder.name, plain_key(folder.parent.name), urls, paths=paths_in(text), is_chosen=True)


def paths_in(text: str) -> frozenset[str]:
    """The paths of a program that speak of authorization, in lower case and with `{}` for what is filled in."""
    found = set()
    for path in _PATH.findall(_PLACE.sub("{}", text).lower()):
        if "/" in path and _IS_OF_OAUTH2.search(path):
            place, is_filled, rest = path.partition("{}/")
            found.add(path.strip("/"))
            if path.startswith("//"):  # of an address, whose host is of no interest
                found.add(path.lstrip("/").partition("/")[2].rstrip("/"))
            elif is_filled and not place.strip("/"):  # the host is filled in
                found.add(rest.rstrip("/"))
    return frozenset(found - {""})


def windmill(file: Path) -> Iterator[Claim]:
    """Windmill's `oauth_connect.json`."""
    for key, entry in json.loads(file.read_text("utf-8")).items():
        facts = _pair(entry.get("auth_url"), entry.get("token_url"))
        yield Claim("Windmill", plain_key(key), all_of(facts), facts)


def superglue(file: Path) -> Iterator[Claim]:
    """The templates of systems of superglue, each an object in one TypeScript file."""
    for key, text in _TEMPLATE.findall(file.read_text("utf-8")):
        addresses = dict(_ADDRESS.findall(text))
        facts = _pair(addresses.get("authUrl"), addresses.get("tokenUrl"))
        if facts:
            yield Claim("superglue", plain_key(key), all_of(facts), facts)


def openiddict(file: Path) -> Iterator[Claim]:
    """OpenIddict's list of providers."""
    for provider in parse(file).getroot().iter("Provider"):
        configurations = list(provider.iter("Configuration"))
        facts = sets(
            **{ours: _addresses(configurations, name) for name, ours in _OF_OPENIDDICT.items()},
            client_authentication=[each.get("Value", "") for each in provider.iter("TokenEndpointAuthMethod")],
            pkce=["yes" for each in provider.iter("CodeChallengeMethod") if each.get("Value") == "S256"],
        )
        if facts:
            urls = all_of(facts) | set(_addresses(configurations, "UserInfoEndpoint"))
            yield Claim("OpenIddict", plain_key(provider.get("Name", "")), urls, facts)


def _addresses(configurations: Iterable[Element], name: str) -> list[str]:
    """The values of an attribute, some of which are expressions: of a host that is asked for, or of a choice."""
    values = (_OF_HOST.sub(r"https://{}/\1", configuration.get(name, "")) for configuration in configurations)
    return [normalized(url) for value in values for url in re.findall(r"https://(?:\{[^}]*\}|[^'\"\s])+", value)]


def _pair(authorization: str | None, token: str | None) -> Facts:
    known = {"authorization_endpoint": authorization, "token_endpoint": token}
    return sets(**{name: [normalized(url)] for name, url in known.items() if url and url.startswith("https://")})
