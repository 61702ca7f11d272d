"""Invoke-WebRequest and Invoke-RestMethod, as browsers and Postman copy them, read as a request. Pure: nothing is run."""

from __future__ import annotations

import re
from typing import Any

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.curl_body import FORM, CurlCommand, encoded
from flowlet_jupyter.notebook.request_line.curl_options import set_method, set_output, set_timeout, set_url
from flowlet_jupyter.notebook.request_line.powershell_values import PowerShellReader
from flowlet_jupyter.notebook.request_line.spec import Body, Draft
from flowlet_jupyter.notebook.request_line.tokens import extract_references, quote_excerpt, template

_CALL = r"(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)\b"
_START = re.compile(
    rf"(?:\s*#[^\n]*\n)*\s*(?:PS[^>\n]*>\s*)?(?:{_CALL}|\$\w+\s*=|\$\w+\.\w)",
    re.IGNORECASE,
)
_IGNORED_FLAGS = frozenset({"-usebasicparsing", "-disablekeepalive", "-verbose", "-allowunencryptedauthentication"})
_IGNORED_VALUES = frozenset({"-websession", "-sessionvariable", "-httpversion", "-erroraction", "-transferencoding"})
# what Chromium copies along, of HTTP/2's own
_PSEUDO_HEADERS = frozenset({"authority", "method", "path", "scheme"})


def is_powershell(text: str) -> bool:
    """Whether the text is a request of PowerShell."""
    return bool(_START.match(text))


def read_powershell(text: str, draft: Draft) -> None:
    """Take in the request. Raises `RequestSyntaxError`."""
    marked, expressions = extract_references(text) if "{{" in text else (text, [])
    marked = re.sub(r"^\s*PS[^>\n]*>\s*", "", marked)
    script = _Script(PowerShellReader(marked.replace("\r\n", "\n"), expressions))
    script.read()
    command = CurlCommand(draft, lambda piece: template(piece, expressions))
    _put(script, command)


class _Script:
    """The statements: what variables hold, and the parameters of the one request."""

    def __init__(self, reader: PowerShellReader) -> None:
        self.reader = reader
        self.parameters: dict[str, Any] = {}
        self.cookies: list[str] = []
        self.user_agent: str | None = None
        self._is_called = False

    def read(self) -> None:
        reader = self.reader
        while not reader.is_at_end():
            if reader.take(rf"\$\w+\s*=\s*(?={_CALL})|(?={_CALL})"):
                self._call()
            elif match := reader.take(r"\$(\w+)\s*=\s*New-Object\s+(?:\"[^\"\n]*\"|'[^'\n]*'|[^\n;]*)"):
                reader.variables[match[1].lower()] = {}
            elif match := reader.take(r"\$(\w+)\s*=\s*"):
                reader.variables[match[1].lower()] = reader.piped_value()
            elif reader.take(r"\$\w+\.UserAgent\s*=\s*"):
                self.user_agent = str(reader.value())
            elif reader.take(r"\$\w+\.Cookies\.Add\(\s*\(?\s*New-Object\s+System\.Net\.Cookie\s*(?=\()"):
                name, value, *_ = [*reader.arguments(), "", ""]
                self.cookies.append(f"{name}={value}")
                reader.take(r"\)?\s*\)")
            elif match := reader.take(r"\$(\w+)\.Add\s*(?=\()"):
                self._add(match[1], *[*reader.arguments(), "", ""][:2])
            elif match := reader.take(r"\$(\w+)\[(?=[\"'])"):
                name = reader.value()
                reader.expect(r"\]\s*=\s*", "] =")
                self._add(match[1], name, reader.value())
            elif self._is_called and reader.take(
                r"\$\w+(?:\.\w+)*(?:\s*\|\s*ConvertTo-Json[^\n;|]*)?(?=\s*[\n;]|\s*\Z)"
            ):
                pass  # the response is shown
            else:
                raise RequestSyntaxError(
                    f"{quote_excerpt(reader.rest(60))} of PowerShell is not read here. Leave it out."
                )

    def _add(self, variable: str, name: Any, value: Any) -> None:
        self.reader.variables.setdefault(variable.lower(), {})[str(name)] = value

    def _call(self) -> None:
        reader = self.reader
        if self._is_called:
            raise RequestSyntaxError("Only one request of PowerShell is read. Put each into a cell of its own.")
        self._is_called = True
        reader.take(_CALL)
        while not reader.is_at_end_of_statement():
            if reader.take(r"\|\s*(?:ConvertTo-Json|ConvertFrom-Json)\b[^\n;|]*"):
                continue
            if splatted := reader.take(r"@(\w+)"):
                table = reader.variables.get(splatted[1].lower())
                if not isinstance(table, dict):
                    raise RequestSyntaxError(f"@{splatted[1]} is no table that was assigned in front of the request.")
                self.parameters |= {f"-{key.lower()}": value for key, value in table.items()}
                continue
            name = reader.take(r"-[A-Za-z]+:?")
            if name is None:
                self.parameters.setdefault("-uri", reader.value())
                continue
            key = name[0].rstrip(":").lower()
            if key in _IGNORED_FLAGS:
                continue
            self.parameters[key] = True if key == "-skipcertificatecheck" else reader.value()


