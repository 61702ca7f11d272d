"""From the fields that a form sends to a stored secret: typed, and with values that were left empty kept."""

from __future__ import annotations

import dataclasses
from typing import Any

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.oauth2 import OAuth2
from flowlet_jupyter.secret import SECRET_TYPES, Headers, Record, Secret
from flowlet_jupyter.secret_value import SecretValue
from flowlet_jupyter.vault import Vault

# A change of one of these makes the tokens that were obtained before belong to something else.
_GRANT_FIELDS = (
    "authorization_endpoint", "token_endpoint", "client_id", "grant_type", "dpop", "username", "refresh_token",
    "subject", "subject_token_file", "subject_secret",
)  # fmt: skip
# Where the client authenticates itself, with whatever value it has.
_CREDENTIALED_ENDPOINTS = (
    "token_endpoint", "device_authorization_endpoint", "pushed_authorization_request_endpoint",
    "revocation_endpoint", "introspection_endpoint",
)  # fmt: skip


def store_secret(vault: Vault, name: str, fields: dict[str, Any], *, only_new: bool) -> tuple[bool, Record]:
    """Store the secret that `fields` describe; whether it is new, and its record. Raises `InvalidSecret` naming the field."""
    with vault.lock(name):
        old = vault.get(name) if name in vault.names() else None
        if old and only_new:
            raise InvalidSecret(f"There is a secret '{name}' already. Choose another name, or edit it.", field="name")
        owner = getattr(old.secret, "client_of", None) if old else None
        if owner:
            raise InvalidSecret(f"Secret '{name}' shares the client of '{owner}'. Edit that one.", field="name")
        secret = _secret_from(name, fields, old.secret if old else None)
        record = Record(secret=secret)
        if old and isinstance(secret, OAuth2) and isinstance(old.secret, OAuth2):
            if all(getattr(secret, field) == getattr(old.secret, field) for field in _GRANT_FIELDS):
                record = Record(secret=secret, token_set=old.token_set, refused=old.refused)
        vault.put(record)
        return old is None, record


def _secret_from(name: str, fields: dict[str, Any], old: Secret | None) -> Secret:
    """The secret that the JSON object `fields` describes. Raises `InvalidSecret` naming the field."""
    fields = {key: value for key, value in fields.items() if value not in ("", None)}
    if fields.pop("name", name) != name:
        raise InvalidSecret("The name in the body is not that of the address; a secret is not renamed.", field="name")
    kind = SECRET_TYPES.get(str(fields.pop("type", old.type if old else "oauth2")))
    if kind is None:
        raise InvalidSecret(f"The type is one of {', '.join(SECRET_TYPES)}.", field="type")
    for key in ("header_names", "status", *(f"has_{value}" for value in kind.value_fields)):
        fields.pop(key, None)  # what GET adds; a client may send back what it got
    specs = {spec.name: spec for spec in dataclasses.fields(kind)}
    for key, value in fields.items():
        if key not in specs:
            raise InvalidSecret(f"A secret of type {kind.type} has no field '{key[:50]}'.", field=key[:50])
        if not isinstance(value, SecretValue):
            fields[key] = _typed(key, value, str(specs[key].type))
    if isinstance(old, kind):
        _keep_values(kind, fields, old)
    for key, spec in specs.items():
        has_default = spec.default is not dataclasses.MISSING or spec.default_factory is not dataclasses.MISSING
        if key not in fields and key != "name" and not has_default:
            raise InvalidSecret(f"The {key.replace('_', ' ')} is missing.", field=key)
    return kind(name=name, **fields)


def _typed(key: str, value: Any, annotation: str) -> Any:
    """`value` as the field takes it, whose annotation is `annotation`; a text becomes a `SecretValue` where one is due."""
    if annotation.startswith("tuple"):
        right = isinstance(value, list) and all(isinstance(entry, str) for entry in value)
        value = tuple(value) if right else value
    elif annotation.startswith("Mapping"):
        right = isinstance(value, dict) and all(isinstance(entry, str) for entry in value.values())
    elif annotation == "Compliance":
        right = isinstance(value, dict)
    else:
        right = isinstance(value, bool if annotation == "bool" else str)
        value = SecretValue(value) if right and annotation.startswith("SecretValue") else value
    if not right:
        raise InvalidSecret(f"The {key.replace('_', ' ')} has the wrong type.", field=key)
    return value


def _keep_values(kind: type[Secret], fields: dict[str, Any], old: Secret) -> None:
    """Fill values that the form left empty from the stored secret, unless they would go to a new place."""
    if isinstance(old, Headers):
        given = fields.get("headers", {})
        fields["headers"] = {header: value or old.headers.get(header, "") for header, value in given.items()} or dict(
            old.headers
        )
        return
    for key in kind.value_fields:
        if key in fields or not getattr(old, key):
            continue
        if isinstance(old, OAuth2):
            if key == "client_secret" and fields.get("token_endpoint_auth_method") == "none":
                continue
            _check_same_provider(key, fields, old)
        fields[key] = getattr(old, key)


def _check_same_provider(key: str, fields: dict[str, Any], old: OAuth2) -> None:
    known = {getattr(old, endpoint) for endpoint in _CREDENTIALED_ENDPOINTS} | {old.compliance.refresh_endpoint, None}
    compliance = fields.get("compliance") or {}
    wanted = {fields.get(endpoint) for endpoint in _CREDENTIALED_ENDPOINTS} | {compliance.get("refresh_endpoint")}
    if not wanted <= known:
        label = key.replace("_", " ")
        raise InvalidSecret(
            f"An endpoint has changed: enter the {label} again, so that a stored one is never sent to a new place "
            "unasked.",
            field=key,
        )
