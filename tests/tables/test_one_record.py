"""One record or a list of them: a list inside of a record is a part of it, and never read as if it were the records."""

from __future__ import annotations

import httpx
import pytest

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables.records import find_records

A, B = {"id": 1, "n": "a"}, {"id": 2, "n": "b"}


def response(body, url="https://api.example/v1/things"):
    return Response(200, json=body, request=httpx.Request("GET", url))


@pytest.mark.parametrize(
    ("body", "url"),
    [
        ({"id": 7, "name": "a", "_links": {"self": {"href": "x"}, "html": {"href": "y"}}}, "/pulls"),  # no table of links
        ({"invoice": {"id": 7, "name": "a", "line_items": [A, B], "total": 2}}, "/invoices"),
        ({"data": {"id": 7, "email": "e", "phones": [A], "tags": ["x"]}}, "/contacts"),
        ({"user": A, "account": B, "scopes": ["r", "w"]}, "/me"),
        ({"admin": ["read", "write"], "guest": ["read"], "none": []}, "/permissions"),
        ({"name": "main", "commit": {"sha": "f0", "parents": [{"sha": "e9"}]}, "protected": False}, "/branches/main"),
        ({"name": "main", "protected": True, "protection": {"checks": {"contexts": []}}}, "/branches/main"),
        ({"data": {"id": 1, "name": "n"}, "dictionaries": {"airports": {"MUC": {"a": 1}, "CDG": {"a": 2}}}}, "/orders"),
        ({"token": "t", "hub": "h", "scopes": ["r", "w"]}, "/oauth/tokens/t"),
        ({"voice_id": "v1", "category": "c", "languages": [A, B]}, "/voices/v1"),
        ({"id": "inv1", "status": "PAID", "items": [A]}, "/invoices/inv1"),  # the id is the URL's
        ({"album": "x", "id": 1, "name": "n", "tracks": {"items": [A, B], "next": None, "total": 2}}, "/albums"),
        ({"contact": A, "deals": [A, B], "lists": [A]}, "/contacts/1"),
        ({"sent": 1, "opens": 2, "clicks": 3, "rejects": 4, "stats": {"today": {"a": 1}, "week": {"a": 2}}}, "/tags/info"),
        ({"meta": {"x": 1}, "links": {"a": {"href": "x"}, "b": {"href": "y"}}}, "/x"),
        ({"name": "n", "tag": "t", "description": "d", "created_at": "2024-01-02", "assets": {"count": 2, "sources": [A, B]}}, "/releases"),
    ],
)  # fmt: skip
def test_one_record_is_one_row(body, url):
    frame = response(body, f"https://api.example{url}").to_df()
    assert (len(frame), frame.attrs["path"], "shape" in frame.attrs) == (1, "", False)


