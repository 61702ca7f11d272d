"""The grammar of `%flowlet_request`: text in, a frozen `RequestSpec` out. Pure: no IPython, no I/O, no evaluation."""

from __future__ import annotations

import ast
import difflib
import json
import keyword
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from flowlet_jupyter.errors import RequestSyntaxError

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_HEADER_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):(?!//)[ \t]*(.*)")
_ITEM = re.compile(r"(?P<key>[^=:\s\0][^=:\s]*?)(?P<separator>==|:=|=|:)(?P<value>.*)", re.DOTALL)
_MARK = re.compile("\0([0-9]+)\0")


@dataclass(frozen=True)
class Expression:
    """The Python expression of a `{{ }}`."""

    source: str


@dataclass(frozen=True)
class Template:
    """Text with expressions in it, in order."""

    parts: tuple[str | Expression, ...]

    @property
    def plain(self) -> str | None:
        """The text, if there is no expression in it."""
        return "".join(self.parts) if all(isinstance(part, str) for part in self.parts) else None  # type: ignore[arg-type]  # all are texts here


@dataclass(frozen=True)
class Body:
    """A request body: raw text, JSON fields, or a file to read. `kind` "auto" decides by the text itself."""

    kind: Literal["auto", "json", "fields"]
    text: Template | None = None
    fields: tuple[tuple[str, Template, bool], ...] = ()  # name, value, whether the value is JSON
    file: str | None = None


@dataclass(frozen=True)
class RequestSpec:
    """What the text asks for. Templates are not evaluated yet."""

    url: Template
    method: str
    query: tuple[tuple[str, Template], ...] = ()
    headers: tuple[tuple[str, Template], ...] = ()
    body: Body | None = None
    secret: str | None = None
    out: str | None = None
    frame: bool = False
    frame_path: str | None = None
    timeout: float | None = None
    dry_run: bool = False


@dataclass
class _Draft:
    """What has been read so far; it becomes the spec at the end."""

    method: str | None = None
    url: Template | None = None
    query: list[tuple[str, Template]] = field(default_factory=list)
    headers: list[tuple[str, Template]] = field(default_factory=list)
    fields: list[tuple[str, Template, bool]] = field(default_factory=list)
    body: Body | None = None
    options: dict[str, Any] = field(default_factory=dict)


# spelling -> (name, whether it takes a value)
OPTIONS: dict[str, tuple[str, bool]] = {
    "-s": ("secret", True),
    "--secret": ("secret", True),
    "-o": ("out", True),
    "--out": ("out", True),
    "-H": ("header", True),
    "--json": ("json", True),
    "-d": ("data", True),
    "--data": ("data", True),
    "--df": ("df", False),  # its value is optional
    "--timeout": ("timeout", True),
    "--dry-run": ("dry_run", False),
}


def parse(line: str, cell: str | None = None) -> RequestSpec:
    """The request that a line magic's line, or a cell magic's line and cell, describes. Raises `RequestSyntaxError`."""
    if "\0" in line or "\0" in (cell or ""):
        raise RequestSyntaxError("The request holds a NUL character.")
    draft = _Draft()
    _read_line(line, draft)
    if cell is not None:
        _read_cell(cell, draft)
    return _finished(draft)


def _finished(draft: _Draft) -> RequestSpec:
    if draft.url is None:
        raise RequestSyntaxError("There is no URL. Example: %flowlet_request https://api.example.com/me --secret NAME")
    if draft.fields:
        if draft.body is not None:
            raise RequestSyntaxError("The request has a body twice: key=value items, and a text. Leave one out.")
        draft.body = Body("fields", fields=tuple(draft.fields))
    options = draft.options
    return RequestSpec(
        url=draft.url,
        method=draft.method or ("POST" if draft.body else "GET"),
        query=tuple(draft.query),
        headers=tuple(draft.headers),
        body=draft.body,
        secret=options.get("secret"),
        out=options.get("out"),
        frame="df" in options,
        frame_path=options.get("df"),
        timeout=options.get("timeout"),
        dry_run="dry_run" in options,
    )


# the line


def _read_line(line: str, draft: _Draft) -> None:
    marked, expressions = _lift_expressions(line)
    words = _words(marked)

    def template(text: str) -> Template:
        return _template(text, expressions)

    if len(words) > 1 and words[1] == "<<":
        _set_out(words[0], draft)
        del words[:2]
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word.startswith("-") and word != "-":
            position = _read_option(word, words, position, draft, template)
        elif draft.url is None and draft.method is None and word.upper() in METHODS:
            draft.method = word.upper()
        elif draft.url is None:
            draft.url = template(word)
        else:
            _read_item(word, draft, template)


def _read_option(word: str, words: list[str], position: int, draft: _Draft, template: Callable[[str], Template]) -> int:
    """Take in the option `word`; returns the position behind its value."""
    spelling, has_value, value = word.partition("=") if word.startswith("--") else (word, "", "")
    if spelling not in OPTIONS:
        close = difflib.get_close_matches(spelling, OPTIONS, n=1)
        advice = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(OPTIONS)}."
        raise RequestSyntaxError(f"There is no option {_shown(spelling)}. {advice}")
    name, takes_value = OPTIONS[spelling]
    if name == "dry_run" and has_value:
        raise RequestSyntaxError(f"The option {spelling} takes no value.")
    if takes_value and not has_value:
        if position == len(words):
            raise RequestSyntaxError(f"The option {spelling} needs a value behind it.")
        value = words[position]
        position += 1
    elif name == "df" and not has_value and position < len(words) and _is_frame_path(words[position], draft):
        value, has_value = words[position], "="
        position += 1
    _take_option(name, value if has_value or takes_value else None, draft, template)
    return position


