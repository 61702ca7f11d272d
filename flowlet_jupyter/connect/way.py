"""Which way leads to an access token without a Jupyter server: chosen by the secret, and by where this process runs."""

from __future__ import annotations

from flowlet_jupyter.connect.device_prompt import by_device_code
from flowlet_jupyter.connect.loopback_prompt import by_loopback
from flowlet_jupyter.connect.paste import by_paste
from flowlet_jupyter.connect.remote import remote_host
from flowlet_jupyter.connect.wait import Line, Way
from flowlet_jupyter.errors import ProviderError
from flowlet_jupyter.model.oauth2 import DEVICE_CODE, OAuth2
from flowlet_jupyter.model.secret import Secret
from flowlet_jupyter.vault import Vault


def way_without_server(secret: Secret) -> Way:
    """By loopback where the browser is on this machine; elsewhere by a code if the provider has them, else by paste."""
    if not isinstance(secret, OAuth2):
        return by_loopback
    if secret.grant_type == DEVICE_CODE:
        return by_device_code
    if remote_host() is None:
        return by_loopback
    return _by_code_or_paste if secret.device_authorization_endpoint else by_paste


def _by_code_or_paste(vault: Vault, name: str, line: Line) -> bool:
    """By a device code; by paste if the provider gives this client none, as where that is switched off for the app."""
    try:
        return by_device_code(vault, name, line)
    except ProviderError as error:
        print(f"No code to enter on another device: {error}")  # noqa: T201 - text works in every front end
    return by_paste(vault, name, line)
