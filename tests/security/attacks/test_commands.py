"""A command that a stranger wrote and a user pastes: it makes a request, and runs nothing."""

from __future__ import annotations

import contextlib
import time

import pytest

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.grammar import parse

RUNNING = [
    '__import__("os").system("id")',
    "open('/etc/passwd').read()",
    "(lambda: 1)()",
    "[print(each) for each in x]",
    "{each: f() for each in x}",
    "f'{print(1)}'",
    "(x := 5)",
    "x[print(1)]",
    "x[f():]",
    "-f()",
    "x if f() else x",
    "[*f()]",
    "'a' * 10 ** 9",
]
COMMANDS = {
    "curl": "curl 'https://a.example/{}'",
    "curl body": "curl https://a.example -d '{}'",
    "curl header": "curl https://a.example -H 'X-A: {}'",
    "curl, a prompt": "# from the docs\n$ curl https://a.example/{}",
    "curl, cmd": 'curl ^"https://a.example/{}^"',
    "wget": "wget 'https://a.example/{}'",
    "HTTPie": "http POST a.example x='{}'",
    "fetch": 'fetch("https://a.example/{}")',
    "PowerShell": "irm 'https://a.example/{}'",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_command_brings_python_along(command, attacked):
    for expression in RUNNING:
        text = command.replace("{}", f"{{{{ {expression} }}}}")
        with pytest.raises(RequestSyntaxError, match="would run Python"):
            parse("", text)
        if "\n" not in text:
            with pytest.raises(RequestSyntaxError, match="would run Python"):
                parse(text)  # a line magic's
    attacked(2 * len(RUNNING))


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("expression", ["x", "me['data'][-1].id", "x[1:2]"])
def test_a_command_may_name_values(command, expression):
    parse("", command.replace("{}", f"{{{{ {expression} }}}}"))


def test_the_line_and_the_file_are_the_users_own():
    assert parse("https://a.example/{{ f(x) }}").url.parts[1].source == "f(x)"
    assert parse("", "GET https://a.example/{{ f(x) }}").url.parts[1].source == "f(x)"


@pytest.mark.parametrize(
    "path",
    [".a" * 5000, f".{'a' * 28}", f".{'a' * 28}|length", "." + "[]" * 5000, f".a{'[0]' * 30}b!"],
    ids=lambda path: path[-9:],
)
def test_what_stands_behind_jq_is_read_in_time(path, attacked):
    started = time.process_time()
    with contextlib.suppress(RequestSyntaxError):
        parse("", f"curl https://a.example/ | jq '{path}'")
    with pytest.raises(RequestSyntaxError, match="is not read"):
        parse("", f"curl https://a.example/ | jq '{path}!'")
    assert time.process_time() - started < 1
    attacked(2)
