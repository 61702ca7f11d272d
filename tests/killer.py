"""Forks a process for each thing to do with a vault, and kills it -9 before a step that is named by its number.

A step is whatever touches a file of the vault, a lock or the network: what CPython reports to an audit hook, and each
fsync before and after. Nobody lists them, so new code has its steps by itself.

Run as a program, it reads lines of JSON, `[action, step, folder]`, and answers with `[was_killed, steps, outcome]`; step
0 kills nothing, and `steps` are those that were passed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

_EVENTS = frozenset({
    "open", "os.rename", "os.remove", "os.mkdir", "os.chmod", "os.truncate", "os.link", "tempfile.mkstemp",
    "fcntl.flock", "socket.connect",
})  # fmt: skip
_ANYWHERE = frozenset({"fcntl.flock", "socket.connect"})


def actions() -> dict:
    """What can be done with a vault, by its name."""
    from flowlet_jupyter.model.secret import Password, Record
    from flowlet_jupyter.oauth import authorization_code, pending, token_endpoint  # noqa: F401 - before the fork
    from flowlet_jupyter.oauth.refresh import refresh_once, wait_for
    from flowlet_jupyter.vault import key_rotation

    def password(name: str, value: str) -> Record:
        return Record(secret=Password(name=name, password=value, allowed_hosts=("a.example",)))

    def flow(vault, *, claim: bool) -> None:
        made = authorization_code.new_flow("api", redirect_uri="http://127.0.0.1/", now=time.time())
        pending.remember_flow(vault, made)
        if claim:
            assert pending.find_flow(vault, made.state.reveal(), now=time.time())
            assert pending.claim_flow(vault, made.state.reveal())

    return {
        "refresh": lambda vault: wait_for(refresh_once(vault, "api", stale=None, patience=0)),
        "edit": lambda vault: vault.put(password("other", "new")),
        "first secret": lambda vault: vault.put(password("first", "new")),
        "delete": lambda vault: vault.delete("other"),
        "flow": lambda vault: flow(vault, claim=True),
        "rotate-key": key_rotation.rotate_key,
    }


def kill_at(step: int, folder: str) -> Callable[[], int]:
    """Kill this process before the step of that number (0: never); what is returned says how many were passed."""
    passed = 0

    def next_step() -> None:
        nonlocal passed
        passed += 1
        if passed == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, details: tuple) -> None:
        if event in _EVENTS and (event in _ANYWHERE or folder in str(details)):
            next_step()

    real = os.fsync

    def fsync(descriptor: int) -> None:
        next_step()
        real(descriptor)
        next_step()

    os.fsync = fsync
    sys.addaudithook(hook)
    return lambda: passed


def _act(act, step: int, folder: str) -> int:
    from flowlet_jupyter.vault import Vault

    vault = Vault(Path(folder, "vault"), environment={})
    passed = kill_at(step, folder)
    act(vault)
    return passed()


def main() -> None:
    """Answer the lines of the standard input."""
    known = actions()
    print("ready", flush=True)
    for line in sys.stdin:
        action, step, folder = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                outcome = [_act(known[action], step, folder), ""]
            except BaseException as error:
                outcome = [0, f"{type(error).__name__}: {error}"]
            os.write(writing, json.dumps(outcome).encode())
            os._exit(0)
        os.close(writing)
        result = b"".join(iter(lambda reading=reading: os.read(reading, 65536), b""))
        os.close(reading)
        _, status = os.waitpid(child, 0)
        was_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(json.dumps([was_killed, *(json.loads(result) if result else (step, ""))]), flush=True)


class Killer:
    """The running program."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout.readline() == "ready\n"
        return self

    def act(self, action: str, step: int, folder: Path) -> tuple[bool, int]:
        """Do `action`, killed at `step`; whether it was, and how many steps it passed."""
        self._process.stdin.write(json.dumps([action, step, str(folder)]) + "\n")
        self._process.stdin.flush()
        was_killed, steps, problem = json.loads(self._process.stdout.readline())
        assert not problem, problem
        return was_killed, steps

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(30)


if __name__ == "__main__":
    main()
