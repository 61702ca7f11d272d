"""What a live view is told of a response: rows, the tree, copies and Python that runs; never a value that was sent."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlet_jupyter.credentials.redaction import SentValues
from flowlet_jupyter.http.response import Response, redacted
from flowlet_jupyter.http.shown_request import shown_request
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.notebook.display import json_nodes
from flowlet_jupyter.notebook.display.inspection import COPIED_CHARACTERS, Inspection
from flowlet_jupyter.notebook.display.live import LiveViews
from flowlet_jupyter.notebook.display.record_table import Order, RecordTable

PEOPLE = [
    {"name": "Ben", "age": 9, "at": {"city": "Ulm", "a.b": 1}},
    {"name": "ann", "age": None, "at": {"city": "Köln"}, "formula": "=1+1"},
    {"name": "Cem", "age": 30.5, "at": {"city": "Ulm"}},
]


def response(body=None, *, request: httpx.Request | None = None, **options) -> Response:
    if body is not None:
        options["json"] = body
    return Response(200, request=request or httpx.Request("GET", "https://api.example/people"), **options)


def run(python: str, made: Response):
    return eval(python, {"r": made})  # noqa: S307 - what a user would run


def ask(made: Response, kind: str, **question):
    reply, _ = Inspection(made, lambda: "r").reply({"kind": kind, **question})
    return reply


def names(made: Response, **question) -> list[str]:
    return [cells[0] for _, cells in ask(made, "rows", start=0, count=50, **question)["rows"]]


def test_rows_are_sorted_over_all_records_with_gaps_last():
    made = response({"data": PEOPLE})
    assert names(made, sort="age") == ["Ben", "Cem", "ann"]
    assert names(made, sort="age", is_descending=True) == ["Cem", "Ben", "ann"]
    assert names(made, sort="name") == ["ann", "Ben", "Cem"]
    assert names(response([{"n": text} for text in ("10", "9", "1e1", "-2")]), sort="n") == ["-2", "9", "10", "1e1"]


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({"": "ulm"}, ["Ben", "Cem"]), ({"at.city": "köln"}, ["ann"]), ({"age": ">9"}, ["Cem"]), ({"age": "<= 9"}, ["Ben"]),
        ({"name": "=ann"}, ["ann"]), ({"name": "!=ann"}, ["Ben", "Cem"]), ({"at.city": "ulm", "age": "9"}, ["Ben"]),
        ({"nothing": "x"}, []), ({"": "  "}, ["Ben", "ann", "Cem"]),
    ],
)  # fmt: skip
def test_filters_take_texts_and_comparisons(filters, left):
    assert names(response({"data": PEOPLE}), filters=filters) == left


def test_columns_say_what_they_hold():
    columns = ask(response({"data": PEOPLE}), "rows", start=0, count=1)["columns"]
    types = {column["name"]: column["type"] for column in columns}
    assert types == {"name": "text", "age": "number", "at.city": "text", "at.a.b": "whole", "formula": "text"}
    assert RecordTable([{"d": "2024-01-02"}, {"d": "2024-01-03"}]).types == {"d": "date"}


def test_the_python_of_a_cell_gives_its_value():
    made = response({"data": PEOPLE})
    cell = ask(made, "cell", index=0, column="at.a.b")
    assert cell["python"] == 'r.json()["data"][0]["at"]["a.b"]'
    assert run(cell["python"], made) == 1
    assert made.select(cell["path"]) == 1
    gap = ask(made, "cell", index=2, column="formula")
    assert gap["python"] == 'r.json()["data"][2]'  # there is nothing at the column


@pytest.mark.parametrize(
    "body",
    [
        {"columns": ["time", "n"], "rows": [["2024-01-01", 1], ["2024-01-02", 2]]},
        {"hourly": {"time": ["2024-01-01", "2024-01-02"], "n": [1, 2]}},
        [["time", "n"], ["2024-01-01", 1], ["2024-01-02", 2]],
    ],
    ids=["columns and rows", "parallel lists", "header row"],
)
def test_python_runs_for_tables_of_another_form(body):
    made = response(body)
    cell = ask(made, "cell", index=1, column="n")
    assert run(cell["python"], made) == 2
    rows = ask(made, "rows", start=0, count=5)
    assert list(run(rows["frame"], made)["n"]) == [1, 2]


def test_a_copied_table_holds_no_formula():
    text = ask(response({"data": PEOPLE}), "table", **{"as": "tsv"})["text"]
    assert text.splitlines()[0].split("\t") == ["name", "age", "at.city", "at.a.b", "formula"]
    assert "'=1+1" in text
    assert RecordTable([{"n": -5, "t": "-7"}]).as_tsv(Order()) == "n\tt\n-5\t-7"  # numbers stay numbers


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=30,
)


@given(JSON)
def test_every_node_has_python_and_a_path_that_lead_to_it(value):
    made = response(content=json.dumps(value).encode(), headers={"content-type": "application/json"})
    for match in json_nodes.search(value, "", most=50)["matches"]:
        where = ask(made, "where", path=match["path"])
        expected = json_nodes.at(value, match["path"])
        assert run(where["python"], made) == expected
        if "" not in match["path"]:  # JMESPath has no empty identifier
            assert made.select(where["path"]) == expected


def test_a_tree_is_read_page_by_page():
    made = response({"list": list(range(250)), "text": "x" * 1000})
    top = ask(made, "node", path=[], start=0, count=100, levels=3)
    assert [(key, node["type"], node.get("size")) for key, node in top["items"]] == [
        ("list", "array", 250), ("text", "string", None),
    ]  # fmt: skip
    assert top["items"][1][1]["more"] == 700
    page = ask(made, "node", path=["list"], start=200, count=100, levels=1)
    assert [key for key, _ in page["items"]] == list(range(200, 250))
    assert "cannot be shown" in ask(made, "node", path=["nothing"], start=0, count=1, levels=1)["error"]


def test_a_search_goes_through_all_and_says_if_there_is_more():
    made = response({"a": [{"Name": "x"}] * 300, "b": {"c": "name"}})
    found = ask(made, "search", text="NAME")
    assert len(found["matches"]) == 200
    assert not found["is_all"]
    assert [match["path"] for match in ask(made, "search", text="c")["matches"]] == [["b", "c"]]


def test_a_value_that_was_sent_is_in_no_reply():
    made = response(
        {"data": [{"time": f"2024-01-0{day}", "n": day, "echo": "canary-9f2c"} for day in range(1, 6)]},
        request=httpx.Request(
            "POST", "https://api.example/x?q=canary-9f2c", json={"note": "canary-9f2c", "password": "p"}
        ),
    )
    made.sent_values = SentValues([SecretValue("canary-9f2c")])
    shown = redacted(made)
    for kind, more in (
        ("rows", {"count": 9}), ("node", {"count": 9, "levels": 3}), ("search", {"text": "echo"}), ("raw", {}),
        ("value", {"path": ["data"], "as": "json"}), ("cell", {"column": "echo"}), ("table", {"as": "tsv"}),
        ("table", {"as": "json"}), ("chart", {}), ("search", {"text": "canary-9f2c"}),
    ):  # fmt: skip
        assert "canary-9f2c" not in json.dumps(ask(shown, kind, **more)), kind
    assert "canary-9f2c" not in made.plot().svg + repr(made.plot())
    request = shown_request(shown)
    assert "canary-9f2c" not in repr(request)
    assert '"password": "(not shown)"' in request.body


def test_credentials_in_the_request_are_not_shown():
    request = httpx.Request(
        "POST", "https://ann:pw@api.example/x?access_token=t0p&q=1", data={"client_secret": "t0p", "a": "b"},
        headers={"authorization": "Bearer t0p"},
    )  # fmt: skip
    shown = shown_request(response({}, request=request))
    assert "t0p" not in repr(shown)
    assert "pw@" not in shown.url
    assert "q=1" in shown.url
    assert "a=b" in shown.body


def test_a_copy_is_bounded():
    made = response({"long": "x" * (COPIED_CHARACTERS + 1)})
    assert "too much for the clipboard" in ask(made, "value", path=["long"])["error"]
    assert len(ask(made, "rows", start=0, count=10**9).get("error", "")) < 1000
    assert len(ask(response([{"n": n} for n in range(1000)]), "rows", start=0, count=10**9)["rows"]) == 200


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"kind": "x"},
        {"kind": "rows", "start": "a"},
        {"kind": "cell", "index": 10**9},
        {"kind": "node", "path": [[]]},
    ],
)
def test_a_question_that_makes_no_sense_gets_a_reply(question):
    reply, _ = Inspection(response({"data": PEOPLE}), lambda: "r").reply(question)
    assert isinstance(reply, dict)


@pytest.mark.parametrize(
    ("content", "declared", "shown"),
    [
        (b"\x89PNG\r\n\x1a\nxx", "image/png", "image/png"),
        (b"<script>alert(1)</script>", "image/png", None),
        (b"%PDF-1.7", "application/octet-stream", "application/pdf"),
        (b"<html>", "application/pdf", None),
        (b"RIFF1234WAVE", "audio/x-wav", "audio/wav"),
        (b"BMW is a car", "text/plain", None),
        (b"<svg/>", "image/svg+xml", "image/svg+xml"),
    ],
)
def test_a_body_is_shown_by_its_first_bytes_and_never_as_a_page(content, declared, shown):
    made = response(content=content, headers={"content-type": declared})
    reply, buffers = Inspection(made, lambda: "r").reply({"kind": "media"})
    assert reply.get("media_type") == shown
    assert buffers == ([content] if shown else [])


class Pages:
    """The widget: what is sent to the pages."""

    def __init__(self) -> None:
        self.sent: list = []

    def send(self, content, _buffers=None) -> None:
        self.sent.append(content)


def test_views_do_not_keep_responses_alive():
    views = LiveViews(None)
    views._widget = pages = Pages()
    for number in range(5):
        made = response({"data": PEOPLE})
        views.add(f"v{number}", made)
    del made
    views.receive({"kind": "ask", "view": "v0", "number": 1, "question": {"kind": "about"}})
    assert "Run the cell again" in pages.sent[-1]["reply"]["error"]
    views.receive({"kind": "hello"})
    assert pages.sent[-1] == {"kind": "views", "views": ["v0", "v1", "v2", "v3", "v4"]}
    views.receive("nonsense")


def test_a_live_view_hides_what_was_sent():
    made = response({"data": [{"n": 1, "echo": "canary-9f2c"}] * 2})
    made.sent_values = SentValues([SecretValue("canary-9f2c")])
    views = LiveViews(None)
    views._widget = pages = Pages()
    views.add("v", made)
    views.receive({"kind": "ask", "view": "v", "number": 1, "question": {"kind": "raw"}})
    assert "(value of the secret)" in pages.sent[-1]["reply"]["text"]
    assert "canary-9f2c" not in json.dumps(pages.sent)


def test_a_plot_hides_what_was_sent():
    made = response(
        [{"time": f"2024-01-0{day % 2 + 1}", "n": day, "who": ("canary-9f2c", "b")[day // 2]} for day in range(4)]
    )
    made.sent_values = SentValues([SecretValue("canary-9f2c")])
    assert "(value of the secret)" in made.plot().svg
    assert "canary-9f2c" not in made.plot().svg
