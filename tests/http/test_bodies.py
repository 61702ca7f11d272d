"""Bodies of other formats, of odd shapes and of sizes that nobody expects; and bodies that go to a file."""

from __future__ import annotations

import io
import os
import stat
import threading

import pandas as pd
import polars as pl
import pytest
from servers.catalogue_api import FILE
from support import interrupt_once

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import MissingExtra, RequestFailed
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables.records import find_records

FRAME = pd.DataFrame({"id": [1, 2], "name": ["a", "ü"]})


def written(how: str) -> bytes:
    buffer = io.BytesIO()
    getattr(FRAME, f"to_{how}")(buffer, index=False)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", FRAME.to_json(orient="records").encode()),
        ("application/x-ndjson", b'{"id":1,"name":"a"}\n\n{"id":2,"name":"\xc3\xbc"}\n'),
        ("text/csv; charset=utf-8", FRAME.to_csv(index=False).encode()),
        ("text/tab-separated-values", FRAME.to_csv(index=False, sep="\t").encode()),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", written("excel")),
        ("application/vnd.apache.parquet", written("parquet")),
        ("application/octet-stream", written("parquet")),
    ],
    ids=["json", "ndjson", "csv", "tsv", "excel", "parquet", "parquet by its first bytes"],
)
def test_a_frame_of_every_format(api, content_type, body):
    api.body = body
    response = flowlet.get(f"{api.url}/kind", params={"type": content_type})
    pd.testing.assert_frame_equal(response.to_df(), FRAME, check_dtype=False)


@pytest.mark.parametrize("content_type", ["text/csv", "application/vnd.apache.parquet"])
def test_polars_reads_files_too(api, content_type):
    api.body = FRAME.to_csv(index=False).encode() if content_type == "text/csv" else written("parquet")
    response = flowlet.get(f"{api.url}/kind", params={"type": content_type})
    assert response.to_polars().equals(pl.DataFrame({"id": [1, 2], "name": ["a", "ü"]}))


@pytest.mark.parametrize(
    ("content_type", "body", "says"),
    [
        ("application/x-ndjson", b'{"id":1}\n{broken', "Line 2 of the body is not JSON"),
        ("application/vnd.apache.parquet", b"PAR1 not really", "cannot be read as parquet"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK no", "cannot be read as excel"),
        ("text/csv", b"", "cannot be read as csv"),
        ("application/json", b"\xff\xfe\x00", "is not JSON"),
    ],
)
def test_a_body_that_is_not_what_it_says_is_a_clear_error(api, content_type, body, says):
    api.body = body
    with pytest.raises(RequestFailed, match=says):
        flowlet.get(f"{api.url}/kind", params={"type": content_type}).to_df()


def test_a_library_that_is_missing_is_named_with_its_extra(api, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(MissingExtra, match=r'pip install "flowlet-jupyter\[polars\]"'):
        flowlet.get(f"{api.url}/user/1").to_polars()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"data": [{"id": 1}], "errors": [{"x": 1}]}, "data"),
        ({"errors": ["text"], "rows": [{"id": 1}]}, "rows"),
        ({"meta": {"tags": ["a", "b"]}, "response": {"docs": [{"id": 1}]}}, "response.docs"),
        ({"included": [{"id": 1}, {"id": 2}], "items": [{"id": 3}]}, "items"),
        ({"my list": [{"id": 1}]}, '"my list"'),
        ({"items": [], "facets": [{"a": 1}]}, "items"),
        ([{"id": 1}], ""),
    ],
)
def test_the_likeliest_list_of_records_is_found(body, path):
    found = find_records(body)
    assert found.path == path
    if path:
        assert Response(200, json=body).select(path) == found.records


@pytest.mark.parametrize("body", [{"id": 1}, "text", 5, None, {}, {"a": {"b": {"c": {"d": {"e": [1]}}}}}])
def test_where_no_list_is_none_is_invented(body):
    assert find_records(body) is None


def test_one_object_is_one_record(api):
    assert Response(200, json={"id": 1, "user": {"name": "ann"}}).to_df().to_dict("records") == [
        {"id": 1, "user.name": "ann"}
    ]


def test_the_json_is_parsed_once():
    response = Response(200, json={"data": []})
    assert not response.is_parsed
    assert response.json() is response.json()
    assert response.is_parsed
    assert response.json(parse_int=float) is not response.json()


@pytest.mark.parametrize("text", ["\ufeff" + '{"a": 1}', '{"a": NaN}', '{"a": 1, "a": 2}'])
def test_json_that_is_not_quite_json_is_read(text):
    assert "a" in Response(200, content=text.encode(), headers={"content-type": "application/json"}).json()


