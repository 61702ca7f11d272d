"""Projects that list many providers in one program, or one provider in a folder of several files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowlet_jupyter.providers.check.claims import Claim, normalized, plain_key
from flowlet_jupyter.providers.check.readers.data import Facts, all_of, sets, yaml_documents
from flowlet_jupyter.providers.check.readers.programs import URL, named_in, oauth2_urls, words_of

_MAX_CHARACTERS = 3_000_000
_TEST_FILE = re.compile(r"(^|[._-])(test|spec|mock|fixture)s?([._-]|$)|^docs$", re.IGNORECASE)
_GO_ENDPOINT = re.compile(r"var (\w+) = oauth2\.Endpoint\{(.*?)\n\}", re.DOTALL)
_CONNECTOR = re.compile(r"providerId: ['\"]([\w-]+)['\"],(.*?)(?=providerId: ['\"]|\Z)", re.DOTALL)
_PANORA = re.compile(r"\n {6}'?([\w-]+)'?: \{(.*?)(?=\n {6}\}|\Z)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class FolderProgram:
    """One project that has a folder for each service that it reads."""

    name: str
    folders: tuple[str, ...]
    suffixes: tuple[str, ...]
    prefix: str = ""  # of the folder's name, beside the key
    suffix: str = ""


FOLDER_PROGRAMS = (
    FolderProgram(name="Automatisch", folders=("**/packages/backend/src/apps/*",), suffixes=(".js",)),
    FolderProgram(name="Sim", folders=("**/apps/sim/tools/*", "**/apps/sim/connectors/*"), suffixes=(".ts",)),
    FolderProgram(name="Lowcoder", folders=("**/node-service/src/plugins/*",), suffixes=(".ts", ".yaml", ".json")),
    FolderProgram(name="Onyx", folders=("**/backend/onyx/connectors/*",), suffixes=(".py",)),
    FolderProgram(name="MindsDB", folders=("**/integrations/handlers/*_handler",), suffixes=(".py",), suffix="_handler"),
    FolderProgram(name="Elastic connectors", folders=("**/connectors_service/connectors/sources/*",), suffixes=(".py",)),
    FolderProgram(name="OpenFn", folders=("**/OpenFn*/packages/*",), suffixes=(".js", ".json")),
    FolderProgram(name="Home Assistant", folders=("**/homeassistant/components/*",), suffixes=(".py",)),
    FolderProgram(name="Logto", folders=("**/packages/connectors/connector-*",), suffixes=(".ts",), prefix="connector-"),
    FolderProgram(name="Activepieces", folders=("**/@activepieces/piece-*",), suffixes=(".js",), prefix="piece-"),
    FolderProgram(name="Pipedream", folders=("**/@pipedream/*", "**/pipedream/components/*"), suffixes=(".mjs", ".js", ".ts")),
)  # fmt: skip


def folder_reader(program: FolderProgram) -> Callable[[Path], Iterator[Claim]]:
    """What reads one folder of `program`."""

    def read(folder: Path) -> Iterator[Claim]:
        text = text_below(folder, program.suffixes) if folder.is_dir() else ""
        if URL.search(text):
            key = folder.name.removeprefix(program.prefix).removesuffix(program.suffix)
            yield Claim(program.name, plain_key(key), oauth2_urls(text), words=words_of(text), named=named_in(text))

    return read


def text_below(folder: Path, suffixes: tuple[str, ...], without: re.Pattern[str] = _TEST_FILE) -> str:
    """The text of all files of these suffixes below `folder`; of a program, without its tests."""
    files = (
        file
        for file in sorted(folder.rglob("*"))
        if file.suffix in suffixes
        and file.is_file()
        and not any(without.search(part.removesuffix(file.suffix)) for part in file.relative_to(folder).parts)
    )
    return "\n".join(file.read_text("utf-8", "replace") for file in files)[:_MAX_CHARACTERS]


def go_endpoints(file: Path) -> Iterator[Claim]:
    """Go's x/oauth2 `endpoints.go`, one variable for each provider."""
    for name, text in _GO_ENDPOINT.findall(file.read_text("utf-8")):
        urls = dict(re.findall(r"(\w+):\s+\"(https://[^\"]+)\"", text))
        facts = sets(
            authorization_endpoint=[normalized(urls["AuthURL"])] if "AuthURL" in urls else [],
            token_endpoint=[normalized(urls["TokenURL"])] if "TokenURL" in urls else [],
        )
        yield Claim("x/oauth2", plain_key(name), frozenset(map(normalized, urls.values())), facts)


