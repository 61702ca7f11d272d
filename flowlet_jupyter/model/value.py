"""The opaque text of a secret."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from flowlet_jupyter.errors import InvalidSecret


class SecretValue:
    """A text that shows itself to nobody who does not ask: `.reveal()` is the only way to it.

    Its repr, str and format are redacted; it cannot be pickled or turned into JSON. The text lives in a closure: what
    reads an object's slots or `__dict__` (serializers, debuggers, verbose tracebacks) finds a function.
    """

    __slots__ = ("__read",)

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            # the value itself must not be in the message
            raise InvalidSecret(f"A secret value must be a text, not {type(text).__name__}.")
        self.__read: Callable[[], str] = lambda: text

    def reveal(self) -> str:
        """The text itself. Do not print it, and do not put it into a variable of a notebook."""
        return self.__read()

    def __repr__(self) -> str:
        return "SecretValue(hidden)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretValue):
            return NotImplemented
        return hmac.compare_digest(self.reveal().encode(), other.reveal().encode())

    __hash__ = None  # type: ignore[assignment]  # a hash can be compared with guesses

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __copy__(self) -> SecretValue:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> SecretValue:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A SecretValue is not pickled or copied out; use .reveal() if you must have its text.")

    def __reduce__(self) -> NoReturn:
        self.__reduce_ex__(0)

    def __getstate__(self) -> NoReturn:
        self.__reduce_ex__(0)

    def __setstate__(self, state: object) -> NoReturn:
        raise TypeError("A SecretValue is not made from a pickle.")


@dataclass(frozen=True)
class Credentials:
    """What a secret adds to a request: headers, and query parameters where a value goes nowhere else."""

    headers: dict[str, SecretValue]
    query: dict[str, SecretValue] = field(default_factory=dict)
