"""Load the extension: mount the handlers under `{base_url}flowlet/`."""

from __future__ import annotations

import os
from typing import Any

import traitlets
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from traitlets.config import Configurable

from flowlet_jupyter.server.api import (
    AccountsHandler,
    DeviceHandler,
    DiscoverHandler,
    GreetingHandler,
    IntrospectHandler,
    MissingAPIHandler,
    ProviderFieldsHandler,
    ProvidersHandler,
    RedirectUriHandler,
    RefreshHandler,
    RevokeHandler,
    SchemaHandler,
    SecretHandler,
    SecretsHandler,
    TestHandler,
    VaultHandler,
)
from flowlet_jupyter.server.authorize import AuthorizeHandler, CallbackHandler, HandOverHandler
from flowlet_jupyter.server.pages import PageFileHandler, SecretsPageHandler
from flowlet_jupyter.settings import SETTINGS
from flowlet_jupyter.vault import Vault, default_vault

_NAME = r"([^/]+)"


def handlers(base_url: str, vault: Vault) -> list[tuple[str, Any, dict[str, Any]]]:
    """The routes, each given the vault that it works on."""
    routes = {
        r"api/secrets": SecretsHandler,
        rf"api/secrets/{_NAME}": SecretHandler,
        rf"api/secrets/{_NAME}/refresh": RefreshHandler,
        rf"api/secrets/{_NAME}/test": TestHandler,
        rf"api/secrets/{_NAME}/revoke": RevokeHandler,
        rf"api/secrets/{_NAME}/introspect": IntrospectHandler,
        rf"api/secrets/{_NAME}/accounts": AccountsHandler,
        rf"api/secrets/{_NAME}/device": DeviceHandler,
        r"api/providers": ProvidersHandler,
        rf"api/providers/{_NAME}": ProviderFieldsHandler,
        r"api/discover": DiscoverHandler,
        r"api/redirect-uri": RedirectUriHandler,
        r"api/schema": SchemaHandler,
        r"api/vault": VaultHandler,
        r"api/greetings/([0-9a-f]{32})": GreetingHandler,
        r"api/.*": MissingAPIHandler,
        rf"authorize/{_NAME}": AuthorizeHandler,
        r"callback": CallbackHandler,
        r"handover": HandOverHandler,
        r"page/(page\.css|callback\.js|secrets\.css|secrets\.js)": PageFileHandler,
        r"/": SecretsPageHandler,
    }
    return [(url_path_join(base_url, "flowlet", route), handler, {"vault": vault}) for route, handler in routes.items()]


def loopback_handlers(base_url: str, vault: Vault) -> list[tuple[str, Any, dict[str, Any]]]:
    """The routes of a listener without a Jupyter server: the pages at a secret path, the redirect URI at a fixed one."""
    public = {CallbackHandler, HandOverHandler, PageFileHandler}
    fixed = [route for route in handlers("/", vault) if route[1] in public]
    return [*fixed, *(route for route in handlers(base_url, vault) if route[1] not in public)]


class Flowlet(Configurable):
    """Settings of flowlet-jupyter for a server and its kernels, which get them through the environment."""

    vault = traitlets.Unicode("", help="Folder of the vault (FLOWLET_VAULT).").tag(config=True)
    master_key_file = traitlets.Unicode("", help="File with the master key (FLOWLET_MASTER_KEY_FILE).").tag(config=True)
    loopback_port = traitlets.Unicode(
        "", help="Port of the redirect URI without a Jupyter server, or 'free' (FLOWLET_LOOPBACK_PORT)."
    ).tag(config=True)
    usage_log = traitlets.Enum(
        ("", "on", "off"), "", help="Whether uses of secrets are logged at all (FLOWLET_LOG)."
    ).tag(config=True)

    def apply(self) -> None:
        """Put what was configured into the environment, which this process reads and its kernels inherit."""
        for setting in SETTINGS:
            if setting.trait and (value := getattr(self, setting.trait)):
                os.environ[setting.variable] = value


def _load_jupyter_server_extension(app: ServerApp) -> None:
    """Jupyter's entry point."""
    Flowlet(parent=app).apply()
    app.web_app.add_handlers(".*$", handlers(app.base_url, default_vault()))  # type: ignore[no-untyped-call]  # tornado has no hint
    app.log.info("flowlet_jupyter | secrets at %s", url_path_join(app.base_url, "flowlet", "/"))
