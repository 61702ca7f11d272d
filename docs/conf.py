"""The documentation's settings: `nox -s docs` builds it; a warning is an error, and nothing is fetched."""

from __future__ import annotations

import base64
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.lib.lexers import IPython3Lexer
from pygments.lexers.special import TextLexer

import flowlet_jupyter

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

project = "flowlet-jupyter"
author = "the flowlet-jupyter authors"
release = flowlet_jupyter.__version__
extensions = ["myst_nb", "sphinx_copybutton", "generated_pages"]
exclude_patterns = ["_build", "changelog", "_extensions"]
root_doc = "index"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

# The tutorial is a notebook in text form. It runs while the site is built, against the embedded provider.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
# A chart is Vega-Lite too where Altair is installed; the page shows its picture. An output without any form that a page can
# show still fails the build (mystnb.mime_priority).
suppress_warnings = ["mystnb.unknown_mime_type"]
_vault = tempfile.TemporaryDirectory(prefix="flowlet-docs-")  # not the vault of whoever builds the site
os.environ["FLOWLET_VAULT"] = _vault.name
os.environ["FLOWLET_MASTER_KEY"] = base64.b64encode(secrets.token_bytes(32)).decode()

html_theme = "pydata_sphinx_theme"
html_title = "flowlet-jupyter"
html_static_path = ["_static"]
html_show_sourcelink = False
html_sidebars = {"index": [], "tutorial": [], "changes": []}  # pages without a section around them
maximum_signature_line_length = 80
# All builds read one list of versions, the newest build's, so that an old version learns of new ones. Versions stand beside
# each other on their host, so that neither the list nor this file names it; a build of one's own lists itself only.
_hosted = os.environ.get("READTHEDOCS_VERSION")
html_theme_options = {
    "show_toc_level": 2,
    "navbar_end": ["version-switcher", "theme-switcher"],  # on a telephone both are behind the menu
    "switcher": {
        "json_url": "../latest/_static/switcher.json" if _hosted else "_static/switcher-own.json",
        "version_match": _hosted or "own",
    },
    "check_switcher": False,  # a build needs no network
    "show_version_warning_banner": True,
    "navigation_with_keys": False,
}


def setup(app: Sphinx) -> None:
    """Show magics in Python blocks as IPython reads them, and diagrams as their text."""
    app.add_lexer("python", IPython3Lexer)
    app.add_lexer("mermaid", TextLexer)
