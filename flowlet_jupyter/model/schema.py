"""The fields of every kind of secret, declared once: what the form, the API, the CLI and flowlet.toml read.

A field's name, type and default are those of the secret's dataclass; this module adds its label, its help, who may set
it, whether flowlet.toml shares it, whether it is bound to the grant. `from_mapping` makes a secret of untrusted values
and reports all that is wrong with them at once; `to_mapping` is its inverse, for a sealed file.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.compliance import Compliance
from flowlet_jupyter.model.fields import FieldErrors, checked_endpoint
from flowlet_jupyter.model.hosts import parse_host_rule
from flowlet_jupyter.model.labels import GRANT_LABELS, KIND_LABELS, LABELS, METHOD_LABELS
from flowlet_jupyter.model.secret import SECRET_TYPES, Secret
from flowlet_jupyter.model.shapes import CONVERSIONS, Shape
from flowlet_jupyter.model.suggestion import did_you_mean
from flowlet_jupyter.model.value import SecretValue

_URLS = frozenset({
    "authorization_endpoint", "token_endpoint", "device_authorization_endpoint",
    "pushed_authorization_request_endpoint", "revocation_endpoint", "introspection_endpoint", "userinfo_endpoint",
    "jwks_uri", "issuer", "identity_url", "base_url",
})  # fmt: skip
# A change of one of these makes the tokens that were obtained before belong to something else.
_BOUND = frozenset({
    "authorization_endpoint", "token_endpoint", "client_id", "grant_type", "dpop", "username", "refresh_token",
    "subject", "subject_token_file", "subject_secret",
})  # fmt: skip
# Files of one machine, and what flowlet itself finds out, are nobody else's.
_NOT_SHARED = frozenset({
    "name", "client_of", "redirect_uris", "client_certificate_file", "client_key_file", "subject_token_file",
    "private_key_id", "token_endpoint_auth_method_is_default", "client_secret_expires_on",
})  # fmt: skip
# Of these an empty text says "none", where it leaves others at their default.
_MAY_BE_EMPTY = frozenset({"scheme"})
_SET_BY_FLOWLET = frozenset({"client_of", "token_endpoint_auth_method_is_default"})
_NOT_IN_CATALOGUE = frozenset({
    "name", "client_of", "provider", "redirect_uris", "private_key_id", "client_certificate_file", "client_key_file",
    "username", "subject", "subject_token_file", "subject_secret", "openapi", "resource",
    "token_endpoint_auth_method_is_default", "client_secret_expires_on",
})  # fmt: skip
_CHOICES = {
    "grant_type": GRANT_LABELS,
    "token_endpoint_auth_method": METHOD_LABELS,
    "location": {"header": "in a header", "query": "in the URL's query", "basic": "in Authorization: Basic"},
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a kind of secret."""

    name: str
    shape: Shape
    required: bool
    default: Any = None  # as JSON has it
    label: str
    help: str = ""
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    set_by: Literal["anyone", "flowlet"] = "anyone"  # who may set it: whoever makes the secret, or flowlet alone
    may_be_empty: bool = False  # whether an empty text is a value of its own, and not the default
    is_shared: bool = False  # whether flowlet.toml may hold it
    is_in_catalogue: bool = False  # whether a provider's entry may hold it
    is_bound: bool = False  # whether stored tokens belong to its value

    @property
    def is_value(self) -> bool:
        """Whether it is secret: never shown, never an argument, never in a shared file."""
        return self.shape in {"value", "values"}


@functools.cache
def fields_of_kind(kind: str) -> Mapping[str, Field]:
    """The fields of the kind of secret `kind` (a key of `SECRET_TYPES`), by name, in the order of the dataclass."""
    return {spec.name: _field(kind, spec) for spec in dataclasses.fields(SECRET_TYPES[kind])}


