"""Prompts: who is asked to authorize a secret, and where nobody is."""

from __future__ import annotations

import subprocess
import sys

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.connect.paste import PastePrompt
from flowlet_jupyter.connect.terminal import TerminalPrompt
from flowlet_jupyter.errors import AuthRequired, InvalidSecret
from flowlet_jupyter.model.oauth2 import DEVICE_CODE
from flowlet_jupyter.testing import put_secret

API = {"token_endpoint": "https://a.example/t", "client_id": "c", "base_url": "https://a.example"}


@pytest.fixture
def handle():
    return put_secret(flowlet.OAuth2(name="x", authorization_endpoint="https://a.example/a", **API))


@pytest.mark.parametrize("prompt", [None, TerminalPrompt(), PastePrompt()])
def test_where_nobody_is_the_error_comes_at_once(handle, monkeypatch, prompt):
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: SIM115 - as a scheduled run has it
    monkeypatch.setattr("getpass.getpass", _nobody)
    with pytest.raises(AuthRequired, match="jupyter flowlet authorize x"):
        handle.authorize(prompt)


def _nobody(_question):
    raise EOFError


def test_there_is_nothing_to_paste_for_a_device_code():
    secret = flowlet.OAuth2(
        name="d", grant_type=DEVICE_CODE, device_authorization_endpoint="https://a.example/d", **API
    )
    with pytest.raises(InvalidSecret, match="nothing to paste"):
        put_secret(secret).authorize(PastePrompt())


@pytest.mark.slow  # a process of its own
def test_waiting_needs_no_ipython():
    modules = "terminal, paste, device_prompt, loopback, wait"
    program = f"import sys; from flowlet_jupyter.connect import {modules}; sys.exit('IPython' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
