"""The kind of secret whose value is kept elsewhere and only read: environment, file, keyring, hub. No I/O.

What reads it is `credentials/external_values.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flowlet_jupyter.model.fields import (
    FieldErrors,
    check_header_name,
    check_shared_fields,
    checked_header_text,
    curl_header,
    set_field,
)
from flowlet_jupyter.model.static import Static
from flowlet_jupyter.model.value import Credentials, SecretValue

SOURCE_KINDS = ("env", "file", "keyring", "hub")


@dataclass(frozen=True, kw_only=True)
class External(Static):
    """A value that is kept elsewhere and only read, at each request; it is never written.

    `source` is `env:NAME`, `file:/path` (Docker's and Kubernetes' secrets), `keyring:service/user`, `hub:token` (the
    server's own token of a JupyterHub) or `hub:auth_state.access_token` (a member of the hub's response about the user).
    """

    type: ClassVar[str] = "external"
    value_fields: ClassVar[tuple[str, ...]] = ()

    name: str
    source: str
    header: str = "Authorization"
    scheme: str = "Bearer"  # what stands before the value in the header; empty for none
    allowed_hosts: tuple[str, ...] = ()
    base_url: str | None = None
    openapi: str | None = None

    def __post_init__(self) -> None:
        errors = FieldErrors()
        kind, separator, location = self.source.strip().partition(":")
        if kind not in SOURCE_KINDS or not separator or not location or (kind == "keyring" and "/" not in location):
            errors.add(
                "source",
                "The source is env:NAME, file:/path, keyring:service/user, hub:token or hub:auth_state.access_token.",
            )
        set_field(self, "source", self.source.strip())
        with errors:
            check_header_name(self.header, "header")
        with errors:
            if self.scheme:
                checked_header_text(SecretValue(self.scheme), "scheme", "scheme")
        check_shared_fields(self, errors)
        errors.raise_any()

    def credentials(self, value: SecretValue) -> Credentials:
        """The header with `value`, which was read from the source."""
        return Credentials({self.header: SecretValue(f"{self.scheme} {value.reveal()}".strip())})

    def curl_arguments(self, token: str) -> list[str]:
        """The words of a curl command; `token` is what stands for the value in double quotes."""
        return curl_header(self.header, self.scheme, token)

    @property
    def authorization_scheme(self) -> str:
        """The scheme."""
        return self.scheme

    @property
    def is_derived(self) -> bool:
        """What was read is."""
        return True

    @property
    def beyond_authorization(self) -> list[str]:
        """The header."""
        return [] if self.header.lower() == "authorization" else [self.header]
