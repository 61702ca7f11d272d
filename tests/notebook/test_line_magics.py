"""What the magics beside `%flowlet_request` say of a line that is wrong."""

from __future__ import annotations

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.notebook.line_magics import Defaults, SecretLine, read_defaults, read_log_line
from flowlet_jupyter.testing import put_secret
from flowlet_jupyter.vault import default_vault


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        (lambda: SecretLine.read("twitter --conect"), "--connect"),
        (lambda: SecretLine.read("--new --provder github"), "--provider"),
        (lambda: read_defaults("--secrets twitter", Defaults()), "--secret"),
    ],
    ids=["secret", "new secret", "defaults"],
)
def test_an_option_is_suggested(read, meant):
    with pytest.raises(flowlet.RequestSyntaxError, match=f"Did you mean {meant}\\?"):
        read()


def test_the_log_of_a_mistyped_name_suggests_the_secret():
    put_secret(flowlet.Password(name="twitter", password="x", allowed_hosts=("a.example",)))
    with pytest.raises(flowlet.SecretNotFound, match="Did you mean 'twitter'"):
        read_log_line("twiter", default_vault())
