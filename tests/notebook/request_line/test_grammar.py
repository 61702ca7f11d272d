from __future__ import annotations

import json
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlet_jupyter.errors import InterpolationError, RequestSyntaxError
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.notebook.request_line.grammar import parse
from flowlet_jupyter.notebook.request_line.interpolation import prepare


def prepared(line: str, cell: str | None = None, **names):
    return prepare(parse(line, cell), lambda source: eval(source, {}, names), lambda name: f"file {name}".encode())  # noqa: S307 - the test's own text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("https://a.example/x", ("GET", "https://a.example/x", None)),
        ("delete https://a.example/x", ("DELETE", "https://a.example/x", None)),
        ("https://a.example/x a=1 b:=2", ("POST", "https://a.example/x", b'{"a": "1", "b": 2}')),
        ("https://a.example/x q=='a b' q==c", ("GET", "https://a.example/x?q=a%20b&q=c", None)),
        ("https://a.example/x?y=1#top q==2", ("GET", "https://a.example/x?y=1&q=2#top", None)),
        ("https://a.example/?$filter=Name eq 1", None),
        ("'https://a.example/?$filter=a&{b}'", ("GET", "https://a.example/?$filter=a&{b}", None)),
        ("https://a.example/x --json '{\"a\": [1]}'", ("POST", "https://a.example/x", b'{"a": [1]}')),
        ("https://a.example/x -d a=1&b=2", ("POST", "https://a.example/x", b"a=1&b=2")),
        ("https://a.example/x -d @body.json", ("POST", "https://a.example/x", b"file body.json")),
        (r'https://a.example/x -d "@C:\temp\new.json"', ("POST", "https://a.example/x", rb"file C:\temp\new.json")),
        ("https://a.example/x  # a comment with 'a quote", ("GET", "https://a.example/x", None)),
        ("https://a.example/x#part", ("GET", "https://a.example/x#part", None)),
    ],
)
def test_lines(line, expected):
    if expected is None:
        with pytest.raises(RequestSyntaxError):
            parse(line)
        return
    request = prepared(line)
    assert (request.method, request.url, request.content) == expected


def test_options():
    spec = parse("me << /me -s twitter --df data --timeout 5 --dry-run -H 'X-A: b' Y-B:c")
    assert (spec.out, spec.secret, spec.frame, spec.frame_path, spec.timeout, spec.dry_run) == (
        "me", "twitter", "pandas", "data", 5.0, True,
    )  # fmt: skip
    assert [name for name, _ in spec.headers] == ["X-A", "Y-B"]
    assert parse("--secret=a --df=data.items -o x https://a.example").frame_path == "data.items"


def test_every_option_is_taken():
    spec = parse(
        "POST https://a.example --no-secret --param q=1 --polars items --paginate cursor --max-pages 3 --max-items 9 "
        "--concurrency 2 --retry 5 --retry-any --no-follow -k --cache 10m -i -v -q --no-raise --curl --python"
    )
    assert (spec.no_secret, spec.frame, spec.frame_path, spec.paginate) == (True, "polars", "items", "cursor")
    assert (spec.max_pages, spec.max_items, spec.concurrency, spec.retry, spec.retry_any) == (3, 9, 2, 5, True)
    assert (spec.follow, spec.insecure, spec.cache, spec.raises) == (False, True, "10m", False)
    assert (spec.show_headers, spec.verbose, spec.quiet, spec.curl, spec.python) == (True,) * 5
    assert [name for name, _ in spec.query] == ["q"]


@pytest.mark.parametrize(
    ("line", "paginate", "cache"),
    [
        ("--paginate https://a.example --cache", "auto", "1h"),
        ("https://a.example --paginate offset --cache 30s", "offset", "30s"),
        ("--cache --paginate https://a.example a==1", "auto", "1h"),
        ("--paginate=page --cache=7d https://a.example", "page", "7d"),
    ],
)
def test_options_whose_value_may_be_left_out(line, paginate, cache):
    spec = parse(line)
    assert (spec.paginate, spec.cache, spec.url.plain) == (paginate, cache, "https://a.example")


