"""A Sphinx extension that writes the generated pages before the sources are read; they are not committed.

`python docs/_extensions/generated_pages.py` writes them without a build.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import provider_pages
import reference_pages

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
FOLDER = "generated"


def pages() -> dict[str, str]:
    """Each generated page's text in Markdown, by its path below `docs/generated`."""
    return {**provider_pages.pages(), **reference_pages.pages()}


def write(folder: Path) -> None:
    """Write all pages into `folder`, and remove what was generated there before."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in pages().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


def _before_reading(app: Sphinx) -> None:
    write(Path(app.srcdir) / FOLDER)


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx's entry point."""
    app.connect("builder-inited", _before_reading)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    write(DOCS / FOLDER)
