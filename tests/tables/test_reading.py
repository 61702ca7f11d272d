"""From bytes to values: whatever a server says of its body, the table has the values that were sent, or there is an error."""

from __future__ import annotations

import gzip
import io
import json
import zipfile

import pandas as pd
import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables import formats
from flowlet_jupyter.tables.columns import sparse_columns_of
from flowlet_jupyter.tables.frames import frame_of, polars_of

CSV = "id,name\n007,Zoë\n012,Ärzte\n"


def answer(body, media_type="application/json", **headers) -> Response:
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return Response(200, content=content, headers={"content-type": media_type, **headers})


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore:The body")
@pytest.mark.parametrize(
    ("body", "media_type", "headers"),
    [
        (CSV.encode("latin-1"), "text/csv; charset=ISO-8859-1", {}),
        (CSV.encode("cp1252"), "text/csv", {}),
        (CSV.encode("utf-16"), "text/csv", {}),
        (CSV.encode("utf-16-le"), "text/csv", {}),
        (CSV.encode("utf-8-sig"), "text/csv; charset=utf-8", {}),
        (CSV.encode("cp1252"), "text/csv; charset=utf-8", {}),  # declared wrongly
        (CSV.replace(",", ";").encode(), "text/csv", {}),
        (CSV.replace(",", "\t").encode(), "text/csv", {}),
        (CSV.encode(), "application/vnd.ms-excel", {}),
        (CSV.encode(), "application/octet-stream", {"content-disposition": "attachment; filename*=UTF-8''a%20b.csv"}),
        (CSV.encode(), "text/plain", {}),
        (gzip.compress(CSV.encode(), mtime=0), "application/octet-stream", {}),
        (zipped(data_csv=CSV), "application/zip", {}),
        ("<html><table><tr><th>id<th>name<tr><td>007<td>Zoë<tr><td>012<td>Ärzte</table>", "text/html; charset=utf-8", {}),
        ('<?xml version="1.0"?><r><row><id>007</id><name>Zoë</name></row><row><id>012</id><name>Ärzte</name></row></r>',
         "application/xml", {}),
        ('\x1e{"id":"007","name":"Zoë"}\n\x1e{"id":"012","name":"Ärzte"}\n', "application/json-seq", {}),
        ('data: {"id":"007","name":"Zoë"}\n\ndata: {"id":"012","name":"Ärzte"}\n\n', "text/event-stream", {}),
        ('{"id":"007","name":"Zoë"}\n{"id":"012","name":"Ärzte"}', "application/json", {}),
        ('[{"id":"007","name":"Zoë"},{"id":"012","name":"Ärzte"}]'.encode("latin-1"), "application/json; charset=latin-1", {}),
    ],
)  # fmt: skip
def test_the_same_table_in_every_wrapping(body, media_type, headers):
    response = answer(body, media_type, **headers)
    expected = {"id": ["007", "012"], "name": ["Zoë", "Ärzte"]}
    assert response.to_df().to_dict("list") == expected
    assert response.to_polars().to_dict(as_series=False) == expected


def test_a_guess_is_said():
    attrs = answer(CSV.replace(",", ";").encode("cp1252"), "text/csv").to_df().attrs
    assert (attrs["sep"], attrs["encoding"], attrs["texts"]) == (";", "cp1252 (guessed)", ["id"])


def test_a_decimal_comma_is_read_and_a_thousand_is_not_taken_for_one():
    read = answer("a;b\n1,5;x\n2,25;y\n", "text/csv")
    assert read.to_df()["a"].tolist() == read.to_polars()["a"].to_list() == [1.5, 2.25]
    assert read.to_df().attrs["decimal"] == ","
    assert answer("a;b\n1,234;x\n2,345;y\n", "text/csv").to_df()["a"].tolist() == ["1,234", "2,345"]


def test_options_go_to_the_reader():
    assert answer("a!b\n1!2\n", "text/csv").to_df(read={"sep": "!", "dtype": {"a": "str"}})["a"].tolist() == ["1"]
    with pytest.raises(RequestFailed, match="takes no options"):
        answer([{"a": 1}]).to_df(read={"sep": ";"})


