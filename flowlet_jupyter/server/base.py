"""What every response of ours has in common: nothing is cached, no referrer, no query in a log line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypeVar, cast

from jupyter_server.base.handlers import JupyterHandler
from tornado import web
from tornado.log import access_log

from flowlet_jupyter.session.shielded import start_shielded
from flowlet_jupyter.vault import Vault

T = TypeVar("T")


async def run_in_thread(task: Callable[[], T]) -> T:
    """Run what reads or writes the vault off the event loop: a keyring may wait for a user to unlock it."""
    return await asyncio.wrap_future(start_shielded(task, name="work on the vault"))


class FlowletHandler(JupyterHandler):
    """A handler that works on a vault."""

    vault: Vault

    def initialize(self, vault: Vault) -> None:
        """Take the vault that the extension mounted the handler with."""
        self.vault = vault

    @property
    def content_security_policy(self) -> str:
        """Jupyter's policy; without its report address on loopback, where the base URL is a secret path."""
        if "flowlet_callback" in self.settings:
            return "frame-ancestors 'none'"
        return str(super().content_security_policy)

    def set_default_headers(self) -> None:
        """Jupyter's headers (its `frame-ancestors` among them), and no caching and no referrer on top."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")

    def _log(self) -> None:
        """One access line without the query: the callback's holds `code` and `state`.

        Jupyter masks some parameters in its own line, but also logs the Referer of failed requests.
        """
        logger = getattr(self, "log", access_log)
        status = self.get_status()
        write = logger.debug if status < 400 else logger.warning if status < 500 else logger.error
        write("%d %s %s %.0fms", status, self.request.method, self.request.path, 1000 * self.request.request_time())

    def get_json_body(self) -> dict[str, Any] | None:
        """The body as JSON. Jupyter's own logs one that cannot be read, which may hold what a user typed."""
        try:
            return cast("dict[str, Any] | None", json.loads(self.request.body) if self.request.body else None)
        except (ValueError, RecursionError):
            raise web.HTTPError(400, "The body of the request is not JSON.") from None

    def log_exception(self, *exc_info: Any) -> None:
        """An unexpected error by its type and location: its text and tornado's request line may hold a code."""
        error_type, _, traceback = exc_info
        while traceback is not None and traceback.tb_next is not None:
            traceback = traceback.tb_next
        location = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}" if traceback else "?"
        self.log.warning("%s at %s for %s", getattr(error_type, "__name__", "?"), location, self.request.path)
