"""The Jupyter server that runs this kernel, as far as a kernel can know it."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

from jupyter_core.paths import jupyter_runtime_dir

from flowlet_jupyter.connect.remote import remote_host
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.session import Session, default_session

_ASK_SECONDS = 2.0


class _Servers:
    """Which servers have our extension, as far as a session has asked."""

    def __init__(self, _session: Session) -> None:
        self.has_extension: dict[str, bool] = {}


def authorize_url(secret_name: str, session: Session) -> str | None:
    """The link that starts the authorization of a secret, or None without a local server that has the extension."""
    url = _server_url(session)
    if url is None or not has_extension(url, session):
        return None
    return f"{url}/flowlet/authorize/{quote(secret_name, safe='')}"


def has_extension(url: str, session: Session) -> bool:
    """Whether the server at `url` has our extension: it may run in an environment without it. Asked once."""
    known = session.part(_Servers).has_extension
    if url not in known:
        no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with no_proxy.open(f"{url}/flowlet/page/page.css", timeout=_ASK_SECONDS):
                known[url] = True
        except urllib.error.HTTPError as error:
            error.close()
            known[url] = False
        except OSError:
            return True  # a certificate of its own, or too busy to answer: the link is still the likelier way
    return known[url]


def secrets_page_url(session: Session, *, of_kernel: bool = False) -> str:
    """The page of secrets: the server's, or one that this process serves for ten minutes. Raises `FlowletError`."""
    url = None if of_kernel else _server_url(session)
    if url is not None and has_extension(url, session):
        return f"{url}/flowlet/"
    if (host := remote_host()) is not None:
        raise FlowletError(
            f"This kernel runs on {host}, where no browser reaches a page of its own. Add a secret in a cell: "
            "flowlet.secrets.add(flowlet.OAuth2(name=..., client_secret=flowlet.ask('Client secret'), ...))"
        )
    from flowlet_jupyter.connect.loopback import hold_loopback  # brings the server's packages with it

    return hold_loopback(session.vault).secrets_url


def secrets_page(session: Session) -> str:
    """Where to go without a widget, in words."""
    try:
        url = secrets_page_url(session)
    except FlowletError as error:
        return str(error)
    where = "" if _server_url(session) else " (on this machine, for the next ten minutes)"
    return f"secrets, the form and Manage tokens are at {url}{where}"


def _server_url(session: Session) -> str | None:
    """The server's address, from the runtime file named after its process, whose ID it gives to its kernels.

    None for a session that does not work on the user's vault: the server's extension works on that one, and on no other.
    """
    if session.vault is not default_session().vault:
        return None
    file = Path(jupyter_runtime_dir()) / f"jpserver-{os.environ.get('JPY_PARENT_PID', '')}.json"
    try:
        return str(json.loads(file.read_text())["url"]).rstrip("/")
    except (OSError, ValueError, KeyError, TypeError):
        return None
