"""One function a command; each takes the parsed arguments."""

from __future__ import annotations

import dataclasses
import datetime
import getpass
import json
import sys
import threading
from argparse import Namespace
from pathlib import Path
from typing import Any

from flowlet_jupyter.cli.text import printable
from flowlet_jupyter.credentials.handles import default_secrets
from flowlet_jupyter.errors import InvalidOption, InvalidSecret, RequestFailed
from flowlet_jupyter.model.fields import FieldErrors
from flowlet_jupyter.model.labels import KIND_LABELS
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, JWT_BEARER, PASSWORD, REFRESH_TOKEN, OAuth2
from flowlet_jupyter.model.schema import (
    fields_of_kind,
    from_mapping,
    from_text,
    kind_named,
    value_field_names,
    without_configuration_marks,
    without_empty,
)
from flowlet_jupyter.model.secret import Headers
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.providers import (
    Provider,
    ends_soon,
    fields_for,
    provider_index,
    provider_named,
    search_providers,
    trial_url,
)
from flowlet_jupyter.providers.project_file import FILE_NAME, as_toml, missing_here, required_secrets
from flowlet_jupyter.settings import loopback_redirect_uri

_ADD = "jupyter flowlet add"


def list(_options: Namespace) -> None:  # noqa: A001 - the command's name
    """All secrets, without values; and what flowlet.toml here asks for beyond them."""
    print(repr(default_secrets()))
    for entry in missing_here(default_secrets()):
        print(entry.get("error") or f"missing here ({FILE_NAME}): {entry['name']}. Add it: {_ADD} {entry['name']}")


def add(options: Namespace) -> None:
    """Store a new secret."""
    if options.account_of:
        print(default_secrets()[options.account_of].add_account(options.name))
        return
    fields = {**_required_here(options), **_pairs(options.set)}
    given_as_text = {name for name in fields if isinstance(fields[name], str)}
    trial = ""
    if options.provider:
        provider = _provider(options.provider)
        trial = trial_url(provider, fields)
        fields = _of_provider(provider, fields)
        options.header = options.header or provider.header_names
    if options.discover:
        fields = _discovered(options, fields)
    elif options.register:
        raise InvalidOption("--register needs --discover ADDRESS: the provider's metadata say where to register.")
    if options.host:
        fields["allowed_hosts"] = tuple(options.host)
    kind = kind_named(fields.pop("type", options.type))
    if fields.get("grant_type") == PASSWORD:
        print(
            "The password grant hands your own password to the client and goes around two-factor login; OAuth 2.1 has "
            "dropped it. Choose another grant if the provider has one."
        )
    fields = _parsed(kind, {**fields, "name": options.name}, given_as_text)
    _ask_for_what_is_missing(kind, fields, options)
    print(default_secrets().add(from_mapping(kind.type, fields)))
    if trial:
        print(f"To try it in a notebook: flowlet_jupyter.get({trial!r}, secret={options.name!r})")


def _discovered(options: Namespace, fields: dict[str, Any]) -> dict[str, Any]:
    """`fields`, and those that the provider's metadata fill in; the client's too, if it is to be registered."""
    from flowlet_jupyter.oauth.discovery import discover, register_client
    from flowlet_jupyter.oauth.metadata import fields_of, hosts_of
    from flowlet_jupyter.providers.matching import completed

    metadata = discover(options.discover)
    print(printable(f"This secret will talk to: {', '.join(hosts_of(metadata))}"))
    found = completed(fields_of(metadata))
    if found.get("provider"):
        print(f"This is {found['provider']} of the catalogue, whose parameters, scope and hosts are taken.")
    fields = {**found, **fields}
    if not options.register:
        return fields
    endpoint = metadata.endpoints.get("registration_endpoint")
    if endpoint is None:
        raise InvalidOption(
            "This provider does not register clients by itself. Register the app in its settings, and leave out --register."
        )
    if options.name in default_secrets():
        raise InvalidSecret(f"There is a secret '{options.name}' already. Choose another name.", field="name")
    client = register_client(
        endpoint,
        redirect_uri=loopback_redirect_uri(),
        grant_type=fields.get("grant_type", AUTHORIZATION_CODE),
        scope=fields.get("scope", ""),
        client_name="flowlet-jupyter",
    )
    print(printable(f"Registered as the client {client['client_id']}"))
    return {**fields, **client}


def _provider(key: str) -> Provider:
    provider = provider_named(key)
    if provider is None:
        raise InvalidOption(f"There is no provider '{key}'. See: jupyter flowlet providers")
    return provider


