"""Many requests side by side, and trying again as an API asks."""

from __future__ import annotations

import asyncio
import datetime
import time
from email.utils import format_datetime

import httpx
import pandas as pd
import pytest
import respx
from support import interrupt_once

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import InterpolationError, RequestFailed
from flowlet_jupyter.http import retries
from flowlet_jupyter.http.gather import urls_of
from flowlet_jupyter.http.rate_limit import RateLimit, pause_of, rate_limit_of

NOW = 1_800_000_000.0


def test_rows_of_a_frame_fill_the_template_and_cannot_leave_their_place():
    rows = pd.DataFrame({"id": ["a/b?c#d", "ü"], "n": [1, 2]})
    assert urls_of("https://a.example/{id}/x?n={n}", rows) == [
        "https://a.example/a%2Fb%3Fc%23d/x?n=1",
        "https://a.example/%C3%BC/x?n=2",
    ]
    with pytest.raises(InterpolationError, match=r"Row 1 has no value for \{id\}"):
        urls_of("https://a.example/{id}", [{"id": 1}, {"id": None}])
    with pytest.raises(RequestFailed, match="one template"):
        flowlet.gather("https://a.example/")


# trying again


@pytest.mark.slow  # waits as long as it is asked to
@pytest.mark.parametrize(
    "headers_for",
    [
        lambda end: {"Retry-After": "2"},
        lambda end: {"Retry-After": format_datetime(end, usegmt=True)},
        lambda end: {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2"},
    ],
    ids=["seconds", "date", "reset"],
)
def test_the_wait_is_as_long_as_the_api_asks(api, headers_for, capsys):
    end = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(seconds=2)
    api.refusals, api.refusal_headers = 1, headers_for(end)
    assert flowlet.get(f"{api.url}/limited", retry=2)["ok"]
    assert datetime.datetime.now(datetime.UTC) >= end


@pytest.mark.slow  # waits as long as it is asked to
def test_a_long_wait_is_said(api, capsys):
    api.refusals, api.refusal_headers = 1, {"Retry-After": "2"}
    flowlet.get(f"{api.url}/limited", retry=1)
    assert "429: try 2 of 2 in" in capsys.readouterr().err


def test_a_wait_of_hours_is_an_error_that_says_so(api):
    api.refusals, api.refusal_headers = 1, {"Retry-After": "7200"}
    with pytest.raises(RequestFailed, match="wait for 120 minutes"):
        flowlet.get(f"{api.url}/limited", retry=1)


def test_an_interrupt_ends_the_wait(api):
    api.refusals, api.refusal_headers = 1, {"Retry-After": "60"}
    interrupt_once(lambda: api.requests)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        flowlet.get(f"{api.url}/limited", retry=1)
    assert time.monotonic() - started < 50  # of the 60 s that the API asks for


def test_without_retry_the_answer_is_given_back(api):
    api.refusals = 1
    assert flowlet.get(f"{api.url}/limited").status_code == 429


@pytest.mark.slow  # waits as long as it is asked to
@pytest.mark.parametrize(("options", "tries"), [({"retry": 2}, 1), ({"retry": 2, "retry_any": True}, 3)])
def test_only_what_can_be_repeated_is_repeated_unless_told(api, options, tries):
    api.refusals, api.refusal_headers = 2, {"Retry-After": "0"}
    flowlet.post(f"{api.url}/limited", json={}, **options)
    assert len(api.requests) == tries


@respx.mock
def test_a_broken_connection_is_tried_again(monkeypatch):
    monkeypatch.setattr(retries, "_BACKOFF_SECONDS", 0.01)
    route = respx.get("https://a.example/")
    route.side_effect = [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.Response(200, json={})]
    assert flowlet.get("https://a.example/", retry=3).status_code == 200
    route.side_effect = [httpx.ConnectError("refused")] * 2
    with pytest.raises(RequestFailed, match="refused"):
        flowlet.get("https://a.example/", retry=1)


@pytest.mark.slow  # waits as long as it is asked to
def test_the_async_twin_tries_again(api):
    api.refusals, api.refusal_headers = 1, {"Retry-After": "0"}
    assert asyncio.run(flowlet.aget(f"{api.url}/limited", retry=1))["ok"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            {"x-ratelimit-remaining": "3", "x-ratelimit-limit": "75", "x-ratelimit-reset": str(NOW + 60)},
            RateLimit(3, 75, NOW + 60),
        ),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, RateLimit(0, None, NOW + 30)),
        ({"x-rate-limit-remaining": "1"}, RateLimit(1)),
        ({"ratelimit-remaining": "9, 9;w=60", "ratelimit-limit": "10;w=60"}, RateLimit(9, 10)),
        ({"x-ratelimit-remaining": "many"}, None),
        ({"x-ratelimit-reset": "5"}, None),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "-5"}, RateLimit(1)),
        ({}, None),
    ],
)
def test_rate_limits_in_all_spellings(headers, expected):
    assert rate_limit_of(httpx.Headers(headers), now=NOW) == expected


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "7"}, 7),
        (503, {"Retry-After": "7"}, 7),
        (200, {"Retry-After": "7"}, 0),
        (429, {"Retry-After": "soon"}, 0),
        (429, {"Retry-After": "-3"}, 0),
        (200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "12"}, 12),
        (200, {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "12"}, 0),
    ],
)
def test_when_to_pause(status, headers, seconds):
    assert pause_of(status, httpx.Headers(headers), now=NOW) == seconds
