"""What stands behind the last page: nothing at all, an error that means the end, or the same page again."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from flowlet_jupyter.errors import PagingStopped
from flowlet_jupyter.http.page_reader import PagingOptions
from flowlet_jupyter.http.pages import Pages
from flowlet_jupyter.http.pagination import PageRequest
from flowlet_jupyter.http.response import Response

URL = "https://api.example/shows"


def read(query: str, bodies: list[Any], end: Response) -> Pages:
    """The pages of an API that gives `bodies`, and then `end`."""
    left = [Response(200, json=body, request=httpx.Request("GET", URL)) for body in bodies]
    options = PagingOptions(concurrency=1, show_progress=False)
    pages = Pages(lambda _request: left.pop(0) if left else end, PageRequest(URL + query), options)
    try:
        pages.read_all()
    except PagingStopped as stopped:
        assert stopped.pages is pages
    return pages


@pytest.mark.parametrize("status", [404, 410, 416])
def test_an_address_where_nothing_is_ends_what_is_counted_on(status):
    pages = read("?page=0", [[{"id": 1}], [{"id": 2}]], Response(status, json={"message": "Not Found"}))
    assert (pages.complete, pages.records) == (True, [{"id": 1}, {"id": 2}])
    assert pages.reason == "the API says that there is no page 3"


def test_an_end_is_none_where_the_newest_page_says_that_there_is_more():
    bodies = [{"items": [{"id": number}], "has_more": True} for number in (1, 2)]
    pages = read("?page=1", bodies, Response(404, json={"detail": "Invalid page."}))
    assert (pages.complete, len(pages.records)) == (False, 2)
    assert pages.reason == "the API says that there is no page 3, and the page before that has_more is true"


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (Response(404, text="<html><title>None</title></html>", headers={"content-type": "text/html"}), "the API says that there is no page 3, but it says so by a web page"),
        (Response(200, text=""), "page 3 has no body"),
        (Response(200, json=[{"id": 1}]), "page 3 is one that came before, behind a full one"),
    ],
)  # fmt: skip
def test_an_end_that_may_be_an_accident_is_not_surely_all(end, reason):
    pages = read("?page=1", [[{"id": 1}], [{"id": 2}]], end)
    assert (pages.complete, len(pages.records)) == (None, 2)
    assert pages.reason.startswith(reason)
    pages = read("?page=1", [{"data": [{"id": 1}], "total": 2}, {"data": [{"id": 2}], "total": 2}], end)
    assert pages.complete is True


def test_the_first_page_again_behind_a_short_one_is_the_end():
    first = [{"id": 1}, {"id": 2}]
    pages = read("?page=1", [first, [{"id": 3}]], Response(200, json=first))
    assert (pages.complete, len(pages.records)) == (True, 3)


@pytest.mark.parametrize("end", [Response(204), Response(200, text="null")])
def test_a_body_of_nothing_is_an_empty_page(end):
    pages = read("?page=1", [[{"id": 1}], [{"id": 2}]], end)
    assert (pages.complete, len(pages.records), pages.reason) == (True, 2, "the last page was empty")


@pytest.mark.parametrize(
    "about", [{"total": 9}, {"total_pages": 9}, {"has_more": True}], ids=["total", "pages", "has_more"]
)
def test_an_end_against_what_the_pages_say_is_not_complete(about):
    bodies = [{"data": [{"id": 1}], **about}, {"data": [{"id": 2}], **about}]
    pages = read("?page=1", bodies, Response(404))
    assert (pages.complete, len(pages.records)) == (False, 2)


def test_a_second_page_that_is_not_there_says_nothing_of_a_way_that_was_guessed():
    pages = read("", [{"data": [{"id": 1}], "has_more": True}], Response(404))
    assert pages.complete is False
    pages = read("?page=1", [{"data": [{"id": 1}], "next_cursor": "c"}], Response(404))
    assert pages.complete is None


def test_an_address_where_nothing_is_ends_no_cursor():
    pages = read("", [{"data": [{"id": 1}], "next": f"{URL}?after=1"}], Response(404))
    assert (pages.complete, pages.can_resume) == (False, True)


def test_a_page_that_links_to_itself_is_the_last_one_and_not_surely_all():
    link = {"next": f"{URL}?after=1"}
    pages = read("", [{"data": [{"id": 1}], **link}, {"data": [{"id": 2}], **link}], Response(500))
    assert (pages.complete, len(pages.records), pages.can_resume) == (None, 2, False)


def test_a_guess_that_brings_the_same_page_again_adds_nothing_to_it():
    body = {"total": 4, "pages": ["a", "b"]}
    pages = read("?limit=2", [body, body, body, body, body, body], Response(500))
    assert (pages.complete, pages.records) == (False, ["a", "b"])


def test_a_body_that_is_asked_for_as_it_is_is_no_error():
    body = {"status": "failed", "message": "card declined"}
    assert read("", [body], Response(500)).records == []
    options = PagingOptions(concurrency=1, show_progress=False, path="@")
    assert Pages(lambda _request: Response(200, json=body), PageRequest(URL), options).read_all().records == [body]
