"""Cells as .http files: several requests, variables of the file, bodies from files; what is not read is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.grammar import parse, parse_all
from flowlet_jupyter.notebook.request_line.interpolation import prepare

CANARY = "canary-value-04d3"

CELL = """@host = https://a.example
@base = {{host}}/v1
# a comment
### List users
# @no-redirect
GET {{base}}/users
    ?page=2
    &size={{size}} HTTP/1.1
Accept: application/json
// a comment among the headers
X-Two: b

###

### Add one
POST {{base}}/users HTTP/1.1
Content-Type: application/json

// what is added
{
  "name": {{name}},
  "host": "{{host}}"
}

# the end

### nothing
// here
"""


def prepared_all(cell: str, line: str = "", **names):
    return [
        prepare(spec, lambda source: eval(source, {}, names), lambda name: f"file {name}".encode())  # noqa: S307 - the test's own text
        for spec in parse_all(line, cell)
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_several_requests_with_variables_of_the_file(newline):
    names = {"size": 10, "name": "ü", "host": "the notebook's", "base": 1}
    first, second = prepared_all(CELL.replace("\n", newline), "-s acme", **names)
    assert (first.method, first.url) == ("GET", "https://a.example/v1/users?page=2&size=10")
    assert first.headers == (("Accept", "application/json"), ("X-Two", "b"))
    assert first.content is None
    assert (second.method, second.url) == ("POST", "https://a.example/v1/users")
    assert json.loads(second.content) == {"name": "ü", "host": "https://a.example"}


def test_the_options_of_the_line_belong_to_each_request():
    specs = parse_all("-s acme --timeout 3", CELL)
    assert [(spec.secret, spec.timeout) for spec in specs] == [("acme", 3.0)] * 2
    assert [spec.follow for spec in specs] == [False, None]


def test_the_body_is_the_content_of_a_file():
    (request,) = prepared_all("POST https://a.example\nContent-Type: application/json\n\n< ./my body.json\n")
    assert request.content == b"file ./my body.json"


def test_a_form_over_several_lines():
    (request,) = prepared_all(
        "POST https://a.example\nContent-Type: application/x-www-form-urlencoded\n\nname=a\n&note={{text}}\n",
        text="x&y",
    )
    assert request.content == b"name=a&note=x%26y"


def test_a_multipart_body():
    (request,) = prepared_all(
        """POST https://a.example
Content-Type: multipart/form-data; boundary=Bound

--Bound
Content-Disposition: form-data; name="title"

two
lines {{x}}
--Bound
Content-Disposition: form-data; name="photo"; filename="p.png"
Content-Type: image/png

// the file
< ./p.png
--Bound--
""",
        x=1,
    )
    assert [(part.name, part.text, part.path, part.filename, part.content_type) for part in request.parts] == [
        ("title", "two\nlines 1", None, None, None),
        ("photo", "", "./p.png", "p.png", "image/png"),
    ]
    assert request.headers == ()


def test_the_host_of_a_request_in_the_form_of_the_protocol():
    (request,) = prepared_all("GET /x?a=1 HTTP/1.1\nHost: a.example\nAccept: */*\n")
    assert (request.url, request.headers) == ("https://a.example/x?a=1", (("Accept", "*/*"),))


def test_another_method():
    (request,) = prepared_all("PROPFIND https://a.example/dav\nDepth: 1\n")
    assert request.method == "PROPFIND"


def test_a_pair_that_another_client_would_encode_is_left_out():
    spec = parse("", "GET https://a.example\nAuthorization: Basic {{user}}:{{password}}\n")
    assert not spec.headers
    assert spec.left_out[0].value is None


def test_a_stored_response_is_no_body():
    (request,) = prepared_all("GET https://a.example\n\n<> 2024-01-01T.200.json\n")
    assert request.content is None


def test_a_comment_is_no_body():
    (request,) = prepared_all("GET https://a.example\n\n# nothing else\n// here\n")
    assert request.content is None
    (request,) = prepared_all('GET https://a.example\n\n{"query": 1}\n')
    assert request.content == b'{"query": 1}'


def test_a_credential_in_a_variable_of_the_file_is_left_out():
    spec = parse("", f"@token = {CANARY}\nGET https://a.example\nAuthorization: Bearer {{{{token}}}}\n")
    assert spec.left_out[0].value.reveal() == f"Bearer {CANARY}"
    assert CANARY not in repr(spec)


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("GET https://a.example\n\n> {% client.test() %}", "response handlers"),
        ("GET https://a.example\n\n> ./handler.js", "response handlers"),
        ("< {%\n x\n%}\nGET https://a.example", "response handlers"),
        ("GET https://a.example\n\n>> out.json", "--save"),
        ("POST https://a.example\n\n<@ ./body.json", "variables in it"),
        ("POST https://a.example\n\ntext\n< ./body.json", "whole body"),
        ("GET https://a.example\n\nGET https://b.example", "separate another request by ###"),
        ("GET https://a.example\nnot a header\n", "not a header"),
        ("GRAPHQL https://a.example\n\nquery { a }", "GRAPHQL"),
        ("GET https://a.example/{{$guid}}", "another client makes"),
        ("@a = {{b}}\n@b = {{a}}\nGET https://a.example/{{a}}", "refers to itself"),
        ("import other.http\nGET https://a.example", "not imported"),
        ("POST https://a.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\n", "multipart/form-data"),
        ("POST https://a.example\nContent-Type: multipart/form-data; boundary=x\n\n--x\n\nno name", "Content-Disposition"),
        ("### only a name", "no URL"),
    ],
)  # fmt: skip
def test_what_is_not_read_says_why(cell, says):
    with pytest.raises(RequestSyntaxError, match=says):
        prepared_all(cell)


def test_what_is_for_one_request_is_refused_for_several():
    with pytest.raises(RequestSyntaxError, match="--save"):
        parse_all("--save x.json", "GET https://a.example\n###\nGET https://b.example")
    with pytest.raises(RequestSyntaxError, match="2 requests"):
        parse("", "GET https://a.example\n###\nGET https://b.example")


def test_a_body_below_a_url_on_the_line_is_a_body():
    (request,) = prepared_all("### A title\n\ntext\n", "POST https://a.example Content-Type:text/markdown")
    assert request.content == b"### A title\n\ntext"
    (request,) = prepared_all("POST https://a.example\nContent-Type: text/markdown\n\n# A title\n\ntext\n# end\n")
    assert request.content == b"# A title\n\ntext\n# end"


@given(st.text(alphabet="GET htps:/a.\n#@={}<>%&?'\"[]-", max_size=80))
def test_any_cell_parses_or_says_why(text):
    try:
        parse_all("", text)
    except RequestSyntaxError as error:
        assert str(error)
