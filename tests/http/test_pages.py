"""Reading pages: every style, every way to end, and nothing lost on the way."""

from __future__ import annotations

import asyncio
import threading
import time

import httpx
import pytest
import respx
from support import eventually, interrupt_once

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import HostNotAllowed, PagingStopped, RequestFailed
from flowlet_jupyter.http.many import _paging_of
from flowlet_jupyter.http.page_reader import PagingOptions
from flowlet_jupyter.http.pages import AsyncPages, Pages
from flowlet_jupyter.http.pagination import (
    Cursor,
    LinkHeader,
    NextURL,
    Offset,
    PageNumber,
    PageRequest,
    PageResponse,
    detect,
    of_style,
)
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.providers import load_providers


def ids(pages) -> list[int]:
    return [record["id"] for record in pages.records]


ALL = list(range(95))


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("page", {"per_page": 10}),
        ("page?per_page=10", None),
        ("cursor?max_results=10", None),
        ("nototal?page=1", None),
        ("offset", {"limit": 10}),
        ("cursor", {"max_results": 10}),
        ("next", None),
        ("link", None),
    ],
)
def test_every_style_is_found_and_read_to_its_end(api, path, params):
    pages = flowlet.paginate(f"{api.url}/{path}", params=params).read_all()
    assert ids(pages) == ALL
    assert pages.complete
    assert pages.page_count == (11 if "nototal" in path else 10)  # only an empty page ends what has no total
    frame = pages.to_df()
    assert (len(frame), frame.attrs["complete"], frame.attrs["path"]) == (95, True, pages.path)


def test_the_async_twin_reads_the_same(api):
    async def read():
        pages = flowlet.apaginate(f"{api.url}/offset", params={"limit": 10})
        seen = [len(page.records("results")) async for page in pages]
        return seen, ids(pages), pages.complete

    assert asyncio.run(read()) == ([10] * 9 + [5], ALL, True)


def test_a_cursor_goes_into_the_body_of_a_post(api):
    pages = flowlet.paginate(f"{api.url}/cursor", method="POST", json={"max_results": 50}).read_all()
    assert ids(pages) == ALL
    assert [body for _, _, _, body in api.requests][1] == b'{"max_results":50,"pagination_token":"50"}'


@pytest.mark.parametrize(
    ("style", "path"), [("page", "page"), ("cursor", "cursor"), ("link", "link"), ("next", "next")]
)
def test_a_style_that_is_named(api, style, path):
    assert ids(flowlet.paginate(f"{api.url}/{path}", style=style).read_all()) == ALL


@pytest.mark.parametrize("path", ["cursor?max_results=40", "offset?limit=40", "page?per_page=40"])
def test_a_query_in_the_url_is_kept_from_page_to_page(api, path):
    pages = flowlet.paginate(f"{api.url}/{path}").read_all()
    assert (ids(pages), pages.page_count) == (ALL, 3)


def test_a_style_that_the_api_does_not_have_is_an_error_that_says_so(api):
    with pytest.raises(RequestFailed, match="shows no paging by cursor"):
        flowlet.paginate(f"{api.url}/echo", style="cursor").read_all()


def test_one_page_is_all_where_nothing_pages(api):
    pages = flowlet.paginate(f"{api.url}/user/1").read_all()
    assert (pages.page_count, pages.complete) == (1, None)
    assert "nothing in this response says" in pages.reason


def test_pages_are_read_when_they_are_asked_for(api):
    pages = iter(flowlet.paginate(f"{api.url}/cursor", params={"max_results": 10}))
    next(pages)
    # the next one is fetched while this one is worked on, and no more
    eventually(lambda: len(api.requests) == 2)
    time.sleep(0.05)
    assert len(api.requests) == 2
    next(pages)
    pages.close()


