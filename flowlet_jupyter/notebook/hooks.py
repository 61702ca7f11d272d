"""How responses and secrets are shown in IPython, and how a secret is authorized there; see ipython_hooks.py.

IPython's display methods on the objects call these, so nothing is registered, with or without `%load_ext`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from flowlet_jupyter.connect.console import is_drawn
from flowlet_jupyter.errors import AuthRequired

if TYPE_CHECKING:
    from flowlet_jupyter.http.gather import Gathered
    from flowlet_jupyter.http.page_reader import PageReader as Pages
    from flowlet_jupyter.http.response import Response
    from flowlet_jupyter.notebook.display.live import Viewed
    from flowlet_jupyter.vault import Vault


def authorize(vault: Vault, needed: AuthRequired) -> None:
    """Show a user the way to an access token, and wait. Raises `needed` where nobody can answer."""
    from flowlet_jupyter.notebook.prompt import prompt_of

    prompt_of(get_ipython()).authorize(vault, needed)


def response_html(response: Response) -> str:
    """The view of a response, as `%config FlowletMagics` has it."""
    from flowlet_jupyter.http.response import redacted
    from flowlet_jupyter.notebook.display.html import response_html
    from flowlet_jupyter.notebook.display.live import name_of

    return response_html(redacted(response), name=name_of(response), **_view_settings(response))


def series_html(series: Pages | Gathered) -> str:
    """The view of many responses."""
    from flowlet_jupyter.notebook.display.live import name_of
    from flowlet_jupyter.notebook.display.series import series_html

    return series_html(series, name=name_of(series, ""), **_view_settings(series))


def _view_settings(viewed: Viewed) -> dict[str, Any]:
    """What the user has configured, and an identity by which a page turns the view live."""
    from flowlet_jupyter.notebook.display.live import LiveViews
    from flowlet_jupyter.notebook.display.parts import new_identity

    shell = get_ipython()
    magics = None if shell is None else shell.magics_manager.registry.get("FlowletMagics")
    settings = {} if magics is None else {"rows": magics.display_rows, "output_bytes": magics.display_bytes}
    identity = new_identity()
    # whoever may be asked is there to look at it; elsewhere a widget's state would only be saved
    if getattr(getattr(shell, "kernel", None), "_allow_stdin", False):
        from flowlet_jupyter.session import default_session

        default_session().part(LiveViews).add(identity, viewed)
    return {**settings, "identity": identity}


def _is_terminal() -> bool:
    """Whether what is shown is read in a terminal, and can be drawn there; a kernel's text is for whoever asked it."""
    return getattr(get_ipython(), "kernel", None) is None and is_drawn()


def series_text(series: Pages | Gathered) -> str:
    """Many responses as text, drawn where a terminal is."""
    if _is_terminal():
        from flowlet_jupyter.notebook.display.terminal import drawn_series

        return drawn_series(series)
    from flowlet_jupyter.notebook.display.series import series_text

    return series_text(series)


def response_text(response: Response) -> str:
    """A response as text, drawn where a terminal is."""
    from flowlet_jupyter.http.response import redacted

    if _is_terminal():
        from flowlet_jupyter.notebook.display.terminal import drawn_response

        return drawn_response(redacted(response))
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
