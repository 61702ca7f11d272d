"""How long the form and the status take to be seen: `python -m benchmarks --browser` runs this. No test, and no time is asserted."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

ROUNDS = 5


@pytest.mark.skipif("FLOWLET_TIMES" not in os.environ, reason="python -m benchmarks --browser")
def test_times(page, loopback, catalogued):
    client_id, client_secret = catalogued
    shown = [_show_form(page, loopback.secrets_url) for _ in range(ROUNDS)]
    page.get_by_role("combobox", name="Provider").fill("birds")
    page.keyboard.press("Enter")
    page.get_by_label("Client ID").fill(client_id)
    page.get_by_label("Client secret", exact=True).fill(client_secret)
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Save and request access token").click()
    connected = [_connect(page, opened.value)]
    Path(os.environ["FLOWLET_TIMES"]).write_text(json.dumps({"form-shown": shown, "status-shown": connected}))


def _show_form(page, url: str) -> float:
    """The seconds from the click to the form's first field."""
    page.goto(url)
    add = page.get_by_role("button", name="Add secret")
    add.wait_for()
    started = time.perf_counter()
    add.click()
    page.get_by_role("combobox", name="Provider").wait_for()
    return time.perf_counter() - started


def _connect(page, tab) -> float:
    """The seconds from the callback's response to the status on the page that began."""
    callbacks = []
    tab.on("response", lambda response: callbacks.append(time.perf_counter()) if "/callback" in response.url else None)
    tab.get_by_role("button", name="Log in and allow").click()
    page.get_by_text("Connected as ada").wait_for()
    seen = time.perf_counter()
    return seen - callbacks[0]