def _of_provider(provider: Provider, fields: dict[str, Any]) -> dict[str, Any]:
    own = {parameter.name for parameter in provider.parameters}
    filled = fields_for(provider, {name: value for name, value in fields.items() if name in own})
    if provider.ends:
        print(f"{provider.title} ends on {provider.ends}. {provider.notes}".strip())
    if provider.registration_page:
        print(f"{'Register the app' if provider.type == 'oauth2' else 'Get the value'} at {provider.registration_page}")
    return {**filled, **{name: value for name, value in fields.items() if name not in own}}


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
    if input("Do you trust these hosts? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise InvalidOption("Nothing was added.")
    return fields


def _printable(value: Any) -> str:
    """A field of a stranger's file as a terminal may show it: without what could hide or overwrite the rest."""
    if isinstance(value, (tuple, type([]))):
        return ", ".join(map(_printable, value))
    return printable(value if isinstance(value, str) else json.dumps(value))


def probe(options: Namespace) -> None:
    """What a provider's metadata offers, and what this client does with it."""
    from flowlet_jupyter.cli.probe import probe_lines
    from flowlet_jupyter.oauth.discovery import discover

    for line in probe_lines(discover(options.address)):
        print(line)


def page(_options: Namespace) -> None:
    """Serve the page of secrets until interrupted."""
    from flowlet_jupyter.connect.loopback import open_loopback

    with open_loopback(default_secrets().vault) as loopback:
        print(f"Secrets, the form and Manage tokens: {loopback.secrets_url}\nTo stop: Ctrl+C", flush=True)
        threading.Event().wait()


def doctor(options: Namespace) -> int:
    """What works here and what does not; 1 if something must be done."""
    from flowlet_jupyter.cli.doctor import diagnosis

    findings = [*diagnosis(reach=options.reach)]
    if options.json:
        print(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            print(printable(str(finding)))
    return int(any(finding.state == "bad" for finding in findings))


def status(options: Namespace) -> None:
    """Times and scopes of a secret's tokens."""
    handle = default_secrets()[options.name]
    print(handle)
    print(json.dumps({**handle.configuration(), "status": dataclasses.asdict(handle.status())}, indent=2))
    if options.ask:
        print("The provider says: " + ("active" if handle.is_active() else "not active"))


def authorize(options: Namespace) -> None:
    """Request an access token, by whatever the secret's grant needs."""
    handle = default_secrets()[options.name]
    if options.paste:
        from flowlet_jupyter.connect.paste import PastePrompt

        handle.authorize(PastePrompt())
    else:
        from flowlet_jupyter.connect.terminal import TerminalPrompt

        handle.authorize(TerminalPrompt())
    print(handle)


def refresh(options: Namespace) -> None:
    """Renew the access token now."""
    print(default_secrets()[options.name].refresh().summary())


def revoke(options: Namespace) -> None:
    """End the tokens at the provider, and forget them here."""
    print(default_secrets()[options.name].revoke().summary())


def delete(options: Namespace) -> None:
    """Remove a secret and its tokens."""
    from flowlet_jupyter.credentials.handles import SecretHandle

    notice = SecretHandle(options.name, default_secrets().vault).delete()  # also one whose file is damaged
    print(notice or f"Secret '{options.name}' is deleted.")


def token(options: Namespace) -> None:
    """Print a usable access token."""
    value = default_secrets()[options.name].token()
    if sys.stdout.isatty():
        print("This is a secret value; it stays in the terminal's scrollback.", file=sys.stderr)
    print(value.reveal())


def providers(options: Namespace) -> None:
    """The catalogue of providers."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    text = " ".join(options.search)
    found = search_providers(text, provider_index())
    if not found:
        raise InvalidOption(f"No provider has '{text}' in its name. See: jupyter flowlet providers")
    for entry in found:
        asked = ", ".join(parameter["name"] for parameter in entry["parameters"])
        marks = [KIND_LABELS[entry["type"]], *([f"set: {asked}"] if asked else [])]
        marks += [f"ends on {entry['ends']}"] if ends_soon(entry["ends"], today) else []
        print(f"{entry['key']:26} {entry['title']}  ({'; '.join(marks)})")


def import_(options: Namespace) -> None:
    """Import OAuth2 settings of another tool; each secret, or the reason why not."""
    from flowlet_jupyter.cli.imports import imported

    try:
        text = Path(options.file).expanduser().read_text("utf-8")
    except (OSError, ValueError) as error:
        raise RequestFailed(f"The file {options.file} cannot be read: {error}") from None
    found = imported(text)
    if options.name and len(found) == 1:
        found[0]["name"] = options.name
    failed = 0
    for fields in found:
        if options.host:
            fields["allowed_hosts"] = options.host
        try:
            kind = kind_named(fields.get("type") or OAuth2.type).type
            given = without_configuration_marks(kind, without_empty(kind, fields))
            print(default_secrets().add(from_mapping(kind, given, set_by="flowlet")))
        except InvalidSecret as error:
            failed += 1
            print(f"'{fields.get('name')}' was not imported: {error}", file=sys.stderr)
    if failed == len(found):
        raise InvalidSecret("Nothing was imported.")


def export(options: Namespace) -> None:
    """The configuration of all secrets, without any value."""
    configurations = [handle.configuration() for handle in default_secrets().values()]
    print(as_toml(configurations) if options.toml else json.dumps(configurations, indent=2, ensure_ascii=False))


def _pairs(given: Any) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for entry in given:
        key, found, value = entry.partition("=")
        if not found:
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
    if kind is OAuth2:
        fields["client_id"] = fields.get("client_id") or input("Client ID: ").strip()
    if kind is Headers:
        fields["headers"] = {name: _value(given, name, f"Value of header {name}: ") for name in options.header}
        return
    for field in _needed_values(kind, fields):
        if fields.get(field):
            continue  # the provider gave it to the client that it registered
        is_optional = field == "client_secret"
        question = f"{field.replace('_', ' ').capitalize()}{' (empty for a public client)' if is_optional else ''}: "
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
        field, found, file = entry.partition("=")
        files[field if found else ""] = file if found else entry
    return files


def _value(files: dict[str, str], field: str, question: str) -> SecretValue:
    file = files.get(field) or files.pop("", None)
    if file is None:
        return SecretValue(getpass.getpass(question))
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
            errors.add(name[:50], f"A secret of type {kind.type} has no field '{name[:50]}'.")
            continue
        with errors:
            parsed[name] = from_text(schema[name], fields[name])
    errors.raise_any()
    return parsed
