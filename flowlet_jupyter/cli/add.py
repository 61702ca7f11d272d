"""`jupyter flowlet add`: a new secret, from the arguments, a provider, its metadata, flowlet.toml, or the form by prompts."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.cli.output import waiting_for
from flowlet_jupyter.cli.prompts import ask_text, ask_value, confirm, is_terminal
from flowlet_jupyter.credentials.handles import default_secrets
from flowlet_jupyter.errors import InvalidOption, InvalidSecret, printable
from flowlet_jupyter.model.fields import FieldErrors
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, JWT_BEARER, PASSWORD, REFRESH_TOKEN, OAuth2
from flowlet_jupyter.model.schema import (
    fields_of_kind,
    from_mapping,
    from_text,
    kind_named,
    unknown_field,
    value_field_names,
)
from flowlet_jupyter.model.static import Headers
from flowlet_jupyter.model.suggestion import did_you_mean
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.providers import (
    Provider,
    discovery_address,
    fields_for,
    provider_keys,
    provider_named,
    trial_url,
)
from flowlet_jupyter.providers.project_file import FILE_NAME, required_secrets
from flowlet_jupyter.settings import client_id_url, loopback_redirect_uri

if TYPE_CHECKING:
    from flowlet_jupyter.oauth.metadata import ProviderMetadata

_ADD = "jupyter flowlet add"


def add(options: Namespace) -> None:
    """Store a new secret."""
    if options.account_of:
        print(default_secrets()[options.account_of].add_account(_name(options)))
        return
    from flowlet_jupyter.cli import form

    options.provider = options.provider or _entry_of_its_name(options)
    has_form = is_terminal() and form.needs_form(options)
    if has_form:
        form.fill_in(options)
    name = _name(options)
    fields = {**_required_here(options), **_pairs(options.set)}
    given_as_text = {field for field in fields if isinstance(fields[field], str)}
    trial = ""
    if options.provider:
        provider = _provider(options.provider)
        options.discover = options.discover or discovery_address(provider, fields)
        trial = "" if options.discover else trial_url(provider, fields)
        fields = _without_parameters(provider, fields) if options.discover else _of_provider(provider, fields)
        options.header = options.header or provider.header_names
    if options.discover:
        fields = _discovered(options, fields)
    elif options.register:
        raise InvalidOption("--register needs --discover ADDRESS: the provider's metadata say where to register.")
    if options.host:
        fields["allowed_hosts"] = tuple(options.host)
    kind = kind_named(fields.pop("type", options.type or OAuth2.type))
    if fields.get("grant_type") == PASSWORD:
        print(
            "The password grant hands your own password to the client and goes around two-factor login; OAuth 2.1 has "
            "dropped it. Choose another grant if the provider has one."
        )
    fields = _parsed(kind, {**fields, "name": name}, given_as_text)
    _ask_for_what_is_missing(kind, fields, options)
    handle = default_secrets().add((form.secret_of if has_form else from_mapping)(kind.type, fields))
    print(handle)
    form.offer_to_connect(handle, is_asked=has_form)
    if trial:
        print(f"To try it in a notebook: flowlet_jupyter.get({trial!r}, secret={name!r})")
    form.offer_to_test(handle)


def _says_what_it_is(options: Namespace) -> bool:
    """Whether the arguments or flowlet.toml describe the secret, or it has no name yet."""
    if not options.name or options.type or options.discover or options.header:
        return True
    if {pair.partition("=")[0] for pair in options.set} & {"type", "token_endpoint", "allowed_hosts"}:
        return True
    return any(entry["name"] == options.name for entry in required_secrets(Path.cwd()))


def _entry_of_its_name(options: Namespace) -> str | None:
    """The entry of the catalogue that bears the secret's name: the one with a key, which asks for one value, first."""
    if _says_what_it_is(options):
        return None
    name = options.name
    candidates = ((key, provider_named(key)) for key in (f"{name}-key", f"{name}-token", name))
    matches = [(key, provider) for key, provider in candidates if provider is not None]
    if not matches:
        return None
    (chosen, provider), *others = matches
    print(
        f"Taken from the catalogue: {provider.title}. For another with this name, say --type, --provider or --discover."
    )
    for key, _ in others:
        print(f"There is also: {_ADD} {name} --provider {key}")
    return chosen


