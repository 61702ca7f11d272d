"""Every error that flowlet raises on purpose, one tree under `FlowletError`.

A message says what happened, which secret, and what to do next. It never holds a secret value.
"""

from __future__ import annotations

from typing import Any


class FlowletError(Exception):
    """The root of the tree. In a notebook it is shown as one short block, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows instead of a traceback (its protocol for exceptions)."""
        return [f"{type(self).__name__}: {self}"]


class InvalidSecret(FlowletError):
    """A field of a secret is missing or wrong; `field` names it, so that a form can point at it."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class SecretNotFound(FlowletError, KeyError):
    """No secret has this name. Also a `KeyError`, since `secrets[name]` is a mapping look-up."""

    __str__ = Exception.__str__  # KeyError's would show the message in quotes


class HostNotAllowed(FlowletError):
    """The secret may not be sent to this host. Nothing was sent."""


class AuthRequired(FlowletError):
    """A person must request a new access token. `secret_name` says for which secret."""

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
        self.is_temporary = is_temporary
        self.retry_after = retry_after


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


class VaultFileDamaged(VaultError):
    """A vault file cannot be opened with the master key. It is left in place."""


class MasterKeyError(VaultError):
    """The master key is missing, malformed or out of reach. No new key is made over existing secrets."""


class RequestSyntaxError(FlowletError):
    """The text of a request does not parse. Nothing was sent."""


class InterpolationError(FlowletError):
    """An expression in `{{ }}` failed or its value cannot stand there. Nothing was sent."""


class RequestFailed(FlowletError):
    """The API could not be reached, or its answer could not be used as asked."""


class NetworkSetupError(FlowletError):
    """A proxy or certificate file that the environment names cannot be used. Nothing was sent."""


class PagingStopped(RequestFailed):
    """Reading pages ended before the last one. `pages` holds what was read, and goes on by `resume()`."""

    def __init__(self, message: str, *, pages: Any) -> None:
        super().__init__(message)
        self.pages = pages


class MissingExtra(FlowletError):
    """An optional package is needed; the message names the extra that installs it."""