def _is_frame_path(word: str, draft: _Draft) -> bool:
    """Whether the word behind `--df` is its path, and not the method, the URL, an item or an option."""
    if word.startswith(("-", "/", "\0")) or "://" in word or (draft.method is None and word.upper() in METHODS):
        return False
    return not _ITEM.fullmatch(word) or "[" in word


def _take_option(name: str, value: str | None, draft: _Draft, template: Callable[[str], Template]) -> None:
    if name in draft.options or (name in {"json", "data"} and draft.body is not None):
        raise RequestSyntaxError(f"The option for '{name}' is given twice.")
    if value is not None and "\0" in value and name in {"secret", "out", "df", "timeout"}:
        raise RequestSyntaxError(f"The option for '{name}' is taken literally; {{{{ }}}} cannot stand there.")
    if name == "out":
        _set_out(value or "", draft)
    elif name == "timeout":
        draft.options["timeout"] = _seconds(value or "")
    elif name == "header":
        header = _HEADER_LINE.fullmatch(value or "")
        if not header:
            raise RequestSyntaxError(f"{_shown(value or '')} is not a header. Write -H 'Name: value'.")
        draft.headers.append((header[1], template(header[2])))
    elif name in {"json", "data"}:
        kind: Literal["auto", "json"] = "json" if name == "json" else "auto"
        text = value or ""
        draft.body = Body(kind, file=text[1:]) if text.startswith("@") else Body(kind, text=template(text))
        if draft.body.file is not None and "\0" in draft.body.file:
            raise RequestSyntaxError("A file's name is taken literally; {{ }} cannot stand there.")
    else:
        draft.options[name] = value


def _set_out(name: str, draft: _Draft) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise RequestSyntaxError(f"{_shown(name)} cannot be the name of a variable.")
    if draft.options.get("out", name) != name:
        raise RequestSyntaxError("The result is assigned twice: with << and with -o. Leave one out.")
    draft.options["out"] = name


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86400:
        raise RequestSyntaxError(f"{_shown(text)} is not a number of seconds. Example: --timeout 10")
    return seconds


