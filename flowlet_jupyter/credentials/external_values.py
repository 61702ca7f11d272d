"""Values that are kept elsewhere and only read: environment, files, other keyring entries, a JupyterHub's auth_state."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Any

from flowlet_jupyter.errors import SourceUnavailable
from flowlet_jupyter.model.external import External
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.session import Session
from flowlet_jupyter.session.shielded import shielded
from flowlet_jupyter.vault.keyring_question import ask_keyring
from flowlet_jupyter.vault.master_key import KEYRING_TIMEOUT_SECONDS

MAX_BYTES = 100_000
# what takes long to ask for is asked for once in a while, not at each request
_CACHE_SECONDS = 300.0


class _Cache:
    """What was read lately, with the time of it."""

    def __init__(self, _session: Session) -> None:
        self.values: dict[str, tuple[float, SecretValue]] = {}


def read_source(secret: External, session: Session) -> SecretValue:
    """The value that `secret` names, as it is now. Raises `SourceUnavailable`, naming the source and never the value."""
    kind, _, location = secret.source.partition(":")
    cache = session.part(_Cache).values
    if kind == "env":
        value = os.environ.get(location)
        problem = f"the environment variable {location} is not set"
    elif kind == "file":
        value, problem = _of_file(location)
    else:
        cached = cache.get(secret.source)
        if cached and time.monotonic() - cached[0] < _CACHE_SECONDS:
            return cached[1]
        value, problem = (_of_keyring if kind == "keyring" else _of_hub)(location)
    secret_value = SecretValue((value or "").strip())
    if not secret_value:
        raise SourceUnavailable(f"Secret '{secret.name}' is read from {secret.source}, but {problem}.")
    if not secret_value.reveal().isascii() or not secret_value.reveal().isprintable():
        raise SourceUnavailable(f"Secret '{secret.name}': what {secret.source} holds cannot be sent in a header.")
    if kind in {"keyring", "hub"}:
        cache[secret.source] = (time.monotonic(), secret_value)
    return secret_value


def _of_file(location: str) -> tuple[str | None, str]:
    path = Path(location).expanduser()
    try:
        # a pipe or a device could block for ever, or never end
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None, "that is no plain file"
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            return None, "the file is too large to be a secret"
        return content.decode("utf-8"), "the file is empty"
    except (OSError, ValueError) as error:
        return None, f"the file cannot be read ({getattr(error, 'strerror', None) or 'it is no text'})"


@shielded("the keyring's entry")
def _of_keyring(location: str) -> tuple[str | None, str]:
    service, _, user = location.partition("/")
    value, problem = ask_keyring(lambda keyring: keyring.get_password(service, user), seconds=KEYRING_TIMEOUT_SECONDS)
    return value, f"the keyring cannot be asked ({problem}): unlock it" if problem else "the keyring has no such entry"


@shielded("the hub's user")
def _of_hub(location: str) -> tuple[str | None, str]:
    """A member of the user's auth_state, which the hub shows to tokens with the scope `admin:auth_state!user`."""
    url, token = os.environ.get("JUPYTERHUB_API_URL"), os.environ.get("JUPYTERHUB_API_TOKEN")
    if not url or not token:
        return None, "this is not a server of a JupyterHub"
    if location == "token":
        return token, ""
    from flowlet_jupyter.oauth.endpoint import send

    response = send("GET", f"{url}/user", failed="The JupyterHub", headers={"Authorization": f"token {token}"})
    value: Any = response.members
    for member in location.split("."):
        value = value.get(member) if isinstance(value, dict) else None
    problem = (
        f"the hub's response has no {location}: its administrator must enable auth_state and let this token read it"
    )
    return (value if isinstance(value, str) else None), problem
