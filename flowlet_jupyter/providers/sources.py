"""What other projects say of providers: facts read from their files where these lie on a disk.

Only addresses and names are read, with regular expressions or as data; nothing of the files is run. A project that is not
under the folders is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_BYTES = 5_000_000
_URL = re.compile(r"https?://[^\s\"'`<>\\]+")
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|\{[^}]*\}|\[[^\]]*\]|#\{[^}]*\}|%s|:[a-z]\w*(?=/|$)")
_SUFFIX = re.compile(
    r"(-?(oauth2?|api|apikey|api-key|key|token|pat|v\d|cc|basic|credentials?|provider|oauth2-cc|web))+$", re.IGNORECASE
)


@dataclass(frozen=True)
class Claim:
    """What one file of one project says of a provider."""

    project: str
    key: str  # the project's own name of the provider, without what all names have
    urls: frozenset[str] = frozenset()  # every address, normalized
    # the addresses whose meaning the file says, normalized; several where the file has alternatives
    endpoints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    carriers: frozenset[str] = frozenset()  # the names of headers and query parameters that carry a key, in lower case


def read_claims(folders: list[Path]) -> list[Claim]:
    """All claims of the known projects whose files are somewhere under `folders`."""
    return [claim for folder in folders for pattern, read in _READERS.items() for file in sorted(folder.glob(pattern))
            if file.is_file() and file.stat().st_size <= MAX_BYTES for claim in read(file)]  # fmt: skip


def normalized(url: str) -> str:
    """`url` without query and last slash, with `{}` for what is filled in."""
    url = _PLACEHOLDER.sub("{}", url.split("?")[0].split("#")[0]).rstrip("/.,;)")
    return url.replace("http://", "https://").replace("{}{}", "{}").lower()


def plain_key(name: str) -> str:
    """A provider's name as it is compared: letters and digits, without what says only how it is authorized."""
    stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    return re.sub(r"[^a-z0-9]", "", _SUFFIX.sub("", stem).lower())


def _nango(file: Path) -> Iterator[Claim]:
    import yaml  # comes with jupyter_server

    for key, entry in yaml.safe_load(file.read_text("utf-8")).items():
        proxy = entry.get("proxy") or {}
        endpoints = {
            "authorization_endpoint": entry.get("authorization_url"),
            "token_endpoint": entry.get("token_url"),
            "base_url": proxy.get("base_url"),
        }
        known = {
            name: tuple(normalized(part) for part in value.split(" || "))
            for name, value in endpoints.items()
            if isinstance(value, str)
        }
        sent = {**(proxy.get("headers") or {}), **(proxy.get("query") or {})}
        carriers = {name.lower() for name, value in sent.items() if "apiKey}" in str(value)}
        if entry.get("auth_mode") == "BASIC":
            carriers.add("authorization")
        yield Claim("Nango", plain_key(key), _all(known), known, frozenset(carriers))


def _grant(file: Path) -> Iterator[Claim]:
    for key, entry in json.loads(file.read_text("utf-8")).items():
        if entry.get("oauth") == 2:  # noqa: PLR2004 - the version of OAuth
            endpoints = {
                "authorization_endpoint": (normalized(entry.get("authorize_url", "")),),
                "token_endpoint": (normalized(entry.get("access_url", "")),),
            }
            yield Claim("grant", plain_key(key), _all(endpoints), endpoints)


def _all(endpoints: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset(url for urls in endpoints.values() for url in urls)


def _text_reader(project: str, key_of: Callable[[Path], str]) -> Callable[[Path], Iterator[Claim]]:
    def read(file: Path) -> Iterator[Claim]:
        text = file.read_text("utf-8", "replace")
        urls = frozenset(normalized(url) for url in _URL.findall(text))
        if urls:
            yield Claim(project, plain_key(key_of(file)), urls, carriers=_carriers(text))

    return read


def _carriers(text: str) -> frozenset[str]:
    """n8n's: `'api-key': '={{$credentials.apiKey}}'` among headers or the query, or a Basic pair under `auth`."""
    pairs = re.findall(r"['\"]?([\w-]+)['\"]?\s*:\s*[`'\"]=[^`'\"]*\{\{\s*\$credentials", text)
    names = {"authorization" if name in {"username", "password"} else name.lower() for name in pairs}
    return frozenset(names - {"baseurl", "url", "domain"})


def _stem(file: Path) -> str:
    return file.name.split(".")[0]


def _folder(file: Path) -> str:
    return file.parent.name


_READERS: dict[str, Callable[[Path], Iterator[Claim]]] = {
    "**/packages/providers/providers.yaml": _nango,
    "**/config/oauth.json": _grant,
    "**/allauth/socialaccount/providers/*/views.py": _text_reader("django-allauth", _folder),
    "**/social_core/backends/*.py": _text_reader("python-social-auth", _stem),
    "**/packages/core/src/providers/*.ts": _text_reader("Auth.js", _stem),
    "**/*goth*/providers/*/*.go": _text_reader("goth", _folder),
    "**/SocialiteProviders*/src/*/Provider.php": _text_reader("Socialite Providers", _folder),
    "**/dist/credentials/*.credentials.js": _text_reader("n8n", _stem),
    "**/nodes-base/credentials/*.credentials.ts": _text_reader("n8n", _stem),
    "**/airbyte-integrations/connectors/source-*/manifest.yaml": _text_reader("Airbyte", _folder),
}


def openapi_carriers(document: Mapping[str, Any]) -> frozenset[str]:
    """The headers and query parameters that an OpenAPI document's security schemes name, in lower case."""
    schemes = ((document.get("components") or {}).get("securitySchemes") or {}).values()
    names = {str(scheme.get("name", "")).lower() for scheme in schemes if scheme.get("type") == "apiKey"}
    return frozenset(names | {"authorization" for scheme in schemes if scheme.get("type") == "http"})
