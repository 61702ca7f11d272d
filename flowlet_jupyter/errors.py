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

    What to do: read the message; where `is_temporary` is true, try again later.
    """

    is_temporary: bool = False

    def __init__(self, *args: object) -> None:
        # a message quotes providers and APIs, whose text could steer a terminal, or end `print` by a lone surrogate
        super().__init__(*(printable(each, keep="\n\t") if isinstance(each, str) else each for each in args))

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows instead of a traceback (its protocol for exceptions)."""
        advice = f"\nWhat to do: {self.what_to_do}" if self.what_to_do else ""
        return [f"{type(self).__name__}: {self}{advice}"]

    @property
    def what_to_do(self) -> str:
        """What to do about an error of this class: the end of its description, so that no page has to be there for it."""
        documented = next(each for each in type(self).__mro__ if each.__module__ == __name__)
        _, _, advice = (documented.__doc__ or "").partition("What to do: ")  # `python -OO` leaves no description
        return " ".join(advice.split())


class UsageError(FlowletError):
    """The call, the line or a secret's configuration is wrong. Nothing was sent; correct it and try again.

    What to do: correct what the message names. The same call fails again until it is changed.
    """


class InvalidSecret(UsageError):
    """One or more fields of a secret are missing or wrong. Nothing was stored.

    `errors` maps each such field to what is wrong with it, so that a form can show it there; `field` is the first of
    them, None where the fault is no single field's.

    What to do: correct the fields that the message names, in the form or in the call. A value may have been copied
    with a line break at its end.
    """

    def __init__(self, message: str, *, field: str | None = None, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.errors: dict[str, str] = dict(errors) if errors is not None else ({field: message} if field else {})
        self.field = field if field is not None else next(iter(self.errors), None)


class InvalidOption(UsageError, ValueError):
    """An option or argument of a call, a request or a command is wrong or does not fit the others. Nothing was sent.

    What to do: correct the option that the message names. `%flowlet_request --help` and `jupyter flowlet COMMAND
    --help` list what there is.
    """


class SecretNotFound(UsageError, KeyError):
    """No secret has this name. Also a `KeyError`, since `secrets[name]` is a mapping look-up.

    What to do: take the name that the message suggests, or see all by `%flowlet_secrets`. If the secret was made
    elsewhere, `FLOWLET_VAULT` may name another folder here; `jupyter flowlet doctor` says which.
    """

    __str__ = Exception.__str__  # KeyError's would show the message in quotes


class HostNotAllowed(UsageError):
    """The secret may not be sent to this host. Nothing was sent.

    What to do: check the URL first. If the secret is meant for that host, add it under Details in `%flowlet_secret
    NAME`. A request cannot add it.
    """


class AuthRequired(FlowletError):
    """A user must request a new access token. `secret_name` says for which secret.

    What to do: run `%flowlet_secret NAME` and press Request access token, or run `jupyter flowlet authorize NAME` in
    a shell. If this comes again and again, the provider gives no refresh token: its page in the catalogue says what
    does.
    """

    def __init__(self, message: str, *, secret_name: str) -> None:
        super().__init__(message)
        self.secret_name = secret_name


class AuthorizationFailed(FlowletError):
    """The authorization response was refused by us, or the provider answered with an error.

    `error` is the provider's code (RFC 6749, 4.1.2.1), if it sent one.

    What to do: start again by Request access token, in the same browser. For `redirect_uri_mismatch` and the like,
    register the redirect URI that the form shows, character by character. For `access_denied`, somebody did not allow
    it.
    """

    def __init__(self, message: str, *, error: str | None = None) -> None:
        super().__init__(message)
        self.error = error


class ProviderError(FlowletError):
    """An endpoint of the provider refused, failed, or could not be reached. What is stored is untouched.

    `error` is the provider's code (RFC 6749, 5.2), if it sent one. `is_temporary` says that trying again may help, and
    `retry_after` after how many seconds, where the provider said so.

    What to do: where `is_temporary` is true, try again, after `retry_after` seconds if it is set. Else compare the
    secret's endpoints and client with the provider's page, and look whether the provider is reached from here:
    `jupyter flowlet doctor`.
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

    What to do: for `invalid_client`, enter the client ID and the client secret again, and look at the client
    authentication under Details. For `invalid_grant` or where `is_grant_over` is true, authorize again.
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
    """An address does not lead to a provider's metadata (RFC 8414, RFC 9728).

    What to do: paste the issuer, which ends before `/.well-known`, or the API's own address; or choose the provider
    in the catalogue; or fill in the endpoints by hand.
    """


class VaultError(FlowletError):
    """The vault could not be read or written. What was stored before is left as it was.

    What to do: look at the folder that the message names: it must be writable, and not full. `jupyter flowlet doctor`
    shows it.
    """


class SourceUnavailable(FlowletError):
    """The place that a read-only secret is read from has no value now.

    What to do: set the variable, mount the file or unlock the keyring that the message names, where the kernel sees
    it.
    """

    is_temporary = True


class VaultFileDamaged(VaultError):
    """A vault file cannot be opened with the master key. It is left in place.

    What to do: restore the file or the master key from a backup. Without one, delete the secret and make it again.
    """


class MasterKeyError(VaultError):
    """The master key is missing, malformed or out of reach. No new key is made over existing secrets.

    What to do: unlock the keyring, or set `FLOWLET_MASTER_KEY_FILE` to the key that the secrets were stored with. If
    the key is lost, move the vault's folder away and make the secrets again.
    """


class BackupError(VaultError):
    """A backup cannot be made, opened or restored as asked. The vault is left as it was.

    What to do: check the passphrase and the file that the message names, and run the command again.
    """


class RequestSyntaxError(UsageError):
    """The text of a request does not parse. Nothing was sent.

    What to do: correct what the message quotes. `%flowlet_request --help` shows its form.
    """


class InterpolationError(UsageError):
    """An expression in `{{ }}` failed or its value cannot stand there. Nothing was sent.

    What to do: run the expression alone in a cell. `None` and NaN cannot stand in a URL.
    """


class RequestFailed(FlowletError):
    """The API could not be reached, or its response could not be used as asked.

    What to do: look at the address, the network and the proxy that the message names. `retry=3` tries again what may
    pass.
    """


class NetworkSetupError(FlowletError):
    """A proxy or certificate file that the environment names cannot be used. Nothing was sent.

    What to do: correct the variable that the message names (`HTTPS_PROXY`, `SSL_CERT_FILE` and the like), and restart
    the kernel.
    """


class PagingStopped(RequestFailed):
    """Reading pages ended before the last one. `pages` holds what was read, and goes on by `resume()`.

    What to do: use what was read, `error.pages.records`, or go on with `error.pages.resume()`. Its cause is in the
    message.
    """

    def __init__(self, message: str, *, pages: Any) -> None:
        super().__init__(message)
        self.pages = pages


class MissingExtra(UsageError):
    """An optional package is needed; the message names the extra that installs it.

    What to do: install what the message names, in the kernel's environment, and restart the kernel.
    """
