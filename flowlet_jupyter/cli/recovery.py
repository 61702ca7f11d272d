"""Backups, restoring and a new master key. A passphrase is asked for or read from a file; it is never an argument."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from pathlib import Path

from flowlet_jupyter.cli.prompts import confirm
from flowlet_jupyter.credentials.handles import default_secrets
from flowlet_jupyter.errors import BackupError, FlowletError, InvalidOption, printable
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.model.wording import counted


def rotate_key(_options: Namespace) -> None:
    """Seal all secrets with a new master key."""
    done = default_secrets().rotate_key()
    if done.was_resumed:
        print("A change of the master key that was cut short is finished.")
    print(
        f"{counted(done.secrets, 'secret')} sealed with {'the' if done.was_resumed else 'a'} new master key: {done.location}"
    )
    if done.is_old_key_left:
        print("Nothing needs the second key there any more: take it out.")


def backup(options: Namespace) -> None:
    """Write all secrets into one file, sealed with a passphrase."""
    path = Path(options.file).expanduser()
    if path.exists():
        raise InvalidOption(f"There is a file {path} already. Choose another name. Nothing was written.")
    if not path.absolute().parent.is_dir():
        raise InvalidOption(f"There is no folder {path.absolute().parent}. Nothing was written.")
    secrets = default_secrets()
    names: list[str] = []
    failed = 0
    for name in secrets:
        try:
            secrets.vault.get(name)
            names.append(name)
        except FlowletError as error:
            failed += 1
            print(printable(f"'{name}' is not in the backup: {error}"), file=sys.stderr)
    if not names:
        raise BackupError("There is no secret to back up. Nothing was written.")
    passphrase = _passphrase(options.passphrase_file, "Passphrase of the backup: ")
    if options.passphrase_file is None and sys.stdin.isatty() and getpass.getpass("Once more: ") != passphrase.reveal():
        raise BackupError("The two passphrases differ. Nothing was written.")
    secrets.backup(path, names, passphrase)
    print(f"{counted(len(names), 'secret')} in {path}. Without the passphrase nobody can open it, you neither.")
    if failed:
        raise BackupError(f"{failed} of {failed + len(names)} secrets are not in the backup.")


def restore(options: Namespace) -> None:
    """Put the secrets of a backup into the vault."""
    path = Path(options.file).expanduser()

    def is_to_replace(name: str) -> bool:
        if options.conflicts is not None:
            return bool(options.conflicts == "replace")
        if options.passphrase_file == "-" or not sys.stdin.isatty():
            raise InvalidOption(
                f"Secret '{name}' is here already and differs. Say --replace or --keep; nobody can be asked. "
                "Nothing was changed."
            )
        question = f"Secret '{name}' is here already and differs. Replace it by the backup's?"
        return confirm(printable(question), default=False)

    passphrase = _passphrase(options.passphrase_file, f"Passphrase of {path}: ")
    done = default_secrets().restore(path, passphrase, is_to_replace)
    for names, what in (
        (done.added, "added"),
        (done.replaced, "replaced"),
        (done.unchanged, "the same here already"),
        (done.left_as_is, "left as it was here"),
        (done.without_client, "not restored: the secret that it is an account of was left as it was, with another client"),
    ):  # fmt: skip
        for name in names:
            print(printable(f"{name}: {what}"))
    if done.replaced or done.added:
        print("A token that was refreshed after the backup may have ended: where a secret says so, authorize it again.")


def _passphrase(file: str | None, question: str) -> SecretValue:
    if file is None and sys.stdin.isatty():
        return SecretValue(getpass.getpass(question))
    try:
        if file is None or file == "-":
            text = sys.stdin.readline()
        else:
            with Path(file).expanduser().open(encoding="utf-8") as source:
                text = source.readline()
    except (OSError, ValueError):
        raise InvalidOption("The file with the passphrase cannot be read.") from None
    return SecretValue(text.rstrip("\r\n"))
