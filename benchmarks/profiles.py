"""Flame graphs of the three dearest paths, by py-spy: `python -m benchmarks --profile` puts them into build/profiles.

`python -m benchmarks.profiles PATH` runs one of them for some seconds, for perf, memray or the like.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "build" / "profiles"
SECONDS = 20


def request(until: Callable[[], bool]) -> None:
    """One GET after the other, with a secret."""
    import flowlet_jupyter as flowlet
    from benchmarks.request_overhead import store_secret
    from benchmarks.server import running_api

    with running_api() as base:
        store_secret(base)
        while not until():
            flowlet.get(f"{base}/me", secret="api")


def gather(until: Callable[[], bool]) -> None:
    """Small GETs, 16 at once."""
    from benchmarks.concurrency import flowlet_gather
    from benchmarks.request_overhead import store_secret
    from benchmarks.server import running_api

    with running_api() as base:
        store_secret(base)
        while not until():
            flowlet_gather(f"{base}/me")


def frame(until: Callable[[], bool]) -> None:
    """A large JSON array to a DataFrame."""
    from benchmarks.records import array
    from flowlet_jupyter.http.response import Response

    text = array(2_000_000)
    Response(200, content=text, headers={"content-type": "application/json"}).to_df()  # imports
    text = b"[" + b",".join([text.strip(b"[]")] * 10) + b"]"
    while not until():
        Response(200, content=text, headers={"content-type": "application/json"}).to_df()


PATHS = {"request": request, "gather": gather, "frame": frame}


def main() -> None:
    py_spy = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if py_spy is None:
        raise SystemExit("py-spy is needed: pip install py-spy")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in PATHS:
        into = FOLDER / f"{name}.svg"
        command = [
            py_spy,
            "record",
            "--rate",
            "200",
            "--output",
            str(into),
            "--",
            sys.executable,
            "-m",
            "benchmarks.profiles",
            name,
        ]
        ended = subprocess.run(command, timeout=120, check=False)
        print(f"{name}: {into if ended.returncode == 0 else 'py-spy failed'}", flush=True)


if __name__ == "__main__":
    end = time.monotonic() + SECONDS
    PATHS[sys.argv[1]](lambda: time.monotonic() > end)
