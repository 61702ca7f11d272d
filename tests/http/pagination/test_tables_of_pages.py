"""Pages whose bodies have a form of their own become one table, whatever number of pages there are."""

from __future__ import annotations

import json

import pytest

from flowlet_jupyter.errors import PagingStopped, RequestFailed
from flowlet_jupyter.http.page_reader import PagingOptions
from flowlet_jupyter.http.pages import Pages
from flowlet_jupyter.http.pagination import PageRequest
from flowlet_jupyter.http.response import Response

URL = "https://api.example/items"


def read(*bodies, media_type="application/json", **options) -> Pages:
    """The pages of an API that links each to the next."""
    waiting = list(bodies)

    def send(_request: PageRequest) -> Response:
        body = waiting.pop(0)
        headers = {"Content-Type": media_type}
        if waiting:
            headers["Link"] = f'<{URL}?page={len(waiting)}>; rel="next"'
        return Response(200, content=body if isinstance(body, str) else json.dumps(body), headers=headers)

    how = PagingOptions(concurrency=1, show_progress=False, **options)
    return Pages(send, PageRequest(URL), how).read_all()


def ga4(*rows):
    return {
        "dimensionHeaders": [{"name": "c"}], "metricHeaders": [{"name": "n", "type": "TYPE_INTEGER"}],
        "rows": [{"dimensionValues": [{"value": c}], "metricValues": [{"value": n}]} for c, n in rows],
    }  # fmt: skip


def bigquery(*cells):
    return {"schema": {"fields": [{"name": "n", "type": "INTEGER"}]}, "rows": [{"f": [{"v": cell}]} for cell in cells]}


def hits(*names):
    return {"hits": {"hits": [{"_id": name, "_source": {"n": name}} for name in names]}}


