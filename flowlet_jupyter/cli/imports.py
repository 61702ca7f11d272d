"""OAuth2 settings of other tools, read as the fields of secrets. Pure; the text is untrusted and only ever data.

Google's `client_secret*.json` and service account keys, Postman collections (Bearer, Basic and API keys too), Insomnia exports, Bruno's .bru files,
JetBrains' http-client environments, and our own export.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, JWT_BEARER, PASSWORD
from flowlet_jupyter.providers.matching import completed

Fields = dict[str, Any]
_MOST_YAML = 5_000_000  # characters

# their names for our fields; what is not listed is left behind
_NAMES = {
    "authorization_endpoint": ("authurl", "authorizationurl", "authuri"),
    "token_endpoint": ("accesstokenurl", "tokenurl", "tokenuri"),
    "client_id": ("clientid",),
    "client_secret": ("clientsecret",),
    "scope": ("scope",),
    "username": ("username",),
}
_GRANTS = {
    "authorizationcode": AUTHORIZATION_CODE,
    "authorizationcodewithpkce": AUTHORIZATION_CODE,
    "clientcredentials": CLIENT_CREDENTIALS,
    "passwordcredentials": PASSWORD,
    "password": PASSWORD,
}


def imported(text: str) -> list[Fields]:
    """The secrets that `text` describes, each with a `name`. Raises `InvalidSecret` if there are none."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    secrets: list[Fields] = []
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        secrets = list(_bruno(text)) or list(_walk(_yaml(text), "imported"))
    else:
        secrets = list(_walk(_with_variables(content), "imported"))
    once = {json.dumps({**fields, "name": ""}, sort_keys=True): fields for fields in reversed(secrets)}
    secrets = [completed(fields) for fields in reversed(once.values())]  # what many requests repeat is one secret
    if not secrets:
        raise InvalidSecret(
            "No OAuth2 settings were found. Known are Google's client_secret.json and service account keys, Postman "
            "collections, Insomnia exports, Bruno's .bru files, JetBrains' http-client environments, and our own export."
        )
    return secrets


def _walk(node: Any, name: str) -> Iterator[Fields]:
    """Settings anywhere in the tree, named after the nearest name above them."""
    if isinstance(node, list):
        for entry in node:
            yield from _walk(entry, name)
        return
    if not isinstance(node, dict):
        return
    own = node.get("name")
    name = own if isinstance(own, str) and own else name
    if settings := _settings(node, name):
        yield settings
        return
    if static := _static(node, name):
        yield static
    for key, entry in node.items():
        yield from _walk(entry, key if isinstance(entry, dict) and name == "imported" else name)


def _settings(node: dict[str, Any], name: str) -> Fields | None:
    if node.get("type") == "service_account" and "private_key" in node:
        return {
            "name": str(node.get("project_id", name)), "provider": "google", "grant_type": JWT_BEARER,
            "client_id": node.get("client_email", ""), "private_key": node["private_key"],
            "private_key_id": node.get("private_key_id"), "token_endpoint": node.get("token_uri", ""),
            "allowed_hosts": ["*.googleapis.com"],
        }  # fmt: skip
    if "token_endpoint" in node and "client_id" in node:  # our own export
        return {**node, "name": name}
    if node.get("type") == "oauth2" and isinstance(node.get("oauth2"), list):  # Postman
        node = {str(entry.get("key")): entry.get("value") for entry in node["oauth2"] if isinstance(entry, dict)}
        name = str(node.get("tokenName") or name)
    fields = _renamed(node)
    return {**fields, "name": name} if "token_endpoint" in fields and "client_id" in fields else None