def test_forms_and_uploads():
    form = prepared("https://a.example --form name={{n}} x=1", n="a&b")
    assert (form.content, dict(form.headers)["Content-Type"]) == (
        b"name=a%26b&x=1",
        "application/x-www-form-urlencoded",
    )
    upload = prepared("https://a.example photo@p.png title={{t}} Content-Type:text/plain", t="ü")
    assert [(part.name, part.text, part.path, part.filename) for part in upload.parts] == [
        ("title", "ü", None, None),
        ("photo", "", "p.png", "p.png"),
    ]
    assert upload.headers == ()  # the boundary is the sender's to choose
    assert prepared("https://a.example user:=1 mail=a@b.example").content == b'{"user": 1, "mail": "a@b.example"}'


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("--df https://a.example", None),
        ("--df GET https://a.example", None),
        ("https://a.example --df", None),
        ("https://a.example --df a==1", None),
        ("https://a.example --df -s x", None),
        ("https://a.example --df data.items", "data.items"),
        ("https://a.example --df \"data[?a=='1']\"", "data[?a=='1']"),
        ("--df data https://a.example", "data"),
    ],
)
def test_the_path_behind_df_is_optional(line, path):
    spec = parse(line)
    assert spec.frame
    assert spec.frame_path == path
    assert spec.url.plain == "https://a.example"


def test_a_cell_in_http_style():
    request = prepared(
        "--secret acme",
        '\nPOST https://api.example.com/v1/search\nAccept: application/json\nX-Day: {{day}}\n\n'
        '{"query": {{term}}, "since": "{{day}}T00:00:00Z", "filter": {"$gt": 5}, "deep": {{ {"a": {"b": 1}} }}}\n',
        term='x"y', day="2026-11-24",
    )  # fmt: skip
    assert request.method == "POST"
    assert dict(request.headers) == {
        "Accept": "application/json", "X-Day": "2026-11-24", "Content-Type": "application/json",
    }  # fmt: skip
    assert json.loads(request.content) == {
        "query": 'x"y', "since": "2026-11-24T00:00:00Z", "filter": {"$gt": 5}, "deep": {"a": {"b": 1}},
    }  # fmt: skip


def test_bodies_by_content_type():
    assert prepared("POST https://a.example", "name={{n}}&x=1", n="a&b=c").content == b"name=a%26b%3Dc&x=1"
    assert (
        prepared("https://a.example Content-Type:application/x-www-form-urlencoded a={{n}}", n="a&b").content
        == b"a=a%26b"
    )
    graphql = prepared("https://a.example Content-Type:application/graphql", "{ users { id } }")
    assert graphql.content == b"{ users { id } }"
    assert prepared("https://a.example", "{{payload}}", payload={"a": [1, None]}).content == b'{"a": [1, null]}'
    assert prepared("https://a.example", "\nAccept: x").headers == (("Accept", "x"),)


def test_a_list_repeats_the_parameter():
    assert prepared("https://a.example ids=={{ids}}", ids=[1, "b c"]).url == "https://a.example?ids=1&ids=b%20c"


@pytest.mark.parametrize(
    ("line", "cell", "says"),
    [
        ("", None, "no URL"),
        ("", "", "no URL"),
        ("https://a.example 'abc", None, "quote"),
        ("https://a.example {{ x", None, "not closed"),
        ("https://a.example {{ 1 + }}", None, "not a Python expression"),
        ("https://a.example --secert x", None, "Did you mean --secret"),
        ("https://a.example --secret", None, "needs a value"),
        ("https://a.example --secret a --secret b", None, "twice"),
        ("https://a.example --timeout soon", None, "number of seconds"),
        ("https://a.example --dry-run=1", None, "no value"),
        ("https://a.example https://b.example", None, "not understood"),
        ("https://a.example foo", None, "not understood"),
        ("https://a.example -H nonsense", None, "not a header"),
        ("https://a.example a:={", None, "JSON"),
        ("1x << https://a.example", None, "variable"),
        ("x << https://a.example -o y", None, "twice"),
        ("https://a.example a=1", "body", "twice"),
        ("https://a.example -s {{x}}", None, "literally"),
        ("https://a.example \0", None, "NUL"),
        ("https://a.example --paginate=sideways", None, "no way to page"),
        ("https://a.example --cache=old", None, "not an age"),
        ("https://a.example --max-pages 0", None, "not a number for --max-pages"),
        ("https://a.example --retry many", None, "not a number for --retry"),
        ("https://a.example --param nonsense", None, "not a parameter"),
        ("https://a.example --df --polars", None, "twice"),
        ("https://a.example --raise --no-raise", None, "opposite"),
        ("https://a.example -s a --no-secret", None, "do not go together"),
        ("https://a.example --select a --df", None, "do not go together"),
        ("https://a.example --save x --paginate", None, "do not go together"),
        ("https://a.example --save {{x}}", None, "literally"),
        ("https://a.example photo@", None, "path of a file"),
        ("https://a.example photo@x", "body", "twice"),
    ],
)
def test_what_does_not_parse_says_why(line, cell, says):
    with pytest.raises(RequestSyntaxError, match=says):
        parse(line, cell)


