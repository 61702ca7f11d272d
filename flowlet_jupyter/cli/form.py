"""The form of a new secret, by prompts: search a provider, fill in what is yours, and connect.

It fills in what the arguments of `jupyter flowlet add` say otherwise; `add` goes on as if they had been given.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flowlet_jupyter.cli.output import for_a_shell, waiting_for
from flowlet_jupyter.cli.prompts import ask_provider, ask_text, ask_value, choose, confirm, is_terminal
from flowlet_jupyter.credentials.handles import SecretHandle, default_secrets
from flowlet_jupyter.errors import FlowletError, InvalidSecret, UsageError, printable
from flowlet_jupyter.model.fields import checked_name
from flowlet_jupyter.model.labels import KIND_LABELS
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, DEVICE_CODE
from flowlet_jupyter.model.schema import fields_of_kind, from_mapping, from_text
from flowlet_jupyter.model.secret import Secret
from flowlet_jupyter.model.suggestion import closest
from flowlet_jupyter.providers import Provider, fields_for, provider_index, provider_named, search_providers
from flowlet_jupyter.providers.project_file import required_secrets

_MOST_LISTED = 12


def needs_form(options: Namespace) -> bool:
    """Whether the arguments say neither what to connect nor where that is written."""
    values = (options.provider, options.type, options.discover, options.account_of, options.set, options.header)
    return not any(values) and not any(entry["name"] == options.name for entry in required_secrets(Path.cwd()))


def fill_in(options: Namespace) -> None:
    """Ask what to connect and by which name, and write it into `options`. Raises `EOFError`, `KeyboardInterrupt`."""
    provider = _ask_what(options)
    options.name = _ask_name(options.name or _suggested_name(options))
    if provider is None:
        return
    values: dict[str, str] = {}
    for parameter in provider.parameters:
        hint = f" ({parameter.hint})" if parameter.hint else ""
        while True:
            values[parameter.name] = ask_text(f"{parameter.label}{hint}", default=parameter.default)
            if _is_possible(provider, values, parameter.name):
                break
    scope = provider.fields.get("scope", "")
    if scope:
        values["scope"] = ask_text("Scope", default=scope)
    options.set = [f"{name}={value}" for name, value in values.items()]


def _ask_what(options: Namespace) -> Provider | None:
    """The provider that is chosen, or None with `options.discover` or `options.type` set."""
    index = provider_index()
    question = "Connect what? A provider's name, an API's address, or nothing for something else"
    text = ask_provider(question, index)
    while True:
        if not text:
            options.type = list(KIND_LABELS)[choose("Which kind", list(KIND_LABELS.values()))]
            return None
        if "://" in text:
            options.discover = text
            return None
        matches = search_providers(text, index)
        exact = [entry for entry in matches if text.casefold() in {entry["key"], entry["title"].casefold()}]
        if len(exact) == 1 or len(matches) == 1:
            entry = (exact or matches)[0]
            options.provider = entry["key"]
            hosts = ", ".join(host for host in entry["hosts"] if "{" not in host)
            print(f"{entry['title']}: for {hosts or 'a host of your own'}")
            return provider_named(entry["key"])
        if matches and len(matches) <= _MOST_LISTED:
            text = matches[choose("Which one", [f"{entry['title']} ({entry['key']})" for entry in matches])]["key"]
            continue
        if matches:
            print(f"{len(matches)} providers have '{text}' in their names; say more of it.")
        else:
            close = closest(text, [name for entry in index for name in (entry["key"], entry["title"])])
            print(f"No provider has '{text}' in its name. {f'Did you mean {close!r}?' if close else ''}".strip())
        text = ask_provider(question, index)


def _suggested_name(options: Namespace) -> str:
    if options.discover:
        labels = (urlsplit(options.discover).hostname or "").split(".")
        return labels[-2] if len(labels) > 1 and not labels[-1].isdigit() else ""
    return options.provider or ""


def _ask_name(suggested: str) -> str:
    taken = default_secrets().vault.names()
    while True:
        name = ask_text("Name, by which requests will name it", default="" if suggested in taken else suggested)
        try:
            name = checked_name(name)
        except InvalidSecret as error:
            print(error)
            continue
        if name not in taken:
            return name
        print(f"There is a secret '{name}' already.")


def _is_possible(provider: Provider, values: Mapping[str, str], name: str) -> bool:
    try:
        fields_for(provider, values)
    except InvalidSecret as error:
        if error.field == name or error.field not in {parameter.name for parameter in provider.parameters}:
            print(error)
            return False
    return True  # another parameter is asked for next


def secret_of(kind: str, fields: dict[str, Any]) -> Secret:
    """The secret that `fields` describe; what is missing or wrong is asked for until nothing is."""
    schema = fields_of_kind(kind)
    while True:
        try:
            return from_mapping(kind, fields)
        except InvalidSecret as error:
            print(error)
            wrong = [schema[name] for name in error.errors if name in schema]
            if not wrong:
                raise
        for field in wrong:
            if field.help:
                print(f"  {field.help}")
            if field.shape == "values":
                headers = ask_text(f"{field.label}: their names").replace(",", " ").split()
                fields[field.name] = {header: ask_value(f"Value of header {header}") for header in headers}
                continue
            if field.is_value:
                fields[field.name] = ask_value(field.label)
                continue
            try:
                fields[field.name] = from_text(field, ask_text(field.label))
            except InvalidSecret as error:
                print(error)


def offer_to_connect(handle: SecretHandle, *, is_asked: bool) -> None:
    """Request the access token now, if the user is asked and wants that; the secret is stored in any case."""
    if handle.configuration().get("grant_type") not in {AUTHORIZATION_CODE, DEVICE_CODE}:
        return
    from flowlet_jupyter.connect.terminal import TerminalPrompt

    later = f"To request an access token later: jupyter flowlet authorize {handle.name}"
    try:
        if not is_asked or not confirm("Request an access token now?", default=True):
            print(later)
            return
        handle.authorize(TerminalPrompt())
        print(handle)
        _show_test(handle)
    except EOFError:
        print(f"\n{later}")
    except FlowletError as error:
        print(f"{for_a_shell(str(error))}\n{later}", file=sys.stderr)


def offer_to_test(handle: SecretHandle) -> None:
    """Send one harmless request, if the user wants that: of a secret that is sent as it is, and that names what to ask."""
    from flowlet_jupyter.connect.first_request import can_be_tried

    if not can_be_tried(handle.vault.get(handle.name)):
        return
    later = f"To try it here: jupyter flowlet test {handle.name}"
    try:
        if not is_terminal() or not confirm("Try it now with one harmless request?", default=True):
            print(later)
            return
        _show_test(handle)
    except EOFError:
        print(f"\n{later}")


def _show_test(handle: SecretHandle) -> None:
    """What one harmless request says; the secret is stored in any case."""
    from flowlet_jupyter.connect.first_request import first_request

    try:
        with waiting_for("Asking the API"):
            _, text = first_request(handle.vault, handle.name)
    except UsageError:
        return  # nothing is known to ask
    except FlowletError as error:
        print(printable(str(error)), file=sys.stderr)
        return
    print(text)
