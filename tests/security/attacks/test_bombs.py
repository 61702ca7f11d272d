"""Small texts that would take a kernel minutes or all of its memory: bodies, imported files, what a response is packed in."""

from __future__ import annotations

import functools
import gzip
import itertools
import json
import time
import zlib

import httpx
import pytest

from flowlet_jupyter.cli.imports import imported
from flowlet_jupyter.errors import FlowletError, InvalidSecret, RequestFailed
from flowlet_jupyter.http.page_bodies import read_page
from flowlet_jupyter.http.plot import plot_of
from flowlet_jupyter.http.transport import our_response
from flowlet_jupyter.notebook.request_line.grammar import parse_all
from flowlet_jupyter.oauth.endpoint import _content
from flowlet_jupyter.tables.error_bodies import error_in, reason_in
from flowlet_jupyter.tables.html import table_as_csv
from flowlet_jupyter.tables.lines import of_events
from flowlet_jupyter.tables.xml import read_xml


def _seconds_of(work) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _read(work):
    try:
        return work()
    except FlowletError as error:
        return error


# ---- what a token endpoint sends

NO_FORMS = [
    "a=" + "&a=" * 24 + " <",
    "a=" + "&a" * 100_000 + "<",
    "a" * 300_000,
    "=" * 300_000,
    "a=" * 150_000 + " ",
    "[%]=" * 80_000 + "{",
]


@pytest.mark.parametrize("body", NO_FORMS, ids=lambda body: body[:12])
def test_what_is_no_form_is_told_in_time(body, attacked):
    assert _seconds_of(lambda: _content(body.encode())) < 1
    attacked()


def test_a_form_is_read():
    assert _content(b"access_token=a%20b&scope=&expires_in=1&x") == {"access_token": "a b", "expires_in": "1"}


# ---- what an API says of an error


def _names(count: int) -> list[str]:
    return ["".join(letters) for letters in itertools.islice(itertools.product("abcdfghijk", repeat=5), count)]


@pytest.mark.parametrize("value", [{"a": 1}, "", "text", [{}], 0.5], ids=repr)
@pytest.mark.parametrize("ending", ["err", "", "message"])
def test_the_reason_among_very_many_members_is_found_in_time(ending, value, attacked):
    body = {"errors": {f"{name}{ending}": value for name in _names(20_000)}}
    assert _seconds_of(lambda: (error_in(body), reason_in(body))) < 1.5
    attacked()


# ---- pages, XML, events

PIECES = ["<!--", "<title", "<title>", "<textarea>", "<![CDATA[", '<td a="', "<td a='", "<td a=", "<td", "<", "</", "<?", "&", "&#", '<a b="c" ', "<script>",
          "<table><tr><td>"]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("before", ["<html>", "<table><tr><td>a</td></tr><tr><td>"])
