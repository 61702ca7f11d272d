"""Pages to a DataFrame, against what one would write oneself, and dlt's client where it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import httpx
import pandas as pd

import flowlet_jupyter as flowlet
from benchmarks.measure import Call, Report, medians
from benchmarks.records import paging_api

OURS, THEIRS = "flowlet.fetch_df", "httpx one by one, json_normalize"


def by_cursor(url: str) -> pd.DataFrame:
    records, params = [], {"max_results": "100"}
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


def with_dlt(url: str, path: str, params: dict[str, Any], paginator: Callable[[], Any], selector: str) -> pd.DataFrame:
    from dlt.sources.helpers.rest_client import RESTClient

    client = RESTClient(base_url=url, paginator=paginator(), data_selector=selector)
    return pd.json_normalize([record for page in client.paginate(path, params=params) for record in page])


def cursor(report: Report) -> None:
    with paging_api(30_000, 0) as url:
        sides: dict[str, Call] = {
            THEIRS: lambda: by_cursor(url),
            OURS: lambda: flowlet.fetch_df(f"{url}/cursor", params={"max_results": 100}, path="data", progress=False),
        }
        if importlib.util.find_spec("dlt"):
            from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator as CursorPaginator

            sides["dlt RESTClient, json_normalize"] = lambda: with_dlt(
                url, "/cursor", {"max_results": 100},
                lambda: CursorPaginator(cursor_path="meta.next_token", cursor_param="pagination_token"), "data",
            )  # fmt: skip
        pd.testing.assert_frame_equal(sides[OURS](), sides[THEIRS]())
        found = medians(sides, 5)
    report.compare("300 pages of 100 records, each naming the next, to a DataFrame", found)
    report.found("pages-cursor", found[OURS] / found[THEIRS])


def numbered(report: Report) -> None:
    with paging_api(2_000, 0.02) as url:
        sides: dict[str, Call] = {
            THEIRS: lambda: by_page(url, 10),
            OURS: lambda: flowlet.fetch_df(f"{url}/page", params={"per_page": 10}, path="items", progress=False),
        }
        if importlib.util.find_spec("dlt"):
            from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator

            sides["dlt RESTClient, json_normalize"] = lambda: with_dlt(
                url, "/page", {"per_page": 10},
                lambda: PageNumberPaginator(base_page=1, total_path=None, stop_after_empty_page=True), "items",
            )  # fmt: skip
        found = medians(sides, 3)
    report.compare("200 numbered pages, 20 ms each, to a DataFrame", found)
    report.found("pages-numbered", found[OURS] / found[THEIRS])
