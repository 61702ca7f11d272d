"""Python in a browser (Pyodide, as JupyterLite runs it): it has neither sockets nor threads, and no file that is private."""

from __future__ import annotations

import sys


def is_in_browser() -> bool:
    """Whether this Python runs in a browser."""
    return sys.platform == "emscripten"
