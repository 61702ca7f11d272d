"""What the magics beside `%flowlet_request` are given, read; and the view of the log."""

from __future__ import annotations

import dataclasses
import shlex
import time
from dataclasses import dataclass
from typing import Any

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.model.fields import checked_endpoint

_LOG_ROWS = 200


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        raise RequestSyntaxError("A quote is not closed.") from None


@dataclass(frozen=True)
class Defaults:
    """What requests of one kernel need not say."""

    secret: str = ""
    base_url: str = ""
    openapi: str = ""

    def __str__(self) -> str:
        said = [f"{name.replace('_', ' ')}: {value}" for name, value in dataclasses.asdict(self).items() if value]
        return "; ".join(said) or "No defaults. Set them: %flowlet_defaults --secret NAME --base-url URL"


def read_defaults(line: str, now: Defaults) -> Defaults:
    """The defaults after `%flowlet_defaults LINE`. Raises `RequestSyntaxError`, `InvalidSecret`."""
    words = _split(line)
    if words == ["--clear"]:
        return Defaults()
    changes: dict[str, str] = {}
    while words:
        option, _, value = words.pop(0).partition("=")
        name = option.removeprefix("--").replace("-", "_")
        if option not in {"--secret", "--base-url", "--openapi"} or not (value or words):
            raise RequestSyntaxError(
                "%flowlet_defaults takes --secret NAME, --base-url URL, --openapi FILE_OR_URL, or --clear."
            )
        changes[name] = value or words.pop(0)
    if base_url := changes.get("base_url"):
        changes["base_url"] = checked_endpoint(base_url, "base_url").rstrip("/")
    return dataclasses.replace(now, **changes)


@dataclass(frozen=True)
class SecretLine:
    """What `%flowlet_secret` was given."""

    name: str
    new: bool
    connect: bool
    paste: bool
    prefill: dict[str, str]

    @property
    def connects(self) -> bool:
        """Whether an access token is to be requested now."""
        return self.connect or self.paste

    @classmethod
    def read(cls, line: str) -> SecretLine:
        """What the line says. Raises `RequestSyntaxError`."""
        words = _split(line)
        prefill: dict[str, str] = {}
        for option in ("--provider", "--scope"):
            if option in words:
                place = words.index(option)
                prefill[option[2:]] = "".join(words[place + 1 : place + 2])
                del words[place : place + 2]
        options = {word for word in words if word.startswith("--")}
        name = " ".join(word for word in words if word not in options)
        new = "--new" in options
        if not (name or new) or not options <= {"--new", "--connect", "--paste"} or (prefill and not new):
            raise RequestSyntaxError(
                "Which secret? %flowlet_secret NAME [--connect | --paste], or "
                "%flowlet_secret --new [--provider KEY] [--scope 'A B']"
            )
        if new and name:
            prefill["name"] = name
        return cls(name, new, "--connect" in options, "--paste" in options, prefill)


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


def read_log_line(word: str) -> Uses | None:
    """Do what `%flowlet_log WORD` says: show (of one secret), turn on or off, clear."""
    from flowlet_jupyter.http import usage_log
    from flowlet_jupyter.session import default_session

    vault = default_session().vault
    if word in {"on", "off"}:
        usage_log.turn(vault, on=word == "on")
        state = "on" if usage_log.is_on(vault) else "off"
        print(f"The log of uses is {state}: {usage_log.log_file(vault)}")  # noqa: T201 - the magic's output
        return None
    if word == "clear":
        usage_log.clear(vault)
        print("The log of uses is empty.")  # noqa: T201 - the magic's output
        return None
    return Uses([use for use in usage_log.uses(vault) if not word or use.get("secret") == word])