def _name(options: Namespace) -> str:
    if not options.name:
        raise InvalidOption("Which name shall it have? jupyter flowlet add NAME; in a terminal it is asked for.")
    return str(options.name)


def _discovered(options: Namespace, fields: dict[str, Any]) -> dict[str, Any]:
    """`fields`, and those that the provider's metadata fill in; the client's too, if it is to be registered."""
    from flowlet_jupyter.oauth.discovery import discover
    from flowlet_jupyter.oauth.metadata import fields_of, hosts_of
    from flowlet_jupyter.oauth.registration import register_client
    from flowlet_jupyter.providers.matching import completed

    with waiting_for(f"Asking {options.discover[:100]}"):
        metadata = discover(options.discover)
    print(printable(f"This secret will talk to: {', '.join(hosts_of(metadata))}"))
    known = completed(fields_of(metadata))
    if known.get("provider"):
        print(f"This is {known['provider']} of the catalogue, whose parameters, scope and hosts are taken.")
    fields = {**known, **fields}
    if not options.register:
        if not fields.get("client_id"):
            fields |= _client_without_registration(metadata, fields)
        return fields
    endpoint = metadata.endpoints.get("registration_endpoint")
    if endpoint is None:
        raise InvalidOption(
            "This provider does not register clients by itself. Register the app in its settings, and leave out --register."
        )
    if options.name in default_secrets():
        raise InvalidSecret(f"There is a secret '{options.name}' already. Choose another name.", field="name")
    with waiting_for("Registering a client"):
        client = register_client(
            endpoint,
            redirect_uri=loopback_redirect_uri(),
            grant_type=fields.get("grant_type", AUTHORIZATION_CODE),
            scope=fields.get("scope", ""),
            client_name="flowlet-jupyter",
        )
    print(printable(f"Registered as the client {client['client_id']}"))
    return {**fields, **client}


def _client_without_registration(metadata: ProviderMetadata, fields: dict[str, Any]) -> dict[str, Any]:
    from flowlet_jupyter.oauth.metadata import client_for

    client = client_for(metadata, [loopback_redirect_uri()], scope=fields.get("scope", ""), hosted=client_id_url())
    if client:
        print(printable(f"No registration is needed: the client ID is {client['client_id']}"))
    elif metadata.client_id_metadata_document_supported:
        print(
            "The client ID may be the https:// address of a client metadata document that you host; this prints one: "
            "jupyter flowlet client-metadata URL"
        )
    return client


def _provider(key: str) -> Provider:
    provider = provider_named(key)
    if provider is None:
        close = did_you_mean(key, provider_keys(), otherwise="See: jupyter flowlet providers")
        raise InvalidOption(f"There is no provider '{key[:50]}'. {close}")
    return provider


def _without_parameters(provider: Provider, fields: dict[str, Any]) -> dict[str, Any]:
    parameters = {parameter.name for parameter in provider.parameters}
    return {name: value for name, value in fields.items() if name not in parameters}


def _of_provider(provider: Provider, fields: dict[str, Any]) -> dict[str, Any]:
    own = {parameter.name for parameter in provider.parameters}
    filled = fields_for(provider, {name: value for name, value in fields.items() if name in own})
    if provider.ends:
        print(f"{provider.title} ends on {provider.ends}. {provider.notes}".strip())
    if provider.registration_page:
        print(f"{'Register the app' if provider.type == 'oauth2' else 'Get the value'} at {provider.registration_page}")
    return {**filled, **_without_parameters(provider, fields)}


def _required_here(options: Namespace) -> dict[str, Any]:
    """What flowlet.toml in this folder says of the secret, once the user has approved its hosts."""
    entry = next((entry for entry in required_secrets(Path.cwd()) if entry["name"] == options.name), None)
    if entry is None:
        return {}
    if "error" in entry:
        raise InvalidSecret(entry["error"])
    fields = {**entry.pop("parameters", {}), **entry}
    del fields["name"]
    provider, headers = fields.pop("provider", None), fields.pop("header_names", [])
    options.provider, options.header = options.provider or provider, options.header or headers
    print(f"{FILE_NAME} in this folder asks for '{options.name}':")
    for key, value in fields.items():
        print(f"  {key}: {_printable(value)}")
    if options.header:
        print(f"  headers: {', '.join(options.header)}")
    if options.provider:
        print(f"  provider: {options.provider} (the hosts are those of its entry, unless named above)")
    if not confirm("Do you trust these hosts?", default=False):
        raise InvalidOption("Nothing was added.")
    return fields


