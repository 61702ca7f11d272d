"""Which command a pasted text is, of those that are read. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.curl import is_curl, read_curl
from flowlet_jupyter.notebook.request_line.httpie import is_httpie, read_httpie
from flowlet_jupyter.notebook.request_line.javascript import is_fetch, read_fetch
from flowlet_jupyter.notebook.request_line.powershell import is_powershell, read_powershell
from flowlet_jupyter.notebook.request_line.spec import Draft
from flowlet_jupyter.notebook.request_line.wget import is_wget, read_wget

_READERS: tuple[tuple[Callable[[str], bool], Callable[[str, Draft], None]], ...] = (
    (is_curl, read_curl), (is_wget, read_wget), (is_httpie, read_httpie), (is_fetch, read_fetch),
    (is_powershell, read_powershell),
)  # fmt: skip
_OTHERS = re.compile(
    r"\s*(?:(?:const|let|var)\s+\w+\s*=\s*(?:await\s+)?|\w+\s*=\s*|await\s+|[$%>]\s+)?"
    r"(xhs?\s|curlie\s|axios\b[.(]|requests\.\w+\(|httpx\.\w+\(|\$\.(?:ajax|get|post)\(|new XMLHttpRequest|import requests"
    r"|Invoke-\w+|fetch\b)"
)


def reader_of(text: str) -> Callable[[str, Draft], None] | None:
    """The function that reads the command of `text`; None if it is no command. Raises `RequestSyntaxError`."""
    for is_one, read in _READERS:
        if is_one(text):
            return read
    if other := _OTHERS.match(text):
        raise RequestSyntaxError(
            f"What starts with {other[1].strip()} is not read here. Copy the request as cURL (bash) instead."
        )
    return None
