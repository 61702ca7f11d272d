"""Everything that the request magic can do, in a real kernel against a real API."""

from __future__ import annotations

import json

import pytest
from leak_search import leaks
from support import eventually

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.static import Password
from flowlet_jupyter.notebook.extension import keep_question_mark
from flowlet_jupyter.testing import put_secret
from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-5e1f"


@pytest.fixture
def run(kernel, api):
    """Run code in the kernel, `API` standing for the API's address; gives what was shown, as one text."""
    default_vault().put(Record(secret=Password(name="api", password=CANARY, base_url=api.url)))

    def run_(code: str, *, fails: str | None = None) -> str:
        reply = kernel.run(code.replace("API", api.url))
        assert (reply["status"] == "ok") is (fails is None), kernel.text
        if fails is not None:
            assert reply["ename"] == fails, kernel.text
        assert leaks({"said": kernel.text.encode()}, [CANARY]) == []
        return shown_of(kernel)

    return run_


def shown_of(kernel) -> str:
    pieces = []
    for message in kernel.said:
        content = message["content"]
        pieces += [content.get("text", ""), content.get("data", {}).get("text/plain", "")]
        pieces += content.get("traceback", [])
    return "\n".join(filter(None, pieces))


def last_request(api) -> tuple[str, str, dict, bytes]:
    return api.requests[-1]


def test_traps_of_the_line(run, api):
    assert "$filter" in run("%flowlet_request API/echo?$filter=Name%20eq%201&$top={x}")
    run(
        '%flowlet_request API/echo --json \'{"query": "{ users(first: 5) { id name } }", "path": "C:\\\\temp\\\\new"}\''
    )
    assert json.loads(last_request(api)[3])["query"] == "{ users(first: 5) { id name } }"
    run("%%flowlet_request POST API/echo\nContent-Type: application/graphql\n\nquery { users { id } }")
    assert last_request(api)[3] == b"query { users { id } }"
    for line in (
        '%flowlet_request "API/echo?q=what?"',
        "%flowlet_request API/echo?q=what?",
        "a = %flowlet_request API/echo?q=what?",
    ):
        run(line)  # IPython would take a ? at the end for a wish for help
        assert api.requests.pop()[1] == "/echo?q=what?"
    assert keep_question_mark(["%flowlet_request?\n"]) == ["%flowlet_request?\n"]  # which this is
    run(r"%flowlet_request API/echo path==C:\temp\new -d '@C:\no\such.json'", fails="RequestFailed")
    run(r"%flowlet_request API/echo path=='C:\temp\new'")
    assert last_request(api)[1] == "/echo?path=C%3A%5Ctemp%5Cnew"
    run("%flowlet_request API/echo q=='grüße 🐦' X-A:b  # a comment")
    assert last_request(api)[1] == "/echo?q=gr%C3%BC%C3%9Fe%20%F0%9F%90%A6"
    run("text = 'it\\'s \"so\"'\n%flowlet_request API/echo --json '{\"said\": {{text}}}'")
    assert json.loads(last_request(api)[3]) == {"said": 'it\'s "so"'}


def test_results_go_where_they_are_asked(run):
    assert "record 0" in run("%flowlet_request API/offset limit==3 --df -o frame\nframe")
    assert '"results" were taken' in run("frame = %flowlet_request API/offset limit==3 --df")
    assert "DataFrame" in run("type(frame)")
    assert "polars" in run("p = %flowlet_request API/offset limit==3 --polars results\ntype(p)")
    assert "[0, 1, 2]" in run("%flowlet_request API/offset limit==3 --select 'results[].id'")
    assert "200 OK" not in run("%flowlet_request API/user/1 -q -o quiet")
    assert "200" in run("quiet.status_code")
    assert "x =" not in run('%%flowlet_request answer << POST API/echo\n\n{"a": 1}')
    assert '{"a": 1}' in run("answer['body']")


