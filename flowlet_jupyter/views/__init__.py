"""The front end of secrets, as plain JavaScript and CSS: shown by a notebook's widget and by a page of the server."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_HERE = Path(__file__).parent
# One text for the browser, so that nothing has to be bundled; each file is a chapter of it.
_CHAPTERS = ("dom.js", "server.js", "form.js", "manage.js", "wanted.js", "table.js", "screen.js")


def script(entry: Literal["widget.js", "page.js"]) -> str:
    """The JavaScript module of the widget or of the page."""
    return "\n".join((_HERE / chapter).read_text("utf-8") for chapter in (*_CHAPTERS, entry))


def style() -> str:
    """The style sheet of both."""
    return (_HERE / "flowlet.css").read_text("utf-8")