def test_limits_stop_and_resume_goes_on(api):
    pages = flowlet.paginate(f"{api.url}/offset", params={"limit": 10}, max_pages=2).read_all()
    assert (ids(pages), pages.complete) == (ALL[:20], False)
    assert "resume() goes on" in repr(pages)
    assert ids(pages.resume(max_pages=1)) == ALL[:30]
    assert ids(pages.resume()) == ALL
    assert pages.complete
    few = flowlet.paginate(f"{api.url}/page", max_items=25).read_all()
    assert (ids(few), few.complete) == (ALL[:25], False)
    assert len([path for _, path, _, _ in api.requests if path.startswith("/page")]) == 3
    assert ids(few.resume()) == ALL  # also what the third page held beyond the limit
    last = flowlet.paginate(f"{api.url}/page", max_items=93).read_all()
    assert (last.complete, ids(last.resume()), last.complete) == (False, ALL, True)
    all_of_them = flowlet.paginate(f"{api.url}/page", max_items=95).read_all()
    assert all_of_them.complete


def test_numbered_pages_are_fetched_side_by_side_and_stay_in_order(api):
    api.delay = 0.05
    assert ids(flowlet.paginate(f"{api.url}/page", concurrency=4).read_all()) == ALL
    assert 2 <= api.most_running <= 4
    api.most_running = 0
    flowlet.paginate(f"{api.url}/cursor").read_all()
    assert api.most_running == 1  # each of these names the next


def test_one_at_a_time_is_asked_for_when_the_page_before_was_looked_at(monkeypatch):
    under_way = []
    accept = Pages._accept

    def watched(self, request, response, *, in_flight):
        under_way.append(in_flight)
        return accept(self, request, response, in_flight=in_flight)

    def send(request: PageRequest) -> Response:
        start = int(request.params.get("startAt", 0))
        return Response(200, json={"startAt": start, "maxResults": 1, "total": 4, "issues": [{"id": start}]})

    monkeypatch.setattr(Pages, "_accept", watched)
    first = PageRequest(URL, {"maxResults": 1})
    assert len(Pages(send, first, PagingOptions(concurrency=1, show_progress=False)).read_all().records) == 4
    assert under_way == [0, 0, 0, 0]
    under_way.clear()
    Pages(send, first, PagingOptions(concurrency=2, show_progress=False)).read_all()
    assert any(under_way)


def test_a_circle_and_a_page_that_repeats_are_errors_that_keep_what_was_read(api):
    with pytest.raises(PagingStopped, match="leads in a circle") as caught:
        flowlet.paginate(f"{api.url}/circle", params={"cursor": "1"}).read_all()
    assert ids(caught.value.pages) == [1, 2, 3]
    with pytest.raises(PagingStopped, match="same as the page before") as caught:
        flowlet.paginate(f"{api.url}/same").read_all()
    assert len(caught.value.pages.records) == 10
    assert not caught.value.pages.complete


def test_a_page_that_fails_costs_nothing_of_the_others(api):
    api.breaks_at = 4
    with pytest.raises(PagingStopped, match=r"Page 4 was answered with 500.*3 pages with 30 records"):
        flowlet.paginate(f"{api.url}/breaks", retry=0).read_all()
    api.breaks_at = 0
    assert ids(flowlet.last_pages()) == ALL[:30]
    assert ids(flowlet.last_pages().resume()) == ALL


def test_an_interrupt_keeps_what_was_read(api):
    api.delay = 0.1
    pages = flowlet.paginate(f"{api.url}/cursor", params={"max_results": 10})
    interrupt_once(lambda: len(api.requests) > 3)
    with pytest.raises(KeyboardInterrupt):
        pages.read_all()
    assert 0 < len(pages.records) < 95
    assert not pages.complete
    api.delay = 0
    assert ids(pages.resume()) == ALL


def test_a_body_that_is_no_json_stops(api):
    api.body = b"<html>"
    with pytest.raises(PagingStopped, match="Page 1: The body of this response"):
        flowlet.paginate(f"{api.url}/kind", params={"type": "text/html"}).read_all()