def test_errors_are_answers_or_errors_as_wanted(run):
    assert "404 Not Found" in run("%flowlet_request API/nothing")
    block = run("%flowlet_request API/nothing --raise", fails="RequestFailed")
    assert "There is no such path." in block
    assert "Traceback" not in block
    run("%config FlowletMagics.raise_on_error = True")
    run("%flowlet_request API/nothing", fails="RequestFailed")
    run("%flowlet_request API/nothing --no-raise")
    assert "display_rows" in run("%config FlowletMagics")
    run("%config FlowletMagics.dataframe = 'polars'")
    assert "polars" in run("f = %flowlet_request API/user/1 --df\ntype(f)")


def test_pages_of_the_magic(run, api):
    assert "10 pages, 95 records, complete" in run("%flowlet_request API/cursor --paginate")
    assert "(95, 6)" in run("all = %flowlet_request API/page --paginate page --df items\nall.shape")
    assert "3 pages, 30 records, not complete" in run(
        "%flowlet_request API/link --paginate --max-pages 3 -o some\nsome"
    )
    assert "[0, 1, 2, 3, 4, 5" in run(
        "ids = %flowlet_request API/page per_page==50 --paginate --select 'items[].id'\nids[:6]"
    )
    assert "95" in run("len(ids)")
    api.breaks_at = 4
    block = run("%flowlet_request API/breaks --paginate --df -o part --retry 0", fails="PagingStopped")
    assert "3 pages with 30 records" in block
    assert "(30, False)" in run("len(part), part.attrs['complete']")
    api.breaks_at = 0
    assert "95" in run("import flowlet_jupyter as flowlet; len(flowlet.last_pages().resume().records)")


def test_an_interrupted_reading_keeps_its_pages(kernel, run, api):
    api.delay = 0.2
    request = kernel.start(f"%flowlet_request {api.url}/cursor --paginate --df -o part")
    eventually(lambda: len(api.requests) >= 3)
    kernel.manager.interrupt_kernel()
    assert kernel.until_idle(request)["ename"] == "KeyboardInterrupt"
    assert "whose resume() goes on" in shown_of(kernel)
    api.delay = 0
    assert "True False" in run("print(0 < len(part) < 95, part.attrs['complete'])")


def test_a_long_reading_shows_its_progress(kernel, run, api):
    api.delay = 0.25
    run("%flowlet_request API/cursor --paginate -o pages")
    assert "Reading pages" in kernel.text or "HBox" in kernel.text


def test_defaults_save_typing(run, api):
    assert "secret: api" in run("%flowlet_defaults --secret api")
    run("%flowlet_request /user/1")
    assert last_request(api)[2]["Authorization"] == f"Bearer {CANARY}"
    run("%flowlet_request API/user/1 --no-secret")
    assert "Authorization" not in last_request(api)[2]
    run("%flowlet_defaults --clear")
    assert "base url" in run("%flowlet_defaults --base-url API/user")
    run("%flowlet_request /7")
    assert last_request(api)[1] == "/user/7"
    run("%flowlet_request /user/8 -s api")  # the secret's own base URL comes first
    assert last_request(api)[1] == "/user/8"
    run("%flowlet_defaults --secret twiter", fails="SecretNotFound")
    run("%flowlet_defaults --colour red", fails="RequestSyntaxError")


def test_what_would_be_sent_and_other_languages(run, api):
    sent = len(api.requests)
    dry = run("%flowlet_request POST /echo a=1 -s api --dry-run 'Cookie:x=canary-cookie'")
    assert "(credentials of secret 'api')" in dry
    assert "canary-cookie" not in dry
    assert "$(jupyter flowlet token api)" in run("%flowlet_request /echo -s api --curl")
    assert "secret='api'" in run("%flowlet_request /echo -s api --python")
    assert len(api.requests) == sent
    seen = run("%flowlet_request /echo -s api -v")
    assert "> GET" in seen
    assert "< 200 OK" in seen


def test_a_curl_cell(run, api):
    shown = run(
        "%%flowlet_request -s api\ncurl -X POST API/echo \\\n  -H 'Authorization: Bearer sk-example' \\\n"
        "  -H 'Content-Type: application/json' \\\n  -d '{\"a\": 1}'"
    )
    assert "Left out of the request to 127.0.0.1" in shown
    assert "the header Authorization" in shown
    assert last_request(api)[2]["Authorization"] == f"Bearer {CANARY}"
    assert last_request(api)[3] == b'{"a": 1}'


