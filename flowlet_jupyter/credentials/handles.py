"""`flowlet.secrets`: the vault as a mapping from names to handles, for the helper and the notebook."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.credentials.external_values import read_source
from flowlet_jupyter.errors import AuthRequired, FlowletError, InvalidOption, InvalidSecret
from flowlet_jupyter.model.external import External
from flowlet_jupyter.model.fields import checked_name
from flowlet_jupyter.model.oauth2 import AUTHORIZATION_CODE, DEVICE_CODE, OAuth2
from flowlet_jupyter.model.secret import Record, Secret, configuration
from flowlet_jupyter.model.status import Status, status_of
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth.refresh import refresh_once, usable_token, wait_for
from flowlet_jupyter.session import Session, default_session, session_of
from flowlet_jupyter.session.ipython_hooks import hooks
from flowlet_jupyter.session.prompt import AuthorizationPrompt
from flowlet_jupyter.vault import Vault

if TYPE_CHECKING:
    from flowlet_jupyter.vault.key_rotation import Rotation
    from flowlet_jupyter.vault.restore import Restored


@dataclass(frozen=True)
class SecretHandle:
    """One named secret: its status, its token, refresh and delete."""

    name: str
    vault: Vault

    def configuration(self) -> dict[str, Any]:
        """The secret's fields without any value."""
        return configuration(self.vault.get(self.name).secret)

    def status(self) -> Status:
        """Times and scopes of the tokens; reads the vault only."""
        return status_of(self.vault.get(self.name), now=time.time())

    def token(self) -> SecretValue:
        """The access token (refreshed if it has expired), or the value of a secret that has a single one.

        `.token().reveal()` is the one documented way to a value. Raises `AuthRequired`, `TokenEndpointError`.
        """
        record = self.vault.get(self.name)
        secret = record.secret
        if isinstance(secret, OAuth2):
            token = usable_token(self.vault, record)
            return (wait_for(token) if isinstance(token, Future) else token).access_token
        value = read_source(secret, session_of(self.vault)) if isinstance(secret, External) else secret.single_value
        if value is None:
            raise InvalidOption(f"Secret '{self.name}' is a set of headers and has no single token.")
        return value

    def authorize(self, prompt: AuthorizationPrompt | None = None) -> Status:
        """Request an access token now, by whatever the grant needs; a user is shown the way, and waited for.

        `prompt` shows it, by default the session's. Raises `AuthRequired` where nobody is there, `InvalidSecret` for a
        secret that is no OAuth2 one, `TokenEndpointError`.
        """
        secret = self.vault.get(self.name).secret
        if not isinstance(secret, OAuth2):
            raise InvalidSecret(
                f"Secret '{self.name}' is of type {secret.type}: it is sent as it is, and nothing is to be authorized. "
                f"To change it: %flowlet_secret {self.name}"
            )
        if secret.grant_type in {AUTHORIZATION_CODE, DEVICE_CODE}:
            needed = AuthRequired(
                f"Secret '{self.name}' needs a user at a terminal or notebook: run %flowlet_secret {self.name} --connect in a "
                f"notebook, or in a terminal  jupyter flowlet authorize {self.name}",
                secret_name=self.name,
            )
            (prompt or session_of(self.vault).prompt).authorize(self.vault, needed)
            return self.status()
        return self.refresh()

    def ask_for(self, scope: str = "", *, acr_values: str = "", max_age: int | None = None) -> None:
        """From now on ask for this `scope` too, and for a login of this kind and age (RFC 9470); then `authorize`.

        What an API names in a 403 or 401. Tokens stay until new ones come. Raises `InvalidSecret`.
        """
        with self.vault.lock(self.name):
            record = self.vault.get(self.name)
            secret = record.secret
            if not isinstance(secret, OAuth2):
                raise InvalidSecret(f"Secret '{self.name}' is of type {secret.type}: it asks for no scopes.")
            asked = {"acr_values": acr_values, "max_age": "" if max_age is None else str(max_age)}
            parameters = {**secret.authorization_parameters, **{name: text for name, text in asked.items() if text}}
            both = " ".join(dict.fromkeys([*secret.scope.split(), *scope.split()]))
            secret = dataclasses.replace(secret, scope=both, authorization_parameters=parameters)
            self.vault.put(dataclasses.replace(record, secret=secret))

    def refresh(self) -> Status:
        """Refresh now, whatever the expiry. Raises `AuthRequired`, `TokenEndpointError`, `SecretNotFound`."""
        self.vault.get(self.name)  # before a lock is made for a name that does not exist
        wait_for(refresh_once(self.vault, self.name, stale=None))
        return self.status()

    def revoke(self) -> Status:
        """End the tokens at the provider (RFC 7009), then forget them. Raises `ProviderError`; nothing is then forgotten."""
        from flowlet_jupyter.oauth.revocation import revoke

        with self.vault.lock(self.name):
            record = self.vault.get(self.name)
            secret, token_set = record.secret, record.token_set
            if not isinstance(secret, OAuth2) or token_set is None:
                raise AuthRequired(f"Secret '{self.name}' has no token to revoke.", secret_name=self.name)
            revoke(secret, token_set)
            self.vault.put(Record(secret=secret, accepted=record.accepted))
        return self.status()

    def is_active(self) -> bool:
        """Whether the provider still takes the access token (RFC 7662). Raises `ProviderError`, `AuthRequired`."""
        from flowlet_jupyter.oauth.revocation import is_active

        record = self.vault.get(self.name)
        secret, token_set = record.secret, record.token_set
        if not isinstance(secret, OAuth2) or token_set is None:
            raise AuthRequired(
                f"Secret '{self.name}' has no access token yet. Run %flowlet_secret {self.name} and press Request access token.",
                secret_name=self.name,
            )
        return is_active(secret, token_set)

    def add_account(self, account: str) -> SecretHandle:
        """Another account at the same client: the secret `NAME/account`, with tokens of its own. Raises `InvalidSecret`."""
        secret = self.vault.get(self.name).secret
        if not isinstance(secret, OAuth2) or secret.client_of:
            raise InvalidSecret(f"Secret '{self.name}' has no client of its own that another account could share.")
        if not account.strip():
            raise InvalidSecret("The account needs a name.", field="account")
        name = checked_name(f"{self.name}/{account.strip()}")
        return Secrets(self.vault).add(dataclasses.replace(secret, name=name, client_of=self.name))

    def delete(self) -> str | None:
        """Revoke the tokens where the provider lets us, and remove the secret; also if its file is damaged.

        Returns what the user should know when the provider did not take the revocation: the secret is gone all the
        same, and its tokens end at the provider by themselves or in its settings. Raises `SecretNotFound`.
        """
        if self.name not in self.vault.names():
            self.vault.get(self.name)  # raises, with a suggestion
        notice = None
        with self.vault.lock(self.name):
            try:
                record = self.vault.get(self.name)
            except FlowletError:
                record = None  # damaged: there is no token to revoke
            self.vault.delete(self.name)
            if record and isinstance(secret := record.secret, OAuth2) and secret.revocation_endpoint:
                if token_set := record.token_set:
                    from flowlet_jupyter.oauth.revocation import revoke

                    try:
                        revoke(secret, token_set)
                    except FlowletError as error:
                        notice = f"Secret '{self.name}' is deleted, but its tokens may still be valid: {error}"
        return notice

    def __repr__(self) -> str:
        return f"<secret '{self.name}': {self.status().summary()}>"


