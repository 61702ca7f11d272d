"""Write a vault as today's version writes it, beside those of earlier versions: python tests/vault/write_sample.py NAME

To be run when `test_samples.py` says that the form of a record has changed. A sample that is there is never rewritten.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from flowlet_jupyter.model.compliance import Compliance
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.schema import fields_of_kind, to_mapping
from flowlet_jupyter.model.secret import SECRET_TYPES, ApiKey, Basic, External, Headers, Password, Record
from flowlet_jupyter.model.tokens import Accepted, TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault import Vault
from flowlet_jupyter.vault.records import SCHEMA, record_to_payload

SAMPLES = Path(__file__).parent / "samples"
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
_HOSTS: dict[str, Any] = {"allowed_hosts": ("api.example.org",), "base_url": "https://api.example.org"}


def shape() -> dict[str, Any]:
    """What a record of today may hold: the names of all members, at each depth."""
    payload = record_to_payload(Record(secret=Password(name="a", password="b", allowed_hosts=("api.example.org",))))
    return {
        "schema": SCHEMA,
        "payload": sorted(payload),
        "kinds": {
            kind: {name: field.shape for name, field in sorted(fields_of_kind(kind).items())} for kind in SECRET_TYPES
        },
        **{
            each.__name__: {spec.name: str(spec.type) for spec in dataclasses.fields(each)}
            for each in (TokenSet, Accepted, Compliance)
        },
    }


def records() -> list[Record]:
    """A record of each kind; of the OAuth2 ones together, every member of a token set."""
    oauth = OAuth2(
        name="oauth",
        authorization_endpoint="https://login.example.org/authorize",
        token_endpoint="https://login.example.org/token",
        client_id="sample-client",
        client_secret="sample-client-secret",
        scope="read write",
        issuer="https://login.example.org",
        provider="sample",
        redirect_uris=("http://127.0.0.1:8888/flowlet/callback",),
        authorization_parameters={"prompt": "consent"},
        compliance=Compliance(scope_separator=",", kept_parameters=("realmId",)),
        **_HOSTS,
    )
    tokens = TokenSet(
        access_token=SecretValue("sample-access-token"),
        refresh_token=SecretValue("sample-refresh-token"),
        scope="read write",
        obtained_at=1_700_000_000.0,
        connected_at=1_690_000_000.0,
        expires_at=1_700_003_600.0,
        dpop_key=SecretValue("sample-dpop-key"),
        identity="@ann",
        base_url="https://eu.api.example.org",
        parameters={"realmId": "42"},
        subject="sample-subject",
        identity_problem="no nonce",
        previous_identity="@ben",
        client_authentication="client_secret_post",
        assertion_audience="https://login.example.org",
    )
    unattended = dataclasses.replace(
        oauth, name="service", grant_type="client_credentials", authorization_endpoint=None, redirect_uris=()
    )
    return [
        Record(secret=oauth, token_set=tokens),
        Record(secret=dataclasses.replace(oauth, name="oauth/second", client_of="oauth"), token_set=tokens),
        Record(
            secret=dataclasses.replace(oauth, name="refused"), grant_error="invalid_grant", accepted=tokens.accepted
        ),
        Record(secret=unattended),
        Record(secret=Password(name="password", password="sample-password", **_HOSTS)),
        Record(secret=Basic(name="basic", username="ann", password="sample-basic-password", **_HOSTS)),
        Record(secret=Headers(name="headers", headers={"X-Api-Key": "sample-header-value"}, **_HOSTS)),
        Record(secret=ApiKey(name="key", key="sample-key", parameter="api_key", location="query", **_HOSTS)),
        Record(secret=External(name="external", source="env:SAMPLE_TOKEN", header="X-Token", scheme="", **_HOSTS)),
    ]


def contents(record: Record) -> dict[str, Any]:
    """Everything in `record`, its values in clear, in an order that does not change."""
    payload = record_to_payload(record)
    return {**payload, "secret": {"type": record.secret.type, **to_mapping(record.secret)}}


def main(name: str) -> None:
    """Write the sample."""
    folder = SAMPLES / name
    if folder.exists():
        sys.exit(f"There is a sample {name} already; it stays as it is.")
    vault = Vault(folder, environment={"FLOWLET_MASTER_KEY": KEY})
    for record in records():
        vault.put(record)
    for lock in folder.glob(".*"):
        lock.unlink()
    (folder / "shape.json").write_text(json.dumps(shape(), indent=1, sort_keys=True) + "\n")
    expected = {record.secret.name: contents(record) for record in records()}
    (folder / "contents.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