def test_the_next_page_does_not_lead_elsewhere(api):
    with pytest.raises(PagingStopped, match=r"on another host, 169\.254\.169\.254"):
        flowlet.paginate(f"{api.url}/elsewhere").read_all()
    flowlet.secrets.add(flowlet.Password(name="api", password="p", base_url=api.url))
    with pytest.raises(PagingStopped, match="may not be sent to 169"):
        flowlet.paginate("/elsewhere", secret="api").read_all()
    with pytest.raises(HostNotAllowed):
        flowlet.paginate("https://evil.example/", secret="api").read_all()


def test_a_frame_of_all_pages(api):
    frame = flowlet.fetch_df(f"{api.url}/offset", params={"limit": 10}, dates=True)
    assert list(frame.columns) == ["id", "name", "created_at", "tags", "metrics.likes", "metrics.replies.open"]
    assert frame["created_at"].dt.year.unique().tolist() == [2026]
    one = flowlet.fetch_df(f"{api.url}/offset", params={"limit": 10}, paginate=None)
    assert (len(one), one.attrs["path"]) == (10, "results")


@respx.mock
def test_the_catalogue_says_how_a_provider_pages():
    flowlet.secrets.add(
        flowlet.OAuth2(name="x", provider="twitter", client_id="i", token_endpoint="https://api.twitter.com/2/oauth2/token",
                       authorization_endpoint="https://x.com/a", grant_type="client_credentials", client_secret="s")
    )  # fmt: skip
    respx.post("https://api.twitter.com/2/oauth2/token").respond(json={"access_token": "t"})
    route = respx.get("https://api.twitter.com/2/tweets").mock(
        side_effect=[
            # "next" would be taken for the way on by its looks
            httpx.Response(
                200, json={"data": [{"id": 1}], "meta": {"next_token": "n"}, "next": "https://api.twitter.com/no"}
            ),
            httpx.Response(200, json={"data": [{"id": 2}], "meta": {}, "next": None}),
        ]
    )
    pages = flowlet.paginate("https://api.twitter.com/2/tweets", secret="x").read_all()
    assert ids(pages) == [1, 2]
    assert route.calls.last.request.url.params["pagination_token"] == "n"


# the styles, without a network


def answer(body, links=None) -> PageResponse:
    records = body if isinstance(body, list) else next((v for v in body.values() if isinstance(v, list)), [])
    return PageResponse(body, records, links or {})


URL = "https://api.example/items"


@pytest.mark.parametrize(
    ("body", "links", "params", "expected"),
    [
        ([], {"next": "https://api.example/2"}, {}, LinkHeader()),
        ({"@odata.nextLink": "https://graph.example/2"}, {}, {}, NextURL('"@odata.nextLink"')),
        ({"nextRecordsUrl": "/services/data/2"}, {}, {}, NextURL("nextRecordsUrl")),
        ({"_links": {"next": {"href": "https://a.example/"}}}, {}, {}, NextURL("_links.next.href")),
        ({"info": {"next": "https://a.example/?page=2"}}, {}, {}, NextURL("info.next")),
        ({"nextPageToken": "t"}, {}, {}, Cursor("nextPageToken", "pageToken")),
        ({"response_metadata": {"next_cursor": "c"}}, {}, {}, Cursor("response_metadata.next_cursor", "cursor")),
        ({"data": {"after": "t3_x"}}, {}, {}, Cursor("data.after", "after")),
        ({"items": [1], "page": 1, "total_pages": 3}, {}, {}, PageNumber("page", "per_page", "", "total_pages")),
        ({"items": [1], "total": 9}, {}, {"page": 1, "page_size": 2}, PageNumber("page", "page_size", "total", "")),
        ({"startAt": 0, "maxResults": 50, "total": 90}, {}, {}, Offset("startAt", "maxResults", "total")),
        ({"items": [1], "total": 9}, {}, {"limit": 2}, Offset("offset", "limit", "total")),
        ({"next": "not a link", "items": []}, {}, {}, None),
        ({"response_metadata": {"next_cursor": ""}}, {}, {}, None),
        ({"data": [1, 2]}, {}, {}, None),
        ([1, 2], {}, {}, None),
        ("text", {}, {}, None),
    ],
)
def test_the_style_is_seen_by_its_looks(body, links, params, expected):
    page = answer(body, links) if body != "text" else PageResponse(body, [], {}, has_list=False)
    request = PageRequest(URL, params)
    found = detect(request, page)
    assert (type(found[0]) if found else None) == (type(expected) if expected else None)
    if found and not isinstance(expected, LinkHeader):
        assert getattr(found[0], "path", "") == getattr(expected, "path", "")
        assert getattr(found[0], "parameter", "") == getattr(expected, "parameter", "")


