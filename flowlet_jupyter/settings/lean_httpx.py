"""httpx without its command line, which it imports with itself wherever click, rich and pygments are installed.

Hardly anybody uses it from Python, and it takes twice as long to import as the rest of httpx; a first request would wait
for it. A module cannot be imported lazily here (`importlib.util.LazyLoader`), since httpx takes `main` out of it at once.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from typing import Any

_MODULE = "httpx._main"


def leave_out_command_line() -> None:
    """Let `import httpx`, if it is still to come, find a `main` that imports the command line when it is used.

    Nothing is changed where httpx is imported already, or is being imported by another thread.
    """
    if "httpx" in sys.modules:
        return
    stand_in = module_from_spec(ModuleSpec(_MODULE, None))
    stand_in.main = _CommandLine(stand_in)  # type: ignore[attr-defined]  # all that httpx takes from it
    sys.modules.setdefault(_MODULE, stand_in)  # in one step: another thread may have the real one by now


class _CommandLine:
    """`httpx.main`: click's command once it is called or looked at, as `click.testing.CliRunner` does."""

    def __init__(self, stand_in: Any) -> None:
        self._stand_in = stand_in

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._command()(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what tools look for in everything (`__wrapped__`) imports nothing
            raise AttributeError(name)
        return getattr(self._command(), name)

    def _command(self) -> Any:
        if sys.modules.get(_MODULE) is self._stand_in:
            sys.modules.pop(_MODULE, None)  # without an error where another thread was quicker
        return importlib.import_module(_MODULE).main
