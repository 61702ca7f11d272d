"""Projects that keep what they know of providers as data: Nango, grant, Kingfisher, OpenAPI documents, connectors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from flowlet_jupyter.providers.check.claims import Claim, normalized, plain_key
from flowlet_jupyter.providers.check.facts import refresh_text

Facts = dict[str, frozenset[str]]
_SECRET = re.compile(r"\$\{[^}]*(apiKey|username|password|token|secret)[^}]*\}|\{\{\s*\w*(TOKEN|KEY)\w*", re.IGNORECASE)


def nango(file: Path) -> Iterator[Claim]:
    """Nango's `providers.yaml`. What it leaves out is what its program does by default: body, PKCE, a space."""
    entries = _yaml(file)
    for key, entry in entries.items():
        if "alias" in entry:
            entry = {**entries.get(entry["alias"], {}), **entry}  # noqa: PLW2901 - the whole of what Nango reads
        proxy = entry.get("proxy") or {}
        facts = _endpoints(
            {"authorization_endpoint": entry.get("authorization_url"), "token_endpoint": entry.get("token_url")}
        )
        facts |= carriers_of({**(proxy.get("headers") or {}), **(proxy.get("query") or {})})
        if entry.get("auth_mode") == "BASIC":
            facts |= sets(parameter=["authorization"], scheme=["basic"])
        if entry.get("auth_mode") == "OAUTH2":
            facts |= _nango_oauth2(entry)
        base = _alternatives(proxy.get("base_url"))
        if paginate := proxy.get("paginate"):
            facts |= sets(paging=[_nango_paging(paginate)])
        tests = (proxy.get("verification") or {}).get("endpoints") or []
        override = (proxy.get("verification") or {}).get("base_url_override")
        roots = [normalized(override)] if override else base
        urls = {normalized(f"{root}/{str(test).lstrip('/')}") for root in roots for test in tests}
        yield Claim("Nango", plain_key(key), all_of(facts) | urls | set(base), facts)


def _nango_oauth2(entry: Mapping[str, Any]) -> Facts:
    parameters = entry.get("authorization_params") or {}
    scopes = " ".join(str(scope) for scope in entry.get("default_scopes") or ())
    way = {"basic": "client_secret_basic", "custom": ""}.get(
        entry.get("token_request_auth_method", ""), "client_secret_post"
    )
    separator = {" ": "space", "+": "space", ",": "comma"}.get(entry.get("scope_separator", " "), "other")
    return sets(
        client_authentication=[way],
        pkce=["no" if entry.get("disable_pkce") else "yes"],
        scope_separator=[separator] if "scope_separator" in entry else [],
        refresh_token=[refresh_text(scopes, parameters)],
    )


def _nango_paging(paginate: Mapping[str, Any]) -> str:
    way = paginate.get("type", "")
    if way == "link" and (path := paginate.get("link_path_in_response_body")):
        return f"next {path}"
    if way == "cursor":
        return f"cursor {paginate.get('cursor_path_in_response')} {paginate.get('cursor_name_in_request')}"
    if way == "offset":
        return f"offset {paginate.get('offset_name_in_request')}"
    return str(way)


def grant(file: Path) -> Iterator[Claim]:
    """The OAuth middleware grant's `oauth.json`."""
    for key, entry in json.loads(file.read_text("utf-8")).items():
        if entry.get("oauth") == 2:
            facts = _endpoints(
                {"authorization_endpoint": entry.get("authorize_url"), "token_endpoint": entry.get("access_url")}
            )
            separator = {",": "comma", " ": "space"}.get(entry.get("scope_delimiter", ""), "")
            facts |= sets(
                scope_separator=[separator],
                client_authentication=[entry.get("token_endpoint_auth_method", "client_secret_post")],
                pkce=["yes"] if entry.get("pkce") else [],
            )
            urls = {normalized(entry["profile_url"])} if entry.get("profile_url") else set()
            yield Claim("grant", plain_key(key), all_of(facts) | urls, facts)


def openapi(file: Path) -> Iterator[Claim]:
    """A provider's own OpenAPI document (3.x), under the key of its entry."""
    yield _openapi_claim("OpenAPI document", file.name.split(".")[0], file)


def apis_guru(file: Path) -> Iterator[Claim]:
    """The collection of OpenAPI documents of APIs.guru; the address names the provider (`api/nasa.gov/apod.json`)."""
    yield _openapi_claim("APIs.guru", file.parts[file.parts.index("api") + 1].split(".")[0], file)


def _openapi_claim(project: str, key: str, file: Path) -> Claim:
    document = json.loads(file.read_text("utf-8"))
    components: Mapping[str, Any] = document.get("components") or {}
    facts = _scheme_facts((components.get("securitySchemes") or {}).values())
    servers = [normalized(str(server.get("url", ""))) for server in document.get("servers") or []]
    gets = [path for path, methods in (document.get("paths") or {}).items() if "get" in methods]
    urls = {normalized(server + path) for server in servers for path in gets}
    return Claim(project, plain_key(key), all_of(facts) | {*servers} | urls, facts)


