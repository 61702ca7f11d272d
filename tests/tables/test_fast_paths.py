"""What is read the fast way is what the plain way gives: JSON, columns some hundred at a time, large arrays, NDJSON."""

from __future__ import annotations

import json
import math

import jmespath
import pandas as pd
import polars as pl
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.gather import Gathered
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables import json_body, packed
from flowlet_jupyter.tables.columns import columns_of, typed_columns_of
from flowlet_jupyter.tables.frames import frame_of, polars_of
from flowlet_jupyter.tables.lines import of_ndjson
from flowlet_jupyter.tables.ndjson import polars_of_ndjson
from flowlet_jupyter.tables.selection import select

NAMES = st.sampled_from(["id", "name", "user", "meta", "a.b", "a", "b", "ü", ""])
NUMBERS = st.integers(-(2**70), 2**70) | st.integers(-3, 3) | st.floats()
LEAVES = st.none() | st.booleans() | NUMBERS | st.text(max_size=4) | st.just("\ud800") | st.just("2026-11-01")
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
RECORDS = st.lists(st.dictionaries(NAMES, VALUES, max_size=4), min_size=1, max_size=9)
# records of one form, as from most APIs: the paths that only such take
ALIKE = st.tuples(st.sampled_from([st.integers(), st.floats(), st.text(max_size=3), st.booleans(), LEAVES]), st.integers(1, 9)).flatmap(
    lambda made: st.lists(st.fixed_dictionaries({"a": made[0], "b": st.fixed_dictionaries({"c": made[0]})}), min_size=made[1])
)  # fmt: skip


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return (
        list(one.columns) == list(other.columns)
        and list(map(str, one.dtypes)) == list(map(str, other.dtypes))
        and repr(one.to_dict("records")) == repr(other.to_dict("records"))
    )


def outcome(call, *given):
    try:
        return repr(call(*given))
    except (ValueError, RecursionError) as error:
        return type(error).__mro__[-3:]


@settings(max_examples=examples(300))
@given(VALUES, st.booleans(), st.data())
def test_json_is_what_the_standard_library_reads(value, ascii_only, data):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=data.draw(st.sampled_from([None, 1])))
    content = text.encode("utf-8", "surrogatepass")
    if data.draw(st.booleans()):  # a damaged text is refused by both, or read the same
        position = data.draw(st.integers(0, len(content)))
        content = content[:position] + data.draw(st.binary(max_size=2)) + content[position + 1 :]
    padded = content + b" " * 5_000  # too short a text is not worth the fast way
    assert outcome(json_body.parse_json, padded) == outcome(lambda: json.loads(json_body.decode(padded).text))


@pytest.mark.parametrize(
    "text",
    ["1" + "0" * 40, "-1" + "0" * 30, "18446744073709551616", "-0", "-0.0", "NaN", "[Infinity, -Infinity]", "1e999", "1e-400",
     '{"a": 1, "b": 2, "a": 3}', r'"\ud800"', r'"\ud83d\ude00"', r'"\u0000"', '"\u2028"', "01", "[1,]", "nul", "", "\ufeff[1]",
     "0.1234567890123456789012345", "4.9e-324", "1" * 5_000],
)  # fmt: skip
def test_texts_that_readers_differ_about_are_read_as_before(text):
    content = (text + " " * 5_000).encode()
    assert outcome(json_body.parse_json, content) == outcome(lambda: json.loads(json_body.decode(content).text))


def test_a_declared_charset_is_heeded():
    content = json.dumps(["é"] * 2_000, ensure_ascii=False).encode("latin-1")
    assert json_body.parse_json(content, "iso-8859-1")[0] == "é"
    assert json_body.parse_json(json.dumps(["é"] * 2_000).encode("utf-16"), None)[0] == "é"


@settings(max_examples=examples(300))
@given(RECORDS | ALIKE, st.integers(1, 4))
def test_columns_of_blocks_are_those_of_all_records(records, block):
    try:
        whole = typed_columns_of(records, block=len(records))
        parts = typed_columns_of(records, block=block)
    except ValueError:
        return
    assert list(parts) == list(whole)
    for key, column in whole.items():
        assert repr(parts[key].cells) == repr(column.cells)
        assert parts[key].kinds == column.kinds == set(map(type, column.cells))


