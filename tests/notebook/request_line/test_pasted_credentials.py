"""A credential in a pasted command is left out of the request, and the cell says so."""

from __future__ import annotations

import pytest

from flowlet_jupyter.notebook.request_line.grammar import parse

VALUE = "canary-value-77c1"


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (f"-H 'X-Api-Key: {VALUE}'", "X-Api-Key"),
        (f"-H 'PRIVATE-TOKEN: {VALUE}'", "PRIVATE-TOKEN"),
        (f"-d user=ann -d client_secret={VALUE}", "client_secret"),
        (f'--json \'{{"a": {{"access_token": "{VALUE}"}}}}\'', "access_token"),
        (f"-F api_key={VALUE} -F a=1", "api_key"),
        (f"--url-query api_key={VALUE}", "api_key"),
        (f"-H 'X-Odd: eyJhbGciOiJI.{VALUE}.x'", "X-Odd"),
    ],
)
def test_it_is_left_out_and_said(options, name):
    spec = parse("", f"curl https://a.example/x {options}")
    assert VALUE not in repr(spec)
    assert name in spec.notes[0]
    assert "delete it there" in spec.notes[0]


def test_a_password_in_the_url_is_left_out():
    spec = parse("", f"curl https://ann:{VALUE}@a.example/x")
    assert spec.url.plain == "https://a.example/x"
    assert spec.notes


def test_a_page_token_is_no_credential():
    assert not parse("", "curl 'https://a.example/x?pageToken=abc'").notes
