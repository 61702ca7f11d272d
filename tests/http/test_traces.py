"""What is written down of requests: cache, log of uses, curl, Python, HAR. None of it holds a credential."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import time

import pytest
from leak_search import files_below, leaks

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import InvalidOption, MissingExtra, RequestFailed
from flowlet_jupyter.http import caching, curl_export, usage_log
from flowlet_jupyter.session import Session
from flowlet_jupyter.settings import Settings
from flowlet_jupyter.testing import put_secret
from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-5e1f"


@pytest.fixture
def secret(api):
    flowlet.secrets.add(flowlet.Password(name="api", password=CANARY, base_url=api.url))


# the cache


def test_an_answer_is_kept_for_as_long_as_asked_and_apart_for_each_secret(api, secret):
    flowlet.secrets.add(flowlet.Password(name="other", password="other", base_url=api.url))
    first = flowlet.get("/echo?n=1", secret="api", cache="1h")
    again = flowlet.get("/echo?n=1", secret="api", cache=True)
    assert (first.json(), len(api.requests)) == (again.json(), 1)
    assert isinstance(again, flowlet.Response)
    assert again.secret_name == "api"
    flowlet.get("/echo?n=1", secret="other", cache="1h")
    flowlet.get(f"{api.url}/echo?n=1", cache="1h")
    flowlet.get("/echo?n=1", secret="api")  # not asked for
    flowlet.post("/echo?n=1", secret="api", cache="1h")  # not a reading method
    assert len(api.requests) == 5


def test_an_old_answer_is_not_given(api):
    flowlet.get(f"{api.url}/echo", cache=0.2)
    time.sleep(0.3)
    flowlet.get(f"{api.url}/echo", cache=0.2)
    assert len(api.requests) == 2


def test_the_async_twin_says_that_it_has_no_cache(api):
    with pytest.raises(RequestFailed, match=r"works with get\(\), not with aget\(\)"):
        asyncio.run(flowlet.aget(f"{api.url}/echo", cache="1h"))


def test_an_error_is_not_kept(api):
    for _ in range(2):
        assert flowlet.get(f"{api.url}/user/13", cache="1h").status_code == 500
    assert len(api.requests) == 2


def test_the_cache_holds_no_credential_and_is_its_users_only(api, secret, isolated):
    old = os.umask(0)
    try:
        flowlet.get("/user/1", secret="api", cache="1h")
        flowlet.get(f"{api.url}/user/2", headers={"Authorization": f"Bearer {CANARY}"}, cache="1h")
        flowlet.get(f"{api.url}/file", cache="1h", headers={"X-Planted": "canary-that-is-found"})
    finally:
        os.umask(old)
    files = files_below(isolated)
    assert leaks(files, [CANARY, "canary-session"]) == []
    assert leaks(files, ["canary-that-is-found"])
    written = list(caching.cache_file().parent.glob("answers*"))
    assert written
    for path in written:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(caching.cache_file().parent.stat().st_mode) == 0o700


def test_the_cache_is_shown_and_cleared(api):
    assert caching.cached_responses().count == 0
    flowlet.get(f"{api.url}/user/1", cache="1h")
    assert caching.cached_responses().count == 1
    assert "1 response," in str(caching.cached_responses())
    caching.clear_cache()
    assert caching.cached_responses().count == 0
    flowlet.get(f"{api.url}/user/1", cache="1h")
    assert len(api.requests) == 2


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("10m", 600), ("1.5h", 5400), ("7d", 604800), ("45", 45)])
def test_ages(text, seconds):
    assert caching.age_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1h", "0", "1w", "1e9", "9" * 30])
def test_what_is_no_age(text):
    with pytest.raises(InvalidOption, match="is not an age"):
        caching.age_of(text)


def test_without_hishel_the_extra_is_named(api, monkeypatch):
    monkeypatch.setitem(sys.modules, "hishel", None)
    with pytest.raises(MissingExtra, match=r"flowlet-jupyter\[cache\]"):
        flowlet.get(f"{api.url}/user/1", cache="1h")


# the log of uses


def test_uses_are_logged_without_path_query_or_value(api, secret, monkeypatch, isolated):
    monkeypatch.setenv("JPY_SESSION_NAME", "/somewhere/analysis.ipynb")
    flowlet.get("/user/1?access=canary-query", secret="api")
    flowlet.get("/nothing/canary-path", secret="api")
    flowlet.get(f"{api.url}/user/2")  # no secret, no use
    found = usage_log.uses(default_vault())
    assert [(use["secret"], use["method"], use["host"], use["status"], use["notebook"]) for use in found] == [
        ("api", "GET", "127.0.0.1", 200, "analysis.ipynb"),
        ("api", "GET", "127.0.0.1", 404, "analysis.ipynb"),
    ]
    log = usage_log.log_file(default_vault())
    assert leaks({"log": log.read_bytes()}, [CANARY, "canary-query", "canary-path", "somewhere"]) == []
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    usage_log.clear(default_vault())
    assert usage_log.uses(default_vault()) == []


def test_the_log_can_be_turned_off_and_stays_so(api, secret, monkeypatch):
    usage_log.turn(default_vault(), on=False)
    flowlet.get("/user/1", secret="api")
    assert usage_log.uses(default_vault()) == []
    assert not usage_log.is_on(default_vault())
    usage_log.turn(default_vault(), on=True)
    monkeypatch.setenv("FLOWLET_LOG", "off")
    assert not usage_log.is_on(default_vault())
    monkeypatch.delenv("FLOWLET_LOG")
    flowlet.get("/user/1", secret="api")
    assert len(usage_log.uses(default_vault())) == 1


def test_a_session_whose_settings_keep_no_log_writes_none(api, tmp_path):
    folder = tmp_path / "other" / "vault"
    with Session(settings=Settings(vault=folder, usage_log=False)) as session:
        put_secret(flowlet.Password(name="api", password=CANARY, base_url=api.url), session=session)
        assert flowlet.get("/user/1", secret="api", session=session).status_code == 200
        assert usage_log.uses(session.vault) == []
        assert not usage_log.is_on(session.vault)


def test_the_log_is_bounded(api, secret, monkeypatch):
    monkeypatch.setattr(usage_log, "MAX_BYTES", 500)
    for _ in range(20):
        flowlet.get("/user/1", secret="api")
        usage_log.uses(default_vault())  # which writes what waits
    assert 0 < len(usage_log.uses(default_vault())) < 20
    log = usage_log.log_file(default_vault())
    assert sum(path.stat().st_size for path in log.parent.iterdir()) < 1500


def test_a_log_that_cannot_be_written_costs_no_request(api, secret, isolated):
    (isolated / "log").write_text("in the way")
    assert flowlet.get("/user/1", secret="api").status_code == 200
    assert usage_log.uses(default_vault()) == []


# other languages


def test_a_curl_command_holds_no_value_and_works(api, secret, isolated):
    command = curl_export.as_curl(
        "POST", f"{api.url}/echo?a=b&c=%22", [("X-Test", "it's"), ("Cookie", CANARY)], b'{"q": "it\'s"}',
        default_vault().get("api"),
    )  # fmt: skip
    assert CANARY not in command
    assert '"Authorization: Bearer $(jupyter flowlet token api)"' in command
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, check=True,
        env={**os.environ, "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"},
    )  # fmt: skip
    echoed = json.loads(done.stdout)
    assert echoed["headers"]["Authorization"] == f"Bearer {CANARY}"
    assert (echoed["headers"]["X-Test"], echoed["body"], echoed["query"]["c"]) == ("it's", '{"q": "it\'s"}', '"')


def test_python_code_does_the_same(api, secret):
    code = curl_export.as_python(
        "POST", "/echo", [("Content-Type", "application/json"), ("X-A", "1")], b'{"q": [1]}', "api"
    )
    assert CANARY not in code
    space: dict = {}
    exec(code.replace("flowlet.post", "answer = flowlet.post"), space)  # noqa: S102 - our own code
    assert json.loads(space["answer"]["body"]) == {"q": [1]}
    assert space["answer"]["headers"]["X-A"] == "1"


@pytest.mark.parametrize("kind", ["basic", "headers", "oauth2"])
def test_other_secrets_in_curl(kind):
    made = {
        "basic": flowlet.Basic(name="x", username="ann", password=CANARY, allowed_hosts=("a.example",)),
        "headers": flowlet.Headers(name="x", headers={"X-Key": CANARY}, allowed_hosts=("a.example",)),
        "oauth2": flowlet.OAuth2(
            name="x", client_id="i", client_secret=CANARY, token_endpoint="https://a.example/t",
            grant_type="client_credentials", compliance={"authorization_scheme": "OAuth"},
        ),
    }[kind]  # fmt: skip
    flowlet.secrets.add(made)
    command = curl_export.as_curl("GET", "https://a.example/", [], None, default_vault().get("x"))
    expected = {"basic": '-u ann:"$(', "headers": '"X-Key: …"', "oauth2": '"Authorization: OAuth $('}[kind]
    assert expected in command
    assert CANARY not in command


def test_a_har_of_a_session_has_all_but_credentials(api, secret, tmp_path):
    with flowlet.recording() as har:
        flowlet.get("/echo?a=1", secret="api")  # this API repeats what it was sent
        flowlet.post(f"{api.url}/echo", json={"q": 1}, headers={"Cookie": "canary-session"})
    flowlet.get("/echo", secret="api")
    assert len(har) == 2
    text = har.save(tmp_path / "session.har").read_bytes()
    assert leaks({"har": text}, [CANARY, "canary-session"]) == []
    first, second = json.loads(text)["log"]["entries"]
    assert first["request"]["queryString"] == [{"name": "a", "value": "1"}]
    assert '"Authorization": "Bearer (value of the secret)"' in first["response"]["content"]["text"]
    assert second["request"]["postData"]["text"] == '{"q":1}'
    assert first["response"]["status"] == 200


@pytest.mark.parametrize("parameter", ["api_key", "access_token", "X-Amz-Signature", "client_secret", "password"])
def test_a_har_holds_no_credential_of_the_users_own_url(api, parameter, tmp_path):
    with flowlet.recording() as har:
        flowlet.get(f"{api.url}/echo?a=1", params={parameter: "canary-own/value"})
    text = har.save(tmp_path / "session.har").read_bytes()
    assert leaks({"har": text}, ["canary-own/value"]) == []
    assert json.loads(text)["log"]["entries"][0]["request"]["queryString"][0] == {"name": "a", "value": "1"}


def test_no_secret_is_sent_where_nobody_checks_who_answers():
    flowlet.secrets.add(flowlet.Password(name="far", password=CANARY, allowed_hosts=("a.example",)))
    with pytest.raises(InvalidOption, match="nobody checks who answers"):
        flowlet.get("https://a.example/", secret="far", insecure=True)


@pytest.mark.parametrize(
    "odd", ["$(touch pwned)", "`touch pwned`", 'it\'s "quoted"', "a\\b!c", "@/etc/passwd", "a;b,c &"]
)
def test_a_curl_command_takes_every_part_as_text(odd, api, secret, tmp_path):
    (tmp_path / "up load;1.txt").write_text("content")
    command = curl_export.as_curl(
        "POST", f"{api.url}/echo?q={{a,b}}", [("X-Odd", odd), ("X-Empty", "")], odd.encode(), None
    )
    form = curl_export.as_curl(
        "POST",
        f"{api.url}/echo",
        [],
        None,
        None,
        parts=[
            curl_export.FormPart("field", odd),
            curl_export.FormPart("f", path=str(tmp_path / "up load;1.txt"), filename="up load;1.txt"),
            curl_export.FormPart("typed", odd, content_type="text/x"),
        ],
    )
    for each in (command, form):
        done = subprocess.run(["bash", "-c", each], capture_output=True, check=True, cwd=tmp_path)
        echoed = json.loads(done.stdout)
        assert odd in echoed["body"]
        assert not (tmp_path / "pwned").exists()
        if each is command:
            assert (echoed["headers"]["X-Odd"], echoed["headers"]["X-Empty"]) == (odd, "")
        else:
            assert "content" in echoed["body"]


@pytest.mark.parametrize("scheme", ["$(touch pwned)", "`touch pwned`", "Bearer"])
def test_a_curl_command_takes_a_secrets_scheme_as_text(scheme, tmp_path):
    secret = flowlet.External(name="x", source="env:KEY", scheme=scheme, allowed_hosts=("a.example",))
    flowlet.secrets.add(secret)
    command = curl_export.as_curl("GET", "https://a.example/", [], None, default_vault().get("x"))
    command = command.replace("jupyter flowlet token x", "echo the-token").replace("curl", "printf '%s\\n'", 1)
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True, cwd=tmp_path, text=True)
    assert f"Authorization: {scheme} the-token" in done.stdout.splitlines()
    assert not (tmp_path / "pwned").exists()


def test_a_query_token_stands_in_the_query_of_a_curl_command():
    made = flowlet.OAuth2(
        name="x", client_id="i", client_secret=CANARY, token_endpoint="https://a.example/t",
        grant_type="client_credentials", compliance={"token_parameter": "access_token"},
    )  # fmt: skip
    flowlet.secrets.add(made)
    command = curl_export.as_curl("GET", "https://a.example/", [], None, default_vault().get("x"))
    assert '--url-query "access_token=$(jupyter flowlet token x)"' in command
