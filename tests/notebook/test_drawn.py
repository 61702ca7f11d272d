"""What a terminal's IPython shows of a response, drawn by Rich; and that nothing an API writes is markup or a command there."""

from __future__ import annotations

import contextlib
import re
import sys

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.notebook.display.problem import as_error
from flowlet_jupyter.notebook.display.text import response_text
from flowlet_jupyter.session.ipython_hooks import hooks

ESCAPE = re.compile(r"\x1b\[[\d;]*m")  # a style of ours; nothing else that begins with ESC may be there
URL = "https://api.example.org/birds"


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 80 columns."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    return monkeypatch


def response(body, status: int = 200) -> Response:
    return Response(status, json=body, request=httpx.Request("GET", URL))


def plain(made: Response) -> str:
    return ESCAPE.sub("", hooks().response_text(made))


def test_records_are_a_table_that_fits(terminal):
    records = [
        {"id": number, "name": "Zaunkönig 鳥鳥", "about": "x" * 90, **{f"field{n}": n for n in range(9)}}
        for number in (1, 2)
    ]
    drawn = plain(response({"data": records}))
    assert "200 OK" in drawn
    assert re.search(r"1\s+Zaunkönig 鳥鳥\s+x+…", drawn)
    assert "2 records of data, 7 more columns: r.to_df(), r.json()" in drawn
    from rich.cells import cell_len

    assert max(map(cell_len, drawn.splitlines())) <= 80


def test_a_long_text_is_cut_in_a_narrow_terminal_and_a_number_is_not(terminal):
    terminal.setenv("COLUMNS", "60")
    records = [
        {"id": str(1985000000000000000 - n), "text": f"Dawn chorus {n}: " + "x" * 60, "likes": 7} for n in (1, 2)
    ]
    drawn = plain(response({"data": records}))
    assert re.search(r"1984999999999999999\s+Dawn chorus 1: x+…", drawn)
    assert "1 more column:" in drawn
    assert max(map(len, drawn.splitlines())) <= 60


def test_a_column_that_would_be_cut_to_a_few_letters_is_left_out(terminal):
    terminal.setenv("COLUMNS", "40")
    drawn = plain(response({"data": [{"name": "n" * 25, "text": "x" * 30, "n": 1}] * 2}))
    assert "n" * 25 in drawn
    assert "2 more columns" in drawn


def test_an_object_is_a_tree_that_is_cut(terminal):
    drawn = plain(response({"user": {"name": "ada", "tags": list(range(500))}, "text": "x" * 500, "deep": [[[[[1]]]]]}))
    assert re.search(r"user: \{2\}\n.*name: \"ada\"\n.*tags: \[500\]", drawn)
    assert len(drawn.splitlines()) < 80
    assert "x" * 300 not in drawn


def test_the_beginning_of_a_long_body_is_not_taken_for_all_of_it(terminal):
    made = Response(200, content=b'{"user": {"about": "' + b"x" * 2_000_000 + b'"}}', request=httpx.Request("GET", URL))
    made.headers["content-type"] = "application/json"
    assert "the beginning of 2.0 MB: r.json()" in plain(made)
    assert "… more of 2.0 MB: r.json()" in response_text(made)


def test_an_error_says_what_it_means_and_what_to_run(terminal):
    drawn = plain(response({"error": {"message": "no such bird"}}, 404))
    assert "404 Not Found" in drawn
    assert "The API says: no such bird" in drawn
    assert "What it means: There is nothing at this path" in drawn
    assert f"Next: %flowlet_request {URL} --dry-run" in " ".join(drawn.split())


def test_pages_are_drawn_with_how_complete_they_are(terminal, respx_mock):
    respx_mock.get(URL).respond(json={"data": [{"id": 1, "name": "wren"}, {"id": 2, "name": "owl"}], "total": 5})
    pages = flowlet.paginate(URL, progress=False, max_pages=1).read_all()
    drawn = ESCAPE.sub("", hooks().series_text(pages))
    assert re.search(r"1\s+wren\n.*2\s+owl", drawn)
    assert "Where it stopped: " in drawn


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("NO_COLOR", "1")])
def test_without_colours_there_are_none(terminal, name, value):
    made = response({"name": "wren"})
    assert re.search(r"\x1b\[[\d;]*3\dm", hooks().response_text(made))
    terminal.setenv(name, value)
    assert not re.search(r"\x1b\[[\d;]*3\dm", hooks().response_text(made))


def test_without_rich_or_a_terminal_it_is_the_plain_text(terminal):
    made = response({"name": "wren"})
    assert hooks().response_text(made) != response_text(made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "rich.table", None)
        patch.setattr("importlib.util.find_spec", lambda name: None)
        assert hooks().response_text(made) == response_text(made)
    terminal.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert hooks().response_text(made) == response_text(made)


HOSTILE = "[bold red]x[/] [link=https://evil.example]y[/link] :bomb: \x1b]8;;https://evil.example\x07z\x1b]0;title\x07 \x9b2J \u202e \r"


@given(text=st.just(HOSTILE) | st.text(max_size=30))
def test_nothing_that_an_api_writes_is_markup_or_steers_the_terminal(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        patch.setenv("TERM", "xterm-256color")
        patch.setenv("COLUMNS", "200")
        for body, status in (
            ({text: text, "in": [text]}, 200),
            ([{"a": text, text: 1}] * 2, 200),
            ({"error": text}, 400),
            (text, 200),
        ):
            drawn = ESCAPE.sub("", hooks().response_text(response(body, status)))
            assert not set("\x1b\x07\x9b\u202e\r") & set(drawn)
            drawn.encode()
    if text == HOSTILE:
        assert "[bold red]x[/]" in drawn
        assert ":bomb:" in drawn


FAKE = "Birds are out.\nNext: %pip install birds-fix\r\nWhat to do: run it\u2028Next: now"
FAILED = [
    (403, {"error": {"message": FAKE}}),
    (404, {"title": FAKE, "detail": FAKE}),
    (500, [FAKE]),
    (200, {"ok": False, "error": FAKE}),
    (200, {"status": "error", "message": FAKE}),
    (200, {"errors": [{"message": FAKE}], "data": None}),
    (200, {"errors": [{"message": FAKE}], "data": {"birds": [{"id": 1}]}}),
    (200, {"elements": [{"id": 1}], "remark": f"runtime error: {FAKE}"}),
]


@pytest.mark.filterwarnings("ignore:Rows may be missing")
@pytest.mark.parametrize(("status", "body"), FAILED, ids=lambda each: str(each)[:30])
def test_no_error_of_an_api_begins_a_line_that_looks_like_our_advice(terminal, status, body):
    terminal.setenv("COLUMNS", "1000")  # where a line is too long, a terminal breaks it anywhere
    made = response(body, status)
    texts = [plain(made), response_text(made), as_error(made)]
    for read in (made.to_df, made.records):
        with contextlib.suppress(FlowletError):
            read()
            continue
        with pytest.raises(FlowletError) as raised:
            read()
        texts.append(str(raised.value))
    for text in texts:
        assert not re.search(r"^(?:Next: (?:%pip|now)|What to do: run)", text, re.MULTILINE)


def test_nor_does_one_in_xml():
    xml = f"<error><message>{FAKE}</message></error>".encode()
    made = Response(200, content=xml, headers={"Content-Type": "application/xml"}, request=httpx.Request("GET", URL))
    with pytest.raises(
        FlowletError, match=r"Birds are out\. Next: %pip install birds-fix What to do: run it Next: now"
    ):
        made.to_df()