@pytest.mark.parametrize(
    ("paginator", "body", "params", "after"),
    [
        (NextURL("next"), {"items": [1], "next": "?page=2"}, {}, f"{URL}?page=2"),
        (NextURL("next"), {"next": None}, {}, None),
        (NextURL("next"), {"next": ""}, {}, None),
        (Cursor("c", "cursor"), {"c": "x", "has_more": False}, {}, None),
        (Cursor("c", "cursor"), {"c": 0}, {}, None),
        (Cursor("data[-1].id", "starting_after"), {"data": [{"id": "a"}]}, {}, {"starting_after": "a"}),
        (PageNumber(), {"items": [1]}, {}, {"page": 2}),
        (PageNumber(), {"items": []}, {"page": 3}, None),
        (PageNumber(pages_path="pages"), {"items": [1], "pages": 3}, {"page": 3}, None),
        (PageNumber(total_path="total"), {"items": [1, 2], "total": 4}, {"page": 2}, None),
        (Offset(), {"items": [1, 2]}, {"offset": 4, "limit": 2}, {"offset": 6}),
        (Offset(), {"items": []}, {"offset": 4, "limit": 2}, None),
        (Offset(total_path="total"), {"items": [1], "total": 9}, {"limit": 2}, {"offset": 2}),
    ],
)
def test_the_stop_rule_of_each_style(paginator, body, params, after):
    found = paginator.next(PageRequest(URL, params), answer(body))
    if isinstance(after, dict):
        assert after.items() <= found.params.items()
    else:
        assert (found.url if found else None) == after


def test_a_link_to_another_program_is_not_followed():
    with pytest.raises(RequestFailed, match="cannot be requested"):
        NextURL("next").next(PageRequest(URL), answer({"items": [1], "next": "javascript:alert(1)"}))


@pytest.mark.parametrize("key", [key for key, provider in load_providers().items() if provider.paging])
def test_every_declared_paging_is_usable(key):
    declared = _paging_of(key)
    assert of_style("auto", declared, PageRequest(URL), answer({}))


KINDS = [
    (
        {"features": [{"id": 1}], "links": [{"rel": "self", "href": "x"}, {"rel": "next", "href": "/items?token=b"}]},
        {},
        "token=b",
    ),
    (
        {"entry": [{"id": 1}], "link": [{"relation": "next", "url": "https://api.example/b"}]},
        {},
        "https://api.example/b",
    ),
    ({"content": [{"id": 1}], "totalPages": 3, "number": 0, "totalElements": 3}, {}, "page=1"),
    ({"d": {"results": [{"id": 1}], "__next": "https://api.example/b"}}, {}, "https://api.example/b"),
    ({"object": "list", "data": [{"id": "a"}], "has_more": True}, {}, "starting_after=a"),
    ({"data": [{"id": "a"}], "has_more": True, "last_id": "a"}, {}, "after_id=a"),
    ({"results": [{"id": 1}], "next_cursor": "b"}, {}, "cursor=b"),
    ({"items": [{"id": 1}], "NextToken": "b"}, {}, "Token=b"),
    ({"query": {"pages": [{"id": 1}]}, "continue": {"apcontinue": "B", "continue": "-"}}, {}, "apcontinue=B"),
    ({"startIndex": 1, "itemsPerPage": 1, "totalResults": 3, "Resources": [{"id": 1}]}, {}, "startIndex=2"),
    ([{"id": 1}], {"x-next-page": "2"}, "page=2"),
    (
        {"results": [{"id": 1}], "_links": {"next": "/rest/c?start=1", "base": "https://api.example/wiki"}},
        {},
        "/wiki/rest/c",
    ),
]


