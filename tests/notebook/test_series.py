"""How many responses look: which, how many, where it stopped; small, safe, and live as that of one."""

from __future__ import annotations

import json
import re

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import PagingStopped
from flowlet_jupyter.model.static import ApiKey
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.notebook.display.inspection import SeriesInspection
from flowlet_jupyter.notebook.display.parts import OUTPUT_BYTES
from flowlet_jupyter.notebook.display.series import series_html, series_of, series_text
from flowlet_jupyter.testing import put_secret

KEY = "canary-key-71b2c4"


def parts(html: str) -> list[str]:
    return re.findall(r'data-part="(\w+)"', html)


def ask(value, kind: str, **question):
    reply, _ = SeriesInspection(series_of(value), lambda: "it").reply({"kind": kind, **question})
    return reply


def run(python: str, value):
    return eval(python, {"it": value})  # noqa: S307 - what a user would run


@pytest.fixture
def pages(api):
    return flowlet.paginate(f"{api.url}/cursor", params={"max_results": 5}).read_all()


def test_pages_say_which_they_are_and_that_they_are_all(pages):
    html = series_html(pages, name="birds")
    assert "19 pages, 95 records, complete" in html
    assert parts(html) == ["tree", "table", "pages", "headers", "request"]
    assert "birds.to_df()" in html
    assert "3 more" in html  # of 19 pages 16 are listed
    assert "Next cell" not in html


def test_what_is_not_complete_says_where_it_stopped_and_what_goes_on(api):
    some = flowlet.paginate(f"{api.url}/cursor", params={"max_results": 5}, max_pages=2).read_all()
    html = series_html(some, name="birds")
    assert "2 pages, 10 records, not complete" in html
    assert "Where it stopped" in html
    assert "There are more pages." in html
    assert "<code>birds.resume()</code>" in html
    assert "<code>flowlet.last_pages().resume()</code>" in series_html(some)


def test_pages_that_were_not_read_yet_are_shown_too(api):
    html = series_html(flowlet.paginate(f"{api.url}/cursor"))
    assert "Nothing was read yet." in html
    assert parts(html) == ["tree"]


def test_an_error_in_between_is_said(api):
    api.breaks_at = 3
    with pytest.raises(PagingStopped) as caught:
        flowlet.paginate(f"{api.url}/breaks", retry=0).read_all()
    assert "Page 3 was answered with" in series_html(caught.value.pages, name="birds")


def test_the_whole_output_stays_small(api):
    api.body = json.dumps([{f"column {n}": "<é>" * 60 for n in range(30)} for _ in range(60)]).encode()
    urls = [f"{api.url}/kind?type=application/json&n={n}&long={'é' * 300}" for n in range(40)]
    for value in (flowlet.gather(urls), flowlet.paginate(urls[0]).read_all()):
        assert len(series_html(value).encode()) + len(series_text(value).encode()) <= OUTPUT_BYTES


def test_what_was_gathered_says_what_failed_and_asks_again(api):
    gathered = flowlet.gather([f"{api.url}/kind?type=application/json", f"{api.url}/nothing"], retry=0)
    html = series_html(gathered, name="found")
    assert "2 requests, 1 went well, 1 failed" in html
    assert "404" in html
    assert "<code>found.resume()</code>" in html
    assert "requests" in parts(html)
    lines = ask(gathered, "rows", of="log", start=0, count=10)
    assert [row[0] for row in lines["rows"]] == [0, 1]


def test_python_and_paths_lead_to_what_is_shown(pages):
    cell = ask(pages, "cell", index=7, column="id")
    assert cell["python"] == 'it.records[7]["id"]'
    assert run(cell["python"], pages) == pages.select(cell["path"]) == pages.records[7]["id"]
    assert run(ask(pages, "rows", start=0, count=1)["frame"], pages).shape[0] == 95
    line = ask(pages, "cell", of="log", index=2, column="page")
    assert run(line["python"], pages) == 3
    assert ask(pages, "rows", of="log", start=0, count=50)["total"] == 19
    assert run(ask(pages, "where", path=[3])["python"], pages) == pages.records[3]
    assert "error" in ask(pages, "raw", start=0)
    assert "error" in ask(pages, "media")


def test_no_value_of_a_secret_is_shown_or_told(api):
    put_secret(ApiKey(name="keyed", key=SecretValue(KEY), base_url=api.url, parameter="X-Key", location="header"))
    echoed = [{"key": KEY, KEY: [f"a {KEY} b", 1]}, {"key": "x", "url": f"/?key={KEY}"}]
    api.body = json.dumps(echoed).encode()
    path = "/kind?type=application/json&access_token=canary-in-a-link"
    for value in (flowlet.paginate(path, secret="keyed").read_all(), flowlet.gather([path], secret="keyed")):
        assert KEY in json.dumps([dict(record) for record in series_of(value).rows])  # the data are the user's
        replies = [ask(value, "node", path=[], start=0, count=9, levels=3), ask(value, "rows", start=0, count=9),
                ask(value, "rows", of="log", start=0, count=9), ask(value, "table"), ask(value, "search", text="")]  # fmt: skip
        for shown in (series_html(value), series_text(value), json.dumps(replies), repr(value)):
            assert KEY not in shown
            assert "canary-in-a-link" not in shown


def test_html_in_records_is_text(api):
    api.body = json.dumps([{"<b>": "<script>alert(1)</script>"}, {"<b>": "<img src=x onerror=alert(1)>"}]).encode()
    html = series_html(flowlet.paginate(f"{api.url}/kind?type=application/json").read_all(), name="<x>")
    assert "<script" not in html
    assert "<img" not in html


def test_pages_make_a_chart(api):
    api.body = json.dumps([{"time": f"2024-01-{day:02}", "n": day} for day in range(1, 9)]).encode()
    pages = flowlet.paginate(f"{api.url}/kind?type=application/json").read_all()
    assert "n by time" in pages.plot().summary
    assert ask(pages, "about")["has_chart"]
    assert run(ask(pages, "chart")["python"], pages).summary == pages.plot().summary
    gathered = flowlet.gather([f"{api.url}/kind?type=application/json"])
    assert run(ask(gathered, "chart")["python"], gathered).summary
