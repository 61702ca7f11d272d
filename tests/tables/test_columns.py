"""Columns are those of `pandas.json_normalize`, whatever the records look like."""

from __future__ import annotations

import pandas as pd
import pytest
from examples import examples
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flowlet_jupyter.tables.columns import MISSING, columns_of, told_apart
from flowlet_jupyter.tables.frames import frame_of, polars_of

NAMES = st.sampled_from(["id", "name", "user", "meta", "a.b", "a", "b", "ü"])
LEAVES = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=4)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
RECORDS = st.lists(st.dictionaries(NAMES, VALUES, max_size=4), min_size=1, max_size=6)


def same(one, other) -> bool:
    if one is pd.NA or (type(one) is int and type(other) is float):
        return (one is pd.NA and (pd.isna(other))) or one == other
    return repr(one) == repr(other)


@settings(max_examples=examples(400))
@given(RECORDS)
def test_columns_and_values_are_those_of_json_normalize(records):
    assume(not told_apart(records)[1])  # of which pandas keeps one
    expected = pd.json_normalize(records)
    made = frame_of(records)
    assert list(made.columns) == list(expected.columns)
    assert len(made) == len(expected)
    for name in expected.columns:
        for one, other in zip(made[name].tolist(), expected[name].tolist(), strict=True):
            # 1, 1.0, True and None are told apart; integers with gaps are Int64, and not floats
            assert same(one, other), name


def test_nested_fields_are_dotted_and_lists_stay():
    columns = columns_of([{"id": 1, "user": {"name": "ann", "geo": {"lat": 1.5}}, "tags": [1, {"x": 2}]}])
    assert columns == {"id": [1], "tags": [[1, {"x": 2}]], "user.name": ["ann"], "user.geo.lat": [1.5]}


def test_a_record_without_a_field_lacks_it():
    assert columns_of([{"a": 1}, {"b": {"c": 2}}]) == {"a": [1, MISSING], "b.c": [MISSING, 2]}


def test_two_fields_of_one_name_are_both_kept_and_told():
    records = [{"a.b": 1, "a": {"b": 2}}, {"a": {"b": 3}}, {"a.b": 4, "a.b_": 5}]
    frame = frame_of(records)
    assert frame.astype(object).where(frame.notna(), None).to_dict("list") == {
        "a.b": [1, None, 4], "a.b__": [2, 3, None], "a.b_": [None, None, 5],
    }  # fmt: skip
    assert frame.attrs["notes"] == ["two fields are named 'a.b': the one further inside is 'a.b__'"]
    with pytest.warns(UserWarning, match=r"two fields are named 'a\.b'"):
        assert polars_of(records).to_dict(as_series=False) == {
            "a.b": [1, None, 4],
            "a.b__": [2, 3, None],
            "a.b_": [None, None, 5],
        }


def test_one_field_that_is_written_in_two_ways_is_one_column():
    records = [{"a.b": 1}, {"a": {"b": 2}}]
    assert frame_of(records).equals(pd.json_normalize(records))
    assert polars_of(records).to_dict(as_series=False) == {"a.b": [1, 2]}


def test_no_records_are_an_empty_frame():
    assert frame_of([]).empty
    assert polars_of([]).is_empty()


def test_values_that_are_no_objects_are_one_column():
    assert frame_of([1, "two", None])["value"].tolist() == [1, "two", None]


def test_ten_thousand_columns():
    assert frame_of([{f"c{number}": number for number in range(10_000)}]).shape == (1, 10_000)


def test_dates_on_request():
    records = [
        {"when": "2026-11-01T18:30:00Z", "day": "2026-11-01", "text": "2026-11-01 or so"},
        {"when": None, "day": "2026-12-01"},
    ]
    made = frame_of(records, dates=True)
    assert str(made["when"].dt.tz) == "UTC"
    assert made["day"].dt.month.tolist() == [11, 12]
    assert made["text"].tolist()[0] == "2026-11-01 or so"
    assert frame_of(records)["when"].tolist()[0] == "2026-11-01T18:30:00Z"


def test_polars_takes_mixed_and_missing_values():
    made = polars_of([{"a": 1, "n": {"x": "t"}}, {"a": 2.5}, {"n": {"x": None}}])
    assert made.columns == ["a", "n.x"]
    assert made["a"].to_list() == [1.0, 2.5, None]
    dated = polars_of([{"when": "2026-11-01T18:30:00Z"}], dates=True)
    assert dated["when"].dt.year().to_list() == [2026]


def test_a_text_that_was_cut_in_an_emoji_is_a_row_like_others():
    records = [{"t": "a\ud83d", "n": {"x": ["\ude00"]}}, {"t": "b"}]
    assert frame_of(records)["t"].tolist() == ["a\ufffd", "b"]
    assert polars_of(records)["t"].to_list() == ["a\ufffd", "b"]  # it has no text for half a character
    assert frame_of([{"t\ud83d": 1}]).columns.tolist() == ["t\ufffd"]
