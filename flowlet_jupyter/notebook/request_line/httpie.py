"""An HTTPie command (`http`, `https`), read as a request; its items are ours. Pure."""

from __future__ import annotations

import re

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.curl import put_redirections, read_words
from flowlet_jupyter.notebook.request_line.curl_body import CurlCommand
from flowlet_jupyter.notebook.request_line.curl_options import set_output, set_timeout
from flowlet_jupyter.notebook.request_line.items import read_item
from flowlet_jupyter.notebook.request_line.pasted_credentials import user_and_password
from flowlet_jupyter.notebook.request_line.spec import Body, Draft, Template
from flowlet_jupyter.notebook.request_line.tokens import quote_excerpt, template

_IGNORED = frozenset({
    "-j", "--json", "-b", "--body", "-h", "--headers", "-v", "--verbose", "-q", "--quiet", "-I", "--ignore-stdin",
    "--check-status", "-S", "--stream", "-d", "--download", "--pretty", "--print", "-p", "-s", "--style", "--unsorted",
    "--sorted", "-m", "--meta", "--all", "--path-as-is", "--offline",
})  # fmt: skip
_WITH_VALUE = frozenset({
    "-a", "--auth", "-A", "--auth-type", "-o", "--output", "--timeout", "--raw", "--verify", "--pretty", "--print", "-p",
    "-s", "--style", "--session", "--boundary", "--max-redirects", "--format-options", "--default-scheme",
})  # fmt: skip


def is_httpie(text: str) -> bool:
    """Whether the text is an HTTPie command."""
    return bool(re.match(r"(?:\s*#[^\n]*\n)*\s*(?:[$%>]\s+)?https?\s+\S", text))


def read_httpie(text: str, draft: Draft) -> None:
    """Take in the command. Raises `RequestSyntaxError`."""
    shell, expressions = read_words(text)

    def make(marked: str) -> Template:
        return template(marked, expressions)

    command = CurlCommand(draft, make)
    scheme = shell.words[0]
    options: dict[str, str] = {}
    items: list[str] = []
    words = shell.words[1:]
    while words:
        word = words.pop(0)
        if not word.startswith("-") or word == "-":
            items.append(word)
            continue
        name, has_value, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if name in _WITH_VALUE:
            if not has_value and not words:
                raise RequestSyntaxError(f"The HTTPie option {quote_excerpt(name)} needs a value behind it.")
            options[name] = value if has_value else words.pop(0)
        else:
            _take_flag(name, draft)
    _put_options(options, command)
    _put_items(items, scheme, command)
    put_redirections(shell, command)


def _take_flag(name: str, draft: Draft) -> None:
    if name in {"-f", "--form", "--multipart"}:
        draft.as_form = True
    elif name in {"-F", "--follow"}:
        draft.options.setdefault("follow", True)
    elif name not in _IGNORED:
        raise RequestSyntaxError(f"The HTTPie option {quote_excerpt(name)} is not known here. Leave it out.")


def _put_options(options: dict[str, str], command: CurlCommand) -> None:
    draft = command.draft
    credential = options.get("--auth", options.get("-a"))
    if credential is not None:
        kind = options.get("--auth-type", options.get("-A", "basic"))
        if kind == "bearer":
            draft.headers.append(("Authorization", command.make(f"Bearer {credential}")))
        else:
            draft.left_out.append(user_and_password(credential, "-a"))
    if options.get("--verify", "yes").lower() in {"no", "false"}:
        draft.options.setdefault("insecure", True)
    if "--timeout" in options:
        set_timeout(options["--timeout"], command)
    if output := options.get("--output", options.get("-o")):
        set_output(output, command)
    if "--raw" in options:
        draft.body = Body("auto", text=command.make(options["--raw"]))


def _put_items(items: list[str], scheme: str, command: CurlCommand) -> None:
    draft = command.draft
    if items and re.fullmatch(r"[A-Za-z]+", items[0]) and len(items) > 1:
        draft.method = items.pop(0).upper()
    if not items:
        raise RequestSyntaxError("There is no URL in the command.")
    url = items.pop(0)
    if re.match(r":(?:\d+)?(?:/|$)", url):  # HTTPie's short form of this machine
        url = f"localhost{url if url[1:2].isdigit() else url[1:]}"
    draft.url = command.make(url if "://" in url or url.startswith("\0") else f"{scheme}://{url}")
    for item in items:
        read_item(item, draft, command.make)