def test_several_requests_of_one_cell(run, api):
    shown = run("%%flowlet_request -s api\n@base = API\nGET {{base}}/echo?n=1\n\n### second\nGET {{base}}/echo?n=2\n")
    assert [request[1] for request in api.requests[-2:]] == ["/echo?n=1", "/echo?n=2"]
    assert shown.count("200 OK") == 2
    assert "[200, 200]" in run("%%flowlet_request -s api -o both\nGET API/echo?n=1\n###\nGET API/echo?n=2\n") + run(
        "[response.status_code for response in both]"
    )
    before = len(api.requests)
    run("%%flowlet_request -s api\nGET API/echo\n###\nGET API/echo?x={{no_such_name}}\n", fails="InterpolationError")
    assert len(api.requests) == before
    run("%%flowlet_request -s api -o some\nGET API/echo\n###\nGET https://127.0.0.1:1/\n", fails="HostNotAllowed")
    assert "1 of 2" in run("print(len(some), 'of 2')")


def test_a_form_of_curl_is_sent_shown_and_its_files_are_closed(run, api, tmp_path):
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    cell = f"curl API/echo -F 'photo=@{tmp_path}/photo.png;type=image/x' -F 'note=a;type=text/x' -F title=x"
    run("import warnings; warnings.simplefilter('error', ResourceWarning)\nimport gc, os\n"
        "open_before = len(os.listdir('/proc/self/fd')) if os.path.exists('/proc/self/fd') else 0")  # fmt: skip
    run(f"%%flowlet_request -s api\n{cell}")
    body = last_request(api)[3]
    assert all(part in body for part in (b"\x89PNG", b"image/x", b"text/x", b'filename="photo.png"'))
    run("gc.disable()")
    run(f"%%flowlet_request -s api -o again\n{cell}")
    assert "photo.png" not in run("os.path.exists('/proc/self/fd') and [os.readlink(f'/proc/self/fd/{n}') for n in "
                                  "os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{n}')]")  # fmt: skip
    before = len(api.requests)
    for option in ("--dry-run", "--curl", "--python"):
        shown = run(f"%%flowlet_request -s api {option}\n{cell}")
        assert f"{tmp_path}/photo.png" in shown
        assert "image/x" in shown
        assert "title" in shown
    assert len(api.requests) == before
    run(f"%%flowlet_request -s api\ncurl API/echo -F f=@{tmp_path}/missing -F a=1", fails="RequestFailed")


def test_files_up_and_down(run, api, tmp_path):
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    run(f"%flowlet_request API/echo photo@{tmp_path}/photo.png title=x -s api")
    method, _, headers, body = last_request(api)
    assert (method, headers["Content-Type"].partition(";")[0]) == ("POST", "multipart/form-data")
    assert b"\x89PNG" in body
    assert b"title" in body
    assert "PosixPath" in run(f"%flowlet_request API/file --save {tmp_path}/data.bin")
    assert (tmp_path / "data.bin").stat().st_size == 1024 * 1024
    run(f"%flowlet_request API/nothing --save {tmp_path}/none", fails="RequestFailed")
    run(f"%flowlet_request API/echo x@{tmp_path}/none", fails="RequestFailed")


def test_the_cache_and_the_log_of_the_magics(run, api):
    run("%flowlet_request /user/1 -s api --cache 1h")
    assert "from the cache" in run("%flowlet_request /user/1 -s api --cache 1h")
    assert "1 response," in run("%flowlet_cache")
    assert "0 responses" in run("%flowlet_cache clear")
    logged = run("%flowlet_log")
    assert "127.0.0.1" in logged
    assert "/user/1" not in logged
    assert "is off" in run("%flowlet_log off")
    assert "is on" in run("%flowlet_log on")
    run("%flowlet_log clear")
    assert "No uses were logged" in run("%flowlet_log api")


def test_an_unchecked_certificate_warns_and_carries_no_secret(run):
    default_vault().put(Record(secret=Password(name="far", password=CANARY, allowed_hosts=("far.example",))))
    assert "certificate is not checked" in run("%flowlet_request API/user/1 -k")
    run("%flowlet_request https://far.example/ -s far -k", fails="InvalidOption")


