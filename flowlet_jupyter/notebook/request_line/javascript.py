"""`fetch(…)` as browsers copy it and documentation writes it, read as a request. Pure: nothing is run."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.curl_body import FORM, encoded
from flowlet_jupyter.notebook.request_line.spec import Body, Draft
from flowlet_jupyter.notebook.request_line.tokens import extract_references, quote_excerpt, template

_START = re.compile(r"(?:\s*//[^\n]*\n)*\s*(?:(?:const|let|var)\s+[\w$]+\s*=\s*)?(?:await\s+)?fetch\s*\(")
_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_NAME = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*")
_WORDS = {"true": True, "false": False, "null": None, "undefined": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
_IGNORED = frozenset({"mode", "cache", "keepalive", "integrity", "priority", "referrerPolicy", "signal", "duplex"})


def is_fetch(text: str) -> bool:
    """Whether the text is a call of fetch."""
    return bool(_START.match(text))


def read_fetch(text: str, draft: Draft) -> None:
    """Take in the call. Raises `RequestSyntaxError`."""
    marked, expressions = extract_references(text) if "{{" in text else (text, [])
    reader = _Reader(marked, expressions)
    url, options = reader.call()
    if not isinstance(url, str) or not isinstance(options, dict):
        raise RequestSyntaxError("fetch takes a URL and an object of options: fetch('https://…', {…}).")
    draft.url = template(url, expressions)
    headers = _pairs(options.pop("headers", None) or {})
    if isinstance(referrer := options.pop("referrer", None), str) and "://" in referrer:
        headers.append(("Referer", referrer))
    draft.headers += [(name, template(value, expressions)) for name, value in headers]
    method, body = options.pop("method", None), options.pop("body", None)
    if method is not None:
        if not isinstance(method, str) or not method.isalpha():
            raise RequestSyntaxError("The method of fetch is a text.")
        draft.method = method.upper()
    if body is not None:
        draft.method = draft.method or "GET"  # as fetch, which then refuses the body
        draft.body = _body(body, expressions)
    _take_other(options, draft)


def _take_other(options: dict[str, Any], draft: Draft) -> None:
    if options.pop("redirect", "follow") != "follow":
        draft.options.setdefault("follow", False)
    if options.pop("credentials", None) == "include":
        draft.notes.append(
            "A browser adds its cookies to this request (credentials: include); they are not in the text, and are not "
            "sent from here. Name a secret instead: --secret NAME"
        )
    if unknown := sorted(set(options) - _IGNORED):
        raise RequestSyntaxError(f"The option {quote_excerpt(unknown[0])} of fetch is not known here. Leave it out.")


def _pairs(headers: Any) -> list[tuple[str, str]]:
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    if not isinstance(pairs, list) or not all(len(pair) == 2 for pair in pairs if isinstance(pair, list | tuple)):
        raise RequestSyntaxError("The headers of fetch are an object of names and texts.")
    return [(str(name), _text(value)) for name, value in pairs if value is not None]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise RequestSyntaxError("A header or parameter of fetch is a text or a number.")


class _Parameters(dict[str, Any]):
    """`new URLSearchParams({…})`."""


def _body(body: Any, expressions: list[str]) -> Body:
    if isinstance(body, _Parameters):
        text = "&".join(f"{quote(name, safe='')}={encoded(_text(value))}" for name, value in body.items())
        return Body("raw", pieces=(template(text, expressions),), media_type=f"{FORM};charset=UTF-8")
    if not isinstance(body, str):
        raise RequestSyntaxError("The body of fetch is a text, JSON.stringify({…}) or new URLSearchParams({…}).")
    # what a browser sends where no header says it (WHATWG Fetch, "extract a body")
    return Body("raw", pieces=(template(body, expressions),), media_type="text/plain;charset=UTF-8")


class _Reader:
    """Reads literals of JavaScript; `${name}` and a bare name become expressions."""

    def __init__(self, text: str, expressions: list[str]) -> None:
        self._text = text
        self._expressions = expressions
        self._position = 0

    def call(self) -> tuple[Any, Any]:
        start = _START.match(self._text)
        assert start is not None  # noqa: S101 - is_fetch was asked
        self._position = start.end()
        url: Any = self._value()
        options: Any = {}
        if self._next(","):
            options = {} if self._peek() == ")" else self._value()
            self._next(",")
        self._expect(")")
        self._next(";")
        if self._peek():
            raise RequestSyntaxError(
                f"Only fetch(…) itself is read. Leave out what stands behind it: {quote_excerpt(self._text[self._position :][:60])}"
            )
        return url, options

    def _peek(self) -> str:
        match = _SPACE.match(self._text, self._position)
        self._position = match.end() if match else self._position
        return self._text[self._position : self._position + 1]

    def _next(self, sign: str) -> bool:
        if self._peek() != sign:
            return False
        self._position += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._next(sign):
            rest = self._text[self._position :][:30]
            raise RequestSyntaxError(f"The JavaScript is not read here: {sign} is expected at {quote_excerpt(rest)}.")

    def _value(self) -> Any:
        value = self._single()
        while self._next("+"):
            other = self._single()
            if not isinstance(value, str) or isinstance(other, list | dict | bool) or other is None:
                raise RequestSyntaxError("Only texts are put together by + here.")
            value = value + (other if isinstance(other, str) else str(other))
        return value

    def _single(self) -> Any:
        sign = self._peek()
        if sign and sign in "\"'`":
            return self._string(sign)
        if sign == "{":
            return self._object()
        if sign == "[":
            return self._array()
        if sign == "\0":
            match = re.compile("\0\\d+\0").match(self._text, self._position)
            if match:
                self._position = match.end()
                return match[0]
        if number := _NUMBER.match(self._text, self._position):
            self._position = number.end()
            return json.loads(number[0])
        return self._named()

    def _named(self) -> Any:
        match = _NAME.match(self._text, self._position)
        if not match:
            rest = self._text[self._position :][:30]
            raise RequestSyntaxError(
                f"The JavaScript is not read here: {quote_excerpt(rest)}. Write {{{{ name }}}} for a value."
            )
        self._position = match.end()
        name = match[0]
        if name in _WORDS:
            return _WORDS[name]
        if name == "new":
            self._peek()
            return self._made()
        if name == "JSON.stringify":
            self._expect("(")
            value = self._value()
            self._expect(")")
            return _as_json(value)
        if "." in name or self._peek() == "(":
            raise RequestSyntaxError(
                f"{quote_excerpt(name)} is not run here. Compute it in Python and write {{{{ name }}}} for it."
            )
        return self._expression(name)

    def _made(self) -> Any:
        match = re.compile(r"(Headers|URLSearchParams|URL)\s*\(").match(self._text, self._position)
        if not match:
            raise RequestSyntaxError(
                "Of new …() only URLSearchParams, Headers and URL are read. Write items: key=value."
            )
        self._position = match.end()
        value = self._value()
        self._expect(")")
        return _Parameters(value) if match[1] == "URLSearchParams" and isinstance(value, dict) else value

    def _expression(self, source: str) -> str:
        self._expressions.append(source)
        return f"\0{len(self._expressions) - 1}\0"

    def _object(self) -> dict[str, Any]:
        self._expect("{")
        members: dict[str, Any] = {}
        while not self._next("}"):
            sign = self._peek()
            key: Any = self._string(sign) if sign and sign in "\"'" else self._key()
            self._expect(":")
            members[key] = self._value()
            if not self._next(","):
                self._expect("}")
                break
        return members

    def _key(self) -> str:
        match = re.compile(r"[\w$]+").match(self._text, self._position)
        if not match:
            self._expect("}")
        assert match is not None  # noqa: S101 - else it was raised
        self._position = match.end()
        return match[0]

    def _array(self) -> list[Any]:
        self._expect("[")
        entries: list[Any] = []
        while not self._next("]"):
            entries.append(self._value())
            if not self._next(","):
                self._expect("]")
                break
        return entries

    def _string(self, quote_sign: str) -> str:
        text = self._text
        self._position += 1
        units: list[str] = []
        while self._position < len(text):
            character = text[self._position]
            self._position += 1
            if character == quote_sign:
                return "".join(units).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            if character == "\\":
                units.append(self._escape())
            elif quote_sign == "`" and text.startswith("${", self._position - 1):
                units.append(self._placeholder())
            elif character == "\n" and quote_sign != "`":
                break
            else:
                units.append(character)
        raise RequestSyntaxError(f"A text of the JavaScript is not closed by {quote_sign}.")

    def _placeholder(self) -> str:
        match = re.compile(r"\{\s*([A-Za-z_]\w*)\s*\}").match(self._text, self._position)
        if not match:
            raise RequestSyntaxError("${…} is read where a name stands in it. Compute the value in Python.")
        self._position = match.end()
        return self._expression(match[1])

    def _escape(self) -> str:
        match = re.compile(r"u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(\r?\n)|(.)", re.DOTALL).match(
            self._text, self._position
        )
        if not match:
            raise RequestSyntaxError("A text of the JavaScript ends in a backslash.")
        self._position = match.end()
        code = match[1] or match[2] or match[3]
        if code:
            number = int(code, 16)
            if not 0 < number <= 0x10FFFF:
                raise RequestSyntaxError("A text of the JavaScript holds an escape that stands for no character.")
            return chr(number)
        if match[4]:
            return ""
        if match[5] == "0":
            raise RequestSyntaxError("The request holds a NUL character.")
        return _ESCAPES.get(match[5], match[5])


def _as_json(value: Any) -> str:
    """As JSON.stringify writes it; an expression that is a value of its own is not a text."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return re.sub(r'"\\u0000(\d+)\\u0000"', "\0\\1\0", written).replace("\\u0000", "\0")
