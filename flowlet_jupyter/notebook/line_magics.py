"""What the magics beside `%flowlet_request` are given, read; and the view of the log."""

from __future__ import annotations

import dataclasses
import shlex
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.model.suggestion import closest

if TYPE_CHECKING:
    from flowlet_jupyter.vault import Vault

_DEFAULTS = ("--secret", "--base-url", "--openapi", "--clear")
_LOG_ROWS = 200
_MORE = {"--scope": "scope", "--acr-values": "acr_values", "--max-age": "max_age"}


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        raise RequestSyntaxError("A quote is not closed.") from None


def _meant(tokens: Iterable[str], known: Collection[str]) -> str:
    """What was meant by the first option among `tokens` that is not known; empty if there is none or it is near to none."""
    unknown = next((option for option in tokens if option.startswith("-") and option not in known), None)
    close = None if unknown is None else closest(unknown, known)
    return f" There is no option {unknown[:50]}. Did you mean {close}?" if unknown and close else ""


@dataclass(frozen=True)
class Defaults:
    """What requests of one kernel need not say."""

    secret: str = ""
    base_url: str = ""
    openapi: str = ""

    def __str__(self) -> str:
        parts = [f"{name.replace('_', ' ')}: {value}" for name, value in dataclasses.asdict(self).items() if value]
        return "; ".join(parts) or "No defaults. Set them: %flowlet_defaults --secret NAME --base-url URL"


def read_defaults(line: str, now: Defaults) -> Defaults:
    """The defaults after `%flowlet_defaults LINE`. Raises `RequestSyntaxError`, `InvalidSecret`."""
    tokens = _split(line)
    if tokens == ["--clear"]:
        return Defaults()
    changes: dict[str, str] = {}
    while tokens:
        option, _, value = tokens.pop(0).partition("=")
        name = option.removeprefix("--").replace("-", "_")
        if option not in _DEFAULTS or not (value or tokens):
            raise RequestSyntaxError(
                f"%flowlet_defaults takes --secret NAME, --base-url URL, --openapi FILE_OR_URL, or --clear.{_meant([option], _DEFAULTS)}"
            )
        changes[name] = value or tokens.pop(0)
    if base_url := changes.get("base_url"):
        from flowlet_jupyter.model.fields import checked_endpoint

        changes["base_url"] = checked_endpoint(base_url, "base_url").rstrip("/")
    return dataclasses.replace(now, **changes)


@dataclass(frozen=True)
class SecretLine:
    """What `%flowlet_secret` was given."""

    name: str
    new: bool
    connect: bool
    paste: bool
    from_paste: bool
    prefill: dict[str, str]
    more: dict[str, str]  # what an API asked for beyond what the secret asks: scope, acr_values, max_age

    @property
    def connects(self) -> bool:
        """Whether an access token is to be requested now."""
        return self.connect or self.paste

    @property
    def ask_for_arguments(self) -> dict[str, Any]:
        """The arguments of `SecretHandle.ask_for`. Raises `RequestSyntaxError` for a max_age that is no number."""
        max_age = self.more.get("max_age", "")
        if max_age and not (max_age.isascii() and max_age.isdigit() and len(max_age) < 10):
            raise RequestSyntaxError("--max-age is a number of seconds.")
        return {**self.more, "max_age": int(max_age) if max_age else None}

    @classmethod
    def read(cls, line: str) -> SecretLine:
        """What the line says. Raises `RequestSyntaxError`."""
        tokens = _split(line)
        prefill: dict[str, str] = {}
        for option in ("--provider", *_MORE):
            if option in tokens:
                position = tokens.index(option)
                prefill[option[2:].replace("-", "_")] = "".join(tokens[position + 1 : position + 2])
                del tokens[position : position + 2]
        options = {word for word in tokens if word.startswith("--")}
        name = " ".join(word for word in tokens if word not in options)
        new = "--new" in options
        known = {"--new", "--connect", "--paste", "--from-paste"}
        connects = bool({"--connect", "--paste"} & options)
        more = {} if new else {name: prefill.pop(name) for name in _MORE.values() if name in prefill}
        is_alone = not ({"--from-paste"} & options) or options == {"--from-paste"}
        if (
            not (name or new)
            or not options <= known
            or not is_alone
            or (prefill and not new)
            or (more and not connects)
        ):
            raise RequestSyntaxError(
                "Which secret? %flowlet_secret NAME [--connect [--scope 'A B'] | --paste], "
                "%flowlet_secret --new [--provider KEY] [--scope 'A B'], or %flowlet_secret --from-paste NAME"
                + _meant(options, {*known, "--provider", *_MORE})
            )
        if new and name:
            prefill["name"] = name
        return cls(name, new, "--connect" in options, "--paste" in options, "--from-paste" in options, prefill, more)


class Uses:
    """The log of uses, as a table."""

    def __init__(self, uses: list[dict[str, Any]]) -> None:
        self.uses = uses

    def __repr__(self) -> str:
        from flowlet_jupyter.notebook.display.table import table_text

        return table_text(self._rows(), rows=_LOG_ROWS) if self.uses else "No uses were logged."

    def _repr_html_(self) -> str:
        from flowlet_jupyter.notebook.display.table import table_html

        return table_html(self._rows(), rows=_LOG_ROWS, budget=40_000) if self.uses else f"<p>{self!r}</p>"

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {**use, "time": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(use.get("time", 0)))}
            for use in reversed(self.uses[-_LOG_ROWS:])
        ]


def read_log_line(word: str, vault: Vault) -> Uses | None:
    """Do what `%flowlet_log WORD` says: show (of one secret), turn on or off, clear."""
    from flowlet_jupyter.http import usage_log

    if word in {"on", "off"}:
        usage_log.turn(vault, on=word == "on")
        state = "on" if usage_log.is_on(vault) else "off"
        print(f"The log of uses is {state}: {usage_log.log_file(vault)}")  # noqa: T201 - the magic's output
        return None
    if word == "clear":
        usage_log.clear(vault)
        print("The log of uses is empty.")  # noqa: T201 - the magic's output
        return None
    uses = [use for use in usage_log.uses(vault) if not word or use.get("secret") == word]
    if word and not uses:
        vault.get(word)  # raises with a suggestion; the uses of a deleted one are still shown
    return Uses(uses)