def test_help_lists_all_options(run):
    shown = run("%flowlet_request --help")
    assert "--paginate" in shown
    assert "a kept response will do" in shown


def test_an_api_that_repeats_the_token_does_not_leak_it(run, api):
    # `run` searches every message for the value
    assert "(value of the secret)" in run("%flowlet_request /echo -s api")
    assert "(value of the secret)" in run("%flowlet_request /scold -s api")
    assert "(value of the secret)" in run("%flowlet_request /seen -s api -i")  # in a header alone
    run("%flowlet_request /seen -s api")
    assert "(value of the secret)" in run("%flowlet_request /scold -s api --raise", fails="RequestFailed")
    assert "(value of the secret)" in run("%flowlet_request /scold -s api --df", fails="RequestFailed")
    assert "(value of the secret)" in run("%flowlet_request /scold -s api --paginate --retry 0", fails="PagingStopped")
    run("%flowlet_request /scold -s api --save x", fails="RequestFailed")
    run(
        "import flowlet_jupyter as flowlet; flowlet.gather(['/scold'], secret='api', errors='raise')",
        fails="RequestFailed",
    )
    run("flowlet.last_gathered().errors")


# tab completion


def completions(kernel, code: str) -> list[str]:
    return kernel.reply_to(kernel.client.complete(code, len(code)))["matches"]


COMPLETED = {
    "flowlet_request https://a.example -s ap": "api",
    "flowlet_request https://a.example --secret ": "api",
    "flowlet_request https://a.example --pag": "--paginate",
    "flowlet_request https://a.example --paginate cu": "cursor",
    "flowlet_request DEL": "DELETE",
}


def test_completion_of_a_request(kernel, run):
    lines = [(sign + typed, completion) for sign in ("%", "%%") for typed, completion in COMPLETED.items()]
    assert [line for line, completion in lines if completion not in completions(kernel, line)] == []


def test_completion_of_names_paths_and_an_openapi_document(kernel, run, tmp_path):
    assert "api" in completions(kernel, "%flowlet_secret a")
    assert "spotify" in completions(kernel, "%flowlet_secret --new --provider spot")
    run("%flowlet_request API/user/5")
    assert any(word.endswith("/user/5") for word in completions(kernel, "%flowlet_request http"))
    document = {
        "paths": {"/users/{id}/tweets": {"get": {"parameters": [{"$ref": "#/components/parameters/Max"}]}}},
        "components": {"parameters": {"Max": {"name": "max_results", "in": "query"}}},
    }
    (tmp_path / "api.json").write_text(json.dumps(document))
    run(f"%flowlet_defaults --openapi {tmp_path}/api.json")
    assert "/users/{{id}}/tweets" in completions(kernel, "%flowlet_request /us")
    assert "max_results==" in completions(kernel, "%flowlet_request /users/7/tweets max")
    run("%flowlet_defaults --clear")
    described = Password(
        name="described", password=CANARY, allowed_hosts=("a.example",), openapi=f"{tmp_path}/api.json"
    )
    default_vault().put(Record(secret=described))
    assert "/users/{{id}}/tweets" in completions(kernel, "%flowlet_request -s described /us")
    assert "/users/{{id}}/tweets" not in completions(kernel, "%flowlet_request -s api /us")


def test_to_paste_for_what_nobody_authorizes_says_at_once_what_authorize_says(kernel, api):
    secret = Password(name="api", password=CANARY, base_url=api.url)
    with pytest.raises(InvalidSecret, match="nothing is to be authorized") as helper:
        put_secret(secret).authorize()
    reply = kernel.run("%flowlet_secret api --paste")
    assert (reply["ename"], reply["evalue"]) == ("InvalidSecret", str(helper.value))


def test_to_connect_what_is_sent_as_it_is_tries_it(kernel, api):
    put_secret(Password(name="api", password=CANARY, base_url=f"{api.url}/echo"))
    kernel.start("%flowlet_secret api --connect")
    kernel.until_said("It works: 200 from")
