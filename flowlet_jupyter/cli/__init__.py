"""`jupyter flowlet`: the vault in a shell. A value is asked for, or read from a file; it is never an argument."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence

from flowlet_jupyter.errors import FlowletError, InvalidOption, printable
from flowlet_jupyter.model.secret import SECRET_TYPES
from flowlet_jupyter.model.suggestion import closest, did_you_mean

Run = Callable[[argparse.Namespace], int | None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it went well, 1 with one line on stderr if not, 130 if it was interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser, commands = _parser()
    if not given:
        parser.print_help()
        return 0
    try:
        return _run(parser, commands, given)
    except FlowletError as error:
        from flowlet_jupyter.cli.output import for_a_shell

        # a provider's text may stand in the message
        print(printable(for_a_shell(f"{type(error).__name__}: {error}"), keep="\n"), file=sys.stderr)
        return 1


def _run(parser: argparse.ArgumentParser, commands: dict[str, argparse.ArgumentParser], given: list[str]) -> int:
    """The exit status of a command; what ends it from outside is one line and the status that shells have for it."""
    try:
        options = _parsed(parser, commands, given)
        status = int(options.run(options) or 0)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    except EOFError:
        print("\nThe input ended before everything was answered. Nothing was changed.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # whoever read the output has enough of it; what is still buffered must not fail again at the exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except UnicodeEncodeError as error:
        print(
            f"The output has a character that {error.encoding} cannot show. Set PYTHONUTF8=1, and run it again.",
            file=sys.stderr,
        )
        return 1
    return status


def _parsed(
    parser: argparse.ArgumentParser, commands: dict[str, argparse.ArgumentParser], given: list[str]
) -> argparse.Namespace:
    """The options. Raises `InvalidOption` with what was probably meant by an unknown command or option."""
    name = next((word for word in given if not word.startswith("-")), None)
    if name is not None and name not in commands:
        raise InvalidOption(f"There is no command '{name[:50]}'. {did_you_mean(name[:50], commands)}")
    options, unknown = parser.parse_known_args(given)
    if not unknown or name is None:
        return options
    command = f"jupyter flowlet {name}"
    option = next((word.partition("=")[0] for word in unknown if word.startswith("-")), None)
    if option is None:  # it may be a value, so it is not shown
        raise InvalidOption(f"{command} was given more than it takes. A name with a space stands in quotes.")
    if not option.startswith("--"):
        option = option[:2]  # what follows at once may be a value
    known = [word for word in commands[name].format_usage().replace("[", " ").split() if word.startswith("-")]
    close = closest(option, [word.rstrip("]") for word in known])
    advice = f"Did you mean {close}?" if close else f"See: {command} --help"
    raise InvalidOption(f"{command} has no option {option[:50]}. {advice}")


def _command_run(name: str) -> Run:
    """The function of a command, `MODULE:FUNCTION` of this package, imported when it runs."""
    module, _, function = name.partition(":")

    def run(options: argparse.Namespace) -> int | None:
        status: int | None = getattr(importlib.import_module(f"{__name__}.{module}"), function)(options)
        return status

    return run


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser, and that of each command by its name."""
    parser = argparse.ArgumentParser(
        prog="jupyter flowlet", description="Named secrets for HTTP requests in notebooks."
    )
    of = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, text: str, *, takes_name: bool = True, run: str = "") -> argparse.ArgumentParser:
        # no abbreviations: --passphrase would be --passphrase-file, and the passphrase the name of a file in a message
        sub = of.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.set_defaults(run=_command_run(run or f"commands:{name}"))
        if takes_name:
            sub.add_argument("name", help="the secret's name")
        return sub

    command("list", "All secrets, without values.", takes_name=False)
    add = command("add", "Store a new secret; what is not given is asked for.", takes_name=False, run="add:add")
    _add_options_of_add(add)
    status = command("status", "Times and scopes of a secret's tokens.")
    status.add_argument("--ask", action="store_true", help="also ask the provider whether the access token is active")
    authorize = command("authorize", "Request an access token.")
    authorize.add_argument("--paste", action="store_true", help="the browser is on another machine: paste its address")
    authorize.add_argument("--scope", default="", help="ask for these scopes too, from now on")
    authorize.add_argument("--acr-values", default="", help="ask for a login of this kind, such as the API names")
    authorize.add_argument("--max-age", type=int, metavar="SECONDS", help="ask for a login that is no older")
    command("test", "Send one harmless request with a secret: as whom it connects, or what the API says.")
    command("refresh", "Renew the access token now.")
    command("revoke", "End the tokens at the provider, and forget them here.")
    command("delete", "Remove a secret and its tokens.")
    command("token", "Print a usable access token, for a pipe: the one command that shows a value.")
    providers = command("providers", "The catalogue of providers.", takes_name=False)
    providers.add_argument("search", nargs="*", help="words of a title, key, host or category")
    importer = command("import", "Import OAuth2 settings of another tool.", takes_name=False, run="commands:import_")
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
    _add_client_metadata(command)
    doctor = command("doctor", "Say what works here and what does not, and what to do about it.", takes_name=False)
    doctor.add_argument(
        "--reach", action="store_true", help="also ask each provider's endpoints, without any credential"
    )
    doctor.add_argument("--json", action="store_true", help="as JSON, for a program")
    _add_recovery(command)
    return parser, of.choices


def _add_client_metadata(command: Callable[..., argparse.ArgumentParser]) -> None:
    text = "Print the document to host, so that its address is a client ID where providers take one."
    document = command("client-metadata", text, takes_name=False, run="client_metadata:show")
    document.add_argument("url", metavar="URL", help="the https:// address where it will stand")
    document.add_argument("--check", action="store_true", help="say whether what stands there will do")
    document.add_argument(
        "--redirect-uri", metavar="URI", action="append", help="as the form shows it (default: the loopback one)"
    )
    document.add_argument("--scope", default="", help="all scopes that may be asked for")
    document.add_argument("--name", default="flowlet-jupyter", help="how the consent page calls it")
    document.add_argument("--dpop", action="store_true", help="tokens are bound to a key, as atproto demands")
    document.add_argument("--of", metavar="SECRET", help="for this secret: its scope, redirect URIs and public key")


def _add_recovery(command: Callable[..., argparse.ArgumentParser]) -> None:
    text = "Seal all secrets with a new master key; or finish a change that was cut short."
    command("rotate-key", text, takes_name=False, run="recovery:rotate_key")
    backup = command(
        "backup", "Write all secrets into one file, sealed with a passphrase.", takes_name=False, run="recovery:backup"
    )
    backup.add_argument("file", metavar="FILE", help="a file that is not there yet")
    text = "Put the secrets of a backup into the vault."
    restore = command("restore", text, takes_name=False, run="recovery:restore")
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


def _add_options_of_add(add: argparse.ArgumentParser) -> None:
    add.add_argument("name", nargs="?", help="the secret's name")
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
