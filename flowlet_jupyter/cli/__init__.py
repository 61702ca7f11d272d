"""`jupyter flowlet`: the vault in a shell. A value is asked for, or read from a file; it is never an argument."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from flowlet_jupyter.cli import commands
from flowlet_jupyter.cli.text import printable
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.model.secret import SECRET_TYPES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it went well, 1 with one line on stderr if not."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except FlowletError as error:
        # a provider's text may stand in the message
        print(printable(f"{type(error).__name__}: {error}", keep="\n"), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyter flowlet", description="Named secrets for HTTP requests in notebooks."
    )
    of = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, text: str, *, takes_name: bool = True) -> argparse.ArgumentParser:
        sub = of.add_parser(name, help=text, description=text)
        sub.set_defaults(run=getattr(commands, name if name != "import" else "import_"))
        if takes_name:
            sub.add_argument("name", help="the secret's name")
        return sub

    command("list", "All secrets, without values.", takes_name=False)
    add = command("add", "Store a new secret; values are asked for.")
    add.add_argument(
        "--type", choices=list(SECRET_TYPES), help="of a secret that is not in the catalogue (default: oauth2)"
    )
    add.add_argument("--provider", help="an entry of the catalogue, without it the one called NAME")
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
    command("doctor", "Say where everything is, and what is missing for what.", takes_name=False)
    return parser
