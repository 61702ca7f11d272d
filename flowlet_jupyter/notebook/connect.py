"""A request meets a secret without a usable token: show the way to one in the cell's output, wait, go on."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from IPython.display import display

from flowlet_jupyter.errors import AuthRequired, InvalidOption
from flowlet_jupyter.http.identity import identify
from flowlet_jupyter.notebook.server_link import authorize_url
from flowlet_jupyter.notebook.widgets import FlowletWidget
from flowlet_jupyter.oauth.apart import start_apart
from flowlet_jupyter.oauth.authorization import new_flow
from flowlet_jupyter.oauth.completion import complete_flow, pasted_response
from flowlet_jupyter.oauth.device import start_device_flow
from flowlet_jupyter.oauth.pushed import authorization_request
from flowlet_jupyter.oauth2 import AUTHORIZATION_CODE, DEVICE_CODE, OAuth2
from flowlet_jupyter.secret_value import SecretValue
from flowlet_jupyter.vault import Vault, default_vault

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

WAIT_SECONDS = 600.0
_POLL_SECONDS = 0.25


def connect_in_notebook(needed: AuthRequired, shell: InteractiveShell | None) -> None:
    """Return when the secret has a usable token (`shell` is None in a command); raise `needed` where nobody can answer, or after ten minutes.

    Stdin allowed means that a person is there: nbclient, papermill and nbconvert forbid it.
    """
    if not _somebody_is_there(shell):
        raise needed
    vault = default_vault()
    name = needed.secret_name
    line = _Line(shell)
    secret = vault.get(name).secret
    try:
        if isinstance(secret, OAuth2) and secret.grant_type == DEVICE_CODE:
            connected = _by_device_code(vault, name, line)
        elif getattr(shell, "kernel", None) is not None and (link := authorize_url(name)):
            FlowletWidget(view="connect", name=name).show(
                f"Secret '{name}' needs authorization. Open this link: {link}"
            )
            connected = _wait(vault, name, line)
        else:
            connected = _by_loopback(vault, name, line)
    except KeyboardInterrupt:
        line.show(f"Secret '{name}': waiting was interrupted; the request was not sent.")
        raise
    if not connected:
        line.show(f"Secret '{name}': nobody authorized it in {WAIT_SECONDS / 60:.0f} minutes.")
        raise needed
    line.show(f"Secret '{name}' is connected; the request goes on.")


def connect_by_paste(name: str, ask: Callable[[str], str]) -> None:
    """Connect where the browser is on another machine: the person pastes the address that it was redirected to.

    `ask` is a password prompt, so that the code in the address is neither shown nor kept in a history.
    """
    from flowlet_jupyter.server.loopback import loopback_redirect_uri

    vault = default_vault()
    secret = vault.get(name).secret
    if not isinstance(secret, OAuth2) or secret.grant_type != AUTHORIZATION_CODE:
        raise InvalidOption(f"Secret '{name}' does not use the authorization code grant: there is nothing to paste.")
    flow = new_flow(name, redirect_uri=next(iter(secret.redirect_uris), loopback_redirect_uri()), now=time.time())
    url = start_apart(lambda: authorization_request(secret, flow), name="authorization request").result()
    print(  # noqa: T201 - it comes before the prompt, in a terminal as in a notebook
        f"1. Open {url}\n2. Allow it. The browser then goes to {flow.redirect_uri}?…, and may say that nobody answers.\n"
        "3. Copy that whole address and paste it here (it is not shown)."
    )
    parameters = pasted_response(flow, SecretValue(ask("Address: ")))
    start_apart(lambda: complete_flow(vault, flow, parameters), name="code exchange").result()
    start_apart(lambda: identify(vault, name), name="identity").result()


def _somebody_is_there(shell: InteractiveShell | None) -> bool:
    kernel = getattr(shell, "kernel", None)
    return sys.stdin.isatty() if kernel is None else bool(getattr(kernel, "_allow_stdin", False))


class _Line:
    """One line that says what is waited for: replaced in a notebook, printed when it says something new in a terminal."""

    def __init__(self, shell: InteractiveShell | None) -> None:
        self._handle: Any = None
        self._is_terminal = getattr(shell, "kernel", None) is None

    def show(self, text: str, *, is_countdown: bool = False) -> None:
        if self._is_terminal:
            if not is_countdown:
                print(text)  # noqa: T201 - a terminal's display
            return
        data = {"text/plain": text}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]  # IPython has no hint
        else:
            self._handle.update(data, raw=True)


def _by_loopback(vault: Vault, name: str, line: _Line) -> bool:
    """There is no Jupyter server to link to: this process listens for the redirect itself, while it waits."""
    from flowlet_jupyter.server.loopback import open_loopback

    with open_loopback(vault) as loopback:
        print(  # noqa: T201 - a link in a terminal, and in front ends without widgets
            f"Secret '{name}' needs authorization. Open this link on this machine:\n  {loopback.authorize_url(name)}\n"
            f"The redirect URI to register is {loopback.redirect_uri}\n"
            f"To stop, interrupt. Is the browser on another machine? Then run: %flowlet_secret {name} --paste"
        )
        return _wait(vault, name, line)


def _by_device_code(vault: Vault, name: str, line: _Line) -> bool:
    import segno  # draws QR codes; imported where one is drawn

    flow = start_apart(lambda: start_device_flow(vault, name), name="device flow").result()
    given = flow.authorization
    drawn = io.StringIO()
    segno.make(given.verification_uri_complete or given.verification_uri).terminal(drawn, compact=True)
    print(  # noqa: T201 - text works in every front end
        f"Secret '{name}' needs authorization. Open {given.verification_uri} on any device and enter the code "
        f"{given.user_code}\nTo stop, interrupt.\n{drawn.getvalue()}"
    )
    try:
        return _wait(vault, name, line, until=given.expires_at, finished=flow.finished)
    finally:
        flow.cancel()


def _wait(
    vault: Vault, name: str, line: _Line, *, until: float | None = None, finished: Future[Any] | None = None
) -> bool:
    """Whether a usable token came in time. The vault file's change is noticed, whoever wrote it."""
    before = vault.get(name).token_set
    end = time.time() + WAIT_SECONDS if until is None else until
    shown = -1
    while (left := int(end - time.time())) > 0:
        token = vault.get(name).token_set
        if token is not None and token != before:
            return True
        if finished is not None and finished.done():
            finished.result()  # raises why it ended
        if left != shown:
            shown = left
            line.show(
                f"Secret '{name}': waiting for authorization, {left // 60}:{left % 60:02d} left. "
                "To stop, interrupt the kernel.",
                is_countdown=True,
            )
        time.sleep(_POLL_SECONDS)
    return False