def test_a_page_of_beginnings_is_read_in_time(before, piece, attacked):
    page = before + piece * (400_000 // len(piece))
    assert _seconds_of(lambda: _read(lambda: table_as_csv(page, 0))) < 6
    attacked()


@pytest.mark.parametrize("spans", ["colspan=1000 rowspan=1000", "rowspan=1000", "colspan=1000"])
def test_a_table_of_spans_fills_no_memory(spans, attacked):
    page = "<table>" + f"<tr>{f'<td {spans}>x</td>' * 3}</tr>" * 1000 + "</table>"
    with pytest.raises(RequestFailed, match="span"):
        table_as_csv(page)
    attacked()


def test_cells_that_span_are_in_all_their_places():
    page = """<p title="<td>">a<table><TR><th colspan="2" title='x colspan=5 >'>n &amp; m<!-- <td>no</td> --><th ROWSPAN=2>z</tr>
              <script>"<td>no"</script><tr><td>1 < 2<td>b<br>c</table>"""
    assert table_as_csv(page).splitlines() == ["n & m,n & m,z", "1 < 2,b c,z"]


MARKUP = {
    "names": "".join(f"<a{number}/>" for number in range(20_000)),
    "attributes": "<b "
    + " ".join(f'a{"_" * number}="1"' for number in range(600))
    + ">"
    + "<a/>" * 40_000
    + "</b><b/>",
    "depth": "<a>" * 30_000 + "</a>" * 30_000,
    "depth of a record": f"<e>{'<a>' * 5000}{'</a>' * 5000}</e><e/>",
}


@pytest.mark.parametrize("markup", MARKUP)
def test_xml_is_read_in_time_or_refused(markup, attacked):
    assert _seconds_of(lambda: _read(lambda: read_xml(f"<r>{MARKUP[markup]}</r>".encode()))) < 5
    attacked()


def test_events_are_read_in_time(attacked):
    assert _seconds_of(lambda: of_events("data: {}\n" * 60_000 + "\n" + "data: 1\n\n" * 20_000)) < 3
    attacked()


def _response(content, media_type):
    response = our_response(httpx.Response(200, headers={"content-type": media_type}, content=content), None)
    response.request = httpx.Request("GET", "https://api.example/x")
    response.read()
    return response


@pytest.mark.parametrize("header", ["a", "a.1,a", ""])
def test_a_page_of_one_name_is_read_in_time(header, attacked):
    text = ",".join([header] * 20_000) + "\n" + ",".join(["1"] * 20_000)
    assert _seconds_of(lambda: read_page(_response(text.encode(), "text/csv"))) < 3
    attacked()


def test_a_second_column_of_a_name_is_counted():
    assert read_page(_response(b"a,a,a.1,a\n1,2,3,4\n5,6,7,8\n", "text/csv")).header == ("a", "a.1", "a.1.1", "a.2")


def test_a_field_without_an_end_is_an_error_of_ours(attacked):
    with pytest.raises(RequestFailed, match="CSV"):
        read_page(_response(b'a,b\n"' + b"x" * 200_000, "text/csv"))
    attacked()


@pytest.mark.parametrize("values", [(1e308, -1e308), (-1.7e308, 1.7e308, 0), (1e300, -1e300), (5e-324, 0)])
def test_a_chart_of_any_numbers_is_drawn_or_refused(values, attacked):
    _read(
        lambda: (
            plot_of(
                [{"time": f"2024-01-0{day}", "v": value} for day, value in enumerate(values, 1)], x=None, y=None
            ).svg
        )
    )
    attacked()


# ---- what a response is packed in


@functools.cache
def _packed(layers: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    content = b"".join(packer.compress(bytes(1_000_000)) for _ in range(20)) + packer.flush()
    for _ in range(layers - 1):
        content = gzip.compress(content)
    return content


@pytest.mark.parametrize(
    ("encoding", "layers"),
    [
        ("gzip, gzip", 2),
        ("gzip,gzip , gzip", 3),
        ("GZIP, identity, GZip", 2),
        ("br", 1),
        ("zstd", 1),
        ("gzip, br", 1),
        ("deflate, gzip", 1),
    ],
)
@pytest.mark.parametrize("reading", ["read", "iter_bytes", "content of a stream"])
def test_what_unpacks_without_bounds_is_not_unpacked(encoding, layers, reading, attacked):
    content = _packed(layers)
    response = our_response(
        httpx.Response(200, headers={"content-encoding": encoding}, stream=httpx.ByteStream(content)), None
    )
    response.request = httpx.Request("GET", "https://api.example/x", headers={"accept-encoding": "gzip, deflate"})
    with pytest.raises(RequestFailed, match="not asked for"):
        list(response.iter_bytes(1000)) if reading == "iter_bytes" else response.read()
    attacked()


@pytest.mark.parametrize(("encoding", "layers"), [("gzip", 1), ("gzip, identity", 1), ("", 0)])
def test_one_layer_is_unpacked(encoding, layers):
    content = gzip.compress(b"well") if layers else b"well"
    response = our_response(
        httpx.Response(200, headers={"content-encoding": encoding}, stream=httpx.ByteStream(content)), None
    )
    assert response.read() == b"well"


# ---- files to import

ALIASES = "top key: 1\nk 0: &b0 [{a: 1}]\n" + "".join(
    f"k {each}: &b{each} [{','.join([f'*b{each - 1}'] * 9)}]\n" for each in range(1, 9)
)
LONG_VARIABLE = {"variable": [{"key": "v", "value": "x" * 100_000}], "item": ["{{v}}" * 1000] * 2}
FILES = {
    "aliases": ALIASES,
    "a long variable": json.dumps(LONG_VARIABLE),
    "braces and spaces": json.dumps({"variable": [{"key": "v", "value": "x"}], "item": "{{" + " " * 2000}),
    "braces": json.dumps({"authUrl": "{{" * 20_000, "accessTokenUrl": "https://x.example", "clientId": "a"}),
    "lines": "meta {" + "\n " * 30_000,
    "beginnings of blocks": "auth:oauth2 {\n" * 20_000,
    "brackets": "[" * 100_000,
    "deep JSON": '{"variable":[{"key":"v","value":"x"}],"b":' + '{"a":' * 900 + "1" + "}" * 901,
    "lists in lists": "- " * 20_000 + "a",
    "size": " " * 6_000_000,
}


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_imported_in_time_or_refused(file, attacked):
    assert _seconds_of(lambda: _read(lambda: imported(FILES[file]))) < 6
    attacked()


def test_a_variable_that_is_named_too_often_is_refused():
    with pytest.raises(InvalidSecret, match="variables"):
        imported(json.dumps(LONG_VARIABLE))


# ---- commands to paste

COMMANDS = ["curl https://a.example ", 'curl ^"https://a.example^" ', "wget https://a.example ", "http POST https://a.example ", "Invoke-WebRequest -Uri https://a.example ",
            "fetch('https://a.example', {", "GET https://a.example\n"]  # fmt: skip


@pytest.mark.parametrize("piece", ["[", "\\", "{", "'", '"', "a=b ", "a[b]=c ", "`", "^", "//", "\n", "@{"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_read_in_time(command, piece, attacked):
    assert _seconds_of(lambda: _read(lambda: parse_all("", command + piece * (30_000 // len(piece))))) < 5
    attacked()
