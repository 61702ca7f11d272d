"""How a response looks: small, safe, and saying what it leaves out."""

from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser

import httpx
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import flowlet_jupyter as flowlet
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.notebook.display.html import OUTPUT_BYTES, response_html
from flowlet_jupyter.notebook.display.problem import explanation
from flowlet_jupyter.notebook.display.summary import status_line
from flowlet_jupyter.notebook.display.text import response_text
from flowlet_jupyter.notebook.display.tree import tree_html
from flowlet_jupyter.notebook.display.truncated_json import beginning_of

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"


def response(status: int = 200, **options) -> Response:
    made = Response(status, request=httpx.Request("GET", "https://api.example/v1/me?token=x"), **options)
    made.secret_name = "twitter"
    return made


class Tags(HTMLParser):
    """The tags and attributes of a page, as a browser would find them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def foreign(html: str) -> list:
    """What is in the page and not of ours."""
    ours = {"div", "style", "script", "code", "p", "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "b", "i",
            "span", "pre", "img", "bdi", "dl", "dt", "dd", "caption"}  # fmt: skip
    return [
        (tag, attributes)
        for tag, attributes in Tags(html).found
        if tag not in ours
        or any(name.startswith("on") or "javascript:" in (value or "") for name, value in attributes.items())
        or (tag == "img" and not attributes["src"].startswith("data:image/"))
    ]


def parts(html: str) -> list[str]:
    return re.findall(r'data-part="(\w+)"', html)


@pytest.mark.parametrize(
    "made",
    [
        response(text=ATTACK, headers={"content-type": "text/html"}),
        response(text=ATTACK, headers={"content-type": "text/plain"}),
        response(text="x", extensions={"reason_phrase": ATTACK.encode()}),
        response(json=ATTACK),
        response(json={}, extensions={"reason_phrase": b"<img src=x onerror=alert(1)>"}),
        response(json={ATTACK: ATTACK, "list": [ATTACK]}),
        response(json=[{ATTACK: ATTACK}, {ATTACK: 1}]),
        response(json={}, headers={"content-type": "application/json", "x-name": ATTACK.replace("\n", "")}),
        response(400, json={"title": ATTACK, "detail": ATTACK}),
        response(403, json={}, headers={"www-authenticate": f'Bearer scope="{ATTACK[:20]}"'}),
        response(content=b"<svg onload=alert(1)>", headers={"content-type": "image/svg+xml"}),
        response(content=b"x", headers={"content-type": 'image/png;x="><script>'}),
    ],
)  # fmt: skip
def test_nothing_of_an_api_becomes_a_tag(made):
    html = response_html(made)
    assert foreign(html) == []
    assert "<script" not in html  # nor is there one of ours


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=60,
)  # fmt: skip


@settings(max_examples=examples(150))
@given(JSON)
def test_any_json_is_shown_safely_and_small(value):
    made = response(json=value)
    html = response_html(made)
    assert foreign(html) == []
    assert len(html.encode()) + len(response_text(made).encode()) <= OUTPUT_BYTES
    assert response_text(made).startswith("200 OK")


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([{"n": number, "text": "x" * 50} for number in range(100_000)]),
        json.dumps({f"key {number}": "ü" * 30 for number in range(100_000)}),
        json.dumps({"deep": json.loads("[" * 400 + "]" * 400)}),
        json.dumps("x" * 3_000_000),
        json.dumps([{f"c{number}": number for number in range(10_000)}] * 3),
        "🐦" * 1_000_000,
        "<" * 1_000_000,
        json.dumps(["<" * 100] * 10_000),
    ],
    ids=["records", "keys", "deep", "long text", "wide", "emoji", "angle brackets", "escapes"],
)
def test_a_large_body_is_a_small_output(body):
    made = response(text=body, headers={"content-type": "application/json" if body[0] in '[{"' else "text/plain"})
    assert len(response_html(made).encode()) + len(response_text(made).encode()) <= OUTPUT_BYTES


def test_what_is_left_out_is_said():
    html = response_html(response(json=[{"n": n} for n in range(500)]))
    assert "500 records, the first 20 shown" in html
    assert "r.to_df()" in html
    assert "… 300 more" in tree_html(list(range(500)), budget=50_000)
    assert "r.text" in response_html(response(text="x" * 200_000))
    assert "more characters" in response_html(response(json={"a": "x" * 5000}))
    assert "10.0 MB" in response_html(response(content=b"\0" * 10_000_000, headers={"content-type": "application/pdf"}))


def test_a_list_of_objects_is_a_table_and_a_tree():
    made = response(json={"data": [{"id": 1, "user": {"name": "ann"}}, {"id": 2, "user": {"name": "ben"}}]})
    html = response_html(made, name="me")
    assert '<th scope="col">user.name</th>' in html
    assert "me.to_df(&quot;data&quot;)" in html
    assert parts(html) == ["tree", "table", "raw", "headers", "request"]
    assert re.findall(r'data-part="(\w+)" open', html) == ["table"]
    text = response_text(made)
    assert "id  user.name" in text
    assert "1   ann" in text


PNG = b"\x89PNG\r\n\x1a\n"


def test_an_image_is_shown_if_it_is_small():
    small = response(content=PNG + b"x" * 1000, headers={"content-type": "image/png"})
    assert 'src="data:image/png;base64,' in response_html(small)
    large = response(content=PNG + b"x" * 100_000, headers={"content-type": "image/png"})
    assert "<img" not in response_html(large)
    assert "r.save(path)" in response_html(large)


def test_headers_are_folded_and_credentials_in_them_are_not_shown():
    made = response(json={}, headers={"x-request-id": "7", "set-cookie": "session=canary-5e1f"})
    html = response_html(made)
    assert "3 headers" in html or "4 headers" in html
    assert "x-request-id" in html
    assert "canary-5e1f" not in html


def test_the_status_line_says_what_one_asks_first():
    reset = time.time() + 600
    made = response(
        json={"a": 1},
        headers={"x-rate-limit-remaining": "74", "x-rate-limit-limit": "75", "x-rate-limit-reset": str(reset)},
    )
    line = status_line(made)
    assert line.startswith("200 OK  GET api.example/v1/me  ")
    assert "token" not in line  # the query is not part of it
    assert "secret: twitter" in line
    assert f"74 of 75 calls left, resets {time.strftime('%H:%M', time.localtime(reset))}" in line


@pytest.mark.parametrize(
    ("status", "body", "headers", "says"),
    [
        (400, {"title": "Bad", "detail": "No such field."}, {}, "Bad: No such field."),
        (400, {"error": {"message": "wrong id", "code": 7}}, {}, "wrong id"),
        (400, {"errors": [{"message": "a"}, {"detail": "b"}]}, {}, "a; b"),
        (400, {"error": "invalid", "error_description": "said"}, {}, "invalid: said"),
        (400, [{"message": "a"}], {}, "a"),
        (401, {}, {}, "does not accept the credentials of secret 'twitter'"),
        (
            403,
            {},
            {"www-authenticate": 'Bearer error="insufficient_scope", scope="tweet.write"'},
            "lack a scope: tweet.write",
        ),
        (403, {}, {"x-accepted-oauth-scopes": "repo"}, "lack a scope: repo"),
        (403, {}, {}, "perhaps a scope is missing"),
        (404, {}, {}, "nothing at this path"),
        (429, {}, {"retry-after": "30"}, "asks to wait 30 s"),
        (503, {}, {}, "--retry 3"),
    ],
)
def test_an_error_says_its_message_and_what_to_do(status, body, headers, says):
    made = response(status, json=body, headers={"content-type": "application/json", **headers})
    assert says in " ".join(explanation(made))
    assert says.split(":")[0] in response_text(made)


def test_an_error_without_a_message_and_a_success_say_nothing_of_the_api():
    assert len(explanation(response(500, text="<h1>oops</h1>"))) == 1
    assert explanation(response(json={"message": "hi"})) == []


@given(JSON, st.data())
def test_the_beginning_of_a_json_text_is_json(value, data):
    text = json.dumps(value)
    cut = data.draw(st.integers(0, len(text)))
    try:
        found = beginning_of(text[:cut])
    except ValueError:
        return
    if cut == len(text):
        assert found == value
    assert isinstance(found, dict | list)


def test_what_was_complete_before_the_cut_is_there():
    text = json.dumps([{"n": n, "text": 'a "quoted, [text]'} for n in range(100)])
    assert beginning_of(text[:400])[:5] == [{"n": n, "text": 'a "quoted, [text]'} for n in range(5)]
    assert beginning_of('{"a": [1, 2, {"b": "cut of') == {"a": [1, 2, {}]}
    for wrong in ("", "text", "123", "]", '{"a"]'):
        with pytest.raises(ValueError, match=r".*"):
            beginning_of(wrong)


def test_a_bomb_is_shown_as_small_as_anything(api):
    answer = flowlet.get(f"{api.url}/bomb")
    assert len(answer.content) == 50_000_000
    assert len(response_html(answer).encode()) + len(response_text(answer).encode()) <= OUTPUT_BYTES


@pytest.mark.parametrize(
    ("body", "sentence", "said"),
    [
        ({"ok": False, "error": "invalid_auth"}, "The API answered 200 and says that it failed.", "invalid_auth"),
        (
            {"data": [{"id": 1}], "errors": [{"detail": "no user 2"}]},
            "The API answered 200 with a part only.",
            "no user 2",
        ),
    ],
)
def test_a_200_that_says_it_failed_or_is_a_part_is_told_above_the_view(body, sentence, said):
    made = response(json=body)
    head = response_html(made).partition('data-part="')[0]
    assert sentence in head
    assert said in head
    assert sentence in response_text(made)
    assert said in response_text(made)
