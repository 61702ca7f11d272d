"""A clock that is wrong or jumps: one refresh too many at most, and a 401 repairs what the clock hides."""

from __future__ import annotations

import time

import pytest
from servers.faulty import faulty, token
from servers.oauth_provider import stored

import flowlet_jupyter as flowlet
from flowlet_jupyter.oauth.authorization_code import new_flow
from flowlet_jupyter.oauth.pending import find_flow, remember_flow
from flowlet_jupyter.vault import default_vault

pytestmark = pytest.mark.slow


@pytest.fixture
def clock(monkeypatch):
    """A function that sets this process's clock, by so many seconds from the right time."""
    right = time.time

    def put(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: right() + seconds)

    return put


@pytest.mark.parametrize("hours", [-24 * 365, -1, 1, 24 * 365])
def test_a_wrong_clock_refreshes_once(hours, clock, withstood):
    clock(hours * 3600)
    with faulty(token) as server:
        stored(server.url)
        assert [flowlet.get("/me", secret="api").status_code for _ in range(3)] == [200] * 3
        assert server.paths == ["/token"] + ["/me"] * 3
        clock(0)
        assert flowlet.get("/me", secret="api").status_code == 200
        assert server.paths.count("/token") <= 2
    withstood()


@pytest.mark.parametrize("hours", [-2, -1, 1, 2])
def test_a_clock_that_jumps_costs_a_refresh_at_most(hours, clock, withstood):
    with faulty(token) as server:
        stored(server.url)
        for _ in range(2):
            assert flowlet.get("/me", secret="api").status_code == 200
        clock(hours * 3600)
        for _ in range(3):
            assert flowlet.get("/me", secret="api").status_code == 200
        assert server.paths.count("/token") == (2 if hours > 0 else 1)
    withstood()


@pytest.mark.parametrize("ahead", [3590, 3700, 86400])
def test_an_end_that_a_fast_clock_takes_for_past_is_no_refresh_at_each_request(ahead, clock, withstood):
    clock(ahead)
    with faulty(lambda c: token(c, expires_in=None, expires_at=time.time() - ahead + 3600)) as server:
        stored(server.url)
        assert [flowlet.get("/me", secret="api").status_code for _ in range(3)] == [200] * 3
        assert server.paths.count("/token") == 1
    withstood()


def test_a_401_repairs_what_a_slow_clock_hides(clock, withstood):
    clock(-7200)
    with faulty(token) as server:
        stored(server.url, expires_at=time.time() + 3600)  # it ended an hour ago
        assert flowlet.get("/me", secret="api").status_code == 200
        assert server.paths == ["/me", "/token", "/me"]
    withstood()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_flow_whose_clock_jumps_is_begun_again(hours, clock, withstood):
    stored("http://127.0.0.1:9")
    flow = new_flow("api", redirect_uri="http://127.0.0.1/", now=time.time())
    remember_flow(default_vault(), flow)
    assert find_flow(default_vault(), flow.state.reveal(), now=time.time())
    clock(hours * 3600)
    assert find_flow(default_vault(), flow.state.reveal(), now=time.time()) is None
    withstood()


def test_a_laptop_that_slept_through_the_end_of_its_token_refreshes_once(clock, withstood):
    with faulty(token) as server:
        stored(server.url, expires_at=time.time() + 60)
        clock(12 * 3600)
        assert flowlet.get("/me", secret="api").status_code == 200
        assert server.paths == ["/token", "/me"]
    withstood()