def _field(kind: str, spec: dataclasses.Field[Any]) -> Field:
    name, shape = spec.name, _shape(spec)
    label, text = LABELS[kind][name]
    is_value = shape in {"value", "values"}
    required = spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING
    default = spec.default
    if default is dataclasses.MISSING:
        default = {} if shape in {"mapping", "compliance"} else None
    return Field(
        name=name,
        shape=shape,
        required=required,
        default=list(default) if isinstance(default, tuple) else default,
        label=label,
        help=text,
        choices=_CHOICES.get(name, {}),
        set_by="flowlet" if name in _SET_BY_FLOWLET else "anyone",
        may_be_empty=name in _MAY_BE_EMPTY,
        is_shared=not is_value and name not in _NOT_SHARED,
        is_in_catalogue=kind != "external" and not is_value and name not in _NOT_IN_CATALOGUE,
        is_bound=name in _BOUND,
    )


def _shape(spec: dataclasses.Field[Any]) -> Shape:
    annotation = str(spec.type)
    if annotation.startswith("Mapping"):
        return "values" if "SecretValue" in annotation else "mapping"
    if annotation.startswith("SecretValue"):
        return "value"
    if annotation.startswith("tuple"):
        return "texts"
    if spec.name in _URLS:
        return "url"
    shapes: dict[str, Shape] = {"bool": "flag", "Compliance": "compliance"}
    return shapes.get(annotation, "text")


def value_field_names() -> frozenset[str]:
    """The names of all fields, of whatever kind, that hold a secret value."""
    return frozenset(field.name for kind in SECRET_TYPES for field in fields_of_kind(kind).values() if field.is_value)


def kind_named(kind: object) -> type[Secret]:
    """The class of the kind `kind`. Raises `InvalidSecret`."""
    secret_class = SECRET_TYPES.get(kind) if isinstance(kind, str) else None
    if secret_class is None:
        raise InvalidSecret(f"The type is one of {', '.join(SECRET_TYPES)}.", field="type")
    return secret_class


def from_mapping(kind: str, values: Mapping[str, Any], *, set_by: Literal["anyone", "flowlet"] = "anyone") -> Secret:
    """The secret of the kind `kind` that `values` describe, as JSON or TOML has them; None means left out.

    `set_by` says who gives the values. Raises one `InvalidSecret` for all fields that are wrong.
    """
    made = kind_named(kind)
    fields = fields_of_kind(kind)
    errors = FieldErrors()
    checked: dict[str, Any] = {}
    for name, value in values.items():
        field = fields.get(name)
        if field is None:
            errors.add(name[:50], unknown_field(kind, name))
        elif field.set_by == "flowlet" and set_by != "flowlet":
            if value not in (None, "", False):
                errors.add(name, f"The {field_label(name)} is set by flowlet itself.")
        elif value is not None:
            with errors:
                checked[name] = checked_value(field, value)
    wrong = set(errors.messages)
    for field in fields.values():
        if field.required and field.name not in checked:
            checked[field.name] = {} if field.shape == "values" else ""
    if wrong & {"grant_type", "token_endpoint_auth_method"}:
        errors.raise_any()  # what else is needed depends on these
    with errors:
        secret = made(**checked)
    errors.raise_any()
    return secret


def unknown_field(kind: str, name: str) -> str:
    """What is said of a field `name` that the kind of secret `kind` does not have."""
    known = [field.name for field in fields_of_kind(kind).values() if field.set_by == "anyone"]
    return f"A secret of type {kind} has no field '{name[:50]}'. {did_you_mean(name[:50], known, otherwise='')}".strip()


