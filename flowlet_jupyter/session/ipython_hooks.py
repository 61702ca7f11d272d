"""The one way from the library up to the notebook: by its name, and only when something is to be shown in IPython.

Nothing is registered anywhere: IPython finds the display methods on our objects, which find these.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, Protocol, cast

from flowlet_jupyter.errors import AuthRequired


class Hooks(Protocol):
    """What `flowlet_jupyter.notebook.hooks` has."""

    def response_html(self, response: Any) -> str:
        """The view of a response."""

    def response_text(self, response: Any) -> str:
        """Its text, for terminals and for whoever reads the notebook without widgets."""

    def show_secrets(self, secrets: Any) -> None:
        """Display all secrets."""

    def secrets_widget(self, secrets: Any) -> Any:
        """The widget with all secrets, for a front end that displays it by itself."""

    def authorize(self, vault: Any, needed: AuthRequired) -> None:
        """Show a user the way to an access token, and wait."""


def hooks() -> Hooks:
    """The notebook's side."""
    return cast("Hooks", importlib.import_module("flowlet_jupyter.notebook.hooks"))


def in_ipython() -> bool:
    """Whether this process is a kernel or an IPython terminal; imports nothing."""
    ipython = sys.modules.get("IPython.core.getipython")
    return ipython is not None and ipython.get_ipython() is not None