@pytest.mark.parametrize(
    ("line", "names", "says"),
    [
        ("https://a.example/{{nope}}", {}, r"\{\{ nope \}\} failed: NameError"),
        ("https://a.example/{{x}}", {"x": None}, "NoneType"),
        ("https://a.example/{{x}}", {"x": {}}, "dict"),
        ("https://a.example/{{x}}", {"x": ".."}, "path segment"),
        ("https://a.example X-A:{{x}}", {"x": "a\r\nX-Evil: 1"}, "X-A"),
        ("https://a.example X-A:{{x}}", {"x": "é"}, "X-A"),
        ("https://a.example --json '{\"a\": {{x}}}'", {"x": object()}, "JSON"),
        ("https://a.example --json '{\"a\": {{x}}}'", {"x": float("nan")}, "JSON"),
        ("https://a.example --json '{\"a\" {{x}}}'", {"x": 1}, "not valid JSON"),
        ("https://a.example a={{x}}", {"x": SecretValue("canary")}, "--secret"),
        ("{{x}}", {"x": "https://a.example/a b"}, "space"),
    ],
)
def test_a_value_that_cannot_stand_there_is_an_error(line, names, says):
    with pytest.raises(InterpolationError, match=says) as caught:
        prepared(line, **names)
    assert "canary" not in str(caught.value)


TEXT = st.text(max_size=30)


@given(TEXT, st.none() | TEXT)
def test_any_text_parses_or_says_why(line, cell):
    try:
        spec = parse(line, cell)
    except RequestSyntaxError as error:
        assert str(error)
    else:
        assert spec.method
        assert spec == parse(line, cell)


PIECES = st.sampled_from(
    ["GET", "POST", "https://a.example/", "/p", "-s", "--secret", "x", "-o", "<<", "--df", "data", "a=1", "a==1", "a:=1",
     "a:=", "K:v", "-H", "--polars", "--select", "--paginate", "cursor", "--cache", "1h", "--retry", "3", "-k", "-L", "--save",
     "--no-follow", "a@b", "--form", "--param", "curl", "-X", "-u", "-F", "--curl", "--no-secret", "-q", "--raise", "'K: v'", "{{x}}", "{{", "}}", "'", '"', "\\", "#", "--json", "{}", "--timeout", "5", "=", ":"]
)  # fmt: skip


@settings(max_examples=examples(500))
@given(st.lists(PIECES, max_size=8).map(" ".join), st.none() | st.lists(PIECES, max_size=6).map("\n".join))
def test_any_mix_of_pieces_parses_or_says_why(line, cell):
    try:
        parse(line, cell)
    except RequestSyntaxError as error:
        assert str(error)


@given(TEXT)
def test_a_value_cannot_leave_its_path_segment_or_query_value(value):
    try:
        url = prepared("https://a.example/u/{{v}}/end q=={{v}}", v=value).url
    except InterpolationError:
        assert value in {".", ".."} or not value.isprintable() or not value.isascii()
        return
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "a.example", "")
    before, middle, end = parts.path.removeprefix("/").split("/")
    assert (before, unquote(middle), end) == ("u", value, "end")
    assert parse_qsl(parts.query, keep_blank_values=True) == [("q", value)]
    assert httpx.URL(url).host == "a.example"


@given(TEXT)
def test_a_value_cannot_leave_its_json_string_or_form_field(value):
    body = json.loads(prepared('https://a.example --json \'{"a": "<{{v}}>", "b": {{v}}}\'', v=value).content)
    assert body == {"a": f"<{value}>", "b": value}
    form = prepared("https://a.example -d a={{v}}&b=1", v=value).content.decode()
    assert parse_qsl(form, keep_blank_values=True) == [("a", value), ("b", "1")]
    fields = prepared("https://a.example --form a={{v}} b=1", v=value).content.decode()
    assert parse_qsl(fields, keep_blank_values=True) == [("a", value), ("b", "1")]


@given(TEXT)
def test_a_value_cannot_leave_its_header(value):
    try:
        headers = prepared("https://a.example X-A:{{v}}", v=value).headers
    except InterpolationError:
        return
    assert headers == (("X-A", value.strip()),)
    assert "\n" not in headers[0][1]
    assert "\r" not in headers[0][1]


@given(st.text("{}ab ", max_size=10))
def test_a_value_is_never_scanned_again(value):
    text = "{{1+1}}" + value
    assert json.loads(prepared("https://a.example --json {{v}}", v=text).content) == text