@settings(max_examples=examples(300))
@given(RECORDS | ALIKE, st.integers(1, 4))
def test_packed_records_are_the_same_frame(records, at_once):
    parts = [records[start : start + at_once] for start in range(0, len(records), at_once)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "_AT_ONCE", at_once)
        made = packed.frame_of_parts(parts)
    try:
        columns_of(records)
    except ValueError:
        return  # two fields of one name, which the plain way asks pandas about
    assert made is not None
    assert same(made, frame_of(records))


MEMBERS = st.sampled_from(
    ["data", "results", "rows", "value", "columns", "id", "meta", "links", "dataSets", "items", "hits", "ok", "error"]
)
BODIES = st.builds(
    lambda name, records, before, after: {**before, name: records, **after},
    MEMBERS, RECORDS | ALIKE | st.lists(VALUES, max_size=4),
    st.dictionaries(MEMBERS, VALUES, max_size=2), st.dictionaries(MEMBERS, LEAVES | RECORDS, max_size=2),
)  # fmt: skip


@settings(max_examples=examples(500))
@given(RECORDS | ALIKE | st.lists(VALUES, min_size=3, max_size=5) | BODIES, st.integers(1, 4), st.none() | MEMBERS)
def test_a_large_body_is_the_frame_of_its_parsed_body(body, at_once, path):
    content = json.dumps(body).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "_AT_ONCE", at_once)
        patch.setattr(packed, "_LARGE", 0)
        made = packed.frame_of_json(content, None, path)
        patch.setattr(packed, "_LARGE", math.inf)
        if made is not None:
            headers = {"content-type": "application/json"}
            plain = Response(200, content=content, headers=headers).to_df(path)
            assert plain.attrs == {"path": made[1]}
            assert same(made[0], plain)


# each is another form of table, as its end or what stands beside it says
OTHER_FORMS = [
    {"results": [{"statement_id": 0}] * 60 + [{"series": [{"columns": ["a"], "values": [[1]]}]}]},
    {"dimension": {"a": {"category": {"index": ["x"]}}}, "id": ["a"], "size": [1], "value": [{"x": 1}] * 60},
    {"columns": [{"name": f"c{number}"} for number in range(60)], "rows": [list(range(60))]},
    {"hits": [{"a": 1}] * 3, "data": [{"b": 1}] * 3},
    {"id": 7, "lines": [{"a": 1}] * 3},
    {"ok": False, "error": "no", "data": [{"a": 1}] * 3},
    {"errors": [{"message": "no"}] * 3},
    {"data": [[1, 2], [3, 4], [5, 6]]},
    {"data": [{"a": 1}] * 60 + [5]},
    [{"page": 1}, [{"a": 1}]],
]


@pytest.mark.parametrize("body", OTHER_FORMS)
def test_a_large_body_of_another_form_is_left_to_the_plain_way(body, monkeypatch):
    monkeypatch.setattr(packed, "_LARGE", 0)
    assert packed.frame_of_json(json.dumps(body).encode(), None, None) is None


def test_the_only_list_of_a_large_object_is_packed_too():
    body = {
        "meta": {"count": 20_000},
        "data": [{"id": number, "text": "x" * 50} for number in range(20_000)],
        "next": None,
    }
    response = Response(200, content=json.dumps(body).encode(), headers={"content-type": "application/json"})
    for path in (None, "data"):
        frame = response.to_df(path)
        assert not response.is_parsed
        assert frame.attrs == {"path": "data"}
        assert same(frame, frame_of(body["data"]))


def test_a_large_array_is_packed_and_its_body_is_not_kept_parsed():
    records = [
        {"id": number, "big": 2**64 + number, "user": {"name": f"n{number}"}, "tags": [number]}
        for number in range(20_000)
    ]
    response = Response(200, content=json.dumps(records).encode(), headers={"content-type": "application/json"})
    frame = response.to_df()
    assert not response.is_parsed
    assert frame.attrs["path"] == ""
    assert same(frame, frame_of(records))
    assert response.json() == records