@pytest.mark.parametrize(
    ("body", "url", "path"),
    [
        ({"users": [A], "id": 5, "name": "team"}, "/teams/x/users", "users"),  # the URL names it
        ({"timeOffTypes": [A], "defaultHours": [B, B, B]}, "/meta/time_off/types", "timeOffTypes"),
        ({"fields": [A], "fieldOptions": [B, B]}, "/3/fields", "fields"),
        ({"orders": [A], "count": 9, "lines": [B, B]}, "/orders.json", "orders"),
        ({"Id": "r", "Status": "OK", "Things": [A]}, "/api/Thing", "Things"),
        ({"error": [], "result": {"list": [A]}}, "/x", "result.list"),
        ({"message": [], "Results": {"series": [A]}}, "/x", "Results.series"),
        ({"ok": True, "messages": [A]}, "/history", "messages"),
        ({"result": {"codes": ["a", "b"]}, "status": "ok"}, "/x", "result.codes"),
        ({"code": 0, "data": {"list": [], "page_info": {"page": 1, "total_number": 0}}}, "/catalog/get", "data.list"),
        ({"rss": {"channel": {"title": "t", "description": "d", "item": [A]}}}, "/feed", "rss.channel.item"),
        ({"CompactData": {"Header": {"ID": "i"}, "DataSet": {"Series": {"@FREQ": "A", "Obs": [{"@V": "1"}]}}}}, "/sdmx", "CompactData.DataSet.Series.Obs"),
        ({"jsonrpc": "2.0", "id": 1, "result": {"items": [A]}}, "/rpc", "result.items"),
        ({"type": "FeatureCollection", "id": "x", "name": "n", "features": [A]}, "/x", "features"),
        ({"resourceType": "Bundle", "id": "b", "entry": [A], "link": [B]}, "/Patient", "entry"),
        ({"id": "https://x/outbox?page=1", "next": "https://x/outbox?page=2", "orderedItems": [A]}, "/outbox", "orderedItems"),
        ({"data": {"org": {"id": 1, "name": "n", "repos": {"nodes": [A]}}}}, "/graphql", "data.org.repos.nodes"),
        ({"message": {"items": [A], "total-results": 1}, "status": "ok"}, "/works", "message.items"),
        ({"feed": {"id": "f", "title": "t", "updated": "2024", "entry": [A]}}, "/granules.json", "feed.entry"),
        ({"request_id": "r", "lease_id": "", "renewable": False, "data": {"keys": ["a", "b"]}, "auth": None}, "/v1/secret", "data.keys"),
        ({"success": True, "result": [{"success": True, "meta": {}, "results": [A, B]}]}, "/query", "result[0].results"),
        ([[A], [B]], "/history", "[]"),
        ([[A], []], "/history", "[]"),
        ({"meta": {"count": 9}, "results": [], "group_by": [A, B]}, "/works?group_by=type", "group_by"),
        ({"results": [], "facets": [A]}, "/works?facets=type", "results"),
        ({"items": [A], "includes": {"Entry": [B, B]}}, "/spaces/1/entries", "items"),
        ({"data": [A], "includes": {"posts": [B, B]}}, "/users/1/posts", "data"),
        ({"category": [B, B], "assessments": [A, A, A]}, "/categories/EW", "assessments"),
        ({"categories": [A], "assessments": [B, B, B]}, "/categories/EW", "categories"),
    ],
)  # fmt: skip
def test_a_list_is_found_in_what_is_said_about_it(body, url, path):
    found = find_records(body, url=f"https://api.example{url}")
    assert found is not None
    assert found.path == path


def test_an_empty_list_that_is_left_out_is_no_record():
    body = {"schemas": ["urn:ietf:params:scim"], "totalResults": 0, "startIndex": 1, "itemsPerPage": 0}
    assert len(response(body).to_df()) == 0
    assert response({"count": 0}).to_df().to_dict("records") == [{"count": 0}]
    report = {"dimensionHeaders": [{"name": "d"}], "metricHeaders": [{"name": "m"}], "kind": "analyticsData#runReport"}
    assert len(response(report).to_df()) == 0


