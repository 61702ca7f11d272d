"""The words of a command as cmd.exe and a Windows program read them: what a browser copies as "cURL (cmd)". Pure."""

from __future__ import annotations

import re

from flowlet_jupyter.errors import RequestSyntaxError

_BACKSLASHES = re.compile(r'(\\+)("?)')


def is_for_cmd(text: str) -> bool:
    """Whether the command is one for cmd.exe: it escapes by `^`, or goes on behind a `^` at the end of a line."""
    return bool(re.search(r'\^["&%{}!]|\s\^\r?\n', text)) and not re.search(r"\s'", text)


def read_cmd(text: str) -> list[str]:
    """The words of the command. Raises `RequestSyntaxError`."""
    return _arguments(_without_carets(text))


def _without_carets(text: str) -> str:
    """The line that cmd.exe hands on: a caret outside quotes makes what follows literal."""
    unquoted: list[str] = []
    is_quoted, position = False, 0
    text = text.replace("\r\n", "\n")
    while position < len(text):
        character = text[position]
        if character == "^" and not is_quoted:
            position += 1
            if text[position : position + 1] == "\n":  # skipped, and what follows is literal
                position += 1
            unquoted.append(text[position : position + 1])
        elif character == "\n":
            if text[position:].strip():
                raise RequestSyntaxError("Only one command is read, and there is another line behind it.")
        elif not is_quoted and character in "&|<>":
            raise RequestSyntaxError(f"cmd.exe ends the command at {character}. Put the URL between quotes.")
        elif character == "%" and re.match(r"%\w+%", text[position:]):
            raise RequestSyntaxError(
                "The command uses a variable of cmd.exe (%NAME%). Write {{ name }} for a Python value."
            )
        else:
            is_quoted ^= character == '"'
            unquoted.append(character)
        position += 1
    return "".join(unquoted)


def _arguments(line: str) -> list[str]:
    r"""As a C program on Windows splits its command line: `\"` is a quote, and so is `""` between quotes."""
    words: list[str] = []
    word: list[str] | None = None
    is_quoted, position = False, 0
    while position < len(line):
        character = line[position]
        position += 1
        if character in " \t\n" and not is_quoted:
            if word is not None:
                words.append("".join(word))
            word = None
            continue
        word = [] if word is None else word
        if (run := _BACKSLASHES.match(line, position - 1)) and not run[2]:
            word.append(run[1])
            position = run.end()
        elif run:
            word.append("\\" * (len(run[1]) // 2) + '"' * (len(run[1]) % 2))
            position = run.end() - (len(run[1]) + 1) % 2  # a quote that is not escaped is read next
        elif character != '"':
            word.append(character)
        elif is_quoted and line[position : position + 1] == '"':
            word.append('"')
            position += 1
        else:
            is_quoted = not is_quoted
    if is_quoted:
        raise RequestSyntaxError('A quote (") is not closed.')
    return words if word is None else [*words, "".join(word)]
