"""Whatever an API says: a read that is not all is never called complete, every read ends, and side by side is as one by one."""

from __future__ import annotations

import contextlib
import json

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlet_jupyter.errors import PagingStopped, RequestFailed
from flowlet_jupyter.http.page_reader import PagingOptions
from flowlet_jupyter.http.pages import Pages
from flowlet_jupyter.http.pagination import PageRequest
from flowlet_jupyter.http.response import Response

URL = "https://api.example/v1/things"
MOST_REQUESTS = 130

flags = st.sampled_from(
    ["has_more", "hasMore", "has_next", "hasNextPage", "moreItems", "is_truncated", "more_records", "HasMoreResults"]
)
lasts = st.sampled_from(["last", "isLast", "is_last_page", "endOfRecords", "end_of_stream"])
totals = st.sampled_from(
    ["total", "totalCount", "total_results", "totalElements", "numFound", "x-total", "@odata.count", "TotalRecords"]
)
page_counts = st.sampled_from(["total_pages", "totalPages", "pageCount", "last_page", "nbPages"])
cursors = st.sampled_from(
    ["next_cursor", "nextPageToken", "next_token", "cursor", "endCursor", "next_marker", "continuationToken"]
)
links = st.sampled_from(["next", "next_url", "nextLink", "@odata.nextLink", "next_page_uri", "nextRecordsUrl"])
says_more = st.one_of(
    st.tuples(flags, st.sampled_from([True, "true"])),
    st.tuples(lasts, st.just(False)),
    st.tuples(totals, st.sampled_from([1000, "1000"])),
    st.tuples(page_counts, st.sampled_from([40, "40"])),
    st.tuples(cursors, st.sampled_from(["abc=", "t-1"])),
    st.tuples(links, st.sampled_from([f"{URL}?after=1", "?page=2", "/v1/things?offset=5"])),
)
containers = st.sampled_from(["", "meta", "pagination", "paging", "pageInfo", "response_metadata"])
list_names = st.sampled_from(["data", "items", "results", "records", "things", "value"])
behaviours = st.sampled_from(["same", "empty", "gone", "no list", "counts up", "error in it"])
sizes = st.sampled_from(["", "?limit=2", "?per_page=2", "?page=1", "?offset=0&limit=2"])


class EndlessApi:
    """An API that says on each page that there is more, and behaves in some way when it is asked for that."""

    def __init__(self, name: str, container: str, signal: tuple[str, object], behaviour: str) -> None:
        self.name, self.container, self.signal, self.behaviour = name, container, signal, behaviour
        self.requests = 0

    def __call__(self, _request: PageRequest) -> Response:
        self.requests += 1
        assert self.requests <= MOST_REQUESTS, "this read does not end"
        key, value = self.signal
        records = [{"id": 1}, {"id": 2}]
        if self.requests > 1:
            if self.behaviour == "gone":
                return Response(404, json={"message": "no such page"})
            if self.behaviour == "error in it":
                return Response(200, json={"error": {"message": "quota"}})
            if self.behaviour == "no list":
                return Response(200, json={self.container or "meta": {key: value}})
            if self.behaviour == "empty":
                records = []
            if self.behaviour == "counts up" and key in _ENDED_BY_AN_EMPTY_PAGE:
                value = f"{value}{self.requests}"
        about = {self.container: {key: value}} if self.container else {key: value}
        return Response(
            200, content=json.dumps({self.name: records, **about}), headers={"Content-Type": "application/json"}
        )


@given(list_names, containers, says_more, behaviours, sizes)
@settings(max_examples=examples(300))
def test_a_read_ends_and_is_not_complete_where_an_api_says_that_there_is_more(
    name, container, signal, behaviour, query
):
    api = EndlessApi(name, container, signal, behaviour)
    pages = Pages(api, PageRequest(URL + query), PagingOptions(concurrency=1, show_progress=False))
    try:
        pages.read_all()
    except (PagingStopped, RequestFailed):
        assert pages.complete is not True
        return
    ends_by_itself = behaviour in {"empty", "no list"} and signal[0] in _ENDED_BY_AN_EMPTY_PAGE
    assert pages.complete is not True or ends_by_itself, pages.reason


