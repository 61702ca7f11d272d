"""A request meets a secret without a usable token: show the link in the cell's output, wait, go on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from IPython.display import display

from flowlet_jupyter.errors import AuthRequired
from flowlet_jupyter.notebook.server_link import authorize_url
from flowlet_jupyter.notebook.widgets import FlowletWidget
from flowlet_jupyter.vault import Vault, default_vault

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

WAIT_SECONDS = 600.0
_POLL_SECONDS = 0.25


def connect_in_notebook(needed: AuthRequired, shell: InteractiveShell) -> None:
    """Return when the secret has a usable token; raise `needed` where nobody can answer, or after ten minutes.

    Stdin allowed means that a person is there: nbclient, papermill and nbconvert forbid it.
    """
    if not getattr(getattr(shell, "kernel", None), "_allow_stdin", False):
        raise needed
    vault = default_vault()
    name = needed.secret_name
    link = authorize_url(name)
    FlowletWidget(view="connect", name=name).show(
        f"Secret '{name}' needs authorization. " + (f"Open this link: {link}" if link else str(needed))
    )
    line = display(_line(f"Secret '{name}': waiting for authorization"), raw=True, display_id=True)  # type: ignore[no-untyped-call]  # IPython has no hint
    try:
        if not _wait(vault, name, line):
            line.update(_line(f"Secret '{name}': nobody authorized it in {WAIT_SECONDS / 60:.0f} minutes."), raw=True)
            raise needed
    except KeyboardInterrupt:
        line.update(_line(f"Secret '{name}': waiting was interrupted; the request was not sent."), raw=True)
        raise
    line.update(_line(f"Secret '{name}' is connected; the request goes on."), raw=True)


def _wait(vault: Vault, name: str, line: Any) -> bool:
    """Whether a usable token came in time. The vault file's change is noticed, whoever wrote it."""
    before = vault.get(name).token_set
    end = time.monotonic() + WAIT_SECONDS
    shown = -1
    while (left := int(end - time.monotonic())) > 0:
        token = vault.get(name).token_set
        if token is not None and token != before:
            return True
        if left != shown:
            shown = left
            line.update(
                _line(
                    f"Secret '{name}': waiting for authorization, {left // 60}:{left % 60:02d} left. "
                    "To stop, interrupt the kernel."
                ),
                raw=True,
            )
        time.sleep(_POLL_SECONDS)
    return False


def _line(text: str) -> dict[str, str]:
    return {"text/plain": text}
