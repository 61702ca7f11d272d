"""A credential in the text of a request is left out of it, wherever it stands, and the cell says so."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlet_jupyter.notebook.request_line.grammar import parse
from flowlet_jupyter.notebook.request_line.interpolation import prepare
from flowlet_jupyter.notebook.request_line.pasted_credentials import notice

VALUE = "canary-value-77c1"
URL = "https://a.example/x"


@pytest.mark.parametrize(
    ("line", "cell", "description"),
    [
        ("", f"curl {URL} -H 'X-Api-Key: {VALUE}'", "the header X-Api-Key"),
        ("", f"curl {URL} -H 'PRIVATE-TOKEN: {VALUE}'", "the header PRIVATE-TOKEN"),
        ("", f"curl {URL} -d user=ann -d client_secret={VALUE}", "the field client_secret"),
        ("", f'curl {URL} --json \'{{"a": {{"access_token": "{VALUE}"}}}}\'', "the member access_token"),
        ("", f"curl {URL} -F api_key={VALUE} -F a=1", "the field api_key"),
        ("", f"curl {URL} --url-query api_key={VALUE}", "the parameter api_key"),
        ("", f"curl {URL} -H 'X-Odd: eyJhbGciOiJI.{VALUE}.x'", "the header X-Odd"),
        ("", f"curl 'https://a.example/{{{{ x }}}}?api_key={VALUE}'", "the parameter api_key"),
        ("", f"curl https://ann:{VALUE}@a.example/x", "the user name and password (in the URL)"),
        ("", f"GET {URL}\nAuthorization: Bearer {VALUE}", "the header Authorization"),
        ("", f"GET {URL}?a=1&access_token={VALUE}#f", "the parameter access_token"),
        ("", f'POST {URL}\n\n{{"q": {{{{ x }}}}, "api_key": "{VALUE}"}}', "the member api_key"),
        ("", f"POST {URL}\nContent-Type: application/x-www-form-urlencoded\n\na=1&password={VALUE}", "the field password"),
        (f"{URL} X-Api-Key:{VALUE}", None, "the header X-Api-Key"),
        (f"{URL} api_key=={VALUE}", None, "the parameter api_key"),
        (f"{URL}?api_key={VALUE}", None, "the parameter api_key"),
        (f"POST {URL} name=ann password={VALUE}", None, "the member password"),
        (f"POST {URL} name=ann password={VALUE} --form", None, "the field password"),
        (f"{URL} -H 'Authorization: token {VALUE}'", None, "the header Authorization"),
        (f"https://ann:{VALUE}@a.example/x", None, "the user name and password (in the URL)"),
    ],
)  # fmt: skip
def test_it_is_left_out_and_said(line, cell, description):
    spec = parse(line, cell)
    request = prepare(spec, lambda _: "value", lambda _: b"")
    message = notice(spec.left_out, "a.example")
    assert VALUE not in repr(spec) + repr(request) + message
    assert description in message
    assert "a.example" in message
    assert "delete it there" in message


@pytest.mark.parametrize(
    "line",
    [
        f"{URL}?pageToken=abc",
        f"{URL} next_token==abc",
        f"{URL} Authorization:{{{{ header }}}}",
        f"{URL} api_key=={{{{ key }}}}",
        f"{URL} key==short",
        f"{URL} X-Token:",
    ],
)
def test_what_is_no_credential_in_the_cell_stays(line):
    assert not parse(line).left_out


def test_a_variable_of_a_shell_in_the_authorization_header_is_left_out_too():
    spec = parse("", f'curl {URL} -H "Authorization: Bearer $TOKEN"')
    assert not spec.headers
    assert spec.left_out[0].value is None
    assert "--new" in notice(spec.left_out, "a.example")


def test_a_placeholder_is_nothing_to_store():
    for text in ("YOUR_API_KEY", "<token>", "xxxxx", "$TOKEN", "..."):
        assert parse("", f"curl {URL} -H 'X-Api-Key: {text}'").left_out[0].value is None


def test_the_rest_of_the_body_stays_what_it_was():
    text = '{"id": 12345678901234567890, "x": 0.10000000000000000001, "q": {{ q }}, "t": "a {{ q }} b", "token": "abc"}'
    request = prepare(parse("", f"POST {URL}\n\n{text}"), lambda _: "v", lambda _: b"")
    assert json.loads(request.content) == {"id": 12345678901234567890, "x": 0.1, "q": "v", "t": "a v b"}
    assert b"0.10000000000000000001" in request.content


@given(st.text(st.characters(categories=["L", "N"]), min_size=8, max_size=20), st.sampled_from(["a", "ü", "{{ x }}"]))
def test_no_value_behind_a_name_like_api_key_stays(value, other):
    value = f"canary{value}"
    for cell in (
        f"GET https://a.example/{other}?api_key={value}&q={other}",
        f"GET https://a.example/{other}\nX-Api-Key: {value}",
        f'POST https://a.example/\n\n{{"a": ["{other}", {{"client_secret": "{value}"}}]}}',
    ):
        if value.isascii():
            assert value not in repr(prepare(parse("", cell), lambda _: "v", lambda _: b""))
        assert value not in repr(parse("", cell))