# a place of a link or cursor: what it leads to may be an empty page, which is then the end (CKAN, Crossref)
_ENDED_BY_AN_EMPTY_PAGE = {
    "next_cursor", "nextPageToken", "next_token", "cursor", "endCursor", "next_marker", "continuationToken",
    "next", "next_url", "nextLink", "@odata.nextLink", "next_page_uri", "nextRecordsUrl",
}  # fmt: skip


class NumberedApi:
    """An API of `total` records by page numbers or offsets; every `hidden`th is not shown to this reader."""

    def __init__(self, style: str, total: int, size: int, hidden: int, *, says_total: bool) -> None:
        self.style, self.total, self.size, self.hidden, self.says_total = style, total, size, hidden, says_total

    def __call__(self, request: PageRequest) -> Response:
        query = request.query()
        start = int(query.get("offset", 0)) if self.style == "offset" else (int(query.get("page", 1)) - 1) * self.size
        ids = [
            number
            for number in range(start, min(start + self.size, self.total))
            if not self.hidden or number % self.hidden
        ]
        body = {"items": [{"id": number} for number in ids]}
        if self.says_total:
            body["total"] = self.total
        return Response(200, json=body)


@given(
    st.sampled_from(["offset", "page"]),
    st.integers(0, 60),
    st.integers(1, 13),
    st.sampled_from([0, 0, 5, 7]),
    st.booleans(),
)
@settings(max_examples=examples(200))
def test_pages_side_by_side_are_those_one_by_one(style, total, size, hidden, says_total):
    url = f"{URL}?offset=0&limit={size}" if style == "offset" else f"{URL}?page=1&per_page={size}"
    api = NumberedApi(style, total, size, hidden, says_total=says_total)
    read = [
        Pages(api, PageRequest(url), PagingOptions(concurrency=concurrency, show_progress=False)).read_all()
        for concurrency in (1, 8)
    ]
    one_by_one, side_by_side = read
    assert one_by_one.records == side_by_side.records
    assert one_by_one.complete == side_by_side.complete
    shown = [{"id": number} for number in range(total) if not hidden or number % hidden]
    assert one_by_one.records == shown or one_by_one.complete is not True
    if one_by_one.complete and not hidden:
        assert one_by_one.records == shown


@pytest.mark.parametrize(
    ("status", "body", "complete"),
    [
        (404, {"detail": "Invalid page."}, True),  # Django REST Framework
        (400, {"code": "rest_post_invalid_page_number", "message": "The page number requested is larger than …"}, True),
        (400, {"message": "page 3 exceeds your plan"}, False),
        (500, {"detail": "Invalid page."}, False),
    ],
)
def test_an_error_that_says_that_there_is_no_such_page_is_the_end(status, body, complete):
    def send(request: PageRequest) -> Response:
        number = int(request.query()["page"])
        return Response(200, json=[{"id": number}]) if number < 3 else Response(status, json=body)

    how = PagingOptions(concurrency=1, show_progress=False)
    pages = Pages(send, PageRequest("https://api.example/items?page=1"), how)
    with contextlib.nullcontext() if complete else pytest.raises(PagingStopped):
        pages.read_all()
    assert [record["id"] for record in pages.records] == [1, 2]
    assert pages.complete is complete


def test_no_such_page_before_the_total_is_not_complete():
    def send(request: PageRequest) -> Response:
        number = int(request.query()["page"])
        body = {"items": [{"id": number}], "total": 9}
        return Response(200, json=body) if number < 3 else Response(404, json={"detail": "Invalid page."})

    how = PagingOptions(concurrency=4, show_progress=False)
    pages = Pages(send, PageRequest("https://api.example/items?page=1"), how).read_all()
    assert [record["id"] for record in pages.records] == [1, 2]
    assert (pages.complete, pages.reason) == (
        False,
        "the API says that there is no page 3, and that there are 9 records",
    )
