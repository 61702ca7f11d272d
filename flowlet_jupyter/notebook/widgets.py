"""The widget: its front end is plain ESM in `static/`, which reads status from the server, not from the kernel."""

from __future__ import annotations

import threading
import time
import uuid
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython.display import display

from flowlet_jupyter.vault import default_vault
from flowlet_jupyter.vault.greetings import has_greeted

GREETING_SECONDS = 3.0
_STATIC = Path(__file__).parent / "static"
# The front end of a widget is one module; these files are its chapters, and a browser loads them as one text.
_CHAPTERS = ("dom.js", "server.js", "form.js", "manage.js", "table.js", "widget.js")


class FlowletWidget(anywidget.AnyWidget):
    """One of four views: `table` (all secrets), `manage` (one secret's tokens), `form` (a new one), `connect`.

    Synced traits are saved in the notebook: the view, the secret's name, and a random number by which the front end
    greets. Nothing else of a secret is ever one.
    """

    _esm = "\n".join((_STATIC / chapter).read_text("utf-8") for chapter in _CHAPTERS)
    _css = (_STATIC / "flowlet.css").read_text("utf-8")

    view = traitlets.Enum(("table", "manage", "form", "connect")).tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)
    greeting = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(greeting=uuid.uuid4().hex, **traits)
        self._greeted = threading.Event()
        self._handle: Any = None
        self._text = ""
        self.on_msg(self._on_greeting)

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
            "and reload the page."
        )
        self._handle.update({"text/plain": f"{self._text}\n\n{advice}"}, raw=True)
        self._greeted.wait()  # a kernel that was busy hears the greeting late
        self._handle.update(self._bundle(), raw=True)

    def _wait_for_greeting(self) -> bool:
        """Whether the front end has come up in time: it greets by a message, and through the server as well."""
        end = time.monotonic() + GREETING_SECONDS
        while time.monotonic() < end:
            if self._greeted.wait(0.1) or has_greeted(default_vault().folder, self.greeting):
                return True
        return False

    def _on_greeting(self, _widget: object, message: Any, _buffers: object) -> None:
        if isinstance(message, dict) and message.get("kind") == "hello":
            self._greeted.set()
            self.send({"kind": "vault", "folder": str(default_vault().folder)})
