"""Elasticsearch and OpenSearch: behind the last hit (`search_after`, with or without a point in time), and scrolling."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from flowlet_jupyter.http.pagination.page import PageRequest, PageResponse, look_up
from flowlet_jupyter.http.pagination.signals import Signals

_MOST_BY_OFFSET = 10_000  # index.max_result_window, unless it was changed: `from` leads no further


@dataclass(frozen=True)
class SearchAfter:
    """The sort values of the last hit go into `search_after`, and the newest id of a point in time into `pit.id`."""

    def next(self, request: PageRequest, response: PageResponse) -> PageRequest | None:
        """The same search behind the last hit; None behind an empty page."""
        last = response.records[-1] if response.records else None
        if not isinstance(last, dict) or not last.get("sort") or not isinstance(request.json, dict):
            return None
        body = {key: value for key, value in request.json.items() if key != "from"} | {"search_after": last["sort"]}
        newest = look_up(response.body, "pit_id")
        if newest and isinstance(body.get("pit"), dict):
            body["pit"] = {**body["pit"], "id": newest}
        return dataclasses.replace(request, json=body)


@dataclass(frozen=True)
class Scroll:
    """`POST /_search/scroll` with the newest `_scroll_id`, each time for as long as the first request said."""

    keep_alive: str = "1m"

    def next(self, request: PageRequest, response: PageResponse) -> PageRequest | None:
        """The request for the next page; None behind an empty page."""
        scroll_id = look_up(response.body, "_scroll_id")
        if not response.records or not isinstance(scroll_id, str) or not scroll_id:
            return None
        parts = urlsplit(request.url)
        if parts.path.endswith("/_search/scroll"):
            path = parts.path
        else:
            before = parts.path.removesuffix("/_search")
            path = f"{before.rpartition('/')[0]}/_search/scroll"  # without the index that was searched
        url = parts._replace(path=path, query="").geturl()
        body = {"scroll": self.keep_alive, "scroll_id": scroll_id}
        return PageRequest(url, {}, body, "POST", request.headers)


def candidates(request: PageRequest, response: PageResponse, signals: Signals) -> Iterator[Scroll | SearchAfter]:
    """The ways on of a search whose hits this page holds."""
    if response.path != "hits.hits":
        return
    if look_up(response.body, "_scroll_id") and urlsplit(request.url).path.rstrip("/").endswith("/_search"):
        yield Scroll(str(request.parameter("scroll") or "1m"))
    body = request.json if isinstance(request.json, dict) else {}
    is_long = signals.is_estimate or (signals.total or 0) > _MOST_BY_OFFSET
    if body.get("sort") and ("pit" in body or "search_after" in body or is_long):
        yield SearchAfter()