def _static(node: dict[str, Any], name: str) -> Fields | None:
    """What a collection or a request of Postman sends as it is, to the one host that it is sent to."""
    auth = node.get("auth")
    if not isinstance(auth, dict) or auth.get("type") not in {"bearer", "basic", "apikey"}:
        return None
    held = auth.get(auth["type"])
    if isinstance(held, list):
        held = {str(entry.get("key")): entry.get("value") for entry in held if isinstance(entry, dict)}
    # "{{variable}}" stands for something that the file does not hold
    texts = {key: value for key, value in (held or {}).items() if isinstance(value, str) and "{{" not in value}
    fields: Fields = {}
    if auth["type"] == "bearer" and texts.get("token"):
        fields = {"type": "password", "password": texts["token"]}
    elif auth["type"] == "basic" and (texts.get("username") or texts.get("password")):
        fields = {"type": "basic", "username": texts.get("username", ""), "password": texts.get("password", "")}
    elif auth["type"] == "apikey" and texts.get("key") and texts.get("value"):
        fields = {
            "type": "api_key",
            "key": texts["value"],
            "parameter": texts["key"],
            "location": texts.get("in", "header"),
        }
    hosts = set(_hosts_of(node))
    return {**fields, "name": name, "allowed_hosts": sorted(hosts) if len(hosts) == 1 else []} if fields else None


def _hosts_of(node: Any) -> Iterator[str]:
    """The hosts of the requests in a collection or folder, or of a request; not those that have credentials of their own."""
    for item in node.get("item") or [] if isinstance(node, dict) else []:
        if isinstance(item, dict) and not isinstance(item.get("auth"), dict):
            yield from _hosts_of(item)
    request = node.get("request", node) if isinstance(node, dict) else None
    url = (
        request.get("url") if isinstance(request, dict) and not (request is not node and request.get("auth")) else None
    )
    raw = url.get("raw") if isinstance(url, dict) else url
    if isinstance(raw, str) and "://" in raw and "{{" not in raw.partition("://")[2].partition("/")[0]:
        yield urlsplit(raw).netloc.rpartition("@")[2]


def _renamed(node: dict[str, Any]) -> Fields:
    plain = {re.sub(r"[^a-z]", "", str(key).lower()): value for key, value in node.items()}
    fields: Fields = {}
    for ours, theirs in _NAMES.items():
        value = next((plain[other] for other in theirs if isinstance(plain.get(other), str) and plain[other]), None)
        # "{{variable}}" and "<variable>" stand for something that the file does not hold
        if value is not None and not re.search(r"\{\{.*\}\}", value):
            fields[ours] = value
    grant = re.sub(r"[^a-z]", "", str(plain.get("granttype", "")).lower())
    if grant in _GRANTS:
        fields["grant_type"] = _GRANTS[grant]
    placed = str(plain.get("clientauthentication") or plain.get("clientcredentials") or "")
    if "body" in placed or plain.get("credentialsinbody") is True:
        fields["token_endpoint_auth_method"] = "client_secret_post"
    return fields


def _bruno(text: str) -> Iterator[Fields]:
    named = re.search(r"^meta \{[^}]*?^\s*name:\s*(.+?)\s*$", text, re.MULTILINE)
    for block in re.finditer(r"^auth:oauth2 \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        pairs = (line.partition(":") for line in block[1].splitlines() if ":" in line)
        fields = _renamed({key.strip(): value.strip() for key, _, value in pairs})
        if "token_endpoint" in fields and "client_id" in fields:
            yield {**fields, "name": named[1] if named else "imported"}


def _yaml(text: str) -> Any:
    """Insomnia v5 and Bruno's OpenCollection; anything else gives nothing."""
    if len(text) > _MOST_YAML or ("&" in text and re.search(r"^\s*[^\s#]*:?\s*&\w+", text, re.MULTILINE)):
        return None  # an anchor can unfold without bound
    import yaml

    try:
        return _with_variables(yaml.safe_load(text))
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def _with_variables(content: Any) -> Any:
    """The tree with `{{name}}` filled in from the file's own variables; an unknown one stays as it is."""
    variables: dict[str, str] = {}
    if isinstance(content, dict):
        for entry in content.get("variable") or content.get("values") or ():
            if isinstance(entry, dict) and isinstance(entry.get("value"), str):
                variables[str(entry.get("key"))] = entry["value"]
    return _filled(content, variables) if variables else content


def _filled(node: Any, variables: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(entry, variables) for key, entry in node.items()}
    if isinstance(node, list):
        return [_filled(entry, variables) for entry in node]
    if isinstance(node, str):
        return re.sub(r"\{\{\s*([^{}]+?)\s*\}\}", lambda match: variables.get(match[1], match[0]), node)
    return node
