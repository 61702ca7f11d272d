"""httpx without its command line, which it imports with itself wherever click, rich and pygments are installed.

Nobody calls it from Python, and it takes twice as long to import as the rest of httpx; a first request would wait for it.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from typing import Any

_COMMAND_LINE = "httpx._main"


def leave_out_command_line() -> None:
    """Let `import httpx`, if it is still to come, find a `main` that imports the command line when it is called."""
    if "httpx" in sys.modules or _COMMAND_LINE in sys.modules:
        return
    stand_in = module_from_spec(ModuleSpec(_COMMAND_LINE, None))
    stand_in.main = _main  # type: ignore[attr-defined]  # all that httpx takes from it
    sys.modules[_COMMAND_LINE] = stand_in


def _main(*arguments: Any, **options: Any) -> Any:
    if getattr(sys.modules.get(_COMMAND_LINE), "main", None) is _main:
        del sys.modules[_COMMAND_LINE]
    return importlib.import_module(_COMMAND_LINE).main(*arguments, **options)
