"""One function a command; each takes the parsed arguments. `add` has a module of its own."""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import datetime
import json
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from flowlet_jupyter.cli.output import draw_table, draw_tree, for_a_shell, waiting_for
from flowlet_jupyter.connect.console import is_drawn
from flowlet_jupyter.credentials.handles import Secrets, default_secrets
from flowlet_jupyter.errors import FlowletError, InvalidOption, InvalidSecret, RequestFailed, printable
from flowlet_jupyter.model.labels import KIND_LABELS
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, DEVICE_CODE, OAuth2
from flowlet_jupyter.model.schema import from_mapping, kind_named, without_configuration_marks, without_empty
from flowlet_jupyter.model.suggestion import did_you_mean
from flowlet_jupyter.providers import ends_soon, provider_index, search_providers
from flowlet_jupyter.providers.project_file import FILE_NAME, as_toml, missing_here
from flowlet_jupyter.providers.stored_endings import entries_that_end, what_ends

_ADD = "jupyter flowlet add"


def list(_options: Namespace) -> None:  # noqa: A001 - the command's name
    """All secrets, without values; what of them ends soon, and what flowlet.toml here asks for beyond them."""
    rows = default_secrets().rows() if is_drawn() else []
    if rows:
        draw_table(("name", "type", "allowed hosts", "status"), rows)
    else:
        print(for_a_shell(repr(default_secrets())))
    for sentence in _endings(default_secrets()):
        print(printable(sentence))
    for entry in missing_here(default_secrets()):
        print(entry.get("error") or f"missing here ({FILE_NAME}): {entry['name']}. Add it: {_ADD} {entry['name']}")


def _endings(secrets: Secrets) -> Iterator[str]:
    entries = entries_that_end()
    for name in secrets.vault.names():
        with contextlib.suppress(FlowletError):  # a damaged file is listed as such
            yield from (
                f"{name}: {sentence}" for sentence in what_ends(secrets.vault.get(name), entries, now=time.time())
            )


def probe(options: Namespace) -> None:
    """What a provider's metadata offers, and what this client does with it."""
    from flowlet_jupyter.cli.probe import probe_lines
    from flowlet_jupyter.oauth.discovery import discover

    with waiting_for(f"Asking {options.address[:100]}"):
        metadata = discover(options.address)
    for line in probe_lines(metadata):
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
    facts = {**handle.configuration(), "status": dataclasses.asdict(handle.status())}
    if is_drawn():
        draw_tree(f"{handle.name}: {handle.status().summary()}", {key: facts[key] for key in facts if key != "name"})
    else:
        print(handle)
        print(json.dumps(facts, indent=2))
    if options.ask:
        with waiting_for("Asking the provider"):
            is_active = handle.is_active()
        print("The provider says: " + ("active" if is_active else "not active"))


def authorize(options: Namespace) -> None:
    """Request an access token, by whatever the secret's grant needs."""
    handle = default_secrets()[options.name]
    if options.scope or options.acr_values or options.max_age is not None:
        handle.ask_for(options.scope, acr_values=options.acr_values, max_age=options.max_age)
    if handle.configuration().get("grant_type") not in {AUTHORIZATION_CODE, DEVICE_CODE}:
        with waiting_for("Requesting an access token"):
            handle.authorize()
    elif options.paste:
        from flowlet_jupyter.connect.paste import PastePrompt

        handle.authorize(PastePrompt())
    else:
        from flowlet_jupyter.connect.terminal import TerminalPrompt

        handle.authorize(TerminalPrompt())
    print(handle)


def test(options: Namespace) -> int:
    """As whom one harmless request connects, or what the API says; 1 if it did not work."""
    from flowlet_jupyter.connect.first_request import first_request

    with waiting_for("Asking the API"):
        works, text = first_request(default_secrets().vault, options.name)
    print(text)
    return int(not works)


def refresh(options: Namespace) -> None:
    """Renew the access token now."""
    with waiting_for("Refreshing"):
        status = default_secrets()[options.name].refresh()
    print(status.summary())


def revoke(options: Namespace) -> None:
    """End the tokens at the provider, and forget them here."""
    with waiting_for("Revoking"):
        status = default_secrets()[options.name].revoke()
    print(status.summary())


def delete(options: Namespace) -> None:
    """Remove a secret and its tokens."""
    from flowlet_jupyter.credentials.handles import SecretHandle

    with waiting_for("Deleting"):
        notice = SecretHandle(options.name, default_secrets().vault).delete()  # also one whose file is damaged
    print(notice or f"Secret '{options.name}' is deleted.")


def token(options: Namespace) -> None:
    """Print a usable access token."""
    with waiting_for("Refreshing"):
        value = default_secrets()[options.name].token()
    if sys.stdout.isatty():
        print("This is a secret value; it stays in the terminal's scrollback.", file=sys.stderr)
    print(value.reveal())


def providers(options: Namespace) -> None:
    """The catalogue of providers."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    text = " ".join(options.search)
    matches = search_providers(text, provider_index())
    if not matches:
        names = [name for entry in provider_index() for name in (entry["key"], entry["title"])]
        close = did_you_mean(text, names, otherwise="See: jupyter flowlet providers")
        raise InvalidOption(f"No provider has '{text}' in its name. {close}")
    rows = []
    for entry in matches:
        asked = ", ".join(parameter["name"] for parameter in entry["parameters"])
        marks = [KIND_LABELS[entry["type"]], *([f"set: {asked}"] if asked else [])]
        marks += [f"ends on {entry['ends']}"] if ends_soon(entry["ends"], today) else []
        rows.append((entry["key"], entry["title"], "; ".join(marks)))
    if is_drawn():
        draw_table(("key", "title", "what it takes"), rows)
        return
    for key, title, takes in rows:
        print(f"{key:26} {title}  ({takes})")


def export(options: Namespace) -> None:
    """The configuration of all secrets, without any value."""
    configurations = [handle.configuration() for handle in default_secrets().values()]
    print(as_toml(configurations) if options.toml else json.dumps(configurations, indent=2, ensure_ascii=False))


def import_(options: Namespace) -> None:
    """Import OAuth2 settings of another tool; each secret, or the reason why not."""
    from flowlet_jupyter.cli.imports import imported, refuse_what_is_here

    try:
        content = Path(options.file).expanduser().read_bytes()
        is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # as PowerShell's `>` writes
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except (OSError, ValueError) as error:
        raise RequestFailed(f"The file {options.file} cannot be read: {error}") from None
    entries = imported(text)
    if options.name and len(entries) == 1:
        entries[0]["name"] = options.name
    failed = 0
    for fields in entries:
        if options.host:
            fields["allowed_hosts"] = options.host
        try:
            refuse_what_is_here(fields)
            kind = kind_named(fields.get("type") or OAuth2.type).type
            members = without_configuration_marks(kind, without_empty(kind, fields))
            print(default_secrets().add(from_mapping(kind, members, set_by="flowlet")))
        except InvalidSecret as error:
            failed += 1
            print(f"'{fields.get('name')}' was not imported: {error}", file=sys.stderr)
    if failed == len(entries):
        raise InvalidSecret("Nothing was imported.")