def sim_connectors(file: Path) -> Iterator[Claim]:
    """Sim's list of OAuth2 connections."""
    for key, text in _CONNECTOR.findall(file.read_text("utf-8")):
        urls = dict(re.findall(r"(authorizationUrl|tokenUrl|userInfoUrl): ['\"](https://[^'\"]+)['\"]", text))
        pkce = re.search(r"pkce: (true|false)", text)
        way = re.search(r"authentication: ['\"](basic|post)['\"]", text)
        facts = sets(
            authorization_endpoint=[normalized(urls.get("authorizationUrl", ""))],
            token_endpoint=[normalized(urls.get("tokenUrl", ""))],
            pkce=[("yes" if pkce[1] == "true" else "no")] if pkce else [],
            client_authentication=[f"client_secret_{way[1]}"] if way else [],
        )
        if urls:
            yield Claim("Sim", plain_key(key), frozenset(map(normalized, urls.values())), facts)


def panora(file: Path) -> Iterator[Claim]:
    """Panora's list of connections: where a user is sent, and the API."""
    for key, text in _PANORA.findall(file.read_text("utf-8")):
        urls = dict(re.findall(r"(authBaseUrl|apiUrl): ['\"](https://[^'\"]+)['\"]", text))
        facts = sets(authorization_endpoint=[normalized(urls["authBaseUrl"])] if "authBaseUrl" in urls else [])
        if urls:
            yield Claim("Panora", plain_key(key), frozenset(map(normalized, urls.values())), facts)


def oauthd(file: Path) -> Iterator[Claim]:
    """OAuth.io's `conf.json` of a provider; the last ones are of 2021."""
    try:
        entry = json.loads(file.read_text("utf-8"))
    except ValueError:
        return
    oauth2 = entry.get("oauth2") if isinstance(entry, dict) else None
    if not isinstance(oauth2, dict):
        return
    base = oauth2.get("url") or entry.get("url") or ""
    urls = {name: _absolute(oauth2.get(name), base) for name in ("authorize", "access_token", "revoke")}
    facts = sets(authorization_endpoint=[urls["authorize"]], token_endpoint=[urls["access_token"]])
    yield Claim("OAuth.io", plain_key(file.parent.name), all_of(facts) | ({urls["revoke"]} - {""}), facts)


def _absolute(value: Any, base: Any) -> str:
    url = value.get("url") if isinstance(value, dict) else value
    if not isinstance(url, str) or not isinstance(base, str):
        return ""
    url = url if url.startswith("http") else f"{base.rstrip('/')}/{url.lstrip('/')}"
    return normalized(re.sub(r"\{\{[^}]*\}\}", "{}", url)) if url.startswith("http") else ""


def titus(file: Path) -> Iterator[Claim]:
    """Titus' requests that tell whether a found key is alive."""
    for document in yaml_documents(file):
        for rule in document.get("validators") or []:
            request = rule.get("http") or {}
            auth, url = request.get("auth") or {}, str(request.get("url", ""))
            if url.startswith("http"):
                yield Claim("Titus", plain_key(file.stem), frozenset({normalized(url)}), _titus_facts(auth))


def _titus_facts(auth: dict[str, Any]) -> Facts:
    way = auth.get("type")
    if way in {"bearer", "basic"}:
        return sets(parameter=["authorization"], scheme=[str(way)])
    name = str(auth.get("header_name") or auth.get("query_param") or "").lower()
    prefix = re.match(r"(\w+)[ =]", str(auth.get("header_prefix") or auth.get("prefix") or ""))
    return sets(parameter=[name], scheme=[prefix[1].lower()] if prefix and name == "authorization" else [])
