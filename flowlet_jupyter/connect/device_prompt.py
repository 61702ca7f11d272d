"""The device flow (RFC 8628): a code to enter on any device, and its QR code."""

from __future__ import annotations

import io

from flowlet_jupyter.connect.wait import Line, wait_for_token
from flowlet_jupyter.oauth.device import start_device_flow
from flowlet_jupyter.vault import Vault


def by_device_code(vault: Vault, name: str, line: Line) -> bool:
    """Show the code and wait; whether a token came in time. Raises `ProviderError`, `AuthorizationFailed`."""
    import segno  # draws QR codes; imported where one is drawn

    flow = start_device_flow(vault, name)
    code = flow.authorization
    drawn = io.StringIO()
    segno.make(code.verification_uri_complete or code.verification_uri).terminal(drawn, compact=True)
    print(  # noqa: T201 - text works in every front end
        f"Secret '{name}' needs authorization. Open {code.verification_uri} on any device and enter the code "
        f"{code.user_code}\nTo stop, interrupt.\n{drawn.getvalue()}"
    )
    try:
        return wait_for_token(vault, name, line, until=code.expires_at, finished=flow.finished)
    finally:
        flow.cancel()
