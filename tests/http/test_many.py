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
from flowlet_jupyter.errors import AuthRequired, InterpolationError, RequestFailed
from flowlet_jupyter.http.gather import urls_of
from flowlet_jupyter.http.rate_limit import RateLimit, pause_of, rate_limit_of

NOW = 1_800_000_000.0


def test_the_order_is_kept_and_errors_stand_in_their_places(api):
    gathered = flowlet.gather(f"{api.url}/user/{{id}}", rows=[{"id": number} for number in range(30)], retry=0)
    assert [outcome["data"][0]["id"] for outcome in gathered if not outcome.is_error] == [
        str(n) for n in range(30) if n != 13
    ]
    assert list(gathered.errors) == [f"{api.url}/user/13"]
    assert "unlucky" in str(gathered.errors[f"{api.url}/user/13"])
    assert (gathered.complete, len(gathered.responses)) == (True, 29)
    frame = gathered.to_df()
    assert list(frame.columns) == ["url", "id"]
    assert len(frame) == 29
    assert 2 <= api.most_running <= 8


def test_the_first_error_is_raised_if_wanted(api):
    with pytest.raises(RequestFailed, match="user/13: 500"):
        flowlet.gather([f"{api.url}/user/13"], errors="raise", retry=0)


def test_a_host_that_is_not_allowed_fails_alone(api):
    flowlet.secrets.add(flowlet.Password(name="api", password="p", base_url=api.url))
    gathered = flowlet.gather(["/user/1", "https://evil.example/", "/user/2"], secret="api")
    assert [isinstance(outcome, flowlet.HostNotAllowed) for outcome in gathered] == [False, True, False]


def test_a_secret_without_a_token_asks_once_before_many_threads_do(api):
    flowlet.secrets.add(
        flowlet.OAuth2(name="api", client_id="i", token_endpoint=f"{api.url}/t", authorization_endpoint=f"{api.url}/a",
                       base_url=api.url)
    )  # fmt: skip
    with pytest.raises(AuthRequired):
        flowlet.gather(["/user/1"] * 10, secret="api")
    assert api.requests == []


def test_an_interrupt_keeps_what_came_and_resume_asks_for_the_rest(api):
    api.delay = 0.1
    interrupt_once(lambda: len(api.requests) > 4)
    with pytest.raises(KeyboardInterrupt):
        flowlet.gather(f"{api.url}/user/{{id}}", rows=[{"id": n} for n in range(40)], concurrency=2, retry=0)
    gathered = flowlet.last_gathered()
    came = len(gathered.responses)
    assert 0 < came < 40
    assert not gathered.complete
    assert "resume() goes on" in repr(gathered)
    api.delay = 0
    gathered.resume()
    assert gathered.complete
    assert len(gathered.responses) == 39


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


def test_the_rate_limit_of_an_api_is_waited_for(api):
    api.refusals, api.refusal_headers = 3, {"Retry-After": "1"}
    started = time.monotonic()
    gathered = flowlet.gather([f"{api.url}/limited?n={n}" for n in range(6)], concurrency=3)
    assert time.monotonic() - started >= 1
    assert [outcome["n"] for outcome in gathered] == [str(n) for n in range(6)]
    assert len(api.requests) == 9  # each was refused or answered once, none was thrown at the wall


# trying again


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "1"},
        {
            "Retry-After": format_datetime(
                datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2), usegmt=True
            )
        },
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"},
    ],
    ids=["seconds", "date", "reset"],
)
def test_the_wait_is_as_long_as_the_api_asks(api, headers, capsys):
    api.refusals, api.refusal_headers = 1, headers
    started = time.monotonic()
    assert flowlet.get(f"{api.url}/limited", retry=2)["ok"]
    assert time.monotonic() - started > 0.1


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


@pytest.mark.parametrize(("options", "tries"), [({"retry": 2}, 1), ({"retry": 2, "retry_any": True}, 3)])
def test_only_what_can_be_repeated_is_repeated_unless_told(api, options, tries):
    api.refusals, api.refusal_headers = 2, {"Retry-After": "0"}
    flowlet.post(f"{api.url}/limited", json={}, **options)
    assert len(api.requests) == tries


@respx.mock
def test_a_broken_connection_is_tried_again():
    route = respx.get("https://a.example/")
    route.side_effect = [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.Response(200, json={})]
    assert flowlet.get("https://a.example/", retry=3).status_code == 200
    route.side_effect = [httpx.ConnectError("refused")] * 2
    with pytest.raises(RequestFailed, match="refused"):
        flowlet.get("https://a.example/", retry=1)


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
