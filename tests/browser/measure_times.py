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
    shown, connected = [], []
    client_id, client_secret = catalogued
    for number in range(ROUNDS):
        page.goto(loopback.secrets_url)
        page.get_by_role("button", name="Add secret").wait_for()
        started = time.perf_counter()
        page.get_by_role("button", name="Add secret").click()
        page.get_by_role("combobox", name="Provider").wait_for()
        shown.append(time.perf_counter() - started)
        if number:
            continue
        page.get_by_role("combobox", name="Provider").fill("birds")
        page.keyboard.press("Enter")
        page.get_by_label("Client ID").fill(client_id)
        page.get_by_label("Client secret", exact=True).fill(client_secret)
        with page.context.expect_page() as opened:
            page.get_by_role("button", name="Save and request access token").click()
        connected.append(_connect(page, opened.value))
    Path(os.environ["FLOWLET_TIMES"]).write_text(json.dumps({"form-shown": shown, "status-shown": connected}))


def _connect(page, tab) -> float:
    """The seconds from the callback's response to the status on the page that began."""
    callbacks = []
    tab.on("response", lambda response: callbacks.append(time.perf_counter()) if "/callback" in response.url else None)
    tab.get_by_role("button", name="Log in and allow").click()
    page.get_by_text("Connected as ada").wait_for()
    seen = time.perf_counter()
    return seen - callbacks[0]
