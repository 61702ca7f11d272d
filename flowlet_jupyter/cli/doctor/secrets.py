"""Each secret: whether it opens, whether it can be used, and what ends soon."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from flowlet_jupyter.cli.doctor.finding import Finding
from flowlet_jupyter.credentials.handles import Secrets
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.status import status_of
from flowlet_jupyter.providers.project_file import FILE_NAME, missing_here
from flowlet_jupyter.providers.stored_endings import entries_that_end, what_ends

_SOON_SECONDS = 24 * 3600


def findings(secrets: Secrets, redirect_uris: Sequence[str]) -> Iterator[tuple[Finding, Record | None]]:
    """What to say of each secret, with its record the first time.

    `redirect_uris` are those of the running servers, with which those registered for a secret are compared.
    """
    try:
        names = secrets.vault.names()
    except FlowletError:
        return  # said of the folder
    for name in names:
        try:
            record = secrets.vault.get(name)
        except FlowletError as error:
            yield Finding(f"secret {name}", "bad", "cannot be opened", str(error)), None
            continue
        yield _of_record(name, record), record
        for finding in (*_of_end(name, record), *_of_redirect_uri(name, record, redirect_uris)):
            yield finding, None
    try:
        missing = missing_here(names)
    except FlowletError as error:
        missing = [{"error": str(error)}]
    for entry in missing:
        if "error" in entry:
            yield Finding(FILE_NAME, "bad", "cannot be used", str(entry["error"])), None
        else:
            advice = f"Run: jupyter flowlet add {entry['name']}"
            yield Finding(FILE_NAME, "warn", f"asks for a secret '{entry['name']}' that is not here", advice), None


def _of_record(name: str, record: Record) -> Finding:
    subject = f"secret {name}"
    now = time.time()
    status = status_of(record, now=now)
    text = status.summary(now=now)
    authorize = f"Run: jupyter flowlet authorize {name}; or press Request access token in %flowlet_secret {name}"
    if status.state == "needs_authorization":
        return Finding(subject, "bad", text, authorize)
    if status.state == "no_token":
        return Finding(subject, "warn", text, authorize)
    if status.identity_problem:
        return Finding(subject, "warn", text, authorize)
    unattended = isinstance(record.secret, OAuth2) and record.secret.is_unattended
    ends = status.expires_at
    if ends is not None and not status.refresh_token and not unattended and ends - now < _SOON_SECONDS:
        return Finding(subject, "warn", f"{text}: it cannot be renewed", authorize)
    return Finding(subject, "ok", text)


def _of_end(name: str, record: Record) -> Iterator[Finding]:
    for ending in what_ends(record, entries_that_end(), now=time.time()):
        yield Finding(f"secret {name}", "warn", "ends soon", ending)


def _of_redirect_uri(name: str, record: Record, here: Sequence[str]) -> Iterator[Finding]:
    registered = record.secret.redirect_uris if isinstance(record.secret, OAuth2) else ()
    if not here or not registered or {_address(uri) for uri in here} & {_address(uri) for uri in registered}:
        return
    yield Finding(
        f"secret {name}",
        "warn",
        f"its client was used with {', '.join(registered)}, and no server runs there now",
        f"Start Jupyter at that address, or register {here[0]} at the provider too",
    )


def _address(uri: str) -> tuple[str, str | None, int | None, str]:
    """`uri` without what makes no difference here: the name of this machine, and the part for one provider only."""
    parts = urlsplit(uri)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    return parts.scheme, host, parts.port, parts.path.partition("/flowlet/callback")[0]
