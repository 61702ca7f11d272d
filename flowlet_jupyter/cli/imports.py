"""OAuth2 settings of other tools, read as the fields of secrets. Pure; the text is untrusted and only ever data.

Google's `client_secret*.json` and service account keys, Postman collections (their Bearer tokens, Basic pairs and API
keys too), Insomnia exports, Bruno's .bru files, JetBrains' http-client environments, and our own export.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, JWT_BEARER, PASSWORD
from flowlet_jupyter.model.schema import field_label
from flowlet_jupyter.providers.matching import completed

Fields = dict[str, Any]
_MOST_CHARACTERS = 5_000_000  # of a file, and of what its variables may make of it
_MOST_IN_YAML = 1_000_000  # which takes its reader minutes
_MOST_SECRETS = 500  # each is compared with all of the catalogue
_VARIABLE = re.compile(r"\{\{([^{}]+)\}\}")
# files, variables and other secrets: all that a secret reads beside its own values
_OF_THIS_MACHINE = ("source", "subject_token_file", "subject_secret", "client_certificate_file", "client_key_file")

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
    if len(text) > _MOST_CHARACTERS:
        raise InvalidSecret(
            f"The file has more than {_MOST_CHARACTERS // 1_000_000} MB: it is no file of OAuth2 settings."
        )
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        found = _settings_in(text)
    except RecursionError:
        found = []
    # what many requests repeat is one secret, with the first one's name; YAML has dates, too
    once = {json.dumps({**fields, "name": ""}, sort_keys=True, default=str): fields for fields in reversed(found)}
    if len(once) > _MOST_SECRETS:
        raise InvalidSecret(f"The file describes {len(once):,} secrets; at most {_MOST_SECRETS} are imported at once.")
    secrets = [completed(fields) for fields in reversed(once.values())]
    if not secrets:
        raise InvalidSecret(
            "No OAuth2 settings were found. Known are Google's client_secret.json and service account keys, Postman "
            "collections, Insomnia exports, Bruno's .bru files, JetBrains' http-client environments, and our own export."
        )
    return secrets


def refuse_what_is_here(fields: Fields) -> None:
    """Raise `InvalidSecret` if the secret would read what is on this machine, to send it where the file says."""
    if named := [name for name in _OF_THIS_MACHINE if fields.get(name)]:
        raise InvalidSecret(
            f"Its {field_label(named[0])} names what is on this machine, which a file from elsewhere does not choose: the "
            "secret would send it to the file's own hosts. If it is your file, add this secret yourself (jupyter flowlet "
            "add); to move secrets to another machine there is jupyter flowlet backup.",
            field=named[0],
        )


def _settings_in(text: str) -> list[Fields]:
    try:
        content = json.loads(text)
    except ValueError:
        return list(_bruno(text)) or list(_walk(_yaml(text), "imported"))
    return list(_walk(_with_variables(content), "imported"))


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
    """What a collection, a folder or a request of Postman sends as it is, for the one host that it is sent to."""
    auth = node.get("auth")
    if not isinstance(auth, dict):
        return None
    fields = _static_fields(auth)
    hosts = set(_hosts_of(node))
    return {**fields, "name": name, "allowed_hosts": sorted(hosts) if len(hosts) == 1 else []} if fields else None


def _static_fields(auth: dict[str, Any]) -> Fields:
    """The fields of an `auth` of Postman's that needs no provider; none for any other."""
    kind = str(auth.get("type"))
    held = auth.get(kind)
    if isinstance(held, list):
        held = {str(entry.get("key")): entry.get("value") for entry in held if isinstance(entry, dict)}
    if not isinstance(held, dict):
        return {}
    # "{{variable}}" stands for something that the file does not hold
    texts = {key: value for key, value in held.items() if isinstance(value, str) and "{{" not in value}
    if kind == "bearer" and texts.get("token"):
        return {"type": "password", "password": texts["token"]}
    if kind == "basic" and (texts.get("username") or texts.get("password")):
        return {"type": "basic", "username": texts.get("username", ""), "password": texts.get("password", "")}
    if kind == "apikey" and texts.get("key") and texts.get("value"):
        location = texts.get("in", "header")
        return {"type": "api_key", "key": texts["value"], "parameter": texts["key"], "location": location}
    return {}


