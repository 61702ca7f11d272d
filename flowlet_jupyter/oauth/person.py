"""The way to a person who can authorize a secret: a notebook or a terminal shows it; where neither is, nobody is there."""

from __future__ import annotations

from collections.abc import Callable

from flowlet_jupyter.errors import AuthRequired

# Shows a person the way to connect the secret and waits; raises the error it is given where nobody is there.
ConnectHook = Callable[[AuthRequired], None]


def refuse(needed: AuthRequired) -> None:
    """The hook where nobody can be shown anything."""
    raise needed


_hook: ConnectHook = refuse


def set_connect_hook(hook: ConnectHook) -> None:
    """Let a front end show the way to an access token when a secret has none that is usable."""
    global _hook  # noqa: PLW0603 - one front end a process, known only after import
    _hook = hook


def connect(needed: AuthRequired) -> None:
    """Return when a person has connected the secret. Raises `needed` where nobody is there, or in time."""
    _hook(needed)
