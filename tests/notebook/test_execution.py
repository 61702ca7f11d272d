"""What a line gives and says: errors in a success, and the one sentence under pages that are not all."""

from __future__ import annotations

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import PagingStopped, RequestFailed
from flowlet_jupyter.notebook.execution import Call, Paged, Plain
from flowlet_jupyter.notebook.request_line.interpolation import PreparedRequest
from flowlet_jupyter.session import default_session

URL = "https://api.example.org/items"
ERRORS = [
    ({"data": None, "errors": [{"message": "no field nam"}]}, "no field nam"),
    ({"data": {"user": None}, "errors": [{"message": "no such user"}]}, "no such user"),
    ({"ok": False, "error": "channel_not_found"}, "channel_not_found"),
    ({"status": "error", "message": "out of credits"}, "out of credits"),
]


def call() -> Call:
    request = PreparedRequest("GET", URL, (), None)
    return Call(session=default_session(), request=request, url=URL, secret=None, options={})


@pytest.mark.parametrize(("body", "message"), ERRORS)
def test_raise_raises_for_an_error_in_a_success(respx_mock, body, message):
    respx_mock.get(URL).respond(json=body)
    with pytest.raises(RequestFailed, match=f"200 OK.*reports an error in it: {message}"):
        Plain(call=call(), raises=True).run()
    assert Plain(call=call(), raises=False).run().json() == body


@pytest.mark.parametrize(("body", "message"), ERRORS)
def test_an_error_in_a_success_is_never_a_table(respx_mock, body, message):
    respx_mock.get(URL).respond(json=body)
    for read in (flowlet.Response.to_df, flowlet.Response.to_polars, flowlet.Response.records):
        with pytest.raises(RequestFailed, match=message):
            read(flowlet.get(URL))
    with pytest.raises(PagingStopped, match=message):
        flowlet.fetch_df(URL, progress=False)


def test_raise_lets_a_success_pass(respx_mock):
    respx_mock.get(URL).respond(json={"data": {"me": {"id": 1}}, "errors": [{"message": "one field is hidden"}]})
    assert Plain(call=call(), raises=True).run().status_code == 200


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"data": {"items": [{"id": 1}]}, "errors": [{"message": "a shard is down"}]},
         "Read: 1 page with 1 record. These are not all: the API reports an error beside the data: a shard is down.\n"),
        ({"items": [{"id": 1}]},
         "Read: 1 page with 1 record. Whether these are all is not known: nothing in this response says whether there is more.\n"),
        ({"items": [{"id": 1}], "total": 1}, ""),
    ],
)  # fmt: skip
def test_one_sentence_says_whether_pages_are_all(respx_mock, capsys, body, sentence):
    respx_mock.get(URL).respond(json=body)
    paged = Paged(call=call(), paging={"progress": False}, frame="pandas", out="df", namespace={})
    assert len(paged.run()) == 1
    assert capsys.readouterr().err == sentence


def test_pages_that_are_shown_say_it_themselves(respx_mock, capsys):
    respx_mock.get(URL).respond(json={"items": [{"id": 1}]})
    pages = Paged(call=call(), paging={"progress": False}, is_shown=True, namespace={}).run()
    assert repr(pages) == (
        "<pages: 1 page, 1 record, perhaps not complete: nothing in this response says whether there is more>"
    )
    assert capsys.readouterr().err == ""


def test_what_was_read_before_an_error_is_kept_and_said_once(respx_mock, capsys):
    respx_mock.get(URL, params={"page": "2"}).respond(json={"error": "quota used up"})
    respx_mock.get(URL).respond(json={"items": [{"id": 1}], "next": f"{URL}?page=2"})
    namespace = {}
    paged = Paged(call=call(), paging={"progress": False}, frame="pandas", out="df", namespace=namespace)
    with pytest.raises(PagingStopped, match=r"quota used up\. What was read is kept, 1 page with 1 record"):
        paged.run()
    assert (len(namespace["df"]), namespace["df"].attrs["complete"]) == (1, False)
    assert "quota used up" in namespace["df"].attrs["reason"]
    assert capsys.readouterr().err == "df holds what was read before the error, with complete=False.\n"


def test_a_frame_of_a_part_says_what_the_api_says_of_it(respx_mock):
    respx_mock.get(URL).respond(json={"data": [{"id": 1}], "errors": [{"detail": "no user 2"}]})
    for frame in ("pandas", "polars"):
        with pytest.warns(
            UserWarning, match="Rows may be missing: the API reports an error beside the data: no user 2"
        ):
            made = Plain(call=call(), frame=frame, frame_path="data").run()
        assert len(made) == 1


def test_a_large_body_says_so_too(respx_mock):
    records = [{"id": number, "text": "x" * 100} for number in range(20_000)]
    respx_mock.get(URL).respond(json={"data": records, "errors": [{"detail": "no user 2"}]})
    with pytest.warns(UserWarning, match="Rows may be missing: .* no user 2"):
        assert len(Plain(call=call(), frame="pandas").run()) == 20_000