def _printable(value: Any) -> str:
    """A field of a stranger's file as a terminal may show it: without what could hide or overwrite the rest."""
    if isinstance(value, tuple | list):
        return ", ".join(map(_printable, value))
    return printable(value if isinstance(value, str) else json.dumps(value))


def _pairs(given: Any) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for entry in given:
        key, separator, value = entry.partition("=")
        if not separator:
            raise InvalidOption(f"--set takes FIELD=VALUE, not '{entry[:50]}'.")
        if key in value_field_names():
            raise InvalidOption(f"The {key.replace('_', ' ')} is never an argument: it is asked for, or --value-file.")
        pairs[key] = value
    return pairs


def _ask_for_what_is_missing(kind: Any, fields: dict[str, Any], options: Namespace) -> None:
    """Fill in the values that this kind of secret needs: from the files that were named, else from a prompt."""
    given = _value_files(options)
    if kind is OAuth2 and fields.get("grant_type", AUTHORIZATION_CODE) == AUTHORIZATION_CODE:
        print(f"The redirect URI to register is {loopback_redirect_uri()} (in JupyterLab the form shows another)")
    if kind is OAuth2 and str(fields.get("client_id", "")).startswith("https://") and not fields.get("private_key"):
        fields.setdefault("token_endpoint_auth_method", "none")  # everybody can read its document: it has no secret
    if kind is OAuth2:
        fields["client_id"] = fields.get("client_id") or ask_text("Client ID")
    if kind is Headers:
        fields["headers"] = {name: _value(given, name, f"Value of header {name}") for name in options.header}
        return
    for field in _needed_values(kind, fields):
        if fields.get(field):
            continue  # the provider gave it to the client that it registered
        is_optional = field == "client_secret"
        question = f"{field.replace('_', ' ').capitalize()}{' (empty for a public client)' if is_optional else ''}"
        fields[field] = _value(given, field, question) or None
        if fields[field] is None and is_optional:
            fields["token_endpoint_auth_method"] = "none"


def _needed_values(kind: Any, fields: dict[str, Any]) -> tuple[str, ...]:
    if kind is not OAuth2:
        return tuple(kind.value_fields)
    grant_type, method = fields.get("grant_type"), fields.get("token_endpoint_auth_method")
    needed = {PASSWORD: ("password",), REFRESH_TOKEN: ("refresh_token",), JWT_BEARER: ("private_key",)}.get(
        str(grant_type), ()
    )
    if method == "private_key_jwt":
        return tuple(dict.fromkeys((*needed, "private_key")))
    if "{client_secret}" in str(fields.get("compliance")):
        return (*needed, "client_secret")
    if grant_type == JWT_BEARER or method in {"none", "tls_client_auth"}:
        return needed
    return (*needed, "client_secret")


def _value_files(options: Namespace) -> dict[str, str]:
    """The file of each value, "" being the one that would be asked for first."""
    files = {}
    for entry in options.value_file:
        field, separator, file = entry.partition("=")
        files[field if separator else ""] = file if separator else entry
    return files


def _value(files: dict[str, str], field: str, question: str) -> SecretValue:
    file = files.get(field) or files.pop("", None)
    if file is None:
        return ask_value(question)
    try:
        source = sys.stdin if file == "-" else Path(file).expanduser().open(encoding="utf-8")
        with source:
            return SecretValue(source.read().strip())
    except (OSError, ValueError):
        raise InvalidOption(f"The file {file} cannot be read.") from None


def _parsed(kind: Any, fields: dict[str, Any], given_as_text: set[str]) -> dict[str, Any]:
    """`fields` with what a command line gave as text in the form that JSON has it. Raises one `InvalidSecret` for all."""
    schema = fields_of_kind(kind.type)
    errors = FieldErrors()
    parsed = dict(fields)
    for name in given_as_text & set(fields):
        if name not in schema:
            errors.add(name[:50], unknown_field(kind.type, name))
            continue
        with errors:
            parsed[name] = from_text(schema[name], fields[name])
    errors.raise_any()
    return parsed
