"""The JSON API of a device flow (RFC 8628), which this server waits for."""

from __future__ import annotations

from concurrent.futures import Future

import segno
from tornado import web

from flowlet_jupyter.http.identity import identify
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.oauth.device import DeviceFlow, start_device_flow
from flowlet_jupyter.server.api import FlowletAPIHandler
from flowlet_jupyter.server.base import run_in_thread
from flowlet_jupyter.session import Session, session_of
from flowlet_jupyter.vault import Vault


class DeviceHandler(FlowletAPIHandler):
    """`POST` and `DELETE api/secrets/NAME/device`: the device flow, while this server waits for the user."""

    @web.authenticated
    async def post(self, name: str) -> None:
        """The code to enter, where, its QR code as SVG, and until when (Unix time)."""
        _cancel(self.vault, name)
        flow = await run_in_thread(lambda: start_device_flow(self.vault, name))
        _flows(self.vault)[name] = flow
        vault = self.vault

        def finished(future: Future[TokenSet]) -> None:
            if future.exception() is None:
                identify.start(vault, name)

        flow.finished.add_done_callback(finished)
        authorization = flow.authorization
        self.finish(
            {
                "user_code": authorization.user_code,
                "verification_uri": authorization.verification_uri,
                "verification_uri_complete": authorization.verification_uri_complete,
                "expires_at": authorization.expires_at,
                "qr_code": segno.make(
                    authorization.verification_uri_complete or authorization.verification_uri
                ).svg_data_uri(scale=4),
            }
        )

    @web.authenticated
    async def get(self, name: str) -> None:
        """Whether the flow goes on, and why it ended if it failed."""
        flow = _flows(self.vault).get(name)
        done = flow is None or flow.finished.done()
        error = flow.finished.exception() if flow is not None and done else None
        self.finish({"pending": not done, "problem": str(error) if error else None})

    @web.authenticated
    async def delete(self, name: str) -> None:
        """Ask no more (204)."""
        _cancel(self.vault, name)
        self.set_status(204)
        self.finish()


class _DeviceFlows:
    """Flows under way in a server's session, by secret; they end with it, and within half an hour."""

    def __init__(self, _session: Session) -> None:
        self.running: dict[str, DeviceFlow] = {}


def _flows(vault: Vault) -> dict[str, DeviceFlow]:
    return session_of(vault).part(_DeviceFlows).running


def _cancel(vault: Vault, name: str) -> None:
    flow = _flows(vault).pop(name, None)
    if flow is not None:
        flow.cancel()
