"""`jupyter flowlet`: the vault in a shell. A value is asked for, or read from a file; it is never an argument."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from flowlet_jupyter.cli import commands, recovery
from flowlet_jupyter.cli.text import printable
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.model.secret import SECRET_TYPES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it went well, 1 with one line on stderr if not."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except FlowletError as error:
        # a provider's text may stand in the message
        print(printable(f"{type(error).__name__}: {error}", keep="\n"), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


class _Parser(argparse.ArgumentParser):
    """A parser that repeats no argument that it does not know: `--value x` and the like might be a secret."""

    def error(self, message: str) -> NoReturn:
        """End with the usage and what is wrong."""
        if "unrecognized arguments" in message:
            unknown = sorted({word.partition("=")[0] for word in message.split()[2:] if word.startswith("--")})
            known = "a value is never an argument: it is asked for, or read from a file"
            message = f"{', '.join(unknown) or 'one argument'} is not known here ({known})"
        super().error(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="jupyter flowlet", description="Named secrets for HTTP requests in notebooks.")
    of = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, text: str, *, takes_name: bool = True, module: ModuleType = commands
    ) -> argparse.ArgumentParser:
        # no abbreviations: --passphrase would be --passphrase-file, and the passphrase the name of a file in a message
        sub = of.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.set_defaults(run=getattr(module, {"import": "import_"}.get(name, name.replace("-", "_"))))
        if takes_name:
            sub.add_argument("name", help="the secret's name")
        return sub

    command("list", "All secrets, without values.", takes_name=False)
    add = command("add", "Store a new secret; values are asked for.")
    add.add_argument("--type", choices=list(SECRET_TYPES), default="oauth2")
    add.add_argument("--provider", help="an entry of the catalogue: see `jupyter flowlet providers`")
    add.add_argument("--account-of", metavar="SECRET", help="share that secret's client: NAME is then the account's")
    add.add_argument("--discover", metavar="ADDRESS", help="an issuer, a .well-known URL or an API's URL")
    add.add_argument(
        "--register", action="store_true", help="with --discover: let the provider make a client ID, where it does"
    )
    add.add_argument("--set", metavar="FIELD=VALUE", action="append", default=[], help="such as scope='a b', tenant=x")
    add.add_argument("--host", metavar="HOST", action="append", default=[], help="where it may be sent")
    add.add_argument(
        "--header", metavar="NAME", action="append", default=[], help="of type headers; its value is asked for"
    )
    add.add_argument(
        "--value-file", metavar="[FIELD=]FILE", action="append", default=[],
        help="read what would be asked for first, or FIELD, from here ('-': stdin)",
    )  # fmt: skip
    status = command("status", "Times and scopes of a secret's tokens.")
    status.add_argument("--ask", action="store_true", help="also ask the provider whether the access token is active")
    authorize = command("authorize", "Request an access token.")
    authorize.add_argument("--paste", action="store_true", help="the browser is on another machine: paste its address")
    command("refresh", "Renew the access token now.")
    command("revoke", "End the tokens at the provider, and forget them here.")
    command("delete", "Remove a secret and its tokens.")
    command("token", "Print a usable access token, for a pipe: the one command that shows a value.")
    providers = command("providers", "The catalogue of providers.", takes_name=False)
    providers.add_argument("search", nargs="*", help="words of a title, key, host or category")
    importer = command("import", "Import OAuth2 settings of another tool.", takes_name=False)
    importer.add_argument("file", help="client_secret.json, a collection, an environment, an export")
    importer.add_argument("--name", help="the secret's name, where the file holds one")
    importer.add_argument("--host", metavar="HOST", action="append", default=[], help="where the secrets may be sent")
    export = command("export", "Print the configuration of all secrets, without any value.", takes_name=False)
    export.add_argument("--toml", action="store_true", help="as a flowlet.toml to commit beside notebooks")
    command("page", "Serve secrets, the form and Manage tokens on this machine until interrupted.", takes_name=False)
    probe = command(
        "probe", "What a provider offers, and what would be used of it: for a bug report.", takes_name=False
    )
    probe.add_argument("address", metavar="ISSUER", help="an issuer, a .well-known URL or an API's URL")
    doctor = command("doctor", "Say what works here and what does not, and what to do about it.", takes_name=False)
    doctor.add_argument(
        "--reach", action="store_true", help="also ask each provider's endpoints, without any credential"
    )
    doctor.add_argument("--json", action="store_true", help="as JSON, for a program")
    text = "Seal all secrets with a new master key; or finish a change that was cut short."
    command("rotate-key", text, takes_name=False, module=recovery)
    backup = command(
        "backup", "Write all secrets into one file, sealed with a passphrase.", takes_name=False, module=recovery
    )
    backup.add_argument("file", metavar="FILE", help="a file that is not there yet")
    restore = command("restore", "Put the secrets of a backup into the vault.", takes_name=False, module=recovery)
    restore.add_argument("file", metavar="FILE", help="what `jupyter flowlet backup` wrote")
    conflicts = restore.add_mutually_exclusive_group()
    for option, text in (("replace", "take the backup's"), ("keep", "take this vault's")):
        conflicts.add_argument(
            f"--{option}", dest="conflicts", action="store_const", const=option,
            help=f"where a secret is here already and differs: {text}, without asking",
        )  # fmt: skip
    for each in (backup, restore):
        each.add_argument(
            "--passphrase-file", metavar="FILE", help="read the passphrase from its first line ('-': stdin)"
        )
    return parser
