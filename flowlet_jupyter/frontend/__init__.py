"""The front end: the JavaScript modules, style sheets and page templates of the widget, the pages and the outputs.

The modules import each other as ES modules do. A widget's module is one text (anywidget's `_esm`), and a page of the
server should need one request, so that they are joined when they are loaded; nothing is bundled or installed.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parent
TEMPLATES = FOLDER / "templates"
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([a-z_]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function |const |let |class )", re.MULTILINE)
_TOP_LEVEL = re.compile(r"^(?:async )?(?:function|const|let|class) ([A-Za-z_$][\w$]*)", re.MULTILINE)


class JoinError(Exception):
    """The modules cannot be joined; a fault of ours, found by a test."""


@functools.cache
def script(entry: Literal["widget.js", "page.js", "response.js"]) -> str:
    """The module `entry` and all that it imports, as one module."""
    return join(entry, FOLDER)


def join(entry: str, folder: Path) -> str:
    """The module `entry` of `folder` and all that it imports, each once and before what imports it.

    Imports are written `import { name } from "./file.js";`. Raises `JoinError` if two modules declare one name at the
    top, if something is imported that is not exported, or if imports go in a circle.
    """
    texts: dict[str, str] = {}
    _collect(entry, folder, texts, ())
    owners: dict[str, str] = {}
    for file, text in texts.items():
        for name in _TOP_LEVEL.findall(text):
            if name in owners:
                raise JoinError(f"{file} and {owners[name]} both declare {name}.")
            owners[name] = file
    return "\n".join(texts.values())


def _collect(file: str, folder: Path, texts: dict[str, str], importers: tuple[str, ...]) -> None:
    if file in importers:
        raise JoinError(f"Imports go in a circle: {' -> '.join((*importers, file))}.")
    if file in texts:
        return
    text = (folder / file).read_text("utf-8")
    for names, imported in _IMPORT.findall(text):
        _collect(imported, folder, texts, (*importers, file))
        exported = set(_exported(folder / imported))
        if missing := {name.strip() for name in names.split(",") if name.strip()} - exported:
            raise JoinError(f"{file} imports {min(missing)}, which {imported} does not export.")
    text = _EXPORT.sub("", _IMPORT.sub("", text))
    if left := re.search(r"^import .*", text, re.MULTILINE):
        raise JoinError(f"{file} has an import that cannot be joined: {left[0]}")
    texts[file] = text


def _exported(file: Path) -> list[str]:
    exported = re.compile(r"^export (?:async )?(?:function|const|let|class) ([A-Za-z_$][\w$]*)", re.MULTILINE)
    return exported.findall(file.read_text("utf-8"))


def style() -> str:
    """The style sheet of the widget and of the page of secrets."""
    return text("flowlet.css")


def text(file: Literal["flowlet.css", "page.css", "callback.js", "response.css", "response_live.css"]) -> str:
    """The text of a file that stands for itself."""
    return (FOLDER / file).read_text("utf-8")
