"""Load the extension: mount the handlers under `{base_url}flowlet/`.

The handlers bring OAuth, the vault and httpx along. Every Jupyter server loads this module, and most of them never need
a secret; so the handlers are imported at the first request for one.
"""

from __future__ import annotations

import os
import re
from typing import Any

import traitlets
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import PathMatches, Rule, RuleRouter, URLSpec
from tornado.web import Application
from traitlets.config import Configurable

from flowlet_jupyter.settings import SETTINGS


class _HandlersWhenNeeded(RuleRouter):
    """Routes below `{base_url}flowlet/`, made when the first request comes."""

    SUPPORTED_METHODS: tuple[str, ...] = ()  # jupyter-server looks at those of everything that is mounted

    def __init__(self, application: Application, base_url: str) -> None:
        super().__init__()
        self._application = application
        self._base_url = base_url

    def find_handler(self, request: HTTPServerRequest, **options: Any) -> HTTPMessageDelegate | None:
        """The handler of the request; None if there is none."""
        if not self.rules:
            from flowlet_jupyter.server.routes import handlers
            from flowlet_jupyter.vault import default_vault

            self.add_rules([URLSpec(*route) for route in handlers(self._base_url, default_vault())])
        return super().find_handler(request, **options)

    def get_target_delegate(
        self, target: Any, request: HTTPServerRequest, **target_params: Any
    ) -> HTTPMessageDelegate | None:
        """The handler `target`, run in the server's application."""
        return self._application.get_handler_delegate(request, target, **target_params)


class Flowlet(Configurable):
    """Settings of flowlet-jupyter for a server and its kernels, which get them through the environment."""

    vault = traitlets.Unicode("", help="Folder of the vault (FLOWLET_VAULT).").tag(config=True)
    master_key_file = traitlets.Unicode("", help="File with the master key (FLOWLET_MASTER_KEY_FILE).").tag(config=True)
    loopback_port = traitlets.Unicode(
        "", help="Port of the redirect URI without a Jupyter server, or 'free' (FLOWLET_LOOPBACK_PORT)."
    ).tag(config=True)
    transport = traitlets.Enum(
        ("", "aiohttp", "httpx"), "", help="What is under requests side by side (FLOWLET_TRANSPORT)."
    ).tag(config=True)
    client_id_url = traitlets.Unicode(
        "", help="Address of a client metadata document that you host, as the client ID (FLOWLET_CLIENT_ID_URL)."
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
    below = PathMatches(re.escape(url_path_join(app.base_url, "flowlet", "/")) + ".*")
    app.web_app.add_handlers(".*$", [Rule(below, _HandlersWhenNeeded(app.web_app, app.base_url))])  # type: ignore[no-untyped-call]  # tornado has no hint
    app.log.info("flowlet_jupyter | secrets at %s", url_path_join(app.base_url, "flowlet", "/"))
