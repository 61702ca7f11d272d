"""Which columns become a chart, and what its picture holds."""

from __future__ import annotations

import json

import httpx
import pytest
from defusedxml import ElementTree

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables.chart import can_be_charted, chart_of
from flowlet_jupyter.tables.chart_svg import DARK, saved_svg_of, svg_of


def rows(of_times: str, times, **columns):
    return [
        {of_times: time, **{key: values[index] for key, values in columns.items()}} for index, time in enumerate(times)
    ]


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (["2024-01-01", "2024-01-02", "2024-01-03"], 1704067200),
        (["2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z", "2024-01-01T02:00:00+00:00"], 1704067200),
        ([1704067200, 1704067260, 1704067320], 1704067200),
        ([1704067200000, 1704067260000, 1704067320000], 1704067200),
        (["1704067200000", "1704067260000", "1704067320000"], 1704067200),
        (["2024-01", "2024-02", "2024-03"], 1704067200),
        ([2024, 2025, 2026], 1704067200),
        (["Mon Jan 01 00:00:00 +0000 2024", "Tue Jan 02 00:00:00 +0000 2024", "Wed Jan 03 00:00:00 +0000 2024"], 1704067200),
    ],
    ids=["dates", "moments", "seconds", "milliseconds", "texts of milliseconds", "months", "years", "e-mail"],
)  # fmt: skip
def test_times_are_found_as_apis_write_them(times, first):
    chart = chart_of(rows("time", times, value=[1, 2.5, "3"]))
    assert chart.series[0].points[0] == (first, 1.0)
    assert chart.mark == "line"


def test_numbers_that_are_no_times_and_no_measures_are_passed_over():
    records = rows("created_at", ["2024-01-01", "2024-01-02", "2024-01-03"], id=[1700000000, 1700000001, 1700000002],
                   flag=[True, False, True], zip_code=[1, 2, 3], like_count=[5, 9, 2])  # fmt: skip
    chart = chart_of(records)
    assert (chart.x, chart.y) == ("created_at", ("like_count",))
    with pytest.raises(RequestFailed, match=r"No column holds times.*id \(numbers\), name \(text\)"):
        chart_of([{"id": 1700000000, "name": "a"}, {"id": 1700000001, "name": "b"}])
    with pytest.raises(RequestFailed, match=r"no column of numbers to plot.*d \(times\)"):
        chart_of([{"d": "2024-01-01"}, {"d": "2024-01-02"}])


def test_named_columns_are_taken_or_refused_by_name():
    records = rows("d", ["2024-01-01", "2024-01-02"], open=[1, 2], close=[2, 3], name=["a", "b"])
    assert [one.name for one in chart_of(records, y=["open", "close"]).series] == ["open", "close"]
    for wrong, says in (
        ({"x": "name"}, "holds no times"),
        ({"y": "name"}, "holds no numbers"),
        ({"y": "z"}, "no column 'z'"),
    ):
        with pytest.raises(RequestFailed, match=says):
            chart_of(records, **wrong)


def test_several_things_at_one_time_never_look_like_one_line():
    times = ["2024-01-01", "2024-01-01", "2024-01-02", "2024-01-02"]
    grouped = chart_of(rows("date", times, city=["Ulm", "Bonn", "Ulm", "Bonn"], value=[1, 5, 2, 6]))
    assert {series.name: [value for _, value in series.points] for series in grouped.series} == {
        "Ulm": [1, 2],
        "Bonn": [5, 6],
    }
    assert chart_of(rows("date", times, value=[1, 5, 2, 6])).mark == "points"


def test_gaps_are_said():
    chart = chart_of(rows("date", ["2024-01-01", "2024-01-02", None], value=[1, None, 2]))
    assert chart.notes[0].startswith("2 of 3 values are missing")
    assert not can_be_charted(rows("date", ["2024-01-01", "2024-01-02", None], value=[1, None, 2]))


def test_the_picture_is_small_and_its_texts_are_text():
    records = [{"time": 1_700_000_000 + n * 60, "<script>&": n % 97 if n != 70_000 else 10_000} for n in range(100_000)]
    chart = chart_of(records)
    for svg in (svg_of(chart), svg_of(chart, DARK), saved_svg_of(chart)):
        assert len(svg) < 30_000
        assert "<script" not in svg
        assert "&lt;script&gt;&amp;" in svg
        ElementTree.fromstring(svg)
    assert "between 0 and 10000" in chart.summary


@pytest.mark.parametrize("span", [0.001, 1, 59, 3600, 86_400 * 3, 86_400 * 400, 86_400 * 365 * 70])
def test_any_span_has_a_picture(span):
    svg = svg_of(chart_of([{"time": 1_700_000_000 + span * n / 2, "v": n * 1e-9} for n in range(3)]))
    ElementTree.fromstring(svg)
    assert "nan" not in svg


def test_a_response_is_plotted_with_a_picture_for_the_saved_notebook():
    pytest.importorskip("altair")
    body = {"data": rows("time", [f"2024-01-{day:02}" for day in range(1, 30)], value=list(range(29)))}
    plot = Response(200, json=body, request=httpx.Request("GET", "https://api.example/")).plot()
    bundle = plot._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "application/vnd.vegalite.v5+json"}
    assert len(json.dumps(bundle)) < 64_000
    specification = plot.altair().to_dict()
    assert len(specification["data"]["values"]) == 29
    assert specification["encoding"]["x"]["title"] == "time"