class Secrets(Mapping[str, SecretHandle]):
    """All secrets of this user by name."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault

    @classmethod
    def of(cls, session: Session) -> Secrets:
        """Those of another session than the default one: `flowlet.secrets.of(session)`."""
        return cls(session.vault)

    def __getitem__(self, name: str) -> SecretHandle:
        self.vault.get(name)  # raises SecretNotFound with a "did you mean"
        return SecretHandle(name, self.vault)

    def __iter__(self) -> Iterator[str]:
        return iter(self.vault.names())

    def __len__(self) -> int:
        return len(self.vault.names())

    def add(self, secret: Secret) -> SecretHandle:
        """Store a new secret. Raises `InvalidSecret` if the name is taken."""
        with self.vault.lock(secret.name):
            if secret.name in self.vault.names():
                raise InvalidSecret(
                    f"There is a secret '{secret.name}' already. Edit it: %flowlet_secret {secret.name}", field="name"
                )
            self.vault.put(Record(secret=secret))
        return SecretHandle(secret.name, self.vault)

    def rotate_key(self) -> Rotation:
        """Seal all secrets with a new master key, or finish a change that was cut short; see `vault.key_rotation`.

        Raises `MasterKeyError` and `VaultError`: then nothing was changed.
        """
        from flowlet_jupyter.vault.key_rotation import rotate_key

        return rotate_key(self.vault)

    def backup(self, path: Path, names: Iterable[str], passphrase: SecretValue) -> None:
        """Write these secrets into one file that `passphrase` opens (mode 0600). Raises `BackupError`, `VaultError`."""
        from flowlet_jupyter.vault.backup import write_backup

        write_backup(path, [self.vault.get(name) for name in names], passphrase)

    def restore(self, path: Path, passphrase: SecretValue, is_to_replace: Callable[[str], bool]) -> Restored:
        """Put all secrets of a backup into the vault, or none; `is_to_replace` is asked for each that is there and differs.

        Raises `BackupError` (another passphrase, a damaged file) and `VaultError`: then nothing was changed.
        """
        from flowlet_jupyter.vault.backup import read_backup
        from flowlet_jupyter.vault.restore import restore

        return restore(self.vault, read_backup(path, passphrase), is_to_replace)

    def _ipython_display_(self) -> None:
        hooks().show_secrets(self)

    def _display_(self) -> Any:
        """What marimo displays (its protocol): the same widget."""
        return hooks().secrets_widget(self)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Name, type, allowed hosts and status of each secret, in words; a damaged file's status says what is wrong."""
        rows = []
        for name in self.vault.names():
            try:
                record = self.vault.get(name)
            except FlowletError as error:
                rows.append((name, "?", "", str(error)))
                continue
            hosts = ", ".join(record.secret.allowed_hosts)
            rows.append((name, record.secret.type, hosts, status_of(record, now=time.time()).summary()))
        return rows

    def __repr__(self) -> str:
        rows = [("name", "type", "allowed hosts", "status"), *self.rows()]
        if len(rows) == 1:
            return "No secrets yet. To add one: %flowlet_secret --new"
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        return "\n".join(
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip()
            for row in rows
        )


def default_secrets() -> Secrets:
    """All secrets of the default session: `flowlet.secrets`."""
    return Secrets.of(default_session())
