"""A session owns all state: the vault, the settings, the prompt, and what the other modules keep between two calls.

Module functions use the default session; any number of sessions, each with a vault of its own, live in one process.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from flowlet_jupyter.session.prompt import AuthorizationPrompt, DetectedPrompt
from flowlet_jupyter.settings import Settings
from flowlet_jupyter.vault import Vault, default_vault

_Part = TypeVar("_Part")


class Session:
    """One vault and everything that belongs to its use in this process.

    `vault` is a `Vault` or its folder, by default the one that the settings name. `prompt` shows a user how to
    authorize a secret; by default a notebook or an IPython terminal does, and elsewhere `AuthRequired` is raised.
    """

    def __init__(
        self,
        vault: Vault | str | os.PathLike[str] | None = None,
        *,
        prompt: AuthorizationPrompt | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or Settings.read()
        folder = self.settings.vault if vault is None else vault
        self.vault = folder if isinstance(folder, Vault) else Vault(Path(folder).expanduser().absolute())
        self.prompt: AuthorizationPrompt = prompt or DetectedPrompt()
        self.vault.session = self
        self._guard = threading.RLock()
        self._parts: dict[Callable[..., Any], Any] = {}

    def part(self, kind: Callable[[Session], _Part]) -> _Part:
        """What a module keeps in this session: `kind(session)`, made when it is first needed.

        So this module imports none of those that keep something, and each of them declares its own state.
        """
        part = self._parts.get(kind)  # without the lock, since every request comes by
        if part is None:
            with self._guard:
                part = self._parts.get(kind)
                if part is None:
                    part = self._parts[kind] = kind(self)
        return cast("_Part", part)

    def close(self) -> None:
        """Close the connections and write what waits; the session can be used again."""
        with self._guard:
            parts, self._parts = list(self._parts.values()), {}
        for part in parts:
            if callable(close := getattr(part, "close", None)):
                close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<flowlet session: vault {self.vault.folder}>"


def at_exit(method: Callable[[], Any]) -> None:
    """Call the bound method at the end of the process, unless its object is gone by then."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        if (bound := reference()) is not None:
            bound()

    atexit.register(call)


def session_of(vault: Vault) -> Session:
    """The session that works on `vault`; one is made for a vault that was opened by itself."""
    if not isinstance(vault.session, Session):
        with vault.guard:
            if not isinstance(vault.session, Session):
                Session(vault)  # makes itself the vault's
    return cast("Session", vault.session)


def default_session() -> Session:
    """The session that module functions use: of the vault that the settings name now, one a process."""
    return session_of(default_vault())
