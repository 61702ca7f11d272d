"""Which handler answers which path under `{base_url}flowlet/`."""

from __future__ import annotations

from typing import Any

from jupyter_server.utils import url_path_join

from flowlet_jupyter.server.api import (
    AccountsHandler,
    GreetingHandler,
    IntrospectHandler,
    MissingAPIHandler,
    RefreshHandler,
    RevokeHandler,
    SecretHandler,
    SecretsHandler,
    TestHandler,
    VaultHandler,
)
from flowlet_jupyter.server.authorize import AuthorizeHandler, CallbackHandler, HandOverHandler
from flowlet_jupyter.server.device_api import DeviceHandler
from flowlet_jupyter.server.form_api import (
    CompletedHandler,
    DiscoverHandler,
    ProviderFieldsHandler,
    ProvidersHandler,
    RedirectUriHandler,
    SchemaHandler,
)
from flowlet_jupyter.server.pages import PageFileHandler, SecretsPageHandler
from flowlet_jupyter.server.redirect_uri import PROVIDER_KEY
from flowlet_jupyter.vault import Vault

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
        r"api/completed": CompletedHandler,
        r"api/discover": DiscoverHandler,
        r"api/redirect-uri": RedirectUriHandler,
        r"api/schema": SchemaHandler,
        r"api/vault": VaultHandler,
        r"api/greetings/([0-9a-f]{32})": GreetingHandler,
        r"api/.*": MissingAPIHandler,
        rf"authorize/{_NAME}": AuthorizeHandler,
        r"callback": CallbackHandler,
        rf"callback/({PROVIDER_KEY})": CallbackHandler,
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
