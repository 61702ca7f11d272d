"""Many threads in many processes on one expired token, at a provider that rotates and forgives no reuse."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import dataclass

from servers.rotating import expired_record, rotating

from flowlet_jupyter.vault import default_vault

_PROGRAM = """
import json, sys, threading, time, flowlet_jupyter as flowlet
from flowlet_jupyter.oauth import token_endpoint
flowlet.secrets["api"].status(); flowlet.client("api").close()
failures, seconds = [], []
def work():
    started = time.monotonic()
    try:
        assert flowlet.get("/me", secret="api", timeout=120).status_code == 200
    except BaseException as error:
        failures.append(f"{type(error).__name__}: {error}")
    seconds.append(time.monotonic() - started)
threads = [threading.Thread(target=work) for _ in range(int(sys.argv[1]))]
step = int(sys.argv[2])
if step:
    import killer
    killer.kill_at(step, sys.argv[3])
print("ready", flush=True); sys.stdin.readline()
[thread.start() for thread in threads]; [thread.join() for thread in threads]
print(json.dumps([failures, seconds]))
"""


@dataclass(frozen=True)
class Storm:
    """What came of it; `seconds` are those of each request."""

    workers: int
    refreshes: int
    failures: list[str]
    seconds: list[float]
    killed: int = 0

    def percentile(self, share: float) -> float:
        """The seconds that this share of the requests took at most."""
        ordered = sorted(self.seconds)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def storm(processes: int, threads: int, *, endpoint_seconds: float = 0.05, kill_at_step: int = 0) -> Storm:
    """Let all workers ask at once; the first process is killed -9 at that step of its work, if any."""
    folder = str(default_vault().folder.parent)
    with rotating(has_grace=False, seconds=endpoint_seconds) as (server, rotation):
        default_vault().put(expired_record(server.url))
        running = [
            subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(threads), str(0 if number else kill_at_step), folder],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for number in range(processes)
        ]  # fmt: skip
        for process in running:
            assert process.stdout.readline() == "ready\n"
        for process in running:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write("\n")
                process.stdin.flush()
        ended = [(process.communicate(timeout=300)[0], process.returncode) for process in running]
        results = [json.loads(text) for text, code in ended if code == 0]
        return Storm(
            processes * threads,
            rotation.count,
            [failure for failures, _ in results for failure in failures],
            [each for _, seconds in results for each in seconds],
            sum(code == -9 for _, code in ended),
        )
