"""How responses and secrets are shown in IPython, and how a secret is authorized there; see ipython_hooks.py.

IPython's display methods on the objects call these, so nothing is registered, with or without `%load_ext`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from flowlet_jupyter.errors import AuthRequired

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response
    from flowlet_jupyter.vault import Vault


def authorize(vault: Vault, needed: AuthRequired) -> None:
    """Show a user the way to an access token, and wait. Raises `needed` where nobody can answer."""
    from flowlet_jupyter.notebook.prompt import prompt_of

    prompt_of(get_ipython()).authorize(vault, needed)


def response_html(response: Response) -> str:
    """The view of a response, as `%config FlowletMagics` has it."""
    from flowlet_jupyter.http.response import redacted
    from flowlet_jupyter.notebook.display.html import new_identity, response_html
    from flowlet_jupyter.notebook.display.live import LiveViews, name_of

    shell = get_ipython()
    magics = None if shell is None else shell.magics_manager.registry.get("FlowletMagics")
    settings = {} if magics is None else {"rows": magics.display_rows, "output_bytes": magics.display_bytes}
    identity = new_identity()
    # whoever may be asked is there to look at it; elsewhere a widget's state would only be saved
    if getattr(getattr(shell, "kernel", None), "_allow_stdin", False):
        from flowlet_jupyter.session import default_session

        default_session().part(LiveViews).add(identity, response)
    return response_html(redacted(response), name=name_of(response), identity=identity, **settings)


def response_text(response: Response) -> str:
    """A response as text."""
    from flowlet_jupyter.http.response import redacted
    from flowlet_jupyter.notebook.display.text import response_text

    return response_text(redacted(response))


def show_secrets(secrets: Any) -> None:
    """All secrets, and what flowlet.toml asks for beyond them; in a notebook as a widget."""
    from flowlet_jupyter.providers.project_file import missing_here

    text = "\n".join([repr(secrets), *map(_missing, missing_here(secrets))])
    if getattr(get_ipython(), "kernel", None) is None:
        print(text)  # noqa: T201 - a terminal's display
        return
    from flowlet_jupyter.notebook.widgets import FlowletWidget
    from flowlet_jupyter.session import session_of

    FlowletWidget(session_of(secrets.vault), view="table").show(text)


def secrets_widget(secrets: Any) -> Any:
    """The widget with all secrets, for a front end that displays it by itself."""
    from flowlet_jupyter.notebook.widgets import FlowletWidget
    from flowlet_jupyter.session import session_of

    return FlowletWidget(session_of(secrets.vault), view="table")


def _missing(entry: dict[str, Any]) -> str:
    if "error" in entry:
        return str(entry["error"])
    hosts = ", ".join(entry.get("allowed_hosts", ())) or "the hosts of its provider"
    return (
        f"missing here: '{entry['name']}' ({entry.get('provider') or entry.get('token_endpoint', '?')}, for {hosts}); "
        f"to look at it and add it: jupyter flowlet add {entry['name']}"
    )
