"""A wget command as Postman and documentation write it, read as a request. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.curl import put_redirections, read_words
from flowlet_jupyter.notebook.request_line.curl_body import CurlCommand, add_data, file_name, put_body
from flowlet_jupyter.notebook.request_line.curl_options import set_header, set_method, set_output, set_timeout, set_url
from flowlet_jupyter.notebook.request_line.pasted_credentials import user_and_password
from flowlet_jupyter.notebook.request_line.spec import Draft, FileText, Template
from flowlet_jupyter.notebook.request_line.tokens import quote_excerpt, template

_IGNORED = frozenset({
    "-q", "--quiet", "-nv", "--no-verbose", "-v", "--verbose", "--content-on-error", "--auth-no-challenge", "-nc", "-c",
    "--show-progress", "--no-cache", "--https-only",
})  # fmt: skip


def is_wget(text: str) -> bool:
    """Whether the text is a wget command."""
    return bool(re.match(r"(?:\s*#[^\n]*\n)*\s*(?:[$%>]\s*)?wget(\.exe)?\s", text))


def read_wget(text: str, draft: Draft) -> None:
    """Take in the command. Raises `RequestSyntaxError`."""
    shell, expressions = read_words(text)

    def make(marked: str) -> Template:
        return template(marked, expressions)

    command = CurlCommand(draft, make)
    words = [piece for word in shell.words[1:] for piece in _separate(word)]
    user = password = None
    while words:
        word = words.pop(0)
        name, has_value, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if not word.startswith("-") or word == "-":
            set_url(word if "://" in word or "\0" in word else f"http://{word}", command)
        elif not _take_flag(name, draft):
            if not has_value and not words:
                raise RequestSyntaxError(f"The wget option {quote_excerpt(name)} needs a value behind it.")
            value = value if has_value else words.pop(0)
            if name in {"--user", "--http-user"}:
                user = value
            elif name in {"--password", "--http-password"}:
                password = value
            elif name not in _TAKERS:
                raise RequestSyntaxError(f"The wget option {quote_excerpt(name)} is not known here. Leave it out.")
            else:
                _TAKERS[name](value, command)
    if user is not None or password is not None:
        draft.left_out.append(user_and_password(f"{user or ''}:{password or ''}", "--user, --password"))
    put_body(command)
    put_redirections(shell, command)


def _separate(word: str) -> list[str]:
    """`-qO-` as `-q`, `-O` and `-`."""
    match = re.fullmatch(r"-(q|nv)?([OUTt])(.*)", word, re.DOTALL)
    if not match:
        return [word]
    return [*([f"-{match[1]}"] if match[1] else []), f"-{match[2]}", *([match[3]] if match[3] else [])]


def _take_flag(name: str, draft: Draft) -> bool:
    if name == "--no-check-certificate":
        draft.options.setdefault("insecure", True)
    elif name in {"-S", "--server-response"}:
        draft.options.setdefault("show_headers", True)
    elif name == "--spider":
        draft.method = "HEAD"
    elif name not in _IGNORED:
        return False
    return True


def _file(value: str, command: CurlCommand) -> None:
    command.data.append(("", FileText(file_name(value))))


def _redirects(value: str, command: CurlCommand) -> None:
    if value == "0":
        command.draft.options.setdefault("follow", False)


def _ignored(value: str, command: CurlCommand) -> None:
    """Tries and the like are the request's own."""


_TAKERS: dict[str, Callable[[str, CurlCommand], None]] = {
    "--header": set_header, "--method": set_method, "-O": set_output, "--output-document": set_output,
    "--post-data": lambda value, command: add_data("--data-raw", value, command),
    "--body-data": lambda value, command: add_data("--data-raw", value, command),
    "--post-file": _file, "--body-file": _file, "-T": set_timeout, "--timeout": set_timeout,
    "--max-redirect": _redirects, "-t": _ignored, "--tries": _ignored, "--progress": _ignored, "-o": _ignored,
    "-U": lambda value, command: set_header(f"User-Agent: {value}", command),
    "--user-agent": lambda value, command: set_header(f"User-Agent: {value}", command),
    "--referer": lambda value, command: set_header(f"Referer: {value}", command),
}  # fmt: skip
