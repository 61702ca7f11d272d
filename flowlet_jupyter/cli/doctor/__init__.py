"""What `jupyter flowlet doctor` says: one finding a line, each with what to do about it. It changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from flowlet_jupyter.cli.doctor import files, jupyter, network, secrets
from flowlet_jupyter.cli.doctor.finding import Finding
from flowlet_jupyter.credentials.handles import default_secrets


def diagnosis(*, reach: bool = False) -> Iterator[Finding]:
    """Every finding; with `reach` also those that need a request to each provider, which ends in bounded time."""
    stored = default_secrets()
    yield from jupyter.versions()
    yield from files.findings(stored)
    yield from jupyter.findings()
    yield from network.findings()
    records = []
    for finding, record in secrets.findings(stored, [*jupyter.server_redirect_uris()]):
        yield finding
        if record is not None:
            records.append(record)
    if reach:
        yield from network.reached(records)
    else:
        yield Finding(
            "providers",
            "ok",
            "not asked, nor is the clock compared with theirs. To do both: jupyter flowlet doctor --reach",
        )
