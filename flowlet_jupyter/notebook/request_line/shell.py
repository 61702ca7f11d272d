"""A pasted shell command, read as bash reads it: quotes, `$'…'`, comments, variables, a pipe, a redirection. Pure.

What bash would do and this module cannot (`$(…)`, `&&`, globs of braces) is an error, never taken literally.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from flowlet_jupyter.errors import RequestSyntaxError

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", re.ASCII)
_PARAMETER = re.compile(r"\$(?:[\w{(@*#?$!-]|\\\r?\n)", re.ASCII)  # a shell joins `$`, a line's end and a name
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}
_CODE = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})")


@dataclass
class ShellCommand:
    """The words of the command, those of the command behind a pipe, and the file that takes the output."""

    words: list[str] = field(default_factory=list)
    piped: list[str] | None = None
    output: str | None = None


ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)=('[^']*'|\"[^\"$`\\]*\"|[^\s;'\"$`\\&|<>()]*)[ \t]*(?:;|\n)")


def read_shell(marked: str, expressions: list[str]) -> ShellCommand:
    """The command of `marked`; `$NAME` becomes an expression, appended to `expressions`, unless it is assigned in front.

    Raises `RequestSyntaxError`.
    """
    variables: dict[str, str] = {}
    while assignment := ASSIGNMENT.match(marked):
        variables[assignment[1]] = assignment[2].strip("'\"")
        marked = marked[assignment.end() :]
    return _Reader(marked.lstrip(), expressions, variables).command()


class _Reader:
    def __init__(self, text: str, expressions: list[str], variables: dict[str, str]) -> None:
        self._text = text
        self._variables = variables
        self._expressions = expressions
        self._position = 0

    def command(self) -> ShellCommand:
        command = ShellCommand()
        words = command.words
        while (operator := self._skip()) is not None:
            if operator == "|":
                if command.piped is not None:
                    raise RequestSyntaxError("Only one pipe is read: | jq PATH. Leave the others out.")
                words = command.piped = []
            elif operator == ">":
                command.output = self._target()
            elif operator == "end":
                continue
            else:
                words.append(self._word())
        return command

    def _skip(self) -> str | None:
        """What stands next: "word", an operator, or None at the end."""
        text = self._text
        while self._position < len(text):
            rest = text[self._position :]
            if (
                (match := re.match(r"[ \t\r]+|\\\r?\n|\n\s*(?=\Z)|#[^\n]*", rest))
                or (match := re.match(r"2>\s*(?:/dev/null|&1)", rest))
                or (match := re.match(r";\s*\Z", rest))
            ):
                self._position += match.end()
            elif rest.startswith("|") and not rest.startswith("||"):
                self._position += 1
                return "|"
            elif rest.startswith(">") and not rest.startswith((">>", ">&", ">(", ">|")):
                self._position += 1
                return ">"
            elif rest[0] == "\n" and re.match(r"\n\s*#", rest):
                self._position += 1
            elif rest[0] in "&;|<>()\n":
                raise RequestSyntaxError(_why_not(rest))
            else:
                return "word"
        return None

    def _target(self) -> str:
        if self._skip() != "word":
            raise RequestSyntaxError("Behind > stands the name of a file.")
        return self._word()

    def _word(self) -> str:
        text = self._text
        pieces: list[str] = []
        while self._position < len(text) and text[self._position] not in " \t\r\n|&;<>()":
            character = text[self._position]
            if text.startswith("$'", self._position):
                pieces.append(self._ansi())
            elif text.startswith('$"', self._position):
                self._position += 1
            elif character == "'":
                end = text.find("'", self._position + 1)
                if end < 0:
                    raise RequestSyntaxError("A quote (') is not closed.")
                pieces.append(text[self._position + 1 : end])
                self._position = end + 1
            elif character == '"':
                pieces.append(self._double())
            elif character == "\\":
                following = text[self._position + 1 : self._position + 2]
                skipped = 3 if text.startswith("\\\r\n", self._position) else 2
                pieces.append("" if following in {"\n", "\r"} else following)
                self._position += skipped
            elif character in "$`":
                pieces.append(self._variable())
            else:
                pieces.append(character)
                self._position += 1
        return "".join(pieces)

    def _double(self) -> str:
        text = self._text
        pieces: list[str] = []
        self._position += 1
        while self._position < len(text):
            character = text[self._position]
            if character == '"':
                self._position += 1
                return "".join(pieces)
            following = text[self._position + 1 : self._position + 2]
            if character == "\\" and following and following in '$`"\\\n':
                pieces.append("" if following == "\n" else following)
                self._position += 2
            elif character in "$`":
                pieces.append(self._variable())
            else:
                pieces.append(character)
                self._position += 1
        raise RequestSyntaxError('A quote (") is not closed.')

    def _variable(self) -> str:
        match = _VARIABLE.match(self._text, self._position)
        if not match or "_" in match.groups():  # `$_` is the last word of the command before
            if self._text[self._position] == "$" and not _PARAMETER.match(self._text, self._position):
                self._position += 1
                return "$"
            raise RequestSyntaxError(
                "The command uses what only a shell can do: `…`, $(…), ${…:-…} or $1. "
                "Compute the value in Python and write {{ name }} for it."
            )
        self._position = match.end()
        if (name := match[1] or match[2]) in self._variables:
            return self._variables[name]
        self._expressions.append(name)
        return f"\0{len(self._expressions) - 1}\0"

    def _ansi(self) -> str:
        text, encoded = self._text, bytearray()
        self._position += 2
        while self._position < len(text):
            character = text[self._position]
            self._position += 1
            if character == "'":
                return encoded.decode("utf-8", "surrogateescape")
            if character != "\\":
                encoded += character.encode("utf-8", "surrogatepass")
            elif match := _CODE.match(text, self._position):
                self._position = match.end()
                byte, short, long, octal = match.groups()
                number = int(byte or short or long or octal, 8 if octal else 16)
                if number == 0 or number > 0x10FFFF:
                    raise RequestSyntaxError("$'…' holds an escape that stands for no character.")
                encoded += bytes([number & 255]) if byte or octal else chr(number).encode("utf-8", "surrogatepass")
            else:
                following = text[self._position : self._position + 1]
                self._position += 1
                if following == "c":
                    raise RequestSyntaxError("$'…' with a control character (\\c) is not read.")
                known = following in _ESCAPES or following in "'\"?\\"
                encoded += (_ESCAPES.get(following, following) if known else f"\\{following}").encode()
        raise RequestSyntaxError("A quote ($') is not closed.")


def _why_not(rest: str) -> str:
    if rest.startswith("&") and not rest.startswith("&&"):
        return "A shell ends the command at &. Put the URL between quotes."
    sign = next((sign for sign in ("&&", "||", "<<", ">>") if rest.startswith(sign)), rest[0])
    shown = "another line" if sign == "\n" else sign
    return f"Only one command is read, and there is {shown} behind it. Put each command in a cell of its own."