@pytest.mark.parametrize(("body", "headers", "expected"), KINDS)
def test_each_kind_of_paging_asks_for_its_next_page_and_is_not_complete_before(body, headers, expected):
    sent = []

    def send(request):
        sent.append(str(httpx.URL(request.url).copy_merge_params(dict(request.params))))
        end = [] if isinstance(body, list) else {"end": []}
        return Response(200, json=body if len(sent) == 1 else end, headers=headers if len(sent) == 1 else {})

    pages = Pages(send, PageRequest(URL), PagingOptions(concurrency=1, max_pages=1, show_progress=False)).read_all()
    assert pages.complete is False
    pages.resume(max_pages=1)
    assert expected in sent[1]


@pytest.mark.parametrize(
    ("body", "complete", "reason"),
    [
        ({"data": [{"id": 1}]}, None, "nothing in this response says"),
        ([{"id": 1}], None, "nothing in this response says"),
        ({"data": [{"id": 1}], "has_more": False}, True, "has_more is false"),
        ({"data": [{"id": 1}], "next": None}, True, "names no next"),
        ({"data": [{"id": 1}], "total": "1"}, True, "total says 1"),
        ({"data": ["a"], "hasMore": True}, False, ""),
        ({"data": [{"id": 1}], "total": "9"}, False, ""),
        ({"id": 1}, True, "one record"),
    ],
)
def test_what_an_answer_says_of_its_completeness(body, complete, reason):
    pages = Pages(
        lambda _: Response(200, json=body),
        PageRequest(URL),
        PagingOptions(concurrency=1, max_pages=1, show_progress=False),
    ).read_all()
    assert pages.complete is complete
    assert reason in pages.reason
    assert (pages.to_df().attrs["complete"], pages.to_df().attrs["reason"]) == (complete, pages.reason)


class SlowSecondPage:
    """20 numbered pages; the second is not there before the sixth was asked for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked: list[int] = []
        self.running = self.most_running = self.asked_before_second = 0
        self.sixth = threading.Event()

    def begin(self, request: PageRequest) -> int:
        number = int(request.params.get("page", 1))
        with self.lock:
            self.asked.append(number)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        if number == 6:
            self.sixth.set()
        return number

    def end(self, number: int) -> Response:
        with self.lock:
            self.running -= 1
            if number == 2:
                self.asked_before_second = len(self.asked)
        return Response(200, json={"items": [{"id": number}], "page": number, "total_pages": 20})

    def check(self, pages) -> None:
        assert ids(pages) == list(range(1, 21))
        assert self.most_running <= 3  # as many as were allowed, and no more
        assert self.asked_before_second <= 1 + 2 * 3  # nor is all read ahead


SIDE_BY_SIDE = PagingOptions(concurrency=3, show_progress=False)


def test_a_slow_page_holds_up_no_other():
    api = SlowSecondPage()

    def send(request):
        number = api.begin(request)
        if number == 2:
            assert api.sixth.wait(5)
            time.sleep(0.1)
        return api.end(number)

    api.check(Pages(send, PageRequest(URL), SIDE_BY_SIDE).read_all())


def test_a_slow_page_holds_up_no_other_of_an_async_reader():
    api = SlowSecondPage()

    async def send(request):
        number = api.begin(request)
        await asyncio.sleep(0.01)
        if number == 2:
            async with asyncio.timeout(5):
                while not api.sixth.is_set():  # noqa: ASYNC110 - of threads, as the sync reader needs it
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
        return api.end(number)

    api.check(asyncio.run(AsyncPages(send, PageRequest(URL), SIDE_BY_SIDE).read_all()))
