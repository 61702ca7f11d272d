"""Pages to a DataFrame, records to columns, a large answer on the screen: against what one would write oneself.

python -m benchmarks exploring       (dlt is compared if it is installed: pip install dlt)

All sides of a comparison run in turn in one process, against one API in a process of its own; medians.
"""

from __future__ import annotations

import importlib.util
import json
import random
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pandas as pd

import flowlet_jupyter as flowlet
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.notebook.display.html import response_html
from flowlet_jupyter.tables.frames import frame_of

API = Path(__file__).parents[1] / "tests" / "servers" / "catalogue_api.py"
sys.path.insert(0, str(API.parents[1]))
from servers.catalogue_api import rich_record  # noqa: E402 - the path is known only now

ROUNDS = 7


class Api:
    """The API of the tests with so many records, each answer after `delay` seconds."""

    def __init__(self, count: int, delay: float) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen([sys.executable, str(API), str(port), str(count), str(delay)])

    def __enter__(self) -> str:
        for _ in range(200):
            try:
                httpx.get(f"{self.url}/user/1")
                return self.url
            except httpx.HTTPError:
                time.sleep(0.05)
        raise RuntimeError("the API did not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)


def seconds(call) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def compare(title: str, rounds: int, **sides) -> None:
    """Run the sides in turn; the first is ours, the ratios are to it."""
    for call in sides.values():
        call()  # connections, imports
    times = {name: [] for name in sides}
    for _ in range(rounds):
        for name, call in sides.items():
            times[name].append(seconds(call))
    medians = {name: statistics.median(found) for name, found in times.items()}
    ours, *others = medians
    print(f"\n{title}")
    print(f"  {ours:<34} {medians[ours] * 1000:9.1f} ms")
    for other in others:
        print(f"  {other:<34} {medians[other] * 1000:9.1f} ms    ours is {medians[ours] / medians[other]:.2f}x of it")


def by_cursor(url: str) -> pd.DataFrame:
    records, params = [], {"max_results": 100}
    with httpx.Client() as client:
        while True:
            body = client.get(f"{url}/cursor", params=params).json()
            records += body["data"]
            if "next_token" not in body["meta"]:
                return pd.json_normalize(records)
            params["pagination_token"] = body["meta"]["next_token"]


def by_page(url: str, size: int) -> pd.DataFrame:
    records, number = [], 1
    with httpx.Client() as client:
        while True:
            body = client.get(f"{url}/page", params={"page": number, "per_page": size}).json()
            records += body["items"]
            if len(records) >= body["total"]:
                return pd.json_normalize(records)
            number += 1


def with_dlt(url: str, path: str, params: dict, paginator, selector: str) -> pd.DataFrame:
    from dlt.sources.helpers.rest_client import RESTClient

    client = RESTClient(base_url=url, paginator=paginator, data_selector=selector)
    return pd.json_normalize([record for page in client.paginate(path, params=params) for record in page])


def pages() -> None:
    has_dlt = importlib.util.find_spec("dlt") is not None
    with Api(30_000, 0) as url:
        sides = {
            "flowlet.fetch_df": lambda: flowlet.fetch_df(f"{url}/cursor", params={"max_results": 100}, path="data"),
            "httpx one by one, json_normalize": lambda: by_cursor(url),
        }
        if has_dlt:
            from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator as CursorPaginator

            sides["dlt RESTClient, json_normalize"] = lambda: with_dlt(
                url, "/cursor", {"max_results": 100},
                CursorPaginator(cursor_path="meta.next_token", cursor_param="pagination_token"), "data",
            )  # fmt: skip
        assert len(sides["flowlet.fetch_df"]()) == 30_000
        compare("300 pages of 100 records, each naming the next, to a DataFrame", ROUNDS, **sides)
    with Api(2_000, 0.02) as url:
        sides = {
            "flowlet.fetch_df": lambda: flowlet.fetch_df(f"{url}/page", params={"per_page": 10}, path="items"),
            "httpx one by one, json_normalize": lambda: by_page(url, 10),
        }
        if has_dlt:
            from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator

            sides["dlt RESTClient, json_normalize"] = lambda: with_dlt(
                url, "/page", {"per_page": 10}, PageNumberPaginator(base_page=1, total_path=None, stop_after_empty_page=True),
                "items",
            )  # fmt: skip
        compare("200 numbered pages, 20 ms each, to a DataFrame", 3, **sides)


def frames() -> None:
    records = [rich_record(number) for number in range(30_000)]
    optional = [
        {key: value for key, value in entry.items() if key != "lang" or int(entry["id"]) % 3} for entry in records
    ]
    for title, given in (("all with the same fields", records), ("a field missing in every third", optional)):
        pd.testing.assert_frame_equal(frame_of(given), pd.json_normalize(given))
        sides = {
            "flowlet": lambda given=given: frame_of(given),
            "json_normalize": lambda given=given: pd.json_normalize(given),
        }
        compare(f"30,000 nested records to a DataFrame, {title}", 15, **sides)


def sparse() -> None:
    chosen = random.Random(7)
    records = [
        {f"field{number}": number * 1.5 for number in chosen.sample(range(2_000), 20)} | {"id": place}
        for place in range(5_000)
    ]
    sides = {"flowlet": lambda: frame_of(records), "json_normalize": lambda: pd.json_normalize(records)}
    compare("5,000 records with 20 of 2,000 fields each to a DataFrame", 9, **sides)


def lines() -> None:
    import io

    import polars as pl

    content = "\n".join(json.dumps(rich_record(number)) for number in range(60_000)).encode()
    answer = Response(200, content=content, headers={"content-type": "application/x-ndjson"})
    sides = {
        "flowlet": answer.to_polars,
        "polars.read_ndjson": lambda: pl.read_ndjson(io.BytesIO(content), infer_schema_length=None),
    }
    compare(f"{len(content) / 1e6:.0f} MB of NDJSON to polars", 7, **sides)


def large() -> None:
    text = json.dumps([rich_record(number) for number in range(100_000_000 // 264)]).encode()
    headers = {"content-type": "application/json"}
    sides = {
        "flowlet": lambda: Response(200, content=text, headers=headers).to_df(),
        "json.loads, json_normalize": lambda: pd.json_normalize(json.loads(text)),
    }
    compare(f"{len(text) / 1e6:.0f} MB of JSON to a DataFrame", 3, **sides)


def display() -> None:
    text = json.dumps([rich_record(number) for number in range(10_000_000 // 264)])
    times, size = [], 0
    for _ in range(15):
        answer = Response(
            200,
            text=text,
            headers={"content-type": "application/json"},
            request=httpx.Request("GET", "https://a.example/"),
        )
        times.append(seconds(lambda answer=answer: response_html(answer)))
        size = len(response_html(answer).encode())
    print(f"\n{len(text) / 1e6:.1f} MB of JSON on the screen")
    print(
        f"  time {statistics.median(times) * 1000:.1f} ms (json.loads alone: {seconds(lambda: json.loads(text)) * 1000:.0f} ms), output {size / 1000:.1f} kB"
    )


def main() -> None:
    frames()
    sparse()
    lines()
    large()
    display()
    pages()


if __name__ == "__main__":
    main()
