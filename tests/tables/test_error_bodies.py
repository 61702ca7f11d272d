"""An API that answers 200 and says in the body that it failed, or that it gave a part only: by the forms in which APIs say it."""

from __future__ import annotations

import pytest

from flowlet_jupyter.http.frames import failure_of
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables.error_bodies import error_in
from flowlet_jupyter.tables.partial_bodies import partial_in

# the body, and words of the reason that a user is told
FAILED = {
    "flag": ({"ok": False, "error": "token_gone"}, "token_gone"),
    "flag and code": ({"ok": False, "error_code": 404, "description": "no such bot"}, "no such bot"),
    "flag as text": ({"Response": "False", "Error": "no such film"}, "no such film"),
    "flag, message named after the status": ({"success": False, "status_code": 7, "status_message": "key unknown"}, "key unknown"),
    "flag, list of codes": ({"success": False, "error-codes": ["missing-input"]}, "missing-input"),
    "zero as a flag": ({"status": 0, "errors": ["user unknown"], "request": "r1"}, "user unknown"),
    "flag inside": ({"status": {"isSuccess": "false", "statusDetail": [{"message": "no rights"}]}}, "no rights"),
    "errors of GraphQL": ({"errors": [{"message": "no field x"}], "data": None}, "no field x"),
    "JSON-RPC": ({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no such method"}}, "no such method"),
    "code and message": ({"code": 124, "message": "token is invalid"}, "token is invalid"),
    "negative code": ({"code": -101, "message": "log in first", "ttl": 1}, "log in first"),
    "code as text": ({"code": "400100", "msg": "symbol is wrong"}, "symbol is wrong"),
    "code as a word": ({"type": "ISV", "code": "IllegalToken", "message": "is over", "request_id": "r"}, "is over"),
    "return code": ({"retCode": 10001, "retMsg": "no such coin", "result": {}, "time": 1}, "no such coin"),
    "return code, small": ({"ret": -1, "msg": "parameters are wrong"}, "parameters are wrong"),
    "error code": ({"error_code": 110, "error_msg": "token is over"}, "token is over"),
    "error code beside a number that is none": ({"ErrorCode": 5, "ThrottleSeconds": 0, "ErrorStatus": "Off", "Message": "closed", "MessageData": {}}, "closed"),
    "number, then its message": ({"error": 6, "message": "no such user"}, "no such user"),
    "empty lists of every name": ({"error_message": "key is missing", "routes": [], "html_attributions": [], "status": "REQUEST_DENIED"}, "key is missing"),
    "status alone": ({"results": [], "status": "OVER_QUERY_LIMIT"}, "no reason"),
    "status of HTTP in a header": ({"data": [], "meta": {"status": 403, "msg": "no key"}}, "no key"),
    "the same without words": ({"message": {"header": {"status_code": 401, "execute_time": 0.1}, "body": []}}, "no reason"),
    "header in a wrapper": ({"response": {"header": {"resultCode": "22", "resultMsg": "limit exceeded"}}}, "limit exceeded"),
    "only member": ({"chart": {"result": None, "error": {"code": "Not Found", "description": "no such symbol"}}}, "no such symbol"),
    "error of OData": ({"odata.error": {"code": "x", "message": {"lang": "en", "value": "no such entity"}}}, "no such entity"),
    "result as a word": ({"result": "error", "documentation": "https://x.example", "error-type": "invalid-key"}, "invalid-key"),
    "message as a word": ({"status": "0", "message": "NOTOK", "result": "Max rate limit"}, "Max rate limit"),
    "error in the data": ({"data": {"error_code": 2190008, "description": "token is over"}, "message": "error"}, "token is over"),
    "object": ({"object": "error", "status": 401, "code": "unauthorized", "message": "token is wrong"}, "token is wrong"),
    "JSend": ({"status": "fail", "data": {"title": "a title is required"}}, "a title is required"),
    "mutation": ({"data": {"productCreate": {"product": None, "userErrors": [{"message": "title is empty"}]}}}, "title is empty"),
    "a note": ({"Note": "Thank you for using this API! Five calls a minute are free."}, "Five calls"),
    "flag, reason beside more": ({"ok": False, "error": "missing_scope", "needed": "write", "provided": "read"}, "missing_scope"),
    "code that names it, alone": ({"detail": "No such thing.", "code": "not_found"}, "No such thing"),
    "true as a flag": ({"error": True, "reason": "the parameter is wrong"}, "is wrong"),
    "fields of a form": ({"errors": {"email": ["is taken"]}}, "email: is taken"),
    "problem details": ({"type": "about:blank", "title": "Forbidden", "status": 403}, "Forbidden"),
    "code by another name": ({"cod": "404", "message": "no such city"}, "no such city"),
    "a list": ([{"message": "Session is over", "errorCode": "INVALID_SESSION_ID"}], "Session is over"),
}  # fmt: skip
FINE = {
    "error that is ok": {"data": {}, "error": {"code": "ok", "message": "", "log_id": "x"}},
    "code 0": {"code": 0, "message": "success", "contacts": []},
    "code 1": {"code": 1, "msg": "success"},
    "code of HTTP": {"results": [], "status": {"code": 200, "message": "OK"}, "total_results": 0},
    "code 00": {"response": {"header": {"resultCode": "00", "resultMsg": "NORMAL SERVICE."}, "body": {"items": []}}},
    "no results": {"results": [], "status": "ZERO_RESULTS"},
    "nothing found": {"status": "0", "message": "No transactions found", "result": []},
    "a job": {"name": "build", "error": "disk is full", "tags": []},
    "a job's status": {"name": "build", "status": "failed", "finished": "2026-01-01"},
    "a job with a message": {"name": "build", "status": "failed", "message": "tests failed", "minutes": 3},
    "a sensor": {"status": "error", "sensor": "x", "value": 3.2},
    "a log": [{"status": 404, "message": "not found"}, {"status": 200, "message": "fine"}],
    "a page's check": {"status": 404, "url": "https://x.example", "count": 3},
    "counts": {"success": 0, "failed": 0, "total": 0},
    "counts of errors": {"errors": 0, "warnings": 2, "passed": 3},
    "a country": {"code": "DE", "name": "Germany", "message": "hello"},
    "a chat": {"model": "x", "message": {"role": "assistant", "content": "error"}, "done": False},
    "a validation": {"valid": False, "errors": ["line 3"]},
    "a word": {"message": "pong"},
    "an error that is empty": {"error": None, "errors": [], "result": {"a": 1}},
    "a standard error": {"mean": 2.0, "std_error": 0.3},
    "many members": {f"k{number}": {"error": "x"} for number in range(60)},
}  # fmt: skip
# records that have fields of the same names: payments, jobs, logs, checks, statistics, texts
RECORDS = {
    "payment": {"reference": "T-1", "status": "failed", "message": "Insufficient funds", "amount": 500},
    "payment, its reason": {"status": "failed", "amount": 100, "currency": "EUR", "reason": "declined"},
    "refund": {"refundId": 4, "status": "FAILED", "reason": "account is closed"},
    "message sent": {"to": "+1", "status": "failed", "error_code": 30003, "error_message": None},
    "CI run": {"run": 31, "status": "failure", "message": "Fix the build", "branch": "main"},
    "commit status": {"state": "failure", "description": "tests failed", "context": "ci/test", "target_url": "https://x.example"},
    "build": {"result": "FAILURE"},
    "test case": {"test": "test_x", "type": "error", "message": "1 is not 2"},
    "job under way": {"status": "failed", "progress": 30, "message": "disk is full"},
    "job, its state alone": {"status": "failed", "timestamp": 1700000000},
    "log entry": {"level": "error", "message": "disk is full", "time": "2026-01-01T00:00:00Z"},
    "log, by type": {"type": "error", "message": "disk is full", "timestamp": 1700000000, "host": "a"},
    "kind of error, counted": {"errorType": "Timeout", "count": 3},
    "check": {"url": "https://x.example", "ok": False, "latency": 3.1},
    "check, its response": {"monitor": "x", "error": "timeout", "response": 0},
    "launch": {"mission": "A1", "success": False, "date": "2026-01-01", "details": "engine failed"},
    "health": {"status": "error", "checks": {"db": {"status": "error"}}},
    "coupon": {"code": "SUMMER20", "message": "20 % off", "status": "active"},
    "language": {"code": "en-GB", "title": "English", "status": "active"},
    "account": {"code": 100, "title": "Assets", "type": "account"},
    "postal code": {"code": 12345, "title": "Springfield", "info": "x"},
    "import": {"success": 0, "failed": 2, "errors": ["row 3", "row 4"]},
    "command": {"stdout": "", "stderr": "no such file", "code": 1},
    "measured error": {"error": 0.02},
    "counts of outcomes": {"success": 10, "error": 2},
    "counts, none well": {"ok": 0, "error": 2, "total": 2},
    "request for something": {"status": "friend_request"},
    "order": {"status": "payment_failed", "title": "Order 3"},
    "issue": {"title": "Error in login", "type": "error", "status": "open", "description": "x"},
    "note": {"note": "Dear diary, today I have been to the zoo, and it was good."},
    "geology": {"fault": {"name": "San Andreas", "length_km": 1200}},
    "settings": {"errors": {"email": True, "sms": False}},
    "schema": {"type": "object", "properties": {"error": {"type": "string"}}},
    "GeoJSON": {"type": "Feature", "properties": {"error": "x"}, "geometry": None},
    "job of GraphQL": {"data": {"job": {"status": "FAILED", "error": "disk is full"}}},
    "well, in other words": {"code": 1000, "message": "Query was successful", "data": None},
}  # fmt: skip
PLACES = {
    "alone": lambda record: record,
    "list of one": lambda record: [record],
    "list": lambda record: [record, record],
    "page": lambda record: {"data": [record, record], "page": 1},
    "page that says ok": lambda record: {"status": "success", "message": "fetched", "results": [record]},
    "list of errors": lambda record: {"errors": [{**record, "id": 3}], "total": 1},
}
PARTS = {
    "GraphQL": ({"data": {"user": {"id": 1}, "posts": None}, "errors": [{"message": "posts are hidden"}]}, "posts are hidden"),
    "X": ({"data": [{"id": "1"}], "errors": [{"title": "Not Found Error", "detail": "no user 2"}]}, "no user 2"),
    "shards": ({"hits": {"hits": [{"_id": "1"}]}, "_shards": {"total": 5, "failed": 2}}, "2 shards"),
    "a job under way": ({"jobComplete": False, "jobReference": {"jobId": "1"}}, "still running"),
    "bulk": ({"took": 3, "errors": True, "items": [{"index": {"status": 400}}]}, "errors is true"),
    "partial failure": ({"results": [{"a": 1}], "partialFailureError": {"message": "row 3 is wrong"}}, "row 3"),
    "remark": ({"elements": [], "remark": "runtime error: Query timed out"}, "timed out"),
    "mutation": ({"data": {"productCreate": {"product": {"id": 1}, "userErrors": [{"message": "title is empty"}]}}}, "title is empty"),
    "batch": ({"responses": [{"id": "1", "status": 200, "body": {}}, {"id": "2", "status": 403, "body": {}}]}, "1 of 2"),
    "batch, a list": ([{"code": 200, "body": "{}"}, {"code": 400, "body": "{}"}], "1 of 2"),
}  # fmt: skip
WHOLE = [
    {"data": [{"id": 1}], "errors": []}, {"data": [{"id": 1}]}, {"responses": [{"status": 200, "body": {}}]}, [], [{"status": 404, "url": "x"}],
    {"items": [{"status": 500, "name": "x"}]}, {"remark": "a remark", "elements": [1]}, {"_shards": {"failed": 0}}, "text", None,
    {"form": "x", "errors": [{"message": "an error is all there is"}]},
    {"file": "a.py", "errors": [{"line": 1, "message": "too long"}], "warnings": [{"line": 2}]},
]  # fmt: skip


@pytest.mark.parametrize("kind", FAILED)
def test_a_failure_is_told_with_its_reason(kind):
    body, reason = FAILED[kind]
    assert reason in error_in(body)


@pytest.mark.parametrize("kind", FAILED)
def test_a_failure_is_told_of_one_of_many_as_well(kind):
    body, reason = FAILED[kind]
    assert reason in failure_of(Response(200, json=body))


@pytest.mark.parametrize("kind", FINE)
def test_data_is_never_taken_for_a_failure(kind):
    assert error_in(FINE[kind]) == ""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_of_something_that_failed_is_no_failure_of_the_api(kind, place):
    body = PLACES[place](RECORDS[kind])
    assert (error_in(body), partial_in(body)) == ("", "")


@pytest.mark.parametrize("kind", PARTS)
def test_a_part_is_told_and_is_no_failure(kind):
    body, reason = PARTS[kind]
    assert reason in partial_in(body)
    assert error_in(body) == ""


@pytest.mark.parametrize("body", WHOLE)
def test_all_is_not_taken_for_a_part(body):
    assert partial_in(body) == ""
