"""What one waits for before anything is sent: the command, the extension, the first request, the vault."""

from __future__ import annotations

import atexit
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial

from benchmarks.measure import Call, Report, medians, seconds
from benchmarks.request_overhead import store_secret
from benchmarks.server import running_api
from flowlet_jupyter.credentials.handles import Secrets
from flowlet_jupyter.vault import Vault, default_vault

_ROUNDS = 9
# an installed package has its bytecode; a checkout may not, and must not get it from here
_BYTECODE = tempfile.mkdtemp(prefix="flowlet-bytecode-")
atexit.register(shutil.rmtree, _BYTECODE, ignore_errors=True)
_ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "PYTHONPYCACHEPREFIX": _BYTECODE,
}
_KERNEL = "from ipykernel.zmqshell import ZMQInteractiveShell as S; shell = S.instance()\n"
_TIMED = "import sys, time\nstarted = time.perf_counter()\n{code}\nsys.stdout.write(str(time.perf_counter() - started) + '\\n')"


def _timed(code: str, before: str = "", *arguments: str) -> float:
    """The seconds that `code` takes in a fresh interpreter, after `before`."""
    program = before + _TIMED.format(code=code)
    return float(_python(program, *arguments).split()[-1])


def _python(*arguments: str) -> str:
    return subprocess.check_output([sys.executable, "-c", *arguments], text=True, env=_ENVIRONMENT)


def _middle(**sides: partial[float]) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        side()  # makes the bytecode
    for _ in range(_ROUNDS):
        for name, side in sides.items():
            taken[name].append(side())
    return {name: sorted(times)[_ROUNDS // 2] for name, times in taken.items()}


def commands(report: Report) -> None:
    store_secret("https://api.example.com")
    program = "import sys; from flowlet_jupyter.cli import main; sys.exit(main(['list']))"
    sides: dict[str, Call] = {
        "python -c 'import httpx'": lambda: _python("import httpx"),
        "jupyter flowlet list": lambda: _python(program),
    }
    found = medians(sides, _ROUNDS)
    report.compare("The command line, whole processes", found)
    report.found("cli-list", found["jupyter flowlet list"])


def kernel(report: Report) -> None:
    with running_api() as url:
        store_secret(url)
        load = "shell.run_line_magic('load_ext', 'flowlet_jupyter')"
        found = _middle(
            load_ext=partial(_timed, load, _KERNEL),
            httpx=partial(_timed, "import httpx; httpx.get(sys.argv[1])", _KERNEL, url),
            flowlet=partial(_timed, "import flowlet_jupyter as f; f.get(sys.argv[1], secret='api')", _KERNEL, url),
        )
    report.found("load-ext", found["load_ext"] * 1e3)
    report.compare(
        "The first request in a fresh kernel",
        {"import httpx; httpx.get": found["httpx"], "flowlet.get(secret=...)": found["flowlet"]},
    )
    report.found("first-request", found["flowlet"] / found["httpx"])


def server(report: Report) -> None:
    before = "import jupyter_server.serverapp\n"
    code = "import flowlet_jupyter; flowlet_jupyter._jupyter_server_extension_points(); import flowlet_jupyter.server.extension"
    found = _middle(extension=partial(_timed, code, before))
    report.found("server-share", found["extension"] * 1e3)


def vault(report: Report) -> None:
    store_secret("https://api.example.com")
    big = Vault(default_vault().folder.with_name("of-500"))
    record = default_vault().get("api")
    for number in range(500):
        name = f"secret-{number}"
        big.put(dataclasses.replace(record, secret=dataclasses.replace(record.secret, name=name)))

    def cold() -> None:
        fresh = Vault(big.folder)
        fresh.master_key()
        started = time.perf_counter()
        repr(Secrets(fresh))
        taken.append(time.perf_counter() - started)

    taken: list[float] = []
    for _ in range(5):
        cold()
    report.found("vault-list", sorted(taken)[2] * 1e3)
    warm = [seconds(lambda: repr(Secrets(big))) for _ in range(5)]
    report.found("vault-list-warm", sorted(warm)[2] * 1e3)
    lookup = medians({"look-up": lambda: default_vault().get("api")}, 2000)["look-up"]
    report.found("vault-lookup", lookup * 1e6)
