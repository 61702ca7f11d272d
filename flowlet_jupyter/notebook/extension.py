"""`%load_ext flowlet_jupyter`: the magics and their completion. Imports little: see benchmarks/."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from flowlet_jupyter.session import Session


def load(shell: InteractiveShell, session: Session | None = None) -> None:
    """Register the magics, whose secrets are those of `session`, by default of the default one."""
    from flowlet_jupyter.notebook.completion import complete_magics
    from flowlet_jupyter.notebook.magics import FlowletMagics

    shell.register_magics(FlowletMagics(shell, session))
    complete_magics(shell)
    if keep_question_mark not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(keep_question_mark)


_ENDS_IN_QUESTION_MARK = re.compile(r"\s*(?:[\w.]+\s*=\s*)?%flowlet_request\s[^#]*/[^#]*\?\s*")


def keep_question_mark(lines: list[str]) -> list[str]:
    """A URL that ends in `?` would be taken for a wish for help, and no request be sent; an empty comment prevents it."""
    return [f"{line.rstrip()}  #\n" if _ENDS_IN_QUESTION_MARK.fullmatch(line) else line for line in lines]
