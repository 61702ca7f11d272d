"""Records to and from the JSON payload of a sealed file: the one place where values are written out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flowlet_jupyter.errors import FlowletError, VaultError, VaultFileDamaged
from flowlet_jupyter.model.schema import from_mapping, to_mapping
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import Accepted, TokenSet
from flowlet_jupyter.model.value import SecretValue

SCHEMA = 2
_TOKEN_VALUES = frozenset(
    spec.name for spec in dataclasses.fields(TokenSet) if str(spec.type).startswith("SecretValue")
)


def record_to_payload(record: Record) -> dict[str, Any]:
    """`record` as JSON-ready values, with its values in clear: only ever given to a sealed file."""
    secret = to_mapping(record.secret)
    if secret.get("client_of"):
        # the client registration stays with its owner, so that a change of it reaches every account
        secret = {"name": secret["name"], "client_of": secret["client_of"]}
    token_set = record.token_set
    return {
        "schema": SCHEMA,
        "name": record.secret.name,
        "secret": {"type": record.secret.type, **secret},
        "token_set": token_set
        and {spec.name: _revealed(getattr(token_set, spec.name)) for spec in dataclasses.fields(token_set)},
        "refused": record.grant_error,
        "accepted": dataclasses.asdict(record.accepted),
    }


def _revealed(value: Any) -> Any:
    if isinstance(value, SecretValue):
        return value.reveal()
    if isinstance(value, Mapping):
        return {key: _revealed(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def record_from_payload(payload: dict[str, Any], path: Path, *, owner: Record | None = None) -> Record:
    """The record that `payload` holds; `path` is for the message of an error.

    `owner` is the record of the secret whose client registration an account shares.
    """
    schema = payload.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        payload = {}
        raise VaultError(
            f"The vault file {path} was written by a newer flowlet-jupyter. Upgrade this environment: "
            "pip install --upgrade flowlet-jupyter. The file is left as it is."
        )
    record = None
    try:
        fields = dict(payload["secret"])
        kind = fields.pop("type")
        if owner is not None:
            fields = {**to_mapping(owner.secret), "name": fields["name"], "client_of": fields["client_of"]}
        token = payload["token_set"]
        record = Record(
            secret=from_mapping(kind, fields, set_by="flowlet"),
            token_set=token and TokenSet(**_parsed(token)),
            grant_error=payload["refused"],
            accepted=Accepted(**payload.get("accepted", {})),
        )
    except (KeyError, TypeError, ValueError, FlowletError):
        fields = token = payload = {}  # they hold values, and a verbose traceback prints the locals of this frame
    if record is None:
        raise VaultFileDamaged(f"The vault file {path} does not hold a secret that this version understands.")
    return record


def client_of(payload: dict[str, Any]) -> str | None:
    """The name of the secret whose client registration this payload's account shares, if it is one."""
    secret = payload.get("secret")
    name = secret.get("client_of") if isinstance(secret, dict) else None
    return name if isinstance(name, str) and name else None


def _parsed(token: dict[str, Any]) -> dict[str, Any]:
    """The members of a token set as `TokenSet` takes them; a payload of an older schema has fewer."""
    return {
        name: SecretValue(text) if name in _TOKEN_VALUES and text is not None else text for name, text in token.items()
    }
