"""The prompt of a terminal: a link to this process, or a code to enter."""

from __future__ import annotations

import sys

from flowlet_jupyter.connect.device_prompt import by_device_code
from flowlet_jupyter.connect.loopback_prompt import by_loopback
from flowlet_jupyter.connect.wait import authorize_by
from flowlet_jupyter.errors import AuthRequired
from flowlet_jupyter.model.oauth2 import DEVICE_CODE, OAuth2
from flowlet_jupyter.vault import Vault


class TerminalPrompt:
    """Prints the way; raises `AuthRequired` where no terminal is."""

    def authorize(self, vault: Vault, needed: AuthRequired) -> None:
        """Return when the secret has a token; raise `needed` without a user, or after ten minutes."""
        if not sys.stdin.isatty():
            raise needed
        secret = vault.get(needed.secret_name).secret
        has_device_code = isinstance(secret, OAuth2) and secret.grant_type == DEVICE_CODE
        authorize_by(by_device_code if has_device_code else by_loopback, vault, needed, _PrintedLine())


class _PrintedLine:
    """A line that is printed when it says something new."""

    def show(self, text: str, *, is_countdown: bool = False) -> None:
        if not is_countdown:
            print(text)  # noqa: T201 - a terminal's display
