"""Tab completion of the magics: secret names, options and their values, methods, providers, paths, OpenAPI operations."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.styles import STYLES

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from flowlet_jupyter.notebook.magics import FlowletMagics

_AGES = ("10m", "1h", "1d")
Complete = Callable[["FlowletMagics", list[str], str], Iterable[str]]


def complete_magics(shell: InteractiveShell) -> None:
    """Answer IPython's completer for lines that begin with one of our magics."""
    for name, complete in _OF_MAGIC.items():
        for sign in ("%", "%%"):
            hook = _hook(complete)
            shell.set_hook("complete_command", hook, str_key=f"{sign}{name}")  # type: ignore[no-untyped-call]  # no hint


def _hook(complete: Complete) -> Callable[[Any, Any], list[str]]:
    def complete_event(shell: Any, event: Any) -> list[str]:
        magics = shell.magics_manager.registry.get("FlowletMagics")
        if magics is None:
            return []
        tokens = event.text_until_cursor.split() if hasattr(event, "text_until_cursor") else event.line.split()
        symbol = event.symbol
        before = tokens[1:-1] if symbol and tokens and tokens[-1].endswith(symbol) else tokens[1:]
        try:
            return [word for word in complete(magics, before, symbol) if word.startswith(symbol)]
        except FlowletError:
            return []  # a vault that is locked now must not disturb the typing

    return complete_event


def _secret_names(magics: FlowletMagics) -> list[str]:
    # the folder's listing alone: no key is asked for and no file is opened
    return [name if " " not in name else f"'{name}'" for name in magics.session.vault.names()]


def _providers(_magics: FlowletMagics) -> list[str]:
    from flowlet_jupyter.providers import provider_keys

    return provider_keys()


_VALUES: dict[str, Callable[[FlowletMagics], Iterable[str]]] = {
    "-s": _secret_names,
    "--secret": _secret_names,
    "--paginate": lambda _magics: STYLES,
    "--cache": lambda _magics: _AGES,
    "--provider": _providers,
}


def _request(magics: FlowletMagics, before: list[str], symbol: str) -> Iterable[str]:
    from flowlet_jupyter.notebook.request_line.options import OPTIONS
    from flowlet_jupyter.notebook.request_line.spec import METHODS

    last = before[-1] if before else ""
    if last in _VALUES:
        yield from _VALUES[last](magics)
        if OPTIONS.get(last) and OPTIONS[last].value == "needed":
            return
    elif last in OPTIONS and OPTIONS[last].value == "needed":
        return  # a value that nobody can guess
    if symbol.startswith("-"):
        yield from OPTIONS
        return
    named = [word for option, word in itertools.pairwise(before) if option in {"-s", "--secret"}]
    operations = magics.operations(named[-1] if named else "")
    url = next((word for word in before if "/" in word and not word.startswith("-") and word not in named), None)
    if url is None:
        if not any(word.upper() in METHODS for word in before):
            yield from METHODS
        yield from reversed(magics.called_paths)
        yield from operations.paths()
    else:
        method = next((word.upper() for word in before if word.upper() in METHODS), "GET")
        yield from (f"{name}==" for name in operations.query_parameters(method, url))


def _secret(magics: FlowletMagics, before: list[str], symbol: str) -> Iterable[str]:
    if before and before[-1] == "--provider":
        yield from _providers(magics)
    elif symbol.startswith("-"):
        yield from ("--new", "--connect", "--paste", "--provider", "--scope")
    elif not before:
        yield from _secret_names(magics)


def _defaults(magics: FlowletMagics, before: list[str], _symbol: str) -> Iterable[str]:
    if before and before[-1] == "--secret":
        yield from _secret_names(magics)
    else:
        yield from ("--secret", "--base-url", "--openapi", "--clear")


def _log(magics: FlowletMagics, _before: list[str], _symbol: str) -> Iterable[str]:
    yield from ("on", "off", "clear", *_secret_names(magics))


def _cache(_magics: FlowletMagics, _before: list[str], _symbol: str) -> Iterable[str]:
    yield "clear"


_OF_MAGIC: dict[str, Complete] = {
    "flowlet_request": _request,
    "flowlet_secret": _secret,
    "flowlet_defaults": _defaults,
    "flowlet_log": _log,
    "flowlet_cache": _cache,
}