def without_empty(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` without those that were left empty, as a form or an export has them."""
    fields = fields_of_kind(kind)
    return {
        name: value
        for name, value in values.items()
        if value is not None and (value != "" or (name in fields and fields[name].may_be_empty))
    }


def field_label(name: str) -> str:
    """A field's name as it stands in a sentence."""
    return name.replace("_", " ")


def checked_value(field: Field, value: Any) -> Any:
    """`value`, as JSON or TOML has it, as the field takes it. Raises `InvalidSecret` naming the field."""
    expected, convert = CONVERSIONS[field.shape]
    try:
        return convert(value)
    except (TypeError, ValueError):
        pass  # outside, so that the value is in no chain of exceptions
    except InvalidSecret as error:
        if field.name in error.errors:
            raise
    raise InvalidSecret(f"'{field.name}' must be {expected}; what is given has the wrong form.", field=field.name)


def from_text(field: Field, text: str) -> Any:
    """What `text` (of a command line) stands for, as JSON has it: a list is separated by spaces or commas.

    Raises `InvalidSecret` naming the field.
    """
    if field.shape == "flag":
        if text.strip().lower() not in {"true", "false"}:
            raise InvalidSecret(f"'{field.name}' must be true or false, not '{text[:50]}'.", field=field.name)
        return text.strip().lower() == "true"
    if field.shape == "texts":
        return text.replace(",", " ").split()
    if field.shape in {"mapping", "compliance"}:
        try:
            members = json.loads(text)
        except (ValueError, RecursionError):
            members = None
        if not isinstance(members, dict):
            example = '{"pkce": false}' if field.shape == "compliance" else '{"audience": "api"}'
            raise InvalidSecret(
                f"'{field.name}' must be a JSON object, such as {example}, not '{text[:50]}'.",
                field=field.name,
            )
        return members
    return text


def to_mapping(secret: Secret) -> dict[str, Any]:
    """All fields of `secret` as JSON has them, its values in clear: only ever given to a sealed file."""
    return {name: _plain(getattr(secret, name), reveal=True) for name in fields_of_kind(secret.type)}


def _plain(value: Any, *, reveal: bool) -> Any:
    if isinstance(value, Compliance):
        return value.declared()
    if isinstance(value, SecretValue):
        return value.reveal() if reveal else None
    if isinstance(value, Mapping):
        return {name: _plain(item, reveal=reveal) for name, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def without_configuration_marks(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` without what `configuration` adds: a client may send back what it got."""
    marks = {
        "type",
        "header_names",
        "status",
        "last_use",
        "example_url",
        "refusal",
        *(f"has_{field.name}" for field in fields_of_kind(kind).values()),
    }
    return {name: value for name, value in values.items() if name not in marks}


def shared_value(kind: str, name: str, value: Any) -> Any:
    """A field of flowlet.toml, checked, as JSON has it. Raises `InvalidSecret` naming the field."""
    field = fields_of_kind(kind).get(name)
    if field is None or not field.is_shared:
        shared = [known.name for known in fields_of_kind(kind).values() if known.is_shared]
        close = "" if name in value_field_names() else did_you_mean(name[:50], shared, otherwise="")
        message = f"'{name[:50]}' is not a field of a secret here, or has the wrong form. {close}"
        raise InvalidSecret(message.strip(), field=name[:50])
    checked = checked_value(field, value)
    if field.shape == "url":
        return checked_endpoint(checked, name)
    if name == "allowed_hosts":
        return [str(parse_host_rule(entry)) for entry in checked]
    return _plain(checked, reveal=False)


def is_same_grant(secret: Secret, other: Secret) -> bool:
    """Whether tokens that were obtained for `other` belong to `secret` too."""
    if not secret.is_renewable or secret.type != other.type:
        return False
    bound = [name for name, field in fields_of_kind(secret.type).items() if field.is_bound]
    return all(getattr(secret, name) == getattr(other, name) for name in bound)


def as_json() -> dict[str, Any]:
    """The schema for the form: the kinds by name, each with its label and its fields."""
    return {
        kind: {
            "label": KIND_LABELS[kind],
            "fields": [
                {**dataclasses.asdict(field), "is_value": field.is_value} for field in fields_of_kind(kind).values()
            ],
        }
        for kind in SECRET_TYPES
    }
