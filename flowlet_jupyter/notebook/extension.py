"""`%load_ext flowlet_jupyter`: the magics, and how responses and secrets are shown. Imports little: see benchmarks/."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.oauth.person import set_connect_hook

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from flowlet_jupyter.errors import AuthRequired


def load(shell: InteractiveShell) -> None:
    """Register the magics and attach to the shell."""
    from flowlet_jupyter.notebook.completion import complete_magics
    from flowlet_jupyter.notebook.magics import FlowletMagics

    shell.register_magics(FlowletMagics)
    attach(shell)
    complete_magics(shell)
    if keep_question_mark not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(keep_question_mark)


_ENDS_IN_QUESTION_MARK = re.compile(r"\s*(?:[\w.]+\s*=\s*)?%flowlet_request\s[^#]*/[^#]*\?\s*")


def keep_question_mark(lines: list[str]) -> list[str]:
    """A URL that ends in `?` would be taken for a wish for help, and no request be sent; an empty comment prevents it."""
    return [f"{line.rstrip()}  #\n" if _ENDS_IN_QUESTION_MARK.fullmatch(line) else line for line in lines]


def attach(shell: InteractiveShell) -> None:
    """Show responses and `flowlet.secrets` in the notebook's way, and the connect link when a secret needs it.

    By the names of the types, so that nothing is imported before there is something to show.
    """
    formatter = shell.display_formatter
    if formatter is None:
        return
    response = ("flowlet_jupyter.http.response", "Response")
    formatter.formatters["text/html"].for_type_by_name(*response, lambda shown: _response_html(shown, shell))
    formatter.formatters["text/plain"].for_type_by_name(*response, _response_text)
    formatter.ipython_display_formatter.for_type_by_name(
        "flowlet_jupyter.oauth.collection", "Secrets", lambda secrets: _show_secrets(secrets, shell)
    )
    set_connect_hook(lambda needed: _connect(needed, shell))


def _connect(needed: AuthRequired, shell: InteractiveShell) -> None:
    from flowlet_jupyter.notebook.connect import connect_in_notebook

    connect_in_notebook(needed, shell)


def _response_html(response: Any, shell: InteractiveShell) -> str:
    from flowlet_jupyter.http.redaction import redacted
    from flowlet_jupyter.notebook.display.html import response_html

    magics = shell.magics_manager.registry.get("FlowletMagics")
    settings = {} if magics is None else {"rows": magics.display_rows, "output_bytes": magics.display_bytes}
    # the variable that a copied path begins with
    name = next((name for name, value in shell.user_ns.items() if value is response and not name.startswith("_")), "r")
    return response_html(redacted(response), name=name, **settings)


def _response_text(response: Any, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - IPython's signature
    from flowlet_jupyter.http.redaction import redacted
    from flowlet_jupyter.notebook.display.text import response_text

    printer.text(response_text(redacted(response)))


def _show_secrets(secrets: Any, shell: InteractiveShell) -> None:
    from flowlet_jupyter.project_file import missing_here

    text = "\n".join([repr(secrets), *map(_asked_for, missing_here(secrets.vault))])
    if getattr(shell, "kernel", None) is None:
        print(text)  # noqa: T201 - a terminal's display
        return
    from flowlet_jupyter.notebook.widgets import FlowletWidget

    FlowletWidget(view="table").show(text)


def _asked_for(entry: dict[str, Any]) -> str:
    if "error" in entry:
        return str(entry["error"])
    hosts = ", ".join(entry.get("allowed_hosts", ())) or "the hosts of its provider"
    return (
        f"missing here: '{entry['name']}' ({entry.get('provider') or entry.get('token_endpoint', '?')}, for {hosts}); "
        f"to look at it and add it: jupyter flowlet add {entry['name']}"
    )
