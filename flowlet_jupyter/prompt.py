"""`flowlet.ask(question)`: a value that is typed, and neither shown nor written into a notebook or a history."""

from __future__ import annotations

import getpass

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.secret_value import SecretValue


def ask(question: str) -> SecretValue:
    """What a person types at a password prompt. Raises `FlowletError` where nobody can answer (papermill, nbconvert)."""
    try:
        text = getpass.getpass(f"{question.rstrip(': ')}: ")
    except (EOFError, NotImplementedError):  # as IPython's StdinNotImplementedError is
        raise FlowletError(f"Nobody is there to answer: {question}") from None
    return SecretValue(text.strip())
