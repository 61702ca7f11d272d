"""The prompt of a notebook: the way to an access token in the cell's output, while the cell waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.display import display

from flowlet_jupyter.connect.terminal import TerminalPrompt
from flowlet_jupyter.connect.wait import Line, authorize_by, wait_for_token
from flowlet_jupyter.connect.way import way_without_server
from flowlet_jupyter.errors import AuthRequired
from flowlet_jupyter.model.oauth2 import DEVICE_CODE, OAuth2
from flowlet_jupyter.notebook.server_link import authorize_url
from flowlet_jupyter.session import session_of
from flowlet_jupyter.session.prompt import AuthorizationPrompt
from flowlet_jupyter.vault import Vault

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class NotebookPrompt:
    """Shows the connect widget, or text where there is no server to link to.

    Stdin allowed means that a user is there: nbclient, papermill and nbconvert forbid it.
    """

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel

    def authorize(self, vault: Vault, needed: AuthRequired) -> None:
        """Return when the secret has a token; raise `needed` where nobody can answer, or after ten minutes."""
        if not getattr(self._kernel, "_allow_stdin", False):
            raise needed
        secret = vault.get(needed.secret_name).secret
        has_device_code = isinstance(secret, OAuth2) and secret.grant_type == DEVICE_CODE
        is_of_server = not has_device_code and authorize_url(needed.secret_name, session_of(vault))
        way = _by_widget if is_of_server else way_without_server(secret)
        authorize_by(way, vault, needed, _DisplayedLine())


def prompt_of(shell: InteractiveShell | None) -> AuthorizationPrompt:
    """The prompt for where this runs: a kernel, or IPython in a terminal."""
    kernel = getattr(shell, "kernel", None)
    return TerminalPrompt() if kernel is None else NotebookPrompt(kernel)


def _by_widget(vault: Vault, name: str, line: Line) -> bool:
    from flowlet_jupyter.notebook.widgets import FlowletWidget

    session = session_of(vault)
    text = f"Secret '{name}' needs authorization. Open this link: {authorize_url(name, session)}"
    FlowletWidget(session, view="connect", name=name).show(text)
    return wait_for_token(vault, name, line)


class _DisplayedLine:
    """A line that is replaced in the cell's output."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str, *, is_countdown: bool = False) -> None:
        data = {"text/plain": f"{text} To stop, interrupt the kernel." if is_countdown else text}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]  # IPython has no hint
        else:
            self._handle.update(data, raw=True)
