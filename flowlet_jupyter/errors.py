"""Every error that flowlet raises on purpose, one tree under `FlowletError`.

A message says what happened, which secret, and what to do next. It never holds a secret value. Code that reacts to
an error needs to know one of three things:

* **authorize again**: `AuthRequired` (no usable token) and `AuthorizationFailed` (the last attempt ended without one);
* **try later**: `error.is_temporary` is true, whatever the class;
* **your mistake**: `UsageError` and what is below it; the same call fails in the same way until it is changed.

What is left needs a look by somebody: a provider that refuses for good, a vault that cannot be opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def printable(text: str, *, keep: str = "") -> str:
    """`text` without what could hide or overwrite the rest of a line, or cannot be written; the characters in `keep` stay."""
    return (
        text
        if text.isprintable()
        else "".join(each if each.isprintable() or each in keep else "\ufffd" for each in text)
    )


class FlowletError(Exception):
    """The root of the tree. In a notebook it is shown as one short block, without a traceback.

    `is_temporary` says whether the same call may well succeed later, with nothing changed.
    """

    is_temporary: bool = False

    def __init__(self, *args: object) -> None:
        # a message quotes providers and APIs, whose text could steer a terminal, or end `print` by a lone surrogate
        super().__init__(*(printable(each, keep="\n\t") if isinstance(each, str) else each for each in args))

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows instead of a traceback (its protocol for exceptions)."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(FlowletError):
    """The call, the line or a secret's configuration is wrong. Nothing was sent; correct it and try again."""


class InvalidSecret(UsageError):
    """One or more fields of a secret are missing or wrong. Nothing was stored.

    `errors` maps each such field to what is wrong with it, so that a form can show it there; `field` is the first of
    them, None where the fault is no single field's.
    """

    def __init__(self, message: str, *, field: str | None = None, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.errors: dict[str, str] = dict(errors) if errors is not None else ({field: message} if field else {})
        self.field = field if field is not None else next(iter(self.errors), None)


class InvalidOption(UsageError, ValueError):
    """An option or argument of a call, a request or a command is wrong or does not fit the others. Nothing was sent."""


class SecretNotFound(UsageError, KeyError):
    """No secret has this name. Also a `KeyError`, since `secrets[name]` is a mapping look-up."""

    __str__ = Exception.__str__  # KeyError's would show the message in quotes


class HostNotAllowed(UsageError):
    """The secret may not be sent to this host. Nothing was sent."""


class AuthRequired(FlowletError):
    """A user must request a new access token. `secret_name` says for which secret."""

    def __init__(self, message: str, *, secret_name: str) -> None:
        super().__init__(message)
        self.secret_name = secret_name


class AuthorizationFailed(FlowletError):
    """The authorization response was refused by us, or the provider answered with an error.

    `error` is the provider's code (RFC 6749, 4.1.2.1), if it sent one.
    """

    def __init__(self, message: str, *, error: str | None = None) -> None:
        super().__init__(message)
        self.error = error


class ProviderError(FlowletError):
    """An endpoint of the provider refused, failed, or could not be reached. What is stored is untouched.

    `error` is the provider's code (RFC 6749, 5.2), if it sent one. `is_temporary` says that trying again may help, and
    `retry_after` after how many seconds, where the provider said so.
    """

    def __init__(
        self, message: str, *, error: str | None = None, is_temporary: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.error = error
        self.is_temporary = is_temporary or error in _TEMPORARY_ERRORS
        self.retry_after = retry_after


# RFC 6749, 4.1.2.1; RFC 8628, 3.5
_TEMPORARY_ERRORS = frozenset({"temporarily_unavailable", "server_error", "slow_down"})


class TokenEndpointError(ProviderError):
    """The token endpoint did not give a token. The stored grant is untouched.

    `is_grant_over` says that the provider refused the grant itself, so that only a new authorization helps;
    `description` is what it said of that, limited.
    """

    def __init__(
        self,
        message: str,
        *,
        error: str | None = None,
        is_temporary: bool = False,
        retry_after: float | None = None,
        is_grant_over: bool = False,
        description: str = "",
    ) -> None:
        super().__init__(message, error=error, is_temporary=is_temporary, retry_after=retry_after)
        self.is_grant_over = is_grant_over
        self.description = description


class DiscoveryFailed(ProviderError):
    """An address does not lead to a provider's metadata (RFC 8414, RFC 9728)."""


class VaultError(FlowletError):
    """The vault could not be read or written. What was stored before is left as it was."""


class SourceUnavailable(FlowletError):
    """The place that a read-only secret is read from has no value now."""

    is_temporary = True


class VaultFileDamaged(VaultError):
    """A vault file cannot be opened with the master key. It is left in place."""


class MasterKeyError(VaultError):
    """The master key is missing, malformed or out of reach. No new key is made over existing secrets."""


class BackupError(VaultError):
    """A backup cannot be made, opened or restored as asked. The vault is left as it was."""


class RequestSyntaxError(UsageError):
    """The text of a request does not parse. Nothing was sent."""


class InterpolationError(UsageError):
    """An expression in `{{ }}` failed or its value cannot stand there. Nothing was sent."""


class RequestFailed(FlowletError):
    """The API could not be reached, or its response could not be used as asked."""


class NetworkSetupError(FlowletError):
    """A proxy or certificate file that the environment names cannot be used. Nothing was sent."""


class PagingStopped(RequestFailed):
    """Reading pages ended before the last one. `pages` holds what was read, and goes on by `resume()`."""

    def __init__(self, message: str, *, pages: Any) -> None:
        super().__init__(message)
        self.pages = pages


class MissingExtra(UsageError):
    """An optional package is needed; the message names the extra that installs it."""