def _put(script: _Script, command: CurlCommand) -> None:
    draft, parameters = command.draft, dict(script.parameters)
    url = parameters.pop("-uri", None)
    if not isinstance(url, str):
        raise RequestSyntaxError("There is no URL in the command: -Uri 'https://…'.")
    set_url(url, command)
    set_method(str(parameters.pop("-method", "Get")), command)
    headers = parameters.pop("-headers", {})
    if not isinstance(headers, dict):
        raise RequestSyntaxError("The headers (-Headers) are read as @{ name = 'value' } or a variable that holds it.")
    names = {name.lower() for name in headers}
    unsent = _PSEUDO_HEADERS if names >= _PSEUDO_HEADERS else frozenset()
    pairs = [(name, value) for name, value in headers.items() if name.lower() not in unsent]
    if script.cookies:
        pairs.append(("Cookie", "; ".join(script.cookies)))
    agent = parameters.pop("-useragent", script.user_agent)
    if agent is not None:
        pairs.append(("User-Agent", agent))
    content_type = parameters.pop("-contenttype", None)
    if content_type is not None:
        pairs.append(("Content-Type", content_type))
    draft.headers += [(name, command.make(str(value))) for name, value in pairs]
    _put_body(parameters.pop("-body", None), command)
    _put_options(parameters, command)


def _put_body(body: Any, command: CurlCommand) -> None:
    """A table of fields is a form, and of a GET the query; a text is sent as it is."""
    if body is None:
        return
    draft = command.draft
    if isinstance(body, dict):
        text = "&".join(f"{encoded(str(name))}={encoded(str(value))}" for name, value in body.items())
        if draft.method == "GET":
            draft.query += [(str(name), command.make(str(value))) for name, value in body.items()]
            return
    elif isinstance(body, str):
        text = body
    else:
        raise RequestSyntaxError("The body (-Body) is read as a text, @{ name = 'value' } or … | ConvertTo-Json.")
    draft.body = Body("raw", pieces=(command.make(text),), media_type=FORM)


def _put_options(parameters: dict[str, Any], command: CurlCommand) -> None:
    options = command.draft.options
    for name, value in parameters.items():
        if name in _IGNORED_FLAGS:
            continue
        if name == "-outfile":
            set_output(str(value), command)
        elif name == "-timeoutsec":
            set_timeout(str(value), command)
        elif name == "-maximumredirection":
            if str(value) == "0":
                options.setdefault("follow", False)
        elif name == "-skipcertificatecheck":
            options.setdefault("insecure", True)
        elif name in {"-credential", "-token", "-authentication", "-usedefaultcredentials"}:
            raise RequestSyntaxError(
                f"{name} of PowerShell is not read here. Store the credential as a secret (%flowlet_secret --new), leave "
                f"{name} out, and name the secret: --secret NAME"
            )
        elif name not in _IGNORED_VALUES:
            raise RequestSyntaxError(
                f"The parameter {quote_excerpt(name)} of PowerShell is not known here. Leave it out."
            )
