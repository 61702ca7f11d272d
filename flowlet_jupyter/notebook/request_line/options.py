"""The options of the request magic: their spellings, and what the value behind each becomes. Pure."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.http.styles import STYLES
from flowlet_jupyter.model.suggestion import closest
from flowlet_jupyter.notebook.request_line.spec import METHODS, Body, Draft, Template
from flowlet_jupyter.notebook.request_line.tokens import quote_excerpt

HEADER_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):(?!//)[ \t]*(.*)")
ITEM = re.compile(r"(?P<key>[^=:@\s\0][^=:@\s]*?)(?P<separator>==|:=|=|:|@)(?P<value>.*)", re.DOTALL)
_AGE = re.compile(r"\d+(\.\d+)?[smhd]?")
MakeTemplate = Callable[[str], Template]


@dataclass(frozen=True)
class Option:
    """One option. `value`: whether something stands behind it; `fixed` is what a flag means; `help` is for completion."""

    name: str
    value: Literal["none", "needed", "optional"] = "none"
    fixed: Any = True
    help: str = ""


OPTIONS: dict[str, Option] = {
    "-s": Option("secret", "needed", help="the secret whose credentials are sent"),
    "--secret": Option("secret", "needed", help="the secret whose credentials are sent"),
    "--no-secret": Option("no_secret", help="none, also where there is a default"),
    "-H": Option("header", "needed", help="'Name: value'"),
    "--param": Option("param", "needed", help="k=v in the query"),
    "--json": Option("json", "needed", help="JSON text or @file as the body"),
    "--form": Option("form", help="key=value items as a form"),
    "-d": Option("data", "needed", help="text or @file as the body"),
    "--data": Option("data", "needed", help="text or @file as the body"),
    "-o": Option("out", "needed", help="the variable that takes the result"),
    "--out": Option("out", "needed", help="the variable that takes the result"),
    "--df": Option("df", "optional", help="[PATH] a pandas DataFrame of the records"),
    "--polars": Option("polars", "optional", help="[PATH] a polars DataFrame of the records"),
    "--select": Option("select", "needed", help="the part that a JMESPath selects"),
    "--paginate": Option("paginate", "optional", help=f"[{'|'.join(STYLES)}] all pages"),
    "--max-pages": Option("max_pages", "needed", help="no more pages than this"),
    "--max-items": Option("max_items", "needed", help="no more records than this"),
    "--concurrency": Option("concurrency", "needed", help="pages side by side"),
    "--retry": Option("retry", "needed", help="tries after 429, 503 or a broken connection"),
    "--retry-any": Option("retry_any", help="also of POST and PATCH, which may then happen twice"),
    "--timeout": Option("timeout", "needed", help="seconds"),
    "-L": Option("follow", help="follow redirects (the default)"),
    "--follow": Option("follow", help="follow redirects (the default)"),
    "--no-follow": Option("follow", fixed=False, help="give back a redirect"),
    "-k": Option("insecure", help="do not check the server's certificate; no secret is sent then"),
    "--insecure": Option("insecure", help="do not check the server's certificate; no secret is sent then"),
    "--cache": Option("cache", "optional", help="[AGE] a kept response will do: 30s, 10m, 1h, 7d"),
    "-i": Option("show_headers", help="show the response's headers"),
    "-v": Option("verbose", help="show the request too, without credentials"),
    "-q": Option("quiet", help="show nothing"),
    "--raise": Option("raises", help="an error status is an error"),
    "--no-raise": Option("raises", fixed=False, help="an error status is a response"),
    "--dry-run": Option("dry_run", help="show what would be sent"),
    "--curl": Option("curl", help="the same as a curl command"),
    "--python": Option("python", help="the same as Python code"),
    "--save": Option("save", "needed", help="stream the body to this file"),
}
_LITERAL = frozenset({"secret", "out", "df", "polars", "select", "timeout", "paginate", "cache", "save", "max_pages",
                      "max_items", "concurrency", "retry"})  # fmt: skip
_NUMBERS = {"max_pages": (1, 10**9), "max_items": (1, 10**9), "concurrency": (1, 64), "retry": (0, 100)}


def read_option(word: str, tokens: list[str], position: int, draft: Draft, template: MakeTemplate) -> int:
    """Take in the option `word`; returns the position behind its value. Raises `RequestSyntaxError`."""
    spelling, has_value, value = word.partition("=") if word.startswith("--") else (word, "", "")
    option = OPTIONS.get(spelling)
    if option is None:
        close = closest(spelling, OPTIONS)
        advice = f"Did you mean {close}?" if close else f"There are: {', '.join(OPTIONS)}."
        raise RequestSyntaxError(f"There is no option {quote_excerpt(spelling)}. {advice}")
    if option.value == "none":
        if has_value:
            raise RequestSyntaxError(f"The option {spelling} takes no value.")
        _set(draft, option.name, option.fixed, spelling)
        return position
    if not has_value:
        following = tokens[position] if position < len(tokens) else None
        if option.value == "needed" and following is None:
            raise RequestSyntaxError(f"The option {spelling} needs a value behind it.")
        if option.value == "needed" or (following is not None and _belongs(option.name, following, draft)):
            value, has_value = str(following), "="
            position += 1
    _take(option.name, value if has_value else None, spelling, draft, template)
    return position


def _belongs(name: str, word: str, draft: Draft) -> bool:
    """Whether the word behind an option with an optional value is that, and not the method, the URL, an item or an option."""
    if name == "paginate":
        return word in STYLES
    if name == "cache":
        return bool(_AGE.fullmatch(word))
    if word.startswith(("-", "/", "\0")) or "://" in word or (draft.method is None and word.upper() in METHODS):
        return False
    return not ITEM.fullmatch(word) or "[" in word


def _take(name: str, value: str | None, spelling: str, draft: Draft, template: MakeTemplate) -> None:
    text = value or ""
    if "\0" in text and name in _LITERAL:
        raise RequestSyntaxError(f"The option {spelling} is taken literally; {{{{ }}}} cannot stand there.")
    if name in _PARTS:
        _PARTS[name](text, draft, template)
    elif name in {"json", "data"}:
        set_body("json" if name == "json" else "auto", text, draft, template, spelling)
    elif name in {"df", "polars"}:
        _set(draft, "frame", "pandas" if name == "df" else "polars", spelling)
        draft.options["frame_path"] = value or None
    elif name in _NUMBERS:
        _set(draft, name, _number(text, spelling, *_NUMBERS[name]), spelling)
    else:
        _set(draft, name, _VALUES.get(name, str)(text), spelling)


def _header(text: str, draft: Draft, template: MakeTemplate) -> None:
    header = HEADER_LINE.fullmatch(text)
    if not header:
        raise RequestSyntaxError(f"{quote_excerpt(text)} is not a header. Write -H 'Name: value'.")
    draft.headers.append((header[1], template(header[2])))


def _parameter(text: str, draft: Draft, template: MakeTemplate) -> None:
    key, sign, rest = text.partition("=")
    if not sign or not key or "\0" in key:
        raise RequestSyntaxError(f"{quote_excerpt(text)} is not a parameter. Write --param key=value.")
    draft.query.append((key, template(rest)))


def _out(text: str, draft: Draft, _template: MakeTemplate) -> None:
    set_out(text, draft)


def _set(draft: Draft, name: str, value: Any, spelling: str) -> None:
    if name == "form":
        draft.as_form = True
        return
    if name in draft.options:
        raise RequestSyntaxError(f"The option {spelling} is given twice, or with its opposite.")
    draft.options[name] = value


def set_out(name: str, draft: Draft) -> None:
    """Assign the result to the variable `name`. Raises `RequestSyntaxError`."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise RequestSyntaxError(f"{quote_excerpt(name)} cannot be the name of a variable.")
    if draft.options.get("out", name) != name:
        raise RequestSyntaxError("The result is assigned twice: with << and with -o. Leave one out.")
    draft.options["out"] = name


