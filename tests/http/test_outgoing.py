"""Values that come out of a DataFrame or a calculation are sent as what they are, or refused in one sentence."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
import respx

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import InterpolationError, RequestFailed
from flowlet_jupyter.http.gather import urls_of
from flowlet_jupyter.http.outgoing import json_bytes, pairs_of, text_of

WHEN = datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("value", "as_json", "as_text"),
    [
        (np.int64(7), "7", "7"),
        (np.uint64(2**64 - 1), str(2**64 - 1), str(2**64 - 1)),
        (np.float64(1.5), "1.5", "1.5"),
        (np.bool_(True), "true", "true"),
        (pd.Timestamp("2024-01-02T03:04:05Z"), '"2024-01-02T03:04:05+00:00"', "2024-01-02T03:04:05+00:00"),
        (np.datetime64("2024-01-02T03:04:05"), '"2024-01-02T03:04:05"', "2024-01-02T03:04:05"),
        (WHEN, '"2024-01-02T03:04:05+00:00"', "2024-01-02T03:04:05+00:00"),
        (WHEN.date(), '"2024-01-02"', "2024-01-02"),
        (Decimal("1.10"), "1.10", "1.10"),
        (Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789", "12345678901234567890.123456789"),
        (UUID(int=5), f'"{UUID(int=5)}"', str(UUID(int=5))),
        (Path("a/b"), '"a/b"', "a/b"),
    ],
)
def test_a_value_as_json_and_as_text(value, as_json, as_text):
    assert json_bytes(value).decode() == as_json
    assert json_bytes({"v": [value]}).decode() == f'{{"v":[{as_json}]}}'
    assert text_of(value) == as_text


@pytest.mark.parametrize(
    "value", [float("nan"), np.float64("nan"), pd.NaT, pd.NA, Decimal("NaN"), float("inf"), object(), {1}]
)
def test_what_has_no_value_is_refused(value):
    with pytest.raises(ValueError, match=r"cannot be (sent|written)|infinite"):
        json_bytes({"v": value})
    with pytest.raises(RequestFailed, match=r"json.*Nothing was sent"):
        flowlet.post("https://api.example.org/x", json={"v": value})


def test_columns_and_frames_are_lists():
    assert json.loads(json_bytes({"a": np.array([1, 2]), "b": pd.Series([1, 2])})) == {"a": [1, 2], "b": [1, 2]}
    assert json.loads(json_bytes(pd.DataFrame({"a": [1, 2]}))) == [{"a": 1}, {"a": 2}]
    assert pairs_of({"id": pd.Series([1, 2]), "none": None, "t": True}) == [("id", "1"), ("id", "2"), ("t", "true")]


@respx.mock
def test_query_headers_and_form_take_them_too():
    route = respx.post(url__startswith="https://api.example.org/x").respond(200)
    flowlet.post(
        "https://api.example.org/x?a=1", params={"since": WHEN, "none": None, "n": np.int64(2)},
        headers={"X-Since": WHEN.date(), "X-None": None}, data={"d": Decimal("1.10")},
    )  # fmt: skip
    request = route.calls.last.request
    assert request.url.query == b"a=1&since=2024-01-02T03%3A04%3A05%2B00%3A00&n=2"
    assert (request.headers["X-Since"], "X-None" in request.headers, request.content) == (
        "2024-01-02",
        False,
        b"d=1.10",
    )


def test_an_id_that_became_a_float_is_the_integer_or_refused():
    assert urls_of("/u/{id}", pd.DataFrame({"id": [1.0, 2.0]})) == ["/u/1", "/u/2"]
    assert urls_of("/at/{lat}", [{"lat": 52.5}]) == ["/at/52.5"]
    with pytest.raises(InterpolationError, match="no longer exact"):
        urls_of("/u/{id}", pd.DataFrame({"id": [4611686018427400321, None]}))
    with pytest.raises(InterpolationError, match="Row 1 has no value"):
        urls_of("/u/{id}", pd.DataFrame({"id": pd.array([1, None], dtype="Int64")}))
