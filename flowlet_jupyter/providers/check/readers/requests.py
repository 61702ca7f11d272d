"""Projects that write out the request with which a key is sent: nuclei's templates, Airbyte's connectors, documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flowlet_jupyter.providers.check.claims import Claim, normalized, plain_key
from flowlet_jupyter.providers.check.readers.data import Facts, all_of, sets, yaml_documents
from flowlet_jupyter.providers.check.readers.lists import text_below
from flowlet_jupyter.providers.check.readers.programs import URL, named_in, words_of

_TEMPLATE = re.compile(r"\{\{[^}]*\}\}")
_CARRIED = re.compile(r"\{\{[^}]*\b(?:token|api|id|key)\b[^}]*\}\}", re.IGNORECASE)
_RAW = re.compile(r"\s*GET (\S+)[^\n]*\n(.*)", re.DOTALL)
_AUTHENTICATOR = re.compile(r"\b(?:Token|BasicHttp)Authenticator\(")  # they send the header when nothing else is said
_HEADER_LINE = re.compile(
    r"\b([A-Za-z][\w-]+): (Basic|Bearer|[Tt]oken|[Aa]pi[Kk]ey)\b"
)  # in a request that is written out
_HIDDEN = re.compile(r"^\.")
_SCHEME_NAME = re.compile(r"\bname: [\"']?([A-Za-z][\w-]+)")  # of an OpenAPI document
_DOCUMENTS = (".md", ".rst", ".txt", ".adoc", ".html", ".tsx", ".yaml", ".yml", ".json", ".qmd", ".mdx")


def nuclei(file: Path) -> Iterator[Claim]:
    """The templates with which nuclei tries a found key, one GET each."""
    for document in yaml_documents(file):
        for request in document.get("http") or []:
            for url, headers in _nuclei_requests(request):
                query = dict(re.findall(r"[?&]([\w.-]+)=(\{\{[^&]*\}\})", url))
                key = file.stem.removeprefix("api-")
                facts = _sent({**headers, **query})
                yield Claim("nuclei-templates", plain_key(key), frozenset({normalized(url)}), facts)


def _nuclei_requests(request: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """The address and the headers of each GET that names a host of its own."""
    for raw in request.get("raw") or []:
        if found := _RAW.match(str(raw)):
            headers = dict(re.findall(r"^([\w-]+): *(.*)$", found[2], re.MULTILINE))
            path = found[1] if found[1].startswith("http") else f"https://{headers.get('Host', '')}{found[1]}"
            yield path, headers
    if request.get("method", "GET") == "GET":
        sent = {str(name): str(value) for name, value in (request.get("headers") or {}).items()}
        yield from ((str(path), sent) for path in request.get("path") or [] if str(path).startswith("http"))


def _sent(values: Mapping[str, str]) -> Facts:
    carriers = {name.lower(): value for name, value in values.items() if _CARRIED.search(value)}
    scheme = re.match(r"([\w-]+)[ =]", carriers.get("authorization", ""))
    return sets(parameter=carriers, scheme=[scheme[1].lower()] if scheme else [])


def airbyte(folder: Path) -> Iterator[Claim]:
    """One of Airbyte's connectors as it is published: the authenticators of its manifest, else the names in its program."""
    key = plain_key(folder.name.removeprefix("airbyte-source-"))
    manifests = [document for file in sorted(folder.rglob("manifest.yaml")) for document in yaml_documents(file)]
    facts: Facts = {}
    for part in (part for manifest in manifests for part in _parts(manifest)):
        facts = {
            name: facts.get(name, frozenset()) | _authenticator(part).get(name, frozenset())
            for name in ("parameter", "scheme")
        }
    text = _TEMPLATE.sub("{}", text_below(folder, (".py", ".yaml")))
    urls = frozenset(map(normalized, URL.findall(text)))
    stated = sets(**facts)
    if urls and (stated or not manifests):
        named = named_in(text) | ({"authorization"} if _AUTHENTICATOR.search(text) else set())
        # a manifest says by itself what it is about, also where its host is filled in
        yield Claim("Airbyte", key, all_of(stated) | urls, stated, frozenset() if stated else words_of(text), named)


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in a document."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _parts(item)


def _authenticator(part: Mapping[str, Any]) -> Facts:
    kind = str(part.get("type"))  # of the schemas beside the authenticators it may be a list
    if kind in {"BearerAuthenticator", "BasicHttpAuthenticator"}:
        return sets(parameter=["authorization"], scheme=["bearer" if kind == "BearerAuthenticator" else "basic"])
    if kind != "ApiKeyAuthenticator":
        return {}
    place = part.get("inject_into")
    name = str(part.get("header") or (place.get("field_name") if isinstance(place, dict) else "") or "").lower()
    prefix = re.match(r"([A-Za-z-]+)[ =]", str(part.get("api_token", "")))
    return sets(parameter=[name], scheme=[prefix[1].lower()] if prefix and name == "authorization" else [])


def documentation(folder: Path) -> Iterator[Claim]:
    """A provider's own documentation, in a folder of its name under the key of the entry: `provider-docs/fred/fred-docs`."""
    text = text_below(folder, _DOCUMENTS, without=_HIDDEN) if folder.is_dir() else ""
    if text:
        urls = frozenset(map(normalized, URL.findall(text)))
        named = named_in(text) | {part.lower() for line in _HEADER_LINE.findall(text) for part in line}
        named |= {name.lower() for name in _SCHEME_NAME.findall(text)}
        yield Claim(folder.name, plain_key(folder.parent.name), urls, words=words_of(text), named=named, is_chosen=True)
