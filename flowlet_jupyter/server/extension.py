"""Load the extension: mount the handlers under `{base_url}flowlet/`."""

from __future__ import annotations

from typing import Any

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join

from flowlet_jupyter.server.api import (
    GreetingHandler,
    MissingAPIHandler,
    RedirectUriHandler,
    RefreshHandler,
    SecretHandler,
    SecretsHandler,
    VaultHandler,
)
from flowlet_jupyter.server.authorize import AuthorizeHandler, CallbackHandler, PageFileHandler
from flowlet_jupyter.vault import Vault, default_vault

_NAME = r"([^/]+)"


def handlers(base_url: str, vault: Vault) -> list[tuple[str, Any, dict[str, Any]]]:
    """The routes, each given the vault that it works on."""
    routes = {
        r"api/secrets": SecretsHandler,
        rf"api/secrets/{_NAME}": SecretHandler,
        rf"api/secrets/{_NAME}/refresh": RefreshHandler,
        r"api/redirect-uri": RedirectUriHandler,
        r"api/vault": VaultHandler,
        r"api/greetings/([0-9a-f]{32})": GreetingHandler,
        r"api/.*": MissingAPIHandler,
        rf"authorize/{_NAME}": AuthorizeHandler,
        r"callback": CallbackHandler,
        r"page/(page\.css|callback\.js)": PageFileHandler,
    }
    return [(url_path_join(base_url, "flowlet", route), handler, {"vault": vault}) for route, handler in routes.items()]


def _load_jupyter_server_extension(app: ServerApp) -> None:
    """Jupyter's entry point."""
    app.web_app.add_handlers(".*$", handlers(app.base_url, default_vault()))  # type: ignore[no-untyped-call]  # tornado has no hint
    app.log.info("flowlet_jupyter | secrets at %s", url_path_join(app.base_url, "flowlet"))