def test_a_deep_body_is_an_error_and_no_crash():
    deep = Response(200, content=b"[" * 100_000 + b"]" * 100_000)
    with pytest.raises(RequestFailed, match="is not JSON"):
        deep.json()


# files


def test_a_download_streams_to_a_file_that_is_the_users(api, tmp_path):
    target = flowlet.download(f"{api.url}/file", tmp_path / "data.bin")
    assert target.read_bytes() == FILE
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["data.bin"]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~mask


def test_an_interrupted_download_goes_on_where_it_ended(api, tmp_path):
    target = tmp_path / "data.bin"
    api.cut_after = 300_000
    with pytest.raises(RequestFailed):
        flowlet.download(f"{api.url}/file", target, retry=0)
    assert not target.exists()
    api.cut_after = None
    assert flowlet.download(f"{api.url}/file", target).read_bytes() == FILE
    ranges = [headers.get("Range") for _, _, headers, _ in api.requests]
    assert ranges[0] is None
    assert int(ranges[-1].removeprefix("bytes=").rstrip("-")) > 0


def test_another_file_at_the_same_place_is_not_mixed_in(api, tmp_path):
    api.cut_after = 300_000
    with pytest.raises(RequestFailed):
        flowlet.download(f"{api.url}/file", tmp_path / "data.bin", retry=0)
    api.cut_after, api.etag, api.file = None, '"two"', FILE[::-1]
    assert flowlet.download(f"{api.url}/file", tmp_path / "data.bin").read_bytes() == FILE[::-1]


def test_a_server_that_does_not_check_whether_its_file_is_the_same_mixes_nothing_in(api, tmp_path):
    target = tmp_path / "data.bin"
    api.cut_after = 300_000
    with pytest.raises(RequestFailed):
        flowlet.download(f"{api.url}/file", target, retry=0)
    api.cut_after, api.etag, api.file, api.ignores_if_range = None, '"two"', FILE[::-1], True
    with pytest.raises(RequestFailed, match="another file"):
        flowlet.download(f"{api.url}/file", target)
    assert flowlet.download(f"{api.url}/file", target).read_bytes() == FILE[::-1]


def test_an_error_saves_nothing(api, tmp_path):
    with pytest.raises(RequestFailed, match="404"):
        flowlet.download(f"{api.url}/nothing", tmp_path / "data.bin")
    assert list(tmp_path.glob("data*")) == []


def test_a_place_that_cannot_be_written_is_named(api, tmp_path):
    with pytest.raises(RequestFailed, match=r"folder does not exist, so x cannot be written there"):
        flowlet.download(f"{api.url}/file", tmp_path / "no" / "folder" / "x")
    with pytest.raises(RequestFailed, match=r"is a folder\. Name the file too: .*/file$"):
        flowlet.download(f"{api.url}/file?x=1", tmp_path)
    assert list(tmp_path.glob("file*")) == []
    with pytest.raises(RequestFailed, match="cannot be written"):
        flowlet.get(f"{api.url}/user/1").save(tmp_path / "no" / "x")


def test_an_interrupt_of_a_download_leaves_no_half_file(api, tmp_path, monkeypatch):
    monkeypatch.setattr("flowlet_jupyter.http.download._CHUNK_BYTES", 1000)
    write = flowlet.http.download.Progress.add

    def slow(self, amount, note=""):
        write(self, amount, note)
        threading.Event().wait(0.005)

    monkeypatch.setattr(flowlet.http.download.Progress, "add", slow)
    part = tmp_path / "x.part"
    interrupt_once(lambda: part.exists() and part.stat().st_size)
    with pytest.raises(KeyboardInterrupt):
        flowlet.download(f"{api.url}/file", tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert 0 < (tmp_path / "x.part").stat().st_size < len(FILE)


def test_saving_a_response_replaces_the_file_as_a_whole(api, tmp_path):
    (tmp_path / "x").write_text("old")
    assert flowlet.get(f"{api.url}/user/1").save(tmp_path / "x").read_bytes() == b'{"data": [{"id": "1"}]}'


def test_an_upload_streams_and_is_not_repeated(api):
    assert len(flowlet.post(f"{api.url}/echo", content=io.BytesIO(b"x" * 1000)).json()["body"]) == 1000
    api.refusals, api.refusal_headers = 1, {"Retry-After": "0"}
    response = flowlet.put(f"{api.url}/limited", content=(b"x" for _ in range(3)), retry=3)
    assert response.status_code == 429  # what was streamed is gone, so nothing is sent in its place
    assert flowlet.put(f"{api.url}/limited", content=b"xxx", retry=3).status_code == 200
