"""Records to a DataFrame, against the libraries' own ways; every side's result is compared first."""

from __future__ import annotations

import io
import json
import random

import pandas as pd
import polars as pl

from benchmarks.measure import Call, Report, medians
from benchmarks.records import lines, records
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables.frames import frame_of


def nested(report: Report) -> None:
    given = records(30_000)
    gaps = [{key: value for key, value in record.items() if key != "lang" or int(record["id"]) % 3} for record in given]
    for key, title, rows in (
        ("nested", "all with the same fields", given),
        ("nested-gaps", "a field missing in every third", json.loads(json.dumps(gaps))),
    ):
        pd.testing.assert_frame_equal(frame_of(rows), pd.json_normalize(rows))
        sides: dict[str, Call] = {
            "json_normalize": lambda rows=rows: pd.json_normalize(rows),
            "flowlet": lambda rows=rows: frame_of(rows),
        }
        found = medians(sides, 15)
        report.compare(f"30,000 nested records to a DataFrame, {title}", found)
        report.found(key, found["flowlet"] / found["json_normalize"])


def ndjson(report: Report) -> None:
    content = lines(1_000_000)
    response = Response(200, content=content, headers={"content-type": "application/x-ndjson"})
    sides: dict[str, Call] = {
        "polars.read_ndjson": lambda: pl.read_ndjson(io.BytesIO(content), infer_schema_length=None),
        "flowlet": response.to_polars,
    }
    found = medians(sides, 3, warm_up=0)
    report.compare(f"1,000,000 rows of NDJSON ({len(content) / 1e6:.0f} MB) to polars", found)
    report.found("ndjson", found["flowlet"] / found["polars.read_ndjson"])


def sparse_records(count: int, fields: int, present: int) -> list[dict[str, float]]:
    chosen = random.Random(7)
    return [
        {f"field{number}": number * 1.5 for number in chosen.sample(range(fields), present)} | {"id": place}
        for place in range(count)
    ]


def sparse(report: Report) -> None:
    rows = sparse_records(20_000, 2_000, 20)
    sides: dict[str, Call] = {"json_normalize": lambda: pd.json_normalize(rows), "flowlet": lambda: frame_of(rows)}
    found = medians(sides, 3, warm_up=0)
    report.compare("20,000 records with 20 of 2,000 fields each to a DataFrame", found)
    report.found("sparse", found["flowlet"] / found["json_normalize"])


def display(report: Report) -> None:
    import httpx

    from flowlet_jupyter.notebook.display.html import response_html

    text = json.dumps(records(38_000))
    headers = {"content-type": "application/json"}

    def show() -> None:
        request = httpx.Request("GET", "https://a.example/")
        response_html(Response(200, text=text, headers=headers, request=request))

    found = medians({"json.loads": lambda: json.loads(text), "response_html": show}, 9)
    report.compare(f"{len(text) / 1e6:.0f} MB of JSON on the screen", found)
    report.found("display", found["response_html"] / found["json.loads"])
