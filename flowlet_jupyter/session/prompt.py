"""The way to a user: a value that is typed (`flowlet.ask`), and the prompts that show how to authorize a secret."""

from __future__ import annotations

import getpass
import importlib
import sys
from typing import Protocol

from flowlet_jupyter.errors import AuthRequired, FlowletError
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.session.ipython_hooks import hooks, in_ipython
from flowlet_jupyter.vault import Vault


class AuthorizationPrompt(Protocol):
    """Shows a user how to authorize a secret. One is chosen for a session; a call may be given another."""

    def authorize(self, vault: Vault, needed: AuthRequired) -> None:
        """Return when the secret `needed.secret_name` has a usable token. Raises `needed` where nobody can help."""


class NoPrompt:
    """Where nobody can be shown anything, as in a scheduled run."""

    def authorize(self, vault: Vault, needed: AuthRequired) -> None:  # noqa: ARG002 - the protocol's
        """Raise `needed`."""
        raise needed


class DetectedPrompt:
    """A session's own, chosen when a secret first needs it: the notebook's where there is one, else the terminal's."""

    def authorize(self, vault: Vault, needed: AuthRequired) -> None:
        """Show it in IPython or on the terminal of a script; raise `needed` where there is neither."""
        if in_ipython():
            hooks().authorize(vault, needed)
        elif sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
            prompt = importlib.import_module("flowlet_jupyter.connect.terminal").TerminalPrompt()  # a layer above
            prompt.authorize(vault, needed)
        else:
            raise needed


def ask(question: str) -> SecretValue:
    """What a user types at a password prompt. Raises `FlowletError` where nobody can answer (papermill, nbconvert)."""
    try:
        text = getpass.getpass(f"{question.rstrip(': ')}: ")
    except (EOFError, NotImplementedError):  # as IPython's StdinNotImplementedError is
        raise FlowletError(f"Nobody is there to answer: {question}") from None
    return SecretValue(text.strip())
