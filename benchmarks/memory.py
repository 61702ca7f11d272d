"""Memory, each side in a process of its own: `python -m benchmarks.memory SIDE` prints seconds and megabytes."""

from __future__ import annotations

import gc
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import Report, peak_megabytes

COUNT, IN_EACH = 10_000, 30


def side(*arguments: str) -> dict[str, float]:
    """What a side printed."""
    text = subprocess.check_output([sys.executable, "-m", "benchmarks.memory", *arguments], text=True)
    found: dict[str, float] = json.loads(text.splitlines()[-1])
    return found


def large(report: Report) -> None:
    from benchmarks.records import array

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.json"
        path.write_bytes(array(100_000_000))
        taken: dict[str, list[dict[str, float]]] = {"plain_frame": [], "flowlet_frame": []}
        for _ in range(3):
            for name, runs in taken.items():
                runs.append(side(name, str(path)))
    plain, ours = (
        {key: statistics.median(run[key] for run in runs) for key in ("seconds", "megabytes")}
        for runs in taken.values()
    )
    report.compare(
        "100 MB of JSON to a DataFrame", {"json.loads, json_normalize": plain["seconds"], "flowlet": ours["seconds"]}
    )
    report.compare(
        "the same, peak memory beyond the imports",
        {"json.loads, json_normalize": plain["megabytes"], "flowlet": ours["megabytes"]}, scale=1, unit="MB",
    )  # fmt: skip
    report.found("large-time", ours["seconds"] / plain["seconds"])
    report.found("large-memory", ours["megabytes"] / plain["megabytes"])


def save(report: Report) -> None:
    small, big = (side("saved", str(size))["megabytes"] for size in (100_000_000, 1_000_000_000))
    report.compare("A body straight to a file, peak memory", {"100 MB": small, "1 GB": big}, scale=1, unit="MB")
    report.found("save-memory", big / small)


def gathered(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "frame.pickle")
        found = side("gathered_frame", path)
        frame = side("unpickled", path)["megabytes"]
    data = found["bodies"] + frame
    report.compare(
        f"{COUNT:,} responses of {IN_EACH} records each, and their frame, in memory",
        {"the bodies and the frame": data, "flowlet.gather(...).to_df()": found["megabytes"]}, scale=1, unit="MB",
    )  # fmt: skip
    report.found("gather-memory", found["megabytes"] / data)


# the sides


def _warm_up() -> None:
    import pandas as pd
    import pyarrow as pa

    from flowlet_jupyter.http.response import Response

    pa.array(["a"])
    pd.json_normalize([{"a": {"b": "x"}}])
    Response(200, json=[{"a": {"b": "x"}}] * 1000).to_df()


def _measured(make: Any) -> dict[str, float]:
    before = peak_megabytes()
    started = time.perf_counter()
    kept = make()
    taken = time.perf_counter() - started
    del kept
    return {"seconds": taken, "megabytes": peak_megabytes() - before}


def plain_frame(path: str) -> dict[str, float]:
    import pandas as pd

    _warm_up()

    def make() -> Any:
        text = Path(path).read_bytes()
        return text, pd.json_normalize(json.loads(text))

    return _measured(make)


def flowlet_frame(path: str) -> dict[str, float]:
    from flowlet_jupyter.http.response import Response

    _warm_up()

    def make() -> Any:
        response = Response(200, content=Path(path).read_bytes(), headers={"content-type": "application/json"})
        return response, response.to_df()

    return _measured(make)


def saved(size: str) -> dict[str, float]:
    import flowlet_jupyter as flowlet
    from benchmarks.server import running_slow_api

    with running_slow_api() as url, tempfile.TemporaryDirectory() as folder:
        flowlet.get(f"{url}/me")
        target = Path(folder) / "body"
        flowlet.download(f"{url}/bytes/{size}", target)
        assert target.stat().st_size == int(size)
        return {"megabytes": peak_megabytes()}


def _resident() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def gathered_frame(path: str) -> dict[str, float]:
    import flowlet_jupyter as flowlet
    from benchmarks.records import paging_api

    _warm_up()
    with paging_api(3_000, 0) as url:
        urls = [f"{url}/offset?limit={IN_EACH}&offset={number % 100 * IN_EACH}" for number in range(COUNT)]
        flowlet.gather(urls[:50], concurrency=16).to_df()
        before = _resident()
        gathered = flowlet.gather(urls, concurrency=16)
        frame = gathered.to_df()
        after = _resident()
    assert len(frame) == COUNT * IN_EACH
    frame.to_pickle(path)
    return {"megabytes": after - before, "bodies": sum(len(response.content) for response in gathered.responses) / 1e6}


def unpickled(path: str) -> dict[str, float]:
    import pandas as pd

    _warm_up()
    pickle.loads(pickle.dumps(pd.DataFrame({"a": ["x"], "b": [[1]]})))
    before = _resident()
    frame = pd.read_pickle(path)
    return {"megabytes": _resident() - before, "rows": len(frame)}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
