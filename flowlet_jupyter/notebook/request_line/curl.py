"""A curl command as API documentation and browsers offer it to copy, read as a request. Pure."""

from __future__ import annotations

import re

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.cmd_shell import is_for_cmd, read_cmd
from flowlet_jupyter.notebook.request_line.curl_body import CurlCommand, put_body
from flowlet_jupyter.notebook.request_line.curl_options import (
    set_output,
    set_url,
    single_flags,
    split_option,
    take_flag,
    take_option,
)
from flowlet_jupyter.notebook.request_line.shell import ASSIGNMENT, ShellCommand, read_shell
from flowlet_jupyter.notebook.request_line.spec import Draft, Template
from flowlet_jupyter.notebook.request_line.tokens import extract_references, quote_excerpt, template


def is_curl(text: str) -> bool:
    """Whether the text is a curl command."""
    while assignment := ASSIGNMENT.match(text):
        text = text[assignment.end() :]
    return bool(re.match(r"(?:\s*#[^\n]*\n)*\s*(?:[$%>]\s*)?(?:time\s+|sudo\s+)?curl(\.exe)?\s", text))


def read_curl(text: str, draft: Draft) -> None:
    """Take in the command. Raises `RequestSyntaxError`."""
    shell, expressions = read_words(text)

    def make(marked: str) -> Template:
        return template(marked, expressions)

    command = CurlCommand(draft, make)
    words = [piece for word in shell.words[1:] for piece in single_flags(word)]
    while words:
        word = words.pop(0)
        name, value = split_option(word)
        if not name:
            set_url(word, command)
        elif not take_flag(name, command):
            if value is None:
                if not words:
                    raise RequestSyntaxError(f"The curl option {quote_excerpt(name)} needs a value behind it.")
                value = words.pop(0)
            take_option(name, value, command)
    put_body(command)
    put_redirections(shell, command)


def read_words(text: str) -> tuple[ShellCommand, list[str]]:
    """The words of a command for a shell, and the expressions that marks in them stand for."""
    # comments and a prompt stand before the command where it was copied from documentation
    command = re.sub(r"\A(?:\s*#[^\n]*\n)*\s*(?:[$%>]\s+)?", "", text).strip()
    marked, expressions = extract_references(command)
    if is_for_cmd(marked):
        return ShellCommand(words=read_cmd(marked)), expressions
    # PowerShell's and cmd's ways to go on in the next line
    shell = read_shell(re.sub(r"(?<=\s)[\^`]\r?\n", " ", marked), expressions)
    if shell.words[:1] in (["time"], ["sudo"]):
        del shell.words[0]
    return shell, expressions


def put_redirections(shell: ShellCommand, command: CurlCommand) -> None:
    """What stands behind `|` and `>`. Raises `RequestSyntaxError`."""
    if shell.piped is not None:
        _put_pipe(shell.piped, command.draft)
    if shell.output is not None:
        set_output(shell.output, command)


def _put_pipe(words: list[str], draft: Draft) -> None:
    """`| jq EXPR` as a selection, where it is a path."""
    arguments = [word for word in words[1:] if not re.fullmatch(r"-[rCMS]+|--raw-output", word)]
    if words[:1] == ["jq"] and arguments in ([], ["."]):
        return
    path = arguments[0] if words[:1] == ["jq"] and len(arguments) == 1 else ""
    # each name behind a dot: one that may also begin without would be cut in all ways, which takes exponential time
    if not re.fullmatch(r"\.(?:[A-Za-z_]\w*|\[\d*\])(?:\.[A-Za-z_]\w*|\.?\[\d*\])*", path) or "select" in draft.options:
        raise RequestSyntaxError(
            f"{quote_excerpt(' '.join(words))} behind | is not read. A path is (| jq .data[].id); "
            "else leave it out and use --select with JMESPath, or Python."
        )
    draft.options["select"] = path.replace(".[", "[").lstrip(".")