def power_platform(file: Path) -> Iterator[Claim]:
    """A connector of Microsoft's Power Platform: its OpenAPI 2 document, or the OAuth2 settings beside it."""
    try:
        document = json.loads(file.read_text("utf-8-sig"))
    except ValueError:
        return
    key = plain_key(file.parent.name)
    if file.name == "apiProperties.json":
        connections = document.get("properties", {}).get("connectionParameters") or {}
        for settings in (entry.get("oAuthSettings") for entry in connections.values() if isinstance(entry, dict)):
            parameters = (settings or {}).get("customParameters") or {}
            addresses = {name.lower(): _value(value) for name, value in parameters.items()}
            facts = _endpoints(
                {
                    "authorization_endpoint": addresses.get("authorizationurl"),
                    "token_endpoint": addresses.get("tokenurl"),
                }
            )
            if facts and (settings or {}).get("identityProvider") != "aad":
                yield Claim("Power Platform", key, all_of(facts), facts)
        return
    facts = _scheme_facts((document.get("securityDefinitions") or {}).values())
    base = f"https://{document.get('host', '')}{document.get('basePath', '')}".rstrip("/")
    paths = {normalized(base + path) for path, methods in (document.get("paths") or {}).items() if "get" in methods}
    yield Claim("Power Platform", key, all_of(facts) | paths | {normalized(base)}, facts)


def kingfisher(file: Path) -> Iterator[Claim]:
    """Kingfisher's rules for found keys, each with the request that tells whether the key is alive."""
    for rule in _yaml(file).get("rules") or []:
        request = ((rule.get("validation") or {}).get("content") or {}).get("request") or {}
        url = str(request.get("url", ""))
        if url.startswith("http"):
            query = dict(re.findall(r"[?&]([\w.-]+)=(\{\{[^&]*\}\})", url))
            facts = carriers_of({**(request.get("headers") or {}), **query})
            yield Claim("Kingfisher", plain_key(file.stem), frozenset({normalized(url)}), facts)


def carriers_of(sent: Mapping[str, Any]) -> Facts:
    """The headers and parameters of `sent` whose value holds a key, and the scheme before it."""
    carriers = {str(name).lower(): str(value) for name, value in sent.items() if _SECRET.search(str(value))}
    scheme = re.match(r"=?([\w-]+)[ =]", carriers.get("authorization", ""))
    return sets(parameter=carriers, scheme=[scheme[1].lower()] if scheme else [])


def all_of(facts: Facts) -> frozenset[str]:
    """Every address among `facts`."""
    return frozenset(value for values in facts.values() for value in values if value.startswith("https://"))


def _scheme_facts(schemes: Iterable[Mapping[str, Any]]) -> Facts:
    facts: Facts = {}
    for scheme in schemes:
        flows = list((scheme.get("flows") or {"": scheme}).values())
        if scheme.get("type") == "apiKey":
            facts |= sets(parameter=[*facts.get("parameter", ()), str(scheme.get("name", "")).lower()])
        elif scheme.get("type") in {"http", "basic"}:
            facts |= sets(parameter=[*facts.get("parameter", ()), "authorization"],
                           scheme=[*facts.get("scheme", ()), str(scheme.get("scheme", "basic")).lower()])  # fmt: skip
        elif scheme.get("type") == "oauth2":
            for name, member in (("authorization_endpoint", "authorizationUrl"), ("token_endpoint", "tokenUrl")):
                known = [normalized(flow[member]) for flow in flows if str(flow.get(member, "")).startswith("http")]
                facts |= sets(**{name: [*facts.get(name, ()), *known]})
    return facts


def _endpoints(addresses: Mapping[str, Any]) -> Facts:
    return sets(**{name: _alternatives(address) for name, address in addresses.items()})


def _alternatives(address: Any) -> list[str]:
    parts = address.split(" || ") if isinstance(address, str) else []
    return [normalized(part) for part in parts if part.startswith(("http", "${"))]


def sets(**facts: Iterable[str]) -> Facts:
    """The facts, without what is empty."""
    return {name: found for name, values in facts.items() if (found := frozenset(filter(None, values)))}


def _value(entry: Any) -> Any:
    return entry.get("value") if isinstance(entry, dict) else entry


def _yaml(file: Path) -> Mapping[str, Any]:
    return next(iter(yaml_documents(file)), {})


def yaml_documents(file: Path) -> list[dict[str, Any]]:
    """The objects in a YAML file; none if it cannot be read."""
    import yaml  # comes with jupyter_server

    try:
        documents = list(yaml.load_all(file.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError:
        return []
    return [document for document in documents if isinstance(document, dict)]
