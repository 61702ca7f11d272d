"""There is no Jupyter server to link to: this process listens for the redirect itself, while it waits (RFC 8252, 7.3)."""

from __future__ import annotations

from flowlet_jupyter.connect.wait import Line, wait_for_token
from flowlet_jupyter.vault import Vault


def by_loopback(vault: Vault, name: str, line: Line) -> bool:
    """Print the link and wait; whether a token came in time. Raises `FlowletError` if the port is taken."""
    from flowlet_jupyter.connect.loopback import open_loopback  # brings the server's packages with it

    with open_loopback(vault) as loopback:
        print(  # noqa: T201 - a link in a terminal, and in front ends without widgets
            f"Secret '{name}' needs authorization. Open this link on this machine:\n  {loopback.authorize_url(name)}\n"
            f"The redirect URI to register is {loopback.redirect_uri}\n"
            f"To stop, interrupt. Is the browser on another machine? Then run: %flowlet_secret {name} --paste\n"
            f"(in a shell: jupyter flowlet authorize {name} --paste)"
        )
        return wait_for_token(vault, name, line)
