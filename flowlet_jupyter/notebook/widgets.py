"""The widget: its front end is the plain ESM of `frontend/`, which reads status from the server, not from the kernel."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets
from IPython.display import display

from flowlet_jupyter import frontend
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.notebook.server_link import secrets_page, secrets_page_url
from flowlet_jupyter.providers.project_file import missing_here
from flowlet_jupyter.session import Session, default_session
from flowlet_jupyter.vault.handshake import has_greeted

GREETING_SECONDS = 3.0


class FlowletWidget(anywidget.AnyWidget):
    """One of four views: `table` (all secrets), `manage` (one secret's tokens), `form` (a new one), `connect`.

    Synced traits are saved in the notebook: the view, the secret's name, what a new secret's form begins with (a
    provider's name and scopes), and a random number by which the front end greets. Nothing else of a secret is ever one.
    """

    _esm = frontend.script("widget.js")
    _css = frontend.style()

    view = traitlets.Enum(("table", "manage", "form", "connect")).tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)
    prefill = traitlets.Dict().tag(sync=True)
    greeting = traitlets.Unicode().tag(sync=True)

    def __init__(self, session: Session, **traits: Any) -> None:
        super().__init__(greeting=uuid.uuid4().hex, **traits)
        self._session = session
        self._greeted = threading.Event()
        self._handle: Any = None
        self._text = ""
        self.on_msg(self._on_message)

    def show(self, text: str) -> None:
        """Display the widget; `text` stands for it where widgets do not render."""
        self._text = text
        self._handle = display(self._bundle(), raw=True, display_id=True)  # type: ignore[no-untyped-call]  # IPython has no hint
        threading.Thread(target=self._watch, name="flowlet: greeting", daemon=True).start()

    def _bundle(self) -> dict[str, Any]:
        data = (self._repr_mimebundle_() or ({}, {}))[0]
        return {**data, "text/plain": self._text}

    def _watch(self) -> None:
        """Replace a widget that never came up by its text and what to install."""
        if self._wait_for_greeting():
            return
        advice = (
            "The flowlet widget did not come up in this front end. If you see none: in the environment that runs "
            "JupyterLab (it may be another than this kernel's) run  pip install flowlet-jupyter  , restart JupyterLab "
            f"and reload the page. Until then: {secrets_page(self._session)}"
        )
        self._handle.update({"text/plain": f"{self._text}\n\n{advice}"}, raw=True)
        self._greeted.wait()  # a kernel that was busy hears the greeting late
        self._handle.update(self._bundle(), raw=True)

    def _wait_for_greeting(self) -> bool:
        """Whether the front end has come up in time: it greets by a message, and through the server as well."""
        end = time.monotonic() + GREETING_SECONDS
        while time.monotonic() < end:
            if self._greeted.wait(0.1) or has_greeted(self._session.vault.folder, self.greeting):
                return True
        return False

    def _on_message(self, _widget: object, message: Any, _buffers: object) -> None:
        kind = message.get("kind") if isinstance(message, dict) else None
        if kind == "hello":
            self._greeted.set()
            vault = self._session.vault
            self.send({"kind": "vault", "folder": str(vault.folder), "required": missing_here(vault.names())})
            if vault is not default_session().vault:  # the server shows the user's vault, and no other
                self._serve_page()
        elif kind == "no server":
            # the server that the front end talks to lacks the extension, or there is none: this kernel is one then
            self._serve_page()

    def _serve_page(self) -> None:
        try:
            self.send({"kind": "page", "url": secrets_page_url(self._session, of_kernel=True)})
        except FlowletError as error:
            if self._handle is not None:  # as where a front end displayed it by itself
                self._handle.update({"text/plain": f"{self._text}\n\n{error}"}, raw=True)


class ResponseViews(anywidget.AnyWidget):
    """What brings the script of the response views to a page. It is never displayed, and its state is the script alone.

    `receive` takes the messages of the pages.
    """

    _esm = frontend.script("response.js")
    _css = frontend.text("response_live.css")

    def __init__(self, receive: Callable[[Any], None]) -> None:
        super().__init__()
        self.on_msg(lambda _widget, message, _buffers: receive(message))