FORMS = [
    ({"data": {"resultType": "streams", "result": [{"stream": {"app": "a"}, "values": [["1", "x"], ["2", "y"]]}]}},
     "Loki streams", [{"app": "a", "timestamp": "1", "line": "x"}, {"app": "a", "timestamp": "2", "line": "y"}]),
    ({"columns": [{"code": "R", "text": "region", "type": "d"}, {"code": "P", "text": "people", "type": "c"}],
      "data": [{"key": ["00"], "values": ["5"]}]}, "PxWeb table", [{"region": "00", "people": "5"}]),
    ({"tables": [{"name": "PrimaryResult", "columns": [{"name": "n", "type": "long"}], "rows": [[1], [2]]}]},
     "the only table", [{"n": 1}, {"n": 2}]),
    ({"results": [{"tables": [{"rows": [{"a": 1}]}]}]}, "the only table", [{"a": 1}]),
    ([{"FrameType": "DataSetHeader"}, {"FrameType": "DataTable", "TableKind": "PrimaryResult", "Columns": [{"ColumnName": "a"}], "Rows": [[1]]}],
     "the only table", [{"a": 1}]),
    ({"manifest": {"schema": {"columns": [{"name": "a"}]}}, "result": {"data_array": [["1"]]}}, "Databricks statement", [{"a": "1"}]),
    ({"element_count": 3, "objects": {"2024-01-01": [{"id": "1"}, {"id": "2"}], "2024-01-02": [{"id": "3"}]}}, "lists by date",
     [{"date": "2024-01-01", "id": "1"}, {"date": "2024-01-01", "id": "2"}, {"date": "2024-01-02", "id": "3"}]),
    ({"meta": [{"name": "a", "type": "UInt8"}, {"name": "b", "type": "String"}], "data": [[1, "x"]], "rows": 1},
     "columns and rows", [{"a": 1, "b": "x"}]),
    ({"columns": ["a", "b"], "results": [[1, "x"]], "timings": [{"k": 1}, {"k": 2}]}, "columns and rows", [{"a": 1, "b": "x"}]),
    ({"query_result": {"id": 1, "query": "q", "data": {"columns": [{"name": "a"}], "rows": [{"a": 1}, {"a": 2}]}}},
     "columns and rows", [{"a": 1}, {"a": 2}]),
    ({"results": [{"columns": ["a", "b"], "types": ["integer", "text"], "values": [[1, "x"]]}], "time": 0.1},
     "the only result", [{"a": 1, "b": "x"}]),
    ({"version": "0.6", "status": "ok", "table": {"cols": [{"id": "A", "label": "n"}, {"id": "B", "label": ""}], "rows": [{"c": [{"v": 1}, None]}, {"c": [{"v": 2}]}]}},
     "visualization table", [{"n": 1, "B": None}, {"n": 2, "B": None}]),
    ([{"results": [{"a": 1}], "fieldMask": "a"}, {"results": [{"a": 2}], "fieldMask": "a"}], "batches of Google Ads", [{"a": 1}, {"a": 2}]),
    ({"type": "Feature", "properties": {"parameter": {"T": {"20240101": 1.5, "20240102": 1.6}, "H": {"20240101": 80, "20240102": 81}}}},
     "series by date", [{"date": "20240101", "T": 1.5, "H": 80}, {"date": "20240102", "T": 1.6, "H": 81}]),
    ({"A": {"2024-01-02": 2, "2024-01-01": 1}, "B": {"2024-01-02": 3}}, "series by date",
     [{"date": "2024-01-01", "A": 1, "B": None}, {"date": "2024-01-02", "A": 2, "B": 3}]),
    ({"parameter": {"T": {"20240101": 1.5}}}, "series by date", [{"date": "20240101", "T": 1.5}]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "shape", "records"), FORMS)
def test_the_table_of_a_product_is_read_and_named(body, shape, records):
    frame = response(body).to_df()
    assert (frame.attrs["shape"], frame.to_dict("records")) == (shape, records)


def test_objects_by_key_beside_what_is_said_of_the_response_are_a_table():
    body = {
        "status": {"timestamp": "t", "error_code": 0, "elapsed": 3, "credit_count": 1},
        "data": {"1": {"n": "a"}, "2": {"n": "b"}},
    }
    frame = response(body).to_df()
    assert (frame.attrs["shape"], frame["n"].tolist()) == ("objects by key", ["a", "b"])


def test_two_tables_of_a_product_are_not_chosen_from():
    table = {"name": "t", "columns": [{"name": "n"}], "rows": [[1]]}
    assert "shape" not in response({"tables": [table, table]}).to_df().attrs


@pytest.mark.parametrize(
    ("text", "kind", "records"),
    [
        ("# source: x\n# unit: m\na,b\n1,2\n", "text/csv", [{"a": 1, "b": 2}]),
        ("\ufeffsep=;\na;b\n1;2\n", "text/csv", [{"a": 1, "b": 2}]),
        ("#a,b\n1,2\n", "text/csv", [{"#a": 1, "b": 2}]),  # which is the header
        ("# USGS\nsite\tv\n5s\t14n\n01\t3\n", "text/plain", [{"site": "01", "v": 3}]),
    ],
)
def test_remarks_above_a_table_are_no_rows(text, kind, records):
    body = Response(200, content=text.encode(), headers={"Content-Type": kind})
    frame = body.to_df()
    assert frame.to_dict("records") == records
    assert ("remarks" in frame.attrs) == text.startswith("# ")