def _read_item(word: str, draft: _Draft, template: Callable[[str], Template]) -> None:
    item = _ITEM.fullmatch(word)
    if not item or "\0" in item["key"] or item["value"].startswith("//"):  # a second URL, perhaps
        raise RequestSyntaxError(
            f"{_shown(word)} is not understood here. Write key==value (query), Name:value (header), key=value or "
            "key:=json (body). A text with spaces needs quotes."
        )
    key, value = item["key"], template(item["value"])
    if item["separator"] == "==":
        draft.query.append((key, value))
    elif item["separator"] == ":":
        if not _HEADER_LINE.fullmatch(f"{key}: x"):
            raise RequestSyntaxError(f"{_shown(key)} cannot be the name of a header.")
        draft.headers.append((key, value))
    else:
        is_json = item["separator"] == ":="
        if is_json and value.plain is not None:
            _check_json(value.plain, f"the value of {_shown(key)}")
        draft.fields.append((key, value, is_json))


# the cell


def _read_cell(cell: str, draft: _Draft) -> None:
    lines = cell.lstrip("\n").split("\n")
    if draft.url is None:
        first = lines.pop(0).strip() if lines else ""
        method, _, rest = first.partition(" ")
        if method.upper() in METHODS and rest:
            draft.method, first = method.upper(), rest.strip()
        if not first:
            raise RequestSyntaxError("There is no URL: write METHOD URL on the first line or at the start of the cell.")
        marked, expressions = _lift_expressions(first)
        draft.url = _template(marked, expressions)
    while lines and (header := _HEADER_LINE.fullmatch(lines[0].rstrip())):
        marked, expressions = _lift_expressions(header[2])
        draft.headers.append((header[1], _template(marked, expressions)))
        lines.pop(0)
    text = "\n".join(lines).strip("\n")
    if text.strip():
        if draft.body is not None or draft.fields:
            raise RequestSyntaxError("The request has a body twice: on the first line and in the cell. Leave one out.")
        marked, expressions = _lift_expressions(text)
        draft.body = Body("auto", text=_template(marked, expressions))


# expressions and words


def _lift_expressions(text: str) -> tuple[str, list[str]]:
    """`text` with each `{{ expression }}` replaced by a mark, so that quotes in it are Python's and not the line's."""
    expressions: list[str] = []
    pieces: list[str] = []
    position = 0
    while (start := text.find("{{", position)) >= 0:
        end = _end_of_expression(text, start)
        pieces += [text[position:start], f"\0{len(expressions)}\0"]
        expressions.append(text[start + 2 : end].strip())
        position = end + 2
    pieces.append(text[position:])
    return "".join(pieces), expressions


def _end_of_expression(text: str, start: int) -> int:
    """Where the `}}` stands that ends the expression: the first before which there is valid Python."""
    end = text.find("}}", start + 2)
    if end < 0:
        raise RequestSyntaxError("A {{ is not closed by }}. Example: /users/{{me['data']['id']}}")
    first = end
    while end >= 0:
        try:
            ast.parse(text[start + 2 : end].strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            end = text.find("}}", end + 1)
        else:
            return end
    raise RequestSyntaxError(f"{{{{ {text[start + 2 : first].strip()[:100]} }}}} is not a Python expression.")


def _template(marked: str, expressions: list[str]) -> Template:
    parts = _MARK.split(marked)  # text, index, text, index, ..., text
    return Template(
        tuple(
            Expression(expressions[int(part)]) if position % 2 else part
            for position, part in enumerate(parts)
            if position % 2 or part
        )
    )


def _words(marked: str) -> list[str]:
    try:
        return shlex.split(_without_comment(marked), posix=True)
    except ValueError as error:
        raise RequestSyntaxError(f"A quote is not closed ({str(error).lower()}).") from None


def _without_comment(line: str) -> str:
    """The line without a ` # comment` that is outside quotes."""
    quote = ""
    for position, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and (position == 0 or line[position - 1].isspace()):
            return line[:position]
    return line


def _check_json(text: str, what: str) -> None:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestSyntaxError(f"The JSON of {what} is not valid: {str(error)[:100]}.") from None


def _shown(text: str) -> str:
    return "'" + _MARK.sub("{{…}}", text)[:100] + "'"
