"""From the fields that a form sends to a stored secret: typed, and with values that were left empty kept."""

from __future__ import annotations

from typing import Any

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.fields import FieldErrors
from flowlet_jupyter.model.oauth2 import CREDENTIALED_ENDPOINTS, OAuth2
from flowlet_jupyter.model.schema import (
    from_mapping,
    is_same_grant,
    kind_named,
    without_configuration_marks,
    without_empty,
)
from flowlet_jupyter.model.secret import Record, Secret
from flowlet_jupyter.model.static import Headers
from flowlet_jupyter.vault import Vault


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
        if old and is_same_grant(secret, old.secret):
            # what was refused without anybody being asked is tried again as it is now
            refused = None if isinstance(secret, OAuth2) and secret.is_unattended else old.grant_error
            record = Record(secret=secret, token_set=old.token_set, grant_error=refused, accepted=old.accepted)
        vault.put(record)
        return old is None, record


def _secret_from(name: str, fields: dict[str, Any], old: Secret | None) -> Secret:
    """The secret that the JSON object `fields` describes. Raises `InvalidSecret` naming the field."""
    if (fields.get("name") or name) != name:
        raise InvalidSecret("The name in the body is not that of the address; a secret is not renamed.", field="name")
    kind = kind_named(fields.get("type") or (old.type if old else "oauth2"))
    fields = without_configuration_marks(kind.type, without_empty(kind.type, fields))
    errors = FieldErrors()
    if isinstance(old, kind):
        _keep_values(kind, fields, old, errors)
    secret = None
    with errors:
        secret = from_mapping(kind.type, {**fields, "name": name})
    errors.raise_any()
    assert secret is not None  # noqa: S101 - else there was an error
    return secret


def _keep_values(kind: type[Secret], fields: dict[str, Any], old: Secret, errors: FieldErrors) -> None:
    """Fill values that the form left empty from the stored secret, unless they would go to a new place."""
    if isinstance(old, Headers):
        headers = fields.get("headers", {})
        if not isinstance(headers, dict):
            return  # the schema says what is wrong with it
        fields["headers"] = {header: value or old.headers.get(header, "") for header, value in headers.items()} or dict(
            old.headers
        )
        return
    for key in kind.value_fields:
        if key in fields or not getattr(old, key):
            continue
        if isinstance(old, OAuth2):
            if key == "client_secret" and fields.get("token_endpoint_auth_method") == "none":
                continue
            with errors:
                _check_same_provider(key, fields, old)
        fields[key] = getattr(old, key)


def _check_same_provider(key: str, fields: dict[str, Any], old: OAuth2) -> None:
    known = [getattr(old, endpoint) for endpoint in CREDENTIALED_ENDPOINTS]
    known += [old.compliance.refresh_endpoint, None, ""]
    compliance = fields.get("compliance")
    refresh_endpoint = compliance.get("refresh_endpoint") if isinstance(compliance, dict) else None
    new = [*(fields.get(endpoint) for endpoint in CREDENTIALED_ENDPOINTS), refresh_endpoint]
    if any(endpoint not in known for endpoint in new):
        label = key.replace("_", " ")
        raise InvalidSecret(
            f"An endpoint has changed: enter the {label} again, so that a stored one is never sent to a new place "
            "unasked.",
            field=key,
        )