@pytest.mark.parametrize(
    "text",
    [
        'cb([{"a": 1}])',
        'jQuery1.on_2 ( [{"a": 1}] ) ;\n',
        '/**/ typeof cb === "function" && cb([{"a": 1}]);',
        '/*O_o*/\ngoogle.visualization.Query.setResponse([{"a": 1}]);',
    ],
)
def test_jsonp_is_read(text):
    for kind in ("application/javascript", "text/javascript; charset=utf-8", "application/json"):
        assert Response(200, content=text.encode(), headers={"Content-Type": kind}).to_df()["a"].tolist() == [1]


def test_lists_that_may_as_well_be_the_one_are_named():
    body = {"lat": 1.5, "lon": 2.5, "hourly": [{"dt": 1}, {"dt": 2}], "daily": [{"dt": 1}], "alerts": []}
    with pytest.warns(UserWarning, match="several lists. This is the longest, hourly; .*: daily"):
        frame = response(body).to_df()
    assert (frame.attrs["path"], frame.attrs["other_lists"]) == ("hourly", ["daily"])
    with pytest.warns(UserWarning, match="several lists"):
        response(body).to_polars()
    assert "other_lists" not in response({"data": [A], "included": [B, B]}).to_df().attrs


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"Information": "our standard API rate limit is 25 requests per day"}, "25 requests per day"),
        ({"status": "REQUEST_NOT_PROCESSED", "message": ["the daily threshold was reached"], "Results": {}}, "daily threshold"),
        ({"error_message": "The key is invalid.", "html_attributions": [], "results": [], "status": "REQUEST_DENIED"}, "key is invalid"),
        ({"response": {"header": {"resultCode": "30", "resultMsg": "NOT_REGISTERED"}}}, "NOT_REGISTERED"),
        ({"header": {"resultCode": 1, "resultMessage": "quota", "isSuccessful": False}, "body": None}, "quota"),
        ({"Fault": {"Error": [{"Message": "AuthenticationFailed", "code": "3200"}], "type": "AUTHENTICATION"}, "time": "2024"}, "AuthenticationFailed"),
        ({"error": 6, "message": "could not be found", "links": []}, "could not be found"),
        ({"status": {"message": "the hourly limit has been exceeded", "value": 19}}, "hourly limit"),
        ({"header": {"type": "esearch"}, "esearchresult": {"ERROR": "Invalid db name"}}, "Invalid db name"),
    ],
)  # fmt: skip
def test_an_error_in_a_success_is_one(body, message):
    with pytest.raises(RequestFailed, match=message):
        response(body).to_df()


@pytest.mark.parametrize(
    "body",
    [
        {"status": {"code": 200, "message": "OK"}, "data": {"id": 1}},
        {"response": {"header": {"resultCode": "00", "resultMsg": "OK"}, "body": {"items": {"item": [A]}}}},
        {"status": {"message": "fine", "value": 0}},
        {"note": "a note", "id": 1},
        {"data": {"id": 1, "error": "none of mine"}},
        {"html_attributions": [], "results": [], "status": "ZERO_RESULTS"},
    ],
)
def test_what_only_speaks_of_errors_is_no_error(body):
    response(body).to_df()


def test_a_stream_that_ends_with_an_error_is_one():
    lines = Response(
        200,
        content=b'{"id": 1}\n{"id": 2}\n{"error": {"message": "timeout"}}\n',
        headers={"Content-Type": "application/x-ndjson"},
    )
    for read in (lines.to_df, lines.to_polars):
        with pytest.raises(RequestFailed, match="Behind 2 records the API says of an error: timeout"):
            read()


