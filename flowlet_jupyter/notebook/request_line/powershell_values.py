"""Values of PowerShell: texts, tables, lists and variables, as they stand in a copied request. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.tokens import quote_excerpt

# a backtick at the end of a line goes on in the next
_SPACE = re.compile(r"(?:[ \t]|`\n|#[^\n]*)*")
_BLANK = re.compile(r"(?:[ \t\n;]|`\n|#[^\n]*)*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
_WORDS = {"true": True, "false": False, "null": None}


class PowerShellReader:
    """Reads values from the text, with the variables that were assigned; another `$name` becomes an expression."""

    def __init__(self, text: str, expressions: list[str]) -> None:
        self._text = text
        self._expressions = expressions
        self._position = 0
        self.variables: dict[str, Any] = {}

    def is_at_end(self) -> bool:
        """Whether nothing is left, but for spaces, comments and line breaks."""
        self._skip(_BLANK)
        return self._position >= len(self._text)

    def is_at_end_of_statement(self) -> bool:
        """Whether the line, or the text, ends here."""
        self._skip(_SPACE)
        return self._position >= len(self._text) or self._text[self._position] in "\n;"

    def rest(self, length: int) -> str:
        """What comes next, for a message."""
        return self._text[self._position :][:length]

    def take(self, pattern: str) -> re.Match[str] | None:
        """Go behind what matches here, in whatever case."""
        self._skip(_SPACE)
        match = re.compile(pattern, re.IGNORECASE).match(self._text, self._position)
        if match:
            self._position = match.end()
        return match

    def expect(self, pattern: str, name: str) -> None:
        """Go behind what must stand here. Raises `RequestSyntaxError`."""
        if not self.take(pattern):
            raise RequestSyntaxError(
                f"The PowerShell is not read here: {name} is expected at {quote_excerpt(self.rest(30))}."
            )

    def arguments(self) -> list[Any]:
        """The values of `(a, b)`."""
        self.expect(r"\(\s*", "(")
        values: list[Any] = []
        while not self.take(r"\s*\)"):
            values.append(self.value())
            self.take(r"\s*,\s*")
            if self.is_at_end():
                self.expect(r"\)", ")")
        return values

    def piped_value(self) -> Any:
        """The value that stands next, with `| ConvertTo-Json` behind it. Raises `RequestSyntaxError`."""
        value = self.value()
        while match := self.take(r"\|\s*ConvertTo-Json\b([^\n;|)]*)"):
            value = _as_json(value, is_short="-compress" in match[1].lower())
        return value

    def value(self) -> Any:
        """The value that stands next. Raises `RequestSyntaxError`."""
        self._skip(_SPACE)
        for start, read in (
            ('@"', self._here_string), ("@'", self._literal_here_string), ("@{", self._table), ("@(", self._list),
            ('"', self._double), ("'", self._literal),
        ):  # fmt: skip
            if self._text.startswith(start, self._position):
                return read()
        if self.take(r"\[(?:System\.)?Text\.Encoding\]::UTF8\.GetBytes(?=\()"):
            return next(iter(self.arguments()), "")
        if self.take(r"\(\s*"):
            value = self.piped_value()
            self.expect(r"\s*\)", ")")
            return value
        return self._plain()

    def _list(self) -> list[Any]:
        self._position += 1
        return self.arguments()

    def _literal(self) -> str:
        match = self.take(r"'((?:[^']|'')*)'")
        if not match:
            raise RequestSyntaxError("A text (') of the PowerShell is not closed.")
        return match[1].replace("''", "'")

    def _plain(self) -> Any:
        if self.take(r"\[(?:string|ordered|int|hashtable)\]"):
            return self.value()
        if match := self.take(r"\$(\w+)(?![\w:.\[(])"):
            return self._variable(match[1])
        if match := self.take(r"-?\d+(?:\.\d+)?(?=[\s;,)}]|\Z)"):
            return json.loads(match[0])
        if match := self.take(r"[^\s\"'$@(){};,|`]+"):
            return match[0]
        raise RequestSyntaxError(
            f"{quote_excerpt(self.rest(40))} of PowerShell is not read here. Compute it in Python and write {{{{ name }}}} for it."
        )

    def _variable(self, name: str) -> Any:
        if name.lower() in _WORDS:
            return _WORDS[name.lower()]
        if name.lower() in self.variables:
            return self.variables[name.lower()]
        self._expressions.append(name)
        return f"\0{len(self._expressions) - 1}\0"

    def _here_string(self) -> str:
        text = self._between(r"@\"[ \t]*\n(.*?)\n\"@")
        text = re.sub(r'`.|"', lambda match: '""' if match[0] == '"' else match[0], text, flags=re.DOTALL)
        inner = PowerShellReader(f'"{text}"', self._expressions)
        inner.variables = self.variables
        return str(inner.value())

    def _literal_here_string(self) -> str:
        return self._between(r"@'[ \t]*\n(.*?)\n'@")

    def _between(self, pattern: str) -> str:
        match = re.compile(pattern, re.DOTALL).match(self._text, self._position)
        if not match:
            raise RequestSyntaxError('A text (@") of the PowerShell is not closed by "@ on a line of its own.')
        self._position = match.end()
        return match[1]

    def _table(self) -> dict[str, Any]:
        self._position += 2
        members: dict[str, Any] = {}
        while not self.take(r"[\s;]*\}"):
            if self.is_at_end():
                self.expect(r"\}", "}")
            quoted = self._text[self._position : self._position + 1] in {'"', "'"}
            name = self.value() if quoted else self._name()
            self.expect(r"\s*=\s*", "=")
            members[str(name)] = self.value()
        return members

    def _name(self) -> str:
        match = self.take(r"[\w-]+")
        if not match:
            self.expect(r"\}", "}")
        assert match is not None  # noqa: S101 - else it was raised
        return match[0]

    def _double(self) -> str:
        text = self._text
        pieces: list[str] = []
        self._position += 1
        while self._position < len(text):
            character = text[self._position]
            self._position += 1
            following = text[self._position : self._position + 1]
            if character == '"' and following != '"':
                return "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            if character == '"':
                pieces.append('"')
                self._position += 1
            elif character == "`":
                pieces.append(_ESCAPES.get(following, following))
                self._position += 1
            elif character == "$" and (following.isalnum() or following in {"_", "(", "{"}) and following:
                pieces.append(self._embedded())
            else:
                pieces.append(character)
        raise RequestSyntaxError('A text (") of the PowerShell is not closed.')

    def _embedded(self) -> str:
        match = re.compile(r"\(\[char\](\d{1,7})\)|\{(\w+)\}|(\w+)(?!\w*:\w)|\(\$(\w+)\)", re.IGNORECASE).match(
            self._text, self._position
        )
        if not match:
            raise RequestSyntaxError(
                "$(…) and $env:… of PowerShell are not read here. Compute the value in Python and write {{ name }} for it."
            )
        self._position = match.end()
        if match[1]:
            if not 0 < int(match[1]) <= 0x10FFFF:
                raise RequestSyntaxError("[char] stands for no character.")
            return chr(int(match[1]))
        value = self._variable(match[2] or match[3] or match[4])
        if isinstance(value, dict | list):
            raise RequestSyntaxError("A table of PowerShell stands within a text.")
        return "" if value is None else str(value)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._position)
        if match:
            self._position = match.end()


def _as_json(value: Any, *, is_short: bool) -> str:
    separators = (",", ":") if is_short else (", ", ": ")
    written = json.dumps(value, ensure_ascii=False, separators=separators)
    return re.sub(r'"\\u0000(\d+)\\u0000"', "\0\\1\0", written).replace("\\u0000", "\0")