@pytest.mark.parametrize(
    "text",
    ['{"a": 1}', "[[1, 2], [3, 4], [5, 6]]", "[1, 2, 3]", '[{"a": 1}, 2, {"a": 3}]', "[]", '[{"a": 1}, [2]]', "[nope"],
)
def test_what_is_no_array_of_objects_is_left_to_the_plain_way(text, monkeypatch):
    monkeypatch.setattr(packed, "_LARGE", 0)
    assert packed.frame_of_json(text.encode(), None, None) is None


def test_half_a_surrogate_pair_becomes_the_sign_for_a_lost_character():
    frame = Response(
        200, content=rb'[{"a": "\ud800"}, {"a": "b"}]', headers={"content-type": "application/json"}
    ).to_df()
    assert frame["a"].tolist() == ["\ufffd", "b"]


LINES = st.lists(st.dictionaries(NAMES.filter(bool), VALUES, max_size=3), min_size=1, max_size=5)


@settings(max_examples=examples(500))
@given(LINES | ALIKE)
def test_ndjson_by_polars_is_ndjson_line_by_line(records):
    content = "\n".join(map(json.dumps, records)).encode()
    fast = polars_of_ndjson(content)
    if fast is None:
        return
    try:
        plain = polars_of(of_ndjson(content.decode()))
    except FlowletError as error:
        assert "two fields are named" in str(error)  # an empty object among them, which makes no column
        return
    # a field that is null in one record and an object in another has no column of nulls
    assert set(fast.columns) <= set(plain.columns)
    assert all(plain[name].is_null().all() for name in set(plain.columns) - set(fast.columns))
    for name in fast.columns:
        one, other = (json.dumps(frame[name].to_list(), sort_keys=True, default=repr) for frame in (fast, plain))
        assert one == other, (name, fast.schema, plain.schema)


@pytest.mark.parametrize(
    "text", [r"\ud800", r"\ud83dx", r"\ude00", r"\\\ude00", r"\\ud83d\ude00", r"\uDBFF\uD83D\uDE00"]
)
def test_half_a_surrogate_pair_is_not_read_by_polars_which_would_make_a_nul_of_it(text):
    assert polars_of_ndjson(b'{"a": "' + text.encode() + b'"}') is None
    (value,) = polars_of(of_ndjson('{"a": "' + text + '"}'))["a"].to_list()
    assert "\ufffd" in value
    assert "\0" not in value


@pytest.mark.parametrize("text", [r"\ud83d\ude00", r"\\ud83d", r"\uD83D\uDE00\n", r"\u00e9"])
def test_a_whole_pair_is(text):
    frame = polars_of_ndjson(b'{"a": "' + text.encode() + b'"}')
    assert frame is not None
    assert frame["a"].to_list() == [json.loads(f'"{text}"')]


def test_a_large_number_of_lines_is_read_by_polars():
    content = b"\n".join(b'{"a": %d, "b": {"c": "x"}}' % number for number in range(100))
    assert isinstance(polars_of_ndjson(content), pl.DataFrame)


def test_gathered_responses_make_one_frame_and_do_not_stay_parsed():
    bodies = [[{"id": 1, "tags": ["a"]}], [{"id": 2, "user": {"name": "x"}}, 3], []]
    responses = [Response(200, json=body) for body in bodies]
    gathered = Gathered.__new__(Gathered)
    gathered.urls = [f"https://a.example/{number}" for number in range(3)]
    gathered._outcomes = list(responses)
    expected = [{"url": url, **(record if isinstance(record, dict) else {"value": record})}
                for url, body in zip(gathered.urls, bodies, strict=True) for record in body]  # fmt: skip
    assert same(gathered.to_df(), frame_of(expected))
    assert not any(response.is_parsed for response in responses)


@settings(max_examples=examples(200))
@given(VALUES, st.lists(st.sampled_from(["id", "name", "user", "a", "b", "true", "null"]), min_size=1, max_size=3))
def test_a_path_of_plain_names_finds_what_jmespath_finds(body, names):
    path = ".".join(names)
    assert repr(select(body, path)) == repr(jmespath.search(path, body))