def _hosts_of(node: dict[str, Any]) -> Iterator[str]:
    """The hosts that the credentials of `node` go to: a collection, a folder, an item or its request.

    What is below it and has credentials of its own, or is to be sent without (`noauth`), is left out.
    """
    for part in (*_listed(node.get("item")), node.get("request")):
        if isinstance(part, dict) and not part.get("auth"):
            yield from _hosts_of(part)
    url = node.get("url")
    raw = url.get("raw") if isinstance(url, dict) else url
    with contextlib.suppress(ValueError):  # of an address that is none
        host = urlsplit(raw).netloc.rpartition("@")[2] if isinstance(raw, str) else ""
        if host and "{{" not in host:
            yield host


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _renamed(node: dict[str, Any]) -> Fields:
    plain = {re.sub(r"[^a-z]", "", str(key).lower()): value for key, value in node.items()}
    fields: Fields = {}
    for ours, theirs in _NAMES.items():
        value = next((plain[other] for other in theirs if isinstance(plain.get(other), str) and plain[other]), None)
        # "{{variable}}" and "<variable>" stand for something that the file does not hold
        if value is not None and not ("{{" in value and "}}" in value.partition("{{")[2]):
            fields[ours] = value
    grant = re.sub(r"[^a-z]", "", str(plain.get("granttype", "")).lower())
    if grant in _GRANTS:
        fields["grant_type"] = _GRANTS[grant]
    placed = str(plain.get("clientauthentication") or plain.get("clientcredentials") or "")
    if "body" in placed or plain.get("credentialsinbody") is True:
        fields["token_endpoint_auth_method"] = "client_secret_post"
    return fields


def _bruno(text: str) -> Iterator[Fields]:
    blocks = list(_bruno_blocks(text))
    name = next((pairs["name"] for head, pairs in blocks if head == "meta" and pairs.get("name")), "imported")
    for head, pairs in blocks:
        fields = _renamed(pairs) if head == "auth:oauth2" else {}
        if "token_endpoint" in fields and "client_id" in fields:
            yield {**fields, "name": name}


def _bruno_blocks(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each `head {` … `}` of a .bru file, and the pairs in its lines."""
    head = ""
    pairs: dict[str, str] = {}
    for line in text.split("\n"):
        if line.endswith(" {") and not line[0].isspace():
            head, pairs = line.removesuffix(" {"), {}
        elif line.startswith("}") and head:
            yield head, pairs
            head = ""
        elif ":" in line:
            key, _, value = line.partition(":")
            pairs[key.strip()] = value.strip()


def _yaml(text: str) -> Any:
    """Insomnia v5 and Bruno's OpenCollection; anything else gives nothing."""
    if len(text) > _MOST_IN_YAML:
        return None
    import yaml

    class WithoutAliases(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no hints
        def compose_node(self, parent: Any, index: Any) -> Any:
            # it stands for all that is behind its anchor, and in there may be others: such a tree has no end
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("an alias")
            return super().compose_node(parent, index)

    try:
        return _with_variables(yaml.load(text, Loader=WithoutAliases))  # noqa: S506 - it is a SafeLoader
    except (yaml.YAMLError, ValueError):
        return None


def _with_variables(content: Any) -> Any:
    """The tree with `{{name}}` filled in from the file's own variables; an unknown one stays as it is."""
    variables: dict[str, str] = {}
    if isinstance(content, dict):
        for entry in _listed(content.get("variable")) or _listed(content.get("values")):
            if isinstance(entry, dict) and isinstance(entry.get("value"), str):
                variables[str(entry.get("key"))] = entry["value"]
    return _Filling(variables).of(content) if variables else content


class _Filling:
    """Fills variables in, up to a length: a long one that is named often enough would fill the memory."""

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = variables
        self._left = _MOST_CHARACTERS

    def of(self, node: Any) -> Any:
        """`node` with its variables filled in. Raises `InvalidSecret` where they become too long."""
        if isinstance(node, dict):
            return {key: self.of(entry) for key, entry in node.items()}
        if isinstance(node, list):
            return [self.of(entry) for entry in node]
        return _VARIABLE.sub(self._value, node) if isinstance(node, str) else node

    def _value(self, match: re.Match[str]) -> str:
        value = self._variables.get(match[1].strip(), match[0])
        self._left -= len(value)
        if self._left < 0:
            raise InvalidSecret(
                "The variables of this file make more of it than OAuth2 settings are. Nothing was read."
            )
        return value
