"""`jupyter flowlet` in a terminal: what a person is asked, how a command ends, and what is drawn."""

from __future__ import annotations

import subprocess
import sys

import pexpect
import pytest
from support import birdsong_secret

import flowlet_jupyter as flowlet
from flowlet_jupyter.cli import main
from flowlet_jupyter.vault import default_vault

ADD = ["add", "x", "--provider", "spotify"]
READY = r"Connect what.*\?25h"  # the cursor is shown when the prompt reads
PROGRAM = "import sys; from flowlet_jupyter.cli import main; sys.exit(main())"


@pytest.fixture
def spawn(isolated, monkeypatch):
    monkeypatch.setenv("PROMPT_TOOLKIT_NO_CPR", "1")
    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", "free")
    started = []

    def start(*arguments: str) -> pexpect.spawn:
        shell = pexpect.spawn(
            sys.executable,
            ["-c", PROGRAM, *arguments],
            timeout=30,
            encoding="utf-8",
            dimensions=(40, 160),
            cwd=isolated,
        )
        started.append(shell)
        return shell

    yield start
    for shell in started:
        shell.close(force=True)


# what is asked, what is answered to go on, and whether anything is read there whose input could end
QUESTIONS = {
    "search": (["add"], "Connect what", None, True),
    "client id": (ADD, "Client ID: ", None, True),
    "client secret": (ADD, "Client ID: ", "id", True),
    "password": (["add", "x", "--type", "password", "--host", "a.example"], "Password: ", None, True),
    "paste": (["authorize", "twitter", "--paste"], "Address: ", None, True),
    "waiting": (["authorize", "twitter"], "waiting for authorization", None, False),
    "page": (["page"], "To stop", None, False),
}
ENDINGS = [
    pytest.param(*given[:3], ending, id=f"{name}-{ending}")
    for name, given in QUESTIONS.items()
    for ending in ("end of input", "interrupt")
    if given[3] or ending == "interrupt"
]


@pytest.mark.parametrize(("arguments", "question", "response", "ending"), ENDINGS)
def test_a_command_ends_cleanly_at_each_question(  # noqa: PLR0917 - pytest gives them by name
    spawn, birdsong, arguments, question, response, ending
):
    flowlet.secrets.add(birdsong_secret(birdsong, "http://127.0.0.1/flowlet/callback"))
    shell = spawn(*arguments)
    shell.expect(question)
    if response is not None:
        shell.sendline(response)
        shell.expect("Client secret.*: ")
    (shell.sendeof if ending == "end of input" else shell.sendintr)()
    shell.expect(pexpect.EOF)
    output = shell.before
    shell.close()
    assert "Traceback" not in output
    assert shell.exitstatus == (1 if ending == "end of input" else 130), output
    assert default_vault().names() == ["twitter"]


def test_a_person_is_walked_from_the_search_to_the_secret(spawn):
    shell = spawn("add")
    shell.expect(READY)
    shell.send("githb\r")
    shell.expect("Did you mean 'GitHub'")
    shell.expect(READY)
    shell.send("mastodon\r")
    shell.expect("Name.*mastodon.*: ")
    shell.sendline("")
    shell.expect("Host.*such as mastodon.social.*: ")
    shell.sendline("not a host")
    shell.expect("Host.*: ")
    shell.sendline("social.example")
    shell.expect("Scope.*read.*: ")
    shell.sendline("")
    shell.expect("Client ID: ")
    shell.sendline("my-id")
    shell.expect("Client secret.*: ")
    shell.sendline("canary-9d71")
    shell.expect("Request an access token now")
    shell.sendline("n")
    shell.expect(pexpect.EOF)
    assert "canary-9d71" not in shell.before
    secret = default_vault().get("mastodon").secret
    assert (secret.client_id, secret.allowed_hosts) == ("my-id", ("social.example",))


def test_a_list_is_drawn_in_a_terminal_and_plain_in_a_pipe(spawn, birdsong, capsys, monkeypatch):
    flowlet.secrets.add(birdsong_secret(birdsong, "http://127.0.0.1/flowlet/callback"))
    monkeypatch.setenv("NO_COLOR", "1")
    shell = spawn("list")
    shell.expect(pexpect.EOF)
    assert "─" in shell.before
    assert "\x1b[3" not in shell.before
    assert main(["list"]) == 0
    assert "─" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["lst"], "'list'"),
        (["status", "twiter"], "'twitter'"),
        (["status", "twitter", "--aks"], "--ask"),
        (["add", "x", "--provider", "gihub"], "'github'"),
        (["add", "x", "--set", "client_idd=i", "--set", "token_endpoint=https://a.example/t"], "'client_id'"),
        (["providers", "spotifi"], "'Spotify'"),
    ],
    ids=["command", "secret", "option", "provider", "field", "search"],
)
def test_what_was_meant_is_suggested(birdsong, capsys, arguments, meant):
    flowlet.secrets.add(birdsong_secret(birdsong, "http://127.0.0.1/flowlet/callback"))
    assert main(arguments) == 1
    assert f"Did you mean {meant}?" in capsys.readouterr().err


def test_a_reader_that_has_enough_is_no_error():
    command = [sys.executable, "-c", PROGRAM, "providers"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == ""
