"""Secrets made from the entries of the catalogue, with values for what an entry leaves to fill in."""

from __future__ import annotations

from flowlet_jupyter.model.schema import from_mapping
from flowlet_jupyter.providers import fields_for, load_providers

PROVIDERS = load_providers()
VALUES = {
    "oauth2": {"client_id": "id", "client_secret": "secret"},
    "api_key": {"key": "secret"},
    "password": {"password": "secret"},
    "basic": {"username": "ann", "password": "secret"},
}


def values_for(provider):
    kinds = {"host": "tenant.example", "label": "tenant"}
    return {parameter.name: parameter.default or kinds[parameter.kind] for parameter in provider.parameters}


def secret_at(provider):
    values = values_for(provider)
    fields = fields_for(provider, values)
    kind = fields.pop("type", "oauth2")
    own = VALUES.get(kind, {"headers": dict.fromkeys(provider.header_names, "secret")})
    credentials = {"username": "ann", "password": "p"} if fields.get("grant_type") == "password" else {}
    set_by = "flowlet" if kind == "oauth2" else "anyone"
    return from_mapping(kind, {"name": provider.key, **fields, **own, **credentials}, set_by=set_by)
