"""Kinds of responses that recordings of client libraries hold, and that were read wrongly before; the texts are invented."""

from __future__ import annotations

import httpx
import pytest

from flowlet_jupyter.http.page_reader import PagingOptions
from flowlet_jupyter.http.pages import Pages
from flowlet_jupyter.http.pagination import PageRequest
from flowlet_jupyter.http.pagination.link_members import links_of_header
from flowlet_jupyter.http.response import Response

BASE = "https://api.example"
A, B, C = ({"id": key, "name": key} for key in "abc")


def read(path, answer, *, json=None):
    """The pages of an API that gives `answer(query)`, and the queries that it was asked."""
    asked = []

    def send(request):
        asked.append({name: str(value) for name, value in request.query().items()})
        body, headers = answer(asked[-1])
        return Response(200, json=body, headers=headers, request=httpx.Request("GET", BASE))

    pages = Pages(send, PageRequest(BASE + path, json=json), PagingOptions(concurrency=1, show_progress=False))
    return pages.read_all(), asked


@pytest.mark.parametrize("nothing", ["None", "null", "undefined", ""])
def test_a_link_to_nothing_is_no_link(nothing):
    assert links_of_header(f'<{nothing}>; rel="next", </a?page=1>; rel="prev"') == {"prev": "/a?page=1"}
    pages, asked = read("/devices", lambda _query: ([A], {"Link": f'<{nothing}>; rel="next"', "X-Total-Count": "1"}))
    assert (pages.complete, len(asked)) == (True, 1)
    pages, asked = read("/devices", lambda _query: ({"items": [A], "next_url": nothing}, {}))
    assert (pages.records, len(asked)) == ([A], 1)


@pytest.mark.parametrize("link", ['</a?cursor=2>; rel="next"; results="false"', '<null>; rel="next"'])
def test_a_next_link_that_leads_nowhere_is_the_end(link):
    pages, asked = read("/teams", lambda _query: ([A], {"Link": link}))
    assert (pages.complete, len(asked)) == (True, 1)


@pytest.mark.parametrize("link", ['https://api.example/a; rel="next"', '</a>; rel="next-archive"; results="false"'])
def test_a_link_that_is_not_understood_is_no_end(link):
    pages, _ = read("/teams", lambda _query: ([A], {"Link": link}))
    assert pages.complete is None


@pytest.mark.parametrize(
    "about",
    [
        {"org": {"plan": "p", "wizard": {"done": True}}},
        {"export": {"finished": True}},
        {"comments": {"data": [B], "has_more": False}},
    ],
    ids=["done", "finished", "has_more"],
)
def test_what_ends_another_thing_ends_no_list(about):
    pages, _ = read("/users", lambda _query: ({"users": [A], **about}, {}))
    assert (pages.records, pages.complete) == ([A], None)


@pytest.mark.parametrize(
    "body",
    [
        {"result": {"users": [A], "done": True}},
        {"users": [A], "meta": {"cursor": {"finished": True}}},
        [{"page": 1, "last_page": True}, [A]],
    ],
    ids=["above", "about a list", "before it"],
)
def test_what_ends_the_list_still_does(body):
    pages, _ = read("/users", lambda _query: (body, {}))
    assert (pages.records, pages.complete) == ([A], True)


def test_remarks_on_a_graphql_query_are_no_records():
    issues = {"nodes": [A, B], "pageInfo": {"hasNextPage": False, "endCursor": "b"}}
    body = {"data": {"issues": issues}, "extensions": {"deprecations": [C]}}
    query = "query ($after: String) { issues(after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }"
    pages, _ = read("/graphql", lambda _query: (body, {}), json={"query": query})
    assert (pages.records, pages.path) == ([A, B], "data.issues.nodes")


@pytest.mark.parametrize("size", [{}, {"per_page": 10}], ids=["no size", "size"])
def test_a_reading_that_begins_at_the_last_page_reaches_the_end(size):
    about = {"total": 24, "total_pages": 3, "current_page": 3, **size}
    pages, asked = read("/records?page=3", lambda _query: ({"data": [A, B, C], "meta": about}, {}))
    assert (pages.complete, pages.reason, len(asked)) == (True, "total_pages was reached", 1)


def test_a_reading_that_stops_before_the_last_page_is_not_complete():
    about = {"total": 24, "total_pages": 3, "current_page": 2}
    pages, _ = read("/records?page=2", lambda query: ({"data": [A] if query["page"] == "2" else [], "meta": about}, {}))
    assert pages.complete is False


def test_a_bare_next_that_is_the_last_id_goes_into_after():
    names = ["t2_a", "t2_b", "t2_c"]

    def answer(query):
        start = names.index(query["after"]) + 1 if "after" in query else 0  # an API that ignores what it does not know
        page = names[start : start + 2]
        return {
            "users": [{"user": name} for name in page],
            **({"next": page[-1]} if start + 2 < len(names) else {}),
        }, {}

    pages, asked = read("/flair?limit=2", answer)
    assert ([record["user"] for record in pages.records], pages.complete) == (names, True)
    assert asked[-1] == {"limit": "2", "after": "t2_b"}
