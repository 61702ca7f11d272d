"""curl commands as API documentation offers them: read as a request, credentials left out and said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.grammar import parse
from flowlet_jupyter.notebook.request_line.interpolation import prepare
from flowlet_jupyter.notebook.request_line.pasted_credentials import notice

CANARY = "canary-value-5e1f"


def prepared(cell: str, line: str = "-s acme", **names):
    return prepare(parse(line, cell), lambda source: eval(source, {}, names), lambda name: f"file {name}".encode())  # noqa: S307 - the test's own text


@pytest.mark.parametrize(
    ("command", "method", "url", "content", "headers"),
    [
        ("curl https://a.example/x", "GET", "https://a.example/x", None, {}),
        ("curl -X DELETE 'https://a.example/x?a=1&b=2'", "DELETE", "https://a.example/x?a=1&b=2", None, {}),
        ("$ curl a.example/x", "GET", "https://a.example/x", None, {}),
        (
            "curl https://a.example/x \\\n  -H 'Content-Type: application/json' \\\n  -d '{\"a\": \"it'\"'\"'s\"}'",
            "POST", "https://a.example/x", b'{"a": "it\'s"}', {"Content-Type": "application/json"},
        ),
        ("curl https://a.example -d a=1 -d b=2", "POST", "https://a.example", b"a=1&b=2",
         {"Content-Type": "application/x-www-form-urlencoded"}),
        ("curl -G https://a.example/s -d q=x --data-urlencode 'name=a b&c'", "GET",
         "https://a.example/s?q=x&name=a%20b%26c", None, {}),
        ("curl -G 'https://a.example/s?k=1' -d q=x", "GET", "https://a.example/s?k=1&q=x", None, {}),
        ("curl --json '{\"a\": 1}' https://a.example", "POST", "https://a.example", b'{"a": 1}', {"Content-Type": "application/json", "Accept": "application/json"}),
        ("curl --request=PUT --url https://a.example --data-binary @body.json", "PUT", "https://a.example", b"file body.json",
         {"Content-Type": "application/x-www-form-urlencoded"}),
        ("curl -XPOST -HAccept:text/plain https://a.example", "POST", "https://a.example", None, {"Accept": "text/plain"}),
        ("curl -I https://a.example", "HEAD", "https://a.example", None, {}),
        ("curl -A me/1 -e https://b.example https://a.example", "GET", "https://a.example", None,
         {"User-Agent": "me/1", "Referer": "https://b.example"}),
        ("curl -fsSL https://a.example", "GET", "https://a.example", None, {}),
        ("curl -s -S --compressed -o out.json https://a.example", "GET", "https://a.example", None, {}),
        ("curl https://a.example/{{x}}", "GET", "https://a.example/a%2Fb", None, {}),
    ],
)  # fmt: skip
def test_commands(command, method, url, content, headers):
    request = prepared(command, x="a/b")
    assert (request.method, request.url, request.content, dict(request.headers)) == (method, url, content, headers)


def test_options_become_ours():
    spec = parse("-s acme -o r", "curl -L -k -i -m 5 --retry 3 https://a.example")
    assert (spec.secret, spec.out, spec.follow, spec.insecure, spec.show_headers) == ("acme", "r", True, True, True)
    assert (spec.timeout, spec.retry) == (5.0, 3)
    assert parse("curl https://a.example").url.plain == "https://a.example"  # a line magic too


def test_an_upload_of_a_form():
    spec = parse("", "curl -F 'photo=@p.png;type=image/png' -F title=x https://a.example")
    assert [(part.name, part.path, part.content_type) for part in spec.body.parts] == [
        ("photo", "p.png", "image/png"),
        ("title", None, None),
    ]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (f"curl -H 'Authorization: Bearer {CANARY}' https://a.example", "the header Authorization"),
        (f"curl -u ann:{CANARY} https://a.example", "the user name and password (-u)"),
        (f"curl -b session={CANARY} https://a.example", "the header Cookie"),
        (f"curl -H 'cookie: {CANARY}' https://a.example", "the header cookie"),
        (f"curl --oauth2-bearer {CANARY} https://a.example", "the header Authorization"),
    ],
)
def test_a_credential_is_left_out_and_the_better_way_is_said(command, says):
    spec = parse("", command)
    message = notice(spec.left_out, "a.example")
    assert says in message
    assert "--from-paste" in message
    assert spec.headers == ()
    assert CANARY not in repr(spec) + message


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("curl", "There is no URL"),
        ("curl -X GET", "There is no URL"),
        ("curl https://a.example https://b.example", "has a URL already"),
        ("curl https://a.example -H", "needs a value"),
        ("curl https://a.example --proxy-magic x", "not known here"),
        ("curl https://a.example && rm x", "Only one command"),
        ("curl https://a.example?a=1&b=2", "between quotes"),
        ("curl https://a.example/$(id)", "only what|what only a shell"),
        ("curl https://a.example/{a,b}", "several requests"),
        ("curl https://a.example | sort", "not read"),
        ("curl https://a.example -X 'G ET'", "not a method"),
        ("curl 'https://a.example", "quote"),
    ],
)
def test_what_cannot_be_read_says_why(command, says):
    with pytest.raises(RequestSyntaxError, match=says):
        parse("", command + "\n")


@given(st.text(max_size=60))
def test_any_command_parses_or_says_why(text):
    try:
        parse("", f"curl {text}")
    except RequestSyntaxError as error:
        assert str(error)


@pytest.mark.parametrize("before", ["# get it\n", "# one\n\n# two\n", "\n  # indented\n$ ", "# by hand\n> "])
@pytest.mark.parametrize(
    "command",
    ["curl https://api.example/v1#part  # the end", "wget https://api.example/v1", "http https://api.example/v1"],
)
def test_a_comment_of_the_documentation_stands_before_the_command(before, command):
    spec = prepared(before + command, line="")
    assert (spec.method, spec.url.partition("#")[0]) == ("GET", "https://api.example/v1")