def set_body(kind: Literal["auto", "json"], text: str, draft: Draft, template: MakeTemplate, spelling: str) -> None:
    """Take `text` or `@file` as the body. Raises `RequestSyntaxError` if there is one already."""
    if draft.body is not None:
        raise RequestSyntaxError(f"The option {spelling} is given twice, or beside another body.")
    if text.startswith("@"):
        if "\0" in text:
            raise RequestSyntaxError("A file's name is taken literally; {{ }} cannot stand there.")
        draft.body = Body(kind, file=text[1:])
    else:
        draft.body = Body(kind, text=template(text))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86400:
        raise RequestSyntaxError(f"{quote_excerpt(text)} is not a number of seconds. Example: --timeout 10")
    return seconds


def _style(text: str) -> str:
    if text and text not in STYLES:
        raise RequestSyntaxError(f"{quote_excerpt(text)} is no way to page. There are: {', '.join(STYLES)}.")
    return text or "auto"


def _age(text: str) -> str:
    if text and not _AGE.fullmatch(text):
        raise RequestSyntaxError(f"{quote_excerpt(text)} is not an age. Write it as 30s, 10m, 1h or 7d.")
    return text or "1h"


def _number(text: str, spelling: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or not least <= int(text[:12]) <= most:
        raise RequestSyntaxError(f"{quote_excerpt(text)} is not a number for {spelling}: {least} to {most:,}.")
    return int(text)


_PARTS: dict[str, Callable[[str, Draft, MakeTemplate], None]] = {"header": _header, "param": _parameter, "out": _out}
_VALUES: dict[str, Callable[[str], Any]] = {"timeout": _seconds, "paginate": _style, "cache": _age}


def option_help() -> str:
    """All options, a line each."""
    spellings: dict[str, list[str]] = {}
    for spelling, option in OPTIONS.items():
        spellings.setdefault(f"{option.name}{option.fixed}", []).append(spelling)
    lines = [f"  {', '.join(names):<22} {OPTIONS[names[0]].help}" for names in spellings.values()]
    return "\n".join(["%flowlet_request [NAME <<] [METHOD] URL [ITEM ...] [OPTIONS]", *lines])