@pytest.mark.parametrize(
    ("document", "records"),
    [
        ('<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><id>i</id></feed>', []),
        ("<rss><channel><title>t</title><link>l</link></channel></rss>", []),
        ("<R><Body><Orders><Order><Id>1</Id><N>a</N></Order></Orders></Body></R>", [{"Id": "1", "N": "a"}]),
        ("<R><Body><ArrayOfCity><City><Id>1</Id></City></ArrayOfCity></Body></R>", [{"Id": "1"}]),
        ("<R><Total>1</Total><Orders><Order><Id>1</Id></Order></Orders></R>", [{"Id": "1"}]),
        (
            "<Person><Name>n</Name><Addresses><Address><City>c</City></Address></Addresses></Person>",
            [{"Name": "n", "Addresses.Address.City": "c"}],
        ),
    ],
)
def test_a_list_of_one_or_none_in_xml_is_a_list(document, records):
    body = Response(200, content=document.encode(), headers={"Content-Type": "text/xml"})
    assert body.to_df().to_dict("records") == records


def test_json_with_a_guard_against_scripts_is_read():
    assert Response(200, content=b')]}\'\n[{"a": 1}]').json() == [{"a": 1}]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ('<s:Envelope xmlns:s="u"><s:Body><s:Fault><faultstring>bad item</faultstring></s:Fault></s:Body></s:Envelope>', "bad item"),
        ('<ows:ExceptionReport xmlns:ows="u"><ows:Exception><ows:ExceptionText>no layer</ows:ExceptionText></ows:Exception></ows:ExceptionReport>', "no layer"),
        ("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", "AccessDenied"),
        ('<rsp stat="fail"><err code="100" msg="Invalid API Key"/></rsp>', "Invalid API Key"),
    ],
)  # fmt: skip
def test_an_error_in_xml_is_no_record(document, message):
    with pytest.raises(RequestFailed, match=message):
        Response(200, content=document.encode(), headers={"Content-Type": "text/xml"}).to_df()


def test_json_that_is_called_html_is_read():
    assert Response(200, content=b'{"data": [{"id": 1}]}', headers={"Content-Type": "text/html"}).to_df()[
        "id"
    ].tolist() == [1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("null", "The body is null, not"), ("3.5", "The body is a number, not"), ('"x"', "The body is a text, not"),
        ("true", "The body is true, not"), ("", "has no body"), (" ", "has no body"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_said_in_words_of_json(content, words):
    r = Response(200, text=content, headers={"content-type": "application/json"})
    with pytest.raises(RequestFailed, match=words):
        r.to_df()


def test_what_says_of_an_error_can_be_taken_as_it_is():
    r = response({"code": 404, "message": "Not Found"})
    with pytest.raises(RequestFailed, match=r"Not Found\. If this is what you asked for.*path '@'"):
        r.to_df()
    assert r.to_df("@").to_dict("records") == [{"code": 404, "message": "Not Found"}]


def test_objects_under_listed_keys_are_rows_in_the_order_of_the_list():
    summaries = {"uids": ["7", "3"], "3": {"uid": "3", "title": "c"}, "7": {"uid": "7", "title": "g"}}
    frame = response({"header": {"type": "esummary"}, "result": summaries}).to_df()
    assert frame.to_dict("records") == [{"uid": "7", "title": "g"}, {"uid": "3", "title": "c"}]
    assert frame.attrs["shape"] == "objects by listed key"
    one = response({"ids": [7], "7": {"title": "g"}}).to_df()
    assert one.to_dict("records") == [{"key": "7", "title": "g"}]


@pytest.mark.parametrize(
    "body",
    [
        {"ids": ["1", "2"], "1": {"a": 1}, "3": {"a": 2}}, {"ids": ["1", "1"], "1": {"a": 1}, "2": {"a": 2}},
        {"ids": ["1"], "1": {"a": 1}, "total": 1}, {"tags": ["owner"], "owner": "x"},
    ],
)  # fmt: skip
def test_what_is_only_like_objects_under_listed_keys_is_no_such_table(body):
    assert response(body).to_df().attrs.get("shape") != "objects by listed key"
