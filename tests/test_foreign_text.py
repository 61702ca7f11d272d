"""Text of an API at every place where it is shown, written or sent: nothing fails, steers a terminal, or is lost without a sign."""

from __future__ import annotations

import datetime
import io
import json
from collections.abc import Callable
from xml.etree import ElementTree as ET

import httpx
import pytest
from examples import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st

import flowlet_jupyter as flowlet
from flowlet_jupyter.http.har import Recording
from flowlet_jupyter.http.plot import plot_of
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.notebook.display.html import response_html
from flowlet_jupyter.notebook.display.inspection import Inspection
from flowlet_jupyter.notebook.display.problem import as_error
from flowlet_jupyter.notebook.display.text import response_text
from flowlet_jupyter.notebook.execution import print_notice
from flowlet_jupyter.tables.charset import decode
from flowlet_jupyter.tables.foreign_text import for_terminal, without_surrogates

HALF = "\ud83d"
ODD = (
    HALF,
    "\udc80",
    "\0",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\u202e",
    "\uffff",
    "\U000e0fff",
    "\r",
    "\u2028",
    "e" + "\u0301" * 400,
    "👩\u200d" * 300,
)
TEXTS = st.lists(st.sampled_from(ODD) | st.text(max_size=6), max_size=4).map("".join)
STEERS = set("\0\x07\x08\r\x1b\x7f\x85\x9b\u2028\u2029\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


def response(body: object, status: int = 200, media_type: str = "application/json") -> Response:
    content = json.dumps(body).encode()  # halves of a character as JSON has them: \ud83d
    made = Response(
        status,
        content=content,
        headers={"content-type": media_type},
        request=httpx.Request("GET", "https://api.example/me"),
    )
    made.elapsed = datetime.timedelta(seconds=1)
    return made


def bodies(text: str) -> list[object]:
    records = [{"name": text, "x" + text: number, "at": f"2026-01-0{number}"} for number in (1, 2)]
    return [text, {text: text, "in": {"list": [text]}}, records, {"columns": ["n", text], "rows": [[1, text], [2, ""]]},
            {"ok": False, "error": text}, {"errors": [{"message": text}], "data": None}]  # fmt: skip


def of_inspection(made: Response) -> str:
    inspection = Inspection(made, lambda: "r")
    questions = [
        {"kind": "about"}, {"kind": "rows", "start": 0, "count": 9}, {"kind": "node", "path": [], "count": 9, "levels": 3},
        {"kind": "search", "text": ""}, {"kind": "value", "path": []}, {"kind": "value", "path": [], "as": "json"}, {"kind": "raw"},
        {"kind": "table"}, {"kind": "table", "as": "json"}, {"kind": "chart"}, {"kind": "cell", "index": 0, "column": "name"},
    ]  # fmt: skip
    return json.dumps([inspection.reply(question)[0] for question in questions], ensure_ascii=False)


def of_frames(made: Response) -> str:
    try:
        frame, other = made.to_df(), made.to_polars()
    except flowlet.FlowletError as error:
        return str(error)
    frame.to_parquet(io.BytesIO())
    other.write_parquet(io.BytesIO())
    frame.to_csv(io.StringIO())
    return json.dumps(list(frame.columns), ensure_ascii=False) + other.write_csv()


def of_plot(made: Response) -> str:
    try:
        plot = plot_of(made.records(), x=None, y=None)
    except flowlet.FlowletError as error:
        return str(error)
    ET.fromstring(plot.svg)  # noqa: S314 - a picture that is no XML is none
    return json.dumps(plot._repr_mimebundle_(), ensure_ascii=False)


def of_har(made: Response) -> str:
    har = Recording()
    har.add(made)
    return json.dumps(har.to_dict(), ensure_ascii=False)


SINKS: dict[str, Callable[[Response], str]] = {
    "view": response_html, "live view": of_inspection, "text": response_text, "frames": of_frames, "plot": of_plot, "HAR": of_har,
    "error": lambda made: str(flowlet.RequestFailed(as_error(made))), "no such key": lambda made: message_of(lambda: made["nothing"]),
    "no such path": lambda made: message_of(lambda: made.to_df("nothing")),
}  # fmt: skip
OF_TERMINALS = {"text", "error", "no such key", "no such path"}


def message_of(action: Callable[[], object]) -> str:
    with pytest.raises(flowlet.FlowletError) as caught:
        action()
    return str(caught.value)


@pytest.mark.filterwarnings("ignore:The body was read as a table")
@pytest.mark.parametrize("sink", SINKS)
@settings(max_examples=examples(40))
@given(text=TEXTS, status=st.sampled_from([200, 400]), media_type=st.sampled_from(["application/json", "text/plain"]))
@example(text="".join(ODD), status=200, media_type="application/json")
def test_any_text_can_be_shown_anywhere(sink, text, status, media_type):
    for body in bodies(text):
        shown = SINKS[sink](response(body, status, media_type))
        shown.encode()  # what a message, a file and a stream do
        if sink in OF_TERMINALS:
            assert not STEERS & set(shown)


@pytest.mark.parametrize("odd", ODD[:6])
def test_what_is_taken_out_leaves_a_sign(odd):
    for sink in (response_html, response_text):
        assert "Qq" not in sink(response([{"n": f"Q{odd}q"}] * 2))
    # other scripts need their joiners, and a page its direction
    assert for_terminal("نمی\u200cدانم 👩\u200d👩 a\u00a0b\n\tc") == "نمی\u200cدانم 👩\u200d👩 a\u00a0b\n\tc"


def test_a_pair_of_halves_is_the_character_that_it_is():
    assert without_surrogates(["\ud83d\ude00", {"\ud83d": ("x",)}]) == ["😀", {"\ufffd": ["x"]}]


def test_a_notice_that_quotes_a_key_does_not_steer_the_terminal(capsys):
    print_notice("The records of \x1b[2J were taken\u202e")
    assert capsys.readouterr().err == "The records of \ufffd[2J were taken\ufffd\n"


@pytest.mark.parametrize(
    "charset",
    ["unicode_escape", "raw_unicode_escape", "utf-7", "punycode", "idna", "undefined", "rot13", "zlib", "utf-8\0", "x"],
)
def test_what_is_no_charset_is_none_wherever_the_body_is_shown(charset):
    body = '["\\ud83d +2D0- é"]'.encode()
    made = Response(200, content=body, headers={"content-type": f"text/plain; charset={charset}"})
    assert made.text == body.decode()
    assert "é" in response_html(made)
    assert "é" in response_text(made)


@pytest.mark.parametrize("charset", ["utf-8", "shift_jis", "utf-16-le", "windows-1252"])
def test_a_cut_leaves_out_the_half_of_a_character_and_keeps_the_charset(charset):
    text = "ö" * 9 if charset == "windows-1252" else "ああ" * 9
    content = text.encode(charset)
    for size in range(4, len(content)):
        assert text.startswith(decode(content[:size], charset, is_cut=True).text)


@pytest.mark.parametrize("send", [
    lambda text: flowlet.post("http://127.0.0.1:9/", json={"x": [text]}),
    lambda text: flowlet.get("http://127.0.0.1:9/", params={"x": text}),
    lambda text: flowlet.gather("http://127.0.0.1:9/{x}", rows=[{"x": text}]),
])  # fmt: skip
def test_half_a_character_is_refused_in_words_before_anything_is_sent(send):
    assert "cut in the middle of a character" in message_of(lambda: send(f"a{HALF}"))


@pytest.mark.parametrize("name", ["a\0b", f"a{HALF}b"])
def test_a_name_that_no_file_can_have_is_refused_in_words(name, tmp_path):
    assert "No file can be called" in message_of(lambda: response({}).save(tmp_path / name))
    with httpx.Client() as client:
        from flowlet_jupyter.http.download import download

        assert "No file can be called" in message_of(lambda: download(client, "http://127.0.0.1:9/", tmp_path / name))