PAGES = [
    ([ga4(("de", "1")), ga4(("fr", "2"))], "Google Analytics report", [{"c": "de", "n": 1}, {"c": "fr", "n": 2}]),
    ([ga4(("de", "1")), {**ga4(), "rows": []}], "Google Analytics report", [{"c": "de", "n": 1}]),
    ([bigquery("1"), bigquery("2")], "BigQuery rows", [{"n": 1}, {"n": 2}]),
    ([bigquery("1"), {"rows": [{"f": [{"v": "2"}]}]}], "BigQuery rows", [{"n": 1}, {"n": 2}]),
    ([{"columns": ["a", "b"], "rows": [[1, "x"]]}, {"columns": ["a", "b"], "rows": [[2, "y"]]}], "columns and rows", [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
    ([{"columns": ["a", "b"], "rows": [[1, "x"]]}, {"rows": [[2, "y"]]}], "columns and rows", [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
    ([[["NAME", "POP"], ["Ohio", "1"]], [["NAME", "POP"], ["Utah", "2"]]], "header row and rows", [{"NAME": "Ohio", "POP": "1"}, {"NAME": "Utah", "POP": "2"}]),
    ([{"hourly": {"time": ["2024-01-01T00:00"], "t": [1.5]}}, {"hourly": {"time": ["2024-01-02T00:00"], "t": [2.5]}}], "parallel lists",
     [{"time": "2024-01-01T00:00", "t": 1.5}, {"time": "2024-01-02T00:00", "t": 2.5}]),
    ([hits("a"), hits("b")], "Elasticsearch hits", [{"_id": "a", "n": "a"}, {"_id": "b", "n": "b"}]),
    ([{"u1": {"n": 1, "m": 2}, "u2": {"n": 3, "m": 4}}, {"u3": {"n": 5, "m": 6}, "u4": {"n": 7, "m": 8}}], "objects by key",
     [{"key": "u1", "n": 1, "m": 2}, {"key": "u2", "n": 3, "m": 4}, {"key": "u3", "n": 5, "m": 6}, {"key": "u4", "n": 7, "m": 8}]),
    # a last page that is too small to show its form
    ([{"page": 1, "items": {"k1": {"n": 1}, "k2": {"n": 2}}}, {"page": 2, "items": {"k3": {"n": 3}}}], "objects by key",
     [{"key": "k1", "n": 1}, {"key": "k2", "n": 2}, {"key": "k3", "n": 3}]),
    ([{"items": {"k1": {"n": 1}, "k2": {"n": 2}}}, {"items": {}}], "objects by key", [{"key": "k1", "n": 1}, {"key": "k2", "n": 2}]),
    ([{"items": {"k1": {"n": 1}, "k2": {"n": 2}}}, {"items": []}], "objects by key", [{"key": "k1", "n": 1}, {"key": "k2", "n": 2}]),
    ([{"rates": {"2024-01-01": 1.5, "2024-01-02": 1.6}}, {"rates": {"2024-01-03": 1.7}}], "values by date",
     [{"date": "2024-01-01", "value": 1.5}, {"date": "2024-01-02", "value": 1.6}, {"date": "2024-01-03", "value": 1.7}]),
    ([{"hourly": {"time": ["2024-01-01T00:00"], "t": [1.5]}}, {"hourly": {"time": [], "t": []}}], "parallel lists", [{"time": "2024-01-01T00:00", "t": 1.5}]),
]  # fmt: skip


@pytest.mark.parametrize("behind", [{"u5": 7}, {"u5": {"other": 1}}, {"u5": [{"n": 1}]}])
def test_what_only_stands_where_rows_stood_is_no_row(behind):
    with pytest.raises(RequestFailed, match="another form") as raised:
        read({"u1": {"n": 1, "m": 2}, "u2": {"n": 3, "m": 4}}, behind).to_df()
    assert "objects by key" in str(raised.value)


@pytest.mark.filterwarnings("ignore:The pages were read as a table of this form")
@pytest.mark.parametrize(("bodies", "shape", "rows"), PAGES)
def test_a_table_of_several_pages_is_one_table(bodies, shape, rows):
    pages = read(*bodies)
    frame = pages.to_df()
    assert (frame.attrs["shape"], frame.to_dict("records")) == (shape, rows)
    assert (pages.page_count, pages.complete, frame.attrs["complete"]) == (len(bodies), True, True)
    assert pages.to_polars().to_dicts() == rows


def test_a_page_without_rows_does_not_give_those_of_the_first_once_more():
    pages = read({"columns": ["a"], "rows": [[1]]}, {"took": 5})
    assert pages.to_df().to_dict("records") == [{"a": 1}]


def test_the_rows_of_parallel_lists_are_the_records():
    pages = read(*PAGES[7][0])
    assert pages.records == PAGES[7][2]


def test_a_path_leads_to_a_table_on_every_page():
    assert read(*PAGES[7][0], path="hourly").to_df()["t"].tolist() == [1.5, 2.5]
    assert read(PAGES[4][0][0], path="rows").records == [[1, "x"]]


def test_a_limit_cuts_the_table_where_it_cuts_the_records():
    pages = read(bigquery("1", "2", "3"), bigquery("4"), max_items=2)
    assert (pages.to_df()["n"].tolist(), pages.complete) == ([1, 2], False)
    assert pages.resume().to_df()["n"].tolist() == [1, 2, 3, 4]


def test_a_page_of_another_form_is_no_part_of_the_table():
    pages = read(PAGES[4][0][0], {"columns": ["a"], "rows": [[1, 2, 3]]})
    with pytest.raises(RequestFailed, match="Page 2 has another form"):
        pages.to_df()
    assert len(pages.records) == 2


def test_two_tables_side_by_side_are_for_the_reader_to_choose():
    both = {"hourly": {"time": ["2024-01-01T00:00"], "t": [1]}, "daily": {"time": ["2024-01-01"], "max": [2]}}
    pages = read(both)
    with pytest.raises(RequestFailed, match="hourly, daily"):
        pages.to_df()
    assert pages.records == [both]
    assert read(both, path="daily").to_df()["max"].tolist() == [2]


def test_csv_gets_its_types_from_all_pages_together():
    pages = read("id,n\n7,1\n", "id,n\n007,2\n", media_type="text/csv")
    assert pages.records == [{"id": "7", "n": "1"}, {"id": "007", "n": "2"}]
    assert pages.to_df().to_dict("list") == {"id": ["7", "007"], "n": [1, 2]}
    assert pages.to_polars().to_dict(as_series=False) == {"id": ["7", "007"], "n": [1, 2]}


def test_csv_with_other_columns_on_a_later_page_stops():
    with pytest.raises(PagingStopped, match="CSV with other columns"):
        read("id,n\n7,1\n", "error\nquota\n", media_type="text/csv")


FIRST = {"items": [{"id": 1}], "next": f"{URL}?page=2"}


@pytest.mark.parametrize(
    "body",
    [
        {"ok": False, "error": "rate limited"},
        {"data": None, "errors": [{"message": "rate limited"}]},
        {"data": {"items": None}, "errors": [{"message": "rate limited"}]},
        {"error": {"code": 429, "message": "rate limited"}},
        {"status": "error", "message": "rate limited"},
        {"stat": "fail", "code": 105, "message": "rate limited"},
        {"success": False, "errors": [{"code": 1, "message": "rate limited"}], "result": None},
        {"errcode": 45009, "errmsg": "rate limited"},
        {"Note": "rate limited"},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "rate limited"}},
        {"message": "rate limited"},
        "rate limited",
    ],
    ids=json.dumps,
)  # fmt: skip
@pytest.mark.parametrize("first", [FIRST, [{"id": 1}]], ids=["object", "list"])
def test_an_error_in_a_success_is_never_the_empty_last_page(first, body):
    with pytest.raises(PagingStopped, match="Page 2 was answered with 200 and an error in it: rate limited") as caught:
        read(first, json.dumps(body))
    assert (len(caught.value.pages.records), caught.value.pages.complete) == (1, False)


@pytest.mark.parametrize("body", [{}, {"items": []}, {"items": None, "next": None}, {"next": None}])
def test_an_empty_page_is_one(body):
    pages = read(FIRST, body)
    assert (len(pages.records), pages.complete) == (1, True)


@pytest.mark.parametrize(
    "body",
    [
        {"id": 5, "status": "error", "error": "the job ran out of memory"},
        {"data": [{"id": 1}], "error": None},
        {"data": {"user": {"id": 1}}, "errors": [{"message": "no right to one field"}]},
        {"status": "ok", "message": "2 found", "items": [{"id": 1}]},
    ],
)
def test_what_is_no_error_is_read(body):
    assert read(body).records


def test_a_name_that_stands_twice_in_a_header_loses_no_column():
    assert read("a,a,b\n1,2,3\n", media_type="text/csv").to_df().to_dict("records") == [{"a": 1, "a.1": 2, "b": 3}]