def test_a_zip_of_several_files_asks_which():
    several = answer(zipped(a_csv="x\n1\n", b_csv="x\n2\n"), "application/zip")
    with pytest.raises(RequestFailed, match=r"2 files: a\.csv, b\.csv"):
        several.to_df()
    assert several.to_df(read={"member": "b.csv"})["x"].tolist() == [2]


def test_what_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(formats, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(RequestFailed, match=r"larger than 1,000 bytes"):
        answer(gzip.compress(b"a,b\n" * 1000), "application/gzip").to_df()


def test_entities_of_xml_are_refused():
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    with pytest.raises(RequestFailed, match="entities are not read"):
        answer(bomb, "text/xml").to_df()


def test_a_login_page_is_no_csv():
    with pytest.raises(RequestFailed, match="HTML page"):
        answer("<!DOCTYPE html><html><body>Sign in</body></html>", "text/csv").to_df()


def test_integers_keep_their_digits():
    a, b = 4611686018427400321, 2**70
    records = [{"id": a, "n": {"x": a}, "big": b, "mixed": a}, {"id": None, "big": 1, "mixed": 0.5}]
    frame = frame_of(records)
    assert (str(frame["id"].dtype), int(frame["id"][0]), int(frame["n.x"][0])) == ("Int64", a, a)
    assert (frame["big"][0], frame["mixed"][0]) == (b, a)
    other = polars_of(records)
    assert (other["id"][0], other["n.x"][0], other["big"][0], other["mixed"][0]) == (a, a, b, str(a))
    csv = answer(f"id,n\n{a},1\n,2\n", "text/csv").to_df()
    assert (str(csv["id"].dtype), int(csv["id"][0])) == ("Int64", a)
    assert answer(f"id\n{b}\n1\n", "text/csv").to_df()["id"].tolist() == [str(b), "1"]


@pytest.mark.parametrize("bad", ["2024-02-30", "9999-12-31", "2024-01-02T24:00:00", "0000-00-00", "2024-13-01"])
def test_a_bad_date_is_missing_and_said_in_pandas_and_polars(bad):
    records = [{"when": "2024-01-02"}, {"when": bad}, {"when": None}, {"when": "2024-03-01T10:00"}]
    with pytest.warns(UserWarning, match=f"1 of 4 values of 'when'.*{bad}"):
        frame = frame_of(records, dates=True)
    with pytest.warns(UserWarning, match=bad):
        other = polars_of(records, dates=True)
    assert frame["when"].isna().tolist() == other["when"].is_null().to_list() == [False, True, True, False]
    assert frame["when"].dropna().dt.hour.tolist() == [0, 10]
    assert "1 of 4" in frame.attrs["notes"][0]


def test_zones_become_utc_and_a_time_without_one_is_not_guessed():
    records = [{"w": "2024-01-02T00:00:00Z"}, {"w": "2024-01-02T00:00:00+02:00"}, {"w": "2024-01-02T00:00:00"}]
    with pytest.warns(UserWarning, match="1 of 3"):
        frame = frame_of(records, dates=True)
    assert frame["w"].dt.hour.tolist()[:2] == [0, 22]
    assert frame["w"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    "text",
    ["/Date(1704164645000)/", "/Date(1704164645000+0200)/", "Tue, 02 Jan 2024 03:04:05 GMT", "Tue Jan 02 03:04:05 +0000 2024", "2024-01-02 03:04:05 UTC"],
)  # fmt: skip
def test_moments_as_products_write_them(text):
    records = [{"when": text}, {"when": None}]
    frame, other = frame_of(records, dates=True), polars_of(records, dates=True)
    assert frame["when"][0].isoformat() == other["when"][0].isoformat() == "2024-01-02T03:04:05+00:00"


@pytest.mark.parametrize("text", ["/Date(99999999999999999)/", "Foo, 02 Xyz 2024 03:04:05 GMT", "Version 1 UTC"])
def test_what_is_only_like_a_moment_stays(text):
    assert frame_of([{"when": text}], dates=True)["when"][0] == text


def test_records_that_are_mostly_gaps_are_those_of_json_normalize():
    records = [{f"c{number}": number * 1.5, "n": {f"d{number}": "t"}} for number in range(40)]
    assert sparse_columns_of(records) is not None
    pd.testing.assert_frame_equal(frame_of(records), pd.json_normalize(records))


SHAPES = [
    ([["NAME", "POP"], ["Ohio", "1"]], "header row and rows", [{"NAME": "Ohio", "POP": "1"}]),
    ({"columns": ["a", "b"], "rows": [[1, "x"]]}, "columns and rows", [{"a": 1, "b": "x"}]),
    ({"fields": [{"name": "a"}], "data": [[1], [2]]}, "columns and rows", [{"a": 1}, {"a": 2}]),
    ({"meta": {"view": {"columns": [{"fieldName": ":id"}, {"fieldName": "n"}]}}, "data": [["r", 1]]},
     "columns and rows", [{":id": "r", "n": 1}]),
    ({"hourly": {"time": ["2024-01-01T00:00"], "t": [1.5]}, "latitude": 1}, "parallel lists",
     [{"time": "2024-01-01T00:00", "t": 1.5}]),
    ({"Meta": {"a": "b"}, "Daily": {"2024-01-02": {"open": "1.0"}}}, "objects by date", [{"date": "2024-01-02", "open": "1.0"}]),
    ({"u1": {"n": 1, "m": 2}, "u2": {"n": 3, "m": 4}}, "objects by key", [{"key": "u1", "n": 1, "m": 2}, {"key": "u2", "n": 3, "m": 4}]),
    ({"schema": {"fields": [{"name": "n", "type": "INTEGER"}]}, "rows": [{"f": [{"v": "9007199254740993"}]}]},
     "BigQuery rows", [{"n": 9007199254740993}]),
    ({"dimensionHeaders": [{"name": "c"}], "metricHeaders": [{"name": "u", "type": "TYPE_INTEGER"}],
      "rows": [{"dimensionValues": [{"value": "de"}], "metricValues": [{"value": "5"}]}]},
     "Google Analytics report", [{"c": "de", "u": 5}]),
    ({"results": [{"series": [{"name": "cpu", "tags": {"h": "a"}, "columns": ["time", "v"], "values": [[1, 2]]}]}]},
     "InfluxDB series", [{"h": "a", "time": 1, "v": 2}]),
    ({"data": {"resultType": "vector", "result": [{"metric": {"job": "p"}, "value": [1, "2.5"]}]}},
     "Prometheus samples", [{"job": "p", "timestamp": 1, "value": 2.5}]),
    ({"hits": {"hits": [{"_id": "1", "_source": {"a": 1}}]}}, "Elasticsearch hits", [{"_id": "1", "a": 1}]),
    ({"class": "dataset", "id": ["g"], "size": [2], "dimension": {"g": {"category": {"index": ["DE", "FR"]}}}, "value": [1, 2]},
     "JSON-stat", [{"g": "DE", "value": 1}, {"g": "FR", "value": 2}]),
    ({"data": {"dataSets": [{"series": {"0:1": {"observations": {"0": [1.5], "1": [2.5, 0]}}}}],
               "structures": [{"dimensions": {"series": [{"id": "F", "values": [{"id": "M"}]}, {"id": "G", "values": [{"id": "DE"}, {"id": "FR"}]}],
                                              "observation": [{"id": "T", "values": [{"id": "2024-01"}, {"id": "2024-02"}]}]}}]}},
     "SDMX-JSON", [{"F": "M", "G": "FR", "T": "2024-01", "value": 1.5}, {"F": "M", "G": "FR", "T": "2024-02", "value": 2.5}]),
    ({"dataSets": [{"observations": {"0:1": [7]}}],
      "structure": {"dimensions": {"observation": [{"id": "G", "values": [{"id": "DE"}]}, {"id": "T", "values": [{"id": "2023"}, {"id": "2024"}]}]}}},
     "SDMX-JSON", [{"G": "DE", "T": "2024", "value": 7}]),
    ({"prices": [[1700000000000, 1.5], [1700000060000, 2.5]], "volumes": [[1700000000000, 7], [1700000060000, 8]]},
     "pairs of a time and a value", [{"time": 1700000000000, "prices": 1.5, "volumes": 7}, {"time": 1700000060000, "prices": 2.5, "volumes": 8}]),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:The body was read as a table of this form")
@pytest.mark.parametrize(("body", "shape", "records"), SHAPES)
def test_a_known_shape_becomes_a_table_and_is_named(body, shape, records):
    frame = answer(body).to_df()
    assert (frame.attrs["shape"], frame.to_dict("records")) == (shape, records)
    assert answer(body).to_polars().to_dicts() == records


@pytest.mark.parametrize(
    "body",
    [
        [["a", "b"], ["c", "d"]],  # names, or data?
        {"tags": ["a", "b"], "scopes": ["x", "y"]},
        {"user": {"id": 1, "name": "a"}, "id": 5},
        {"columns": ["a", "b"], "rows": [[1, 2, 3]]},
        {"data": [{"id": 1}], "links": {"a": {"href": "x"}, "b": {"href": "y"}}},
        [{"columns": ["a"], "rows": [[1]]}],
        {"polygon": [[1, 2], [3, 4]]},
        {"bids": [[1700000000, 1.5]], "asks": [[1700000001, 2.5]]},
    ],
)
def test_what_is_only_like_a_shape_is_left_as_it_is(body):
    assert "shape" not in answer(body).to_df().attrs


def test_two_tables_side_by_side_are_not_chosen_from():
    both = answer({"hourly": {"time": ["2024-01-01T00:00"], "t": [1]}, "daily": {"time": ["2024-01-01"], "max": [2]}})
    with pytest.raises(RequestFailed, match="hourly, daily"):
        both.to_df()
    assert both.to_df("daily")["max"].tolist() == [2]


def test_one_page_is_the_same_table_as_a_response(respx_mock):
    respx_mock.get("https://api.example.org/report").respond(json={"columns": ["a", "b"], "rows": [[1, "x"], [2, "y"]]})
    frame = flowlet.fetch_df("https://api.example.org/report", progress=False)
    assert (frame["a"].tolist(), frame.attrs["shape"]) == ([1, 2], "columns and rows")


def test_na_is_a_text_among_texts_and_missing_among_numbers():
    body = answer("country,n,m\nNA,1,NA\nDE,NA,2.5\n,3,n/a\n", "text/csv")
    frame = body.to_df()
    assert frame["country"].tolist()[:2] == ["NA", "DE"]
    assert frame["country"].isna().tolist() == [False, False, True]
    assert (str(frame["n"].dtype), frame["n"].isna().tolist()) == ("Int64", [False, True, False])
    other = body.to_polars()
    assert other["country"].to_list() == ["NA", "DE", None]
    assert (other["n"].to_list(), other["m"].to_list()) == ([1, None, 3], [None, 2.5, None])


def test_the_tables_of_influxdbs_annotated_csv_are_one():
    csv = (
        "#datatype,string,long,dateTime:RFC3339,double,string\r\n#group,false,false,false,false,true\r\n"
        "#default,_result,,,,\r\n,result,table,_time,_value,host\r\n,,0,2024-01-01T00:00:00Z,1.5,a\r\n\r\n"
        "#datatype,string,long,dateTime:RFC3339,double,string\r\n#group,false,false,false,false,true\r\n"
        "#default,_result,,,,\r\n,result,table,_time,_value,room\r\n,,1,2024-01-01T00:00:00Z,2.5,b\r\n"
    )
    frame = answer(csv, "text/csv; charset=utf-8").to_df(dates=True)
    assert list(frame.columns) == ["result", "table", "_time", "_value", "host", "room"]
    assert (frame["_value"].tolist(), frame["result"].tolist()) == ([1.5, 2.5], ["_result", "_result"])
    assert frame["host"].isna().tolist() == [False, True]
    assert frame.attrs["shape"] == "InfluxDB annotated CSV"


def test_polars_says_by_a_warning_what_pandas_says_in_attrs():
    with pytest.warns(UserWarning, match="columns and rows"):
        answer({"columns": ["a"], "rows": [[1]]}).to_polars()
    with pytest.warns(UserWarning, match=r"cp1252 \(guessed\)"):
        answer("id,name\n1,Zoë\n".encode("cp1252"), "text/csv").to_polars()
