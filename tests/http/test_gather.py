"""Many requests side by side keep the same promises in threads over httpx and on the event loop over aiohttp."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from unittest.mock import MagicMock

import httpx
import pytest
import respx
from support import eventually, interrupt_once

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import AuthRequired, InvalidOption, RequestFailed
from flowlet_jupyter.http import client as client_module
from flowlet_jupyter.http.background_loop import BackgroundLoop
from flowlet_jupyter.model.redaction import Forms
from flowlet_jupyter.session import Session, default_session

CANARY = "canary-value-5e1f"
on_both = pytest.mark.usefixtures("async_transport")


def loop_threads() -> list[threading.Thread]:
    """The threads of event loops that this test began; another test's session may not be collected yet."""
    return [each for each in threading.enumerate() if each.name == "flowlet: requests" and each not in _BEFORE]


_BEFORE: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def closed():
    _BEFORE.clear()
    _BEFORE.update(threading.enumerate())
    yield
    default_session().close()


@on_both
def test_the_order_is_kept_and_errors_stand_in_their_places(api, async_transport):
    gathered = flowlet.gather(f"{api.url}/user/{{id}}", rows=[{"id": number} for number in range(30)], retry=0)
    assert [outcome["data"][0]["id"] for outcome in gathered if not outcome.is_error] == [
        str(n) for n in range(30) if n != 13
    ]
    assert list(gathered.errors) == [f"{api.url}/user/13"]
    assert "unlucky" in str(gathered.errors[f"{api.url}/user/13"])
    assert (gathered.complete, len(gathered.responses)) == (True, 29)
    frame = gathered.to_df()
    assert list(frame.columns) == ["url", "id"]
    assert len(frame) == 29
    assert 2 <= api.most_running <= 8
    assert bool(loop_threads()) == (async_transport == "aiohttp")


def test_a_200_that_says_it_failed_stands_among_the_errors_and_not_in_the_frame(respx_mock):
    url = "https://api.example.org/users/"
    for name, body in {
        "ann": {"user": {"id": 1}},
        "ben": {"ok": False, "error": "user_not_found"},
        "cem": {"user": {"id": 3}},
    }.items():
        respx_mock.get(url + name).respond(json=body)
    gathered = flowlet.gather(url + "{name}", rows=[{"name": name} for name in ("ann", "ben", "cem")], retry=0)
    ((failed, error),) = gathered.errors.items()
    assert failed == url + "ben"
    assert str(error) == "200 OK, and the API says that it failed: user_not_found"
    assert len(gathered.to_df()) == len(gathered.responses) == 2
    assert gathered.to_df("@")["error"].tolist()[1] == "user_not_found"  # who names the whole body takes it as it is
    assert gathered.log.lines[1]["error"] == str(error)
    assert not any(outcome.is_parsed for outcome in gathered)
    with pytest.raises(RequestFailed, match=r"ben: 200 OK, and the API says that it failed: user_not_found"):
        flowlet.gather([url + "ben"], retry=0, errors="raise")


@on_both
def test_nothing_to_ask_for_is_nothing_to_wait_for():
    assert flowlet.gather([]).complete


@on_both
@pytest.mark.parametrize("progress", [True, False])
def test_a_bar_is_shown_unless_it_is_not_wanted(respx_mock, monkeypatch, progress):
    shown = []
    monkeypatch.setattr("flowlet_jupyter.http.progress.SHOW_AFTER_SECONDS", 0)
    monkeypatch.setattr("tqdm.auto.tqdm", lambda **options: shown.append(options["desc"]) or MagicMock())
    respx_mock.get("https://api.example.org/1").respond(json={})
    flowlet.gather(["https://api.example.org/1"], progress=progress)
    assert bool(shown) == progress


@pytest.mark.parametrize(
    ("call", "function"),
    [
        (lambda url: flowlet.gather([url], progres=True), "gather"),
        (lambda url: flowlet.paginate(url, progres=True), "paginate"),
        (lambda url: flowlet.apaginate(url, progres=True), "apaginate"),
        (lambda url: flowlet.fetch_df(url, progres=True), "fetch_df"),
    ],
)
def test_an_option_that_there_is_not_is_said_of_the_function_that_was_called(respx_mock, call, function):
    with pytest.raises(InvalidOption, match=rf"^{function}\(\) has no option 'progres'. Did you mean 'progress'\?"):
        call("https://api.example.org/1")
    assert not respx_mock.calls


def test_the_first_error_is_raised_if_wanted(api):
    api.delay = 0.05
    urls = [f"{api.url}/user/{n}" for n in (13, *range(100, 160))]
    with pytest.raises(RequestFailed, match="user/13: 500"):
        flowlet.gather(urls, errors="raise", retry=0, concurrency=2)
    assert len(api.requests) < 20
    with pytest.raises(flowlet.HostNotAllowed):
        flowlet.secrets.add(flowlet.Password(name="api", password="p", base_url=api.url))
        flowlet.gather(["https://evil.example/"], secret="api", errors="raise")


@on_both
def test_a_host_that_is_not_allowed_fails_alone(api):
    flowlet.secrets.add(flowlet.Password(name="api", password="p", base_url=api.url))
    gathered = flowlet.gather(["/user/1", "https://evil.example/", "/user/2"], secret="api")
    assert [isinstance(outcome, flowlet.HostNotAllowed) for outcome in gathered] == [False, True, False]


@on_both
def test_the_secret_goes_to_the_api_and_into_nothing_that_is_shown(api):
    flowlet.secrets.add(flowlet.Password(name="api", password=CANARY, base_url=api.url))
    gathered = flowlet.gather(["/user/1", "/user/13"], secret="api", retry=0)
    assert {dict(headers)["Authorization"] for _, _, headers, _ in api.requests} == {f"Bearer {CANARY}"}
    shown = [str(gathered.errors), *(str(vars(outcome)) for outcome in gathered)]
    assert not any(CANARY in text for text in shown)
    assert not any("Authorization" in outcome.request.headers for outcome in gathered)
    assert all(outcome.elapsed.total_seconds() > 0 for outcome in gathered)


@on_both
def test_a_secret_without_a_token_asks_once_before_many_workers_do(api):
    flowlet.secrets.add(
        flowlet.OAuth2(name="api", client_id="i", token_endpoint=f"{api.url}/t", authorization_endpoint=f"{api.url}/a",
                       base_url=api.url)
    )  # fmt: skip
    with pytest.raises(AuthRequired):
        flowlet.gather(["/user/1"] * 10, secret="api")
    assert api.requests == []


def test_what_went_well_is_told_without_looking_for_the_secrets_values(api):
    def made() -> int:
        return sum(isinstance(each, Forms) for each in gc.get_objects())

    flowlet.secrets.add(flowlet.Password(name="api", password=CANARY, base_url=api.url))
    before = made()
    gathered = flowlet.gather(["/user/1", "/user/2"], secret="api")
    assert (not gathered.errors, len(gathered.responses), made()) == (True, 2, before)
    gathered = flowlet.gather(["/user/13", "/user/13"], secret="api", retry=0)
    assert (len(gathered.errors), made()) == (1, before + 1)  # one URL, asked twice; one object for both


@on_both
def test_a_token_that_ends_meanwhile_is_refreshed_once(flowlet_secret, flowlet_provider):
    vault = default_session().vault
    record = vault.get("birdsong")
    vault.put(dataclasses.replace(record, token_set=dataclasses.replace(record.token_set, expires_at=1.0)))
    gathered = flowlet.gather(["/2/users/me"] * 20, secret="birdsong", concurrency=8)
    assert not gathered.errors
    assert flowlet_provider.refresh_count() == 1


@on_both
def test_an_interrupt_keeps_what_came_and_resume_asks_for_the_rest(api):
    api.delay = 0.1
    interrupt_once(lambda: len(api.requests) >= 6)
    with pytest.raises(KeyboardInterrupt):
        flowlet.gather(f"{api.url}/user/{{id}}", rows=[{"id": n} for n in range(40)], concurrency=2, retry=0)
    gathered = flowlet.last_gathered()
    came = len(gathered.responses)
    assert 0 < came < 40
    assert not gathered.complete
    assert "resume() goes on" in repr(gathered)
    api.delay = 0
    gathered.resume()
    assert gathered.complete
    assert len(gathered.responses) == 39


@on_both
def test_an_interrupt_does_not_wait_for_an_api_that_hangs(api):
    api.delay = 5
    interrupt_once(lambda: api.running)
    with pytest.raises(KeyboardInterrupt):
        flowlet.gather([f"{api.url}/user/1"] * 4)
    assert api.running


@pytest.mark.slow  # waits as long as it is asked to
@on_both
def test_the_rate_limit_of_an_api_is_waited_for(api):
    api.refusals, api.refusal_headers = 3, {"Retry-After": "1"}
    started = time.monotonic()
    gathered = flowlet.gather([f"{api.url}/limited?n={n}" for n in range(6)], concurrency=3)
    assert time.monotonic() - started >= 1
    assert [outcome["n"] for outcome in gathered] == [str(n) for n in range(6)]
    assert len(api.requests) == 9  # each was refused or answered once, none was thrown at the wall


def test_a_success_that_says_none_left_for_years_is_not_waited_for(respx_mock):
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 300_000_000)}
    respx_mock.get(url__startswith="https://api.example.org/").respond(json={}, headers=headers)
    urls = [f"https://api.example.org/{number}" for number in range(3)]
    gathered = []
    thread = threading.Thread(target=lambda: gathered.append(flowlet.gather(urls, concurrency=1)), daemon=True)
    thread.start()
    thread.join(30)
    assert gathered
    assert gathered[0].complete


@on_both
def test_an_error_does_not_wait_for_the_rate_limit(api):
    api.delay = 0.5
    api.refusals, api.refusal_headers = 1, {"Retry-After": "600"}
    with pytest.raises(RequestFailed, match="user/13: 500"):
        flowlet.gather([f"{api.url}/limited?n=1", f"{api.url}/user/13"], errors="raise", retry=0, concurrency=2)


@on_both
def test_a_request_that_is_refused_again_and_again_is_given_back(api):
    api.refusals, api.refusal_headers = 100, {"Retry-After": "0.05"}
    gathered = flowlet.gather([f"{api.url}/limited?n=1"])
    assert gathered[0].status_code == 429
    assert len(api.requests) == 6


@on_both
def test_an_error_of_the_call_is_raised_as_it_is(api):
    with pytest.raises(TypeError):
        flowlet.gather([f"{api.url}/user/1"], headers=3)


@on_both
def test_an_address_with_credentials_in_it_sends_them(api):
    host = api.url.removeprefix("http://")
    flowlet.gather([f"http://ann:secret@{host}/user/1"])
    assert api.requests[0][2]["Authorization"] == "Basic YW5uOnNlY3JldA=="


@on_both
@pytest.mark.parametrize("options", [{"insecure": True}, {"cache": "1h"}, {"content": [b"a", b"b"]}], ids=str)
def test_what_only_the_sync_client_can_do_is_done(api, options):
    options = {name: iter(value) if name == "content" else value for name, value in options.items()}
    method = "POST" if "content" in options else "GET"
    gathered = flowlet.gather([f"{api.url}/user/1"], method=method, **options)
    assert [outcome.status_code for outcome in gathered] == [200]


def test_a_transport_that_a_test_has_replaced_is_asked(monkeypatch):
    monkeypatch.setenv("FLOWLET_TRANSPORT", "aiohttp")
    with respx.mock:
        route = respx.get("https://a.example/").respond(json={"mocked": True})
        assert [outcome["mocked"] for outcome in flowlet.gather(["https://a.example/"] * 3)] == [True] * 3
        assert asyncio.run(flowlet.aget("https://a.example/"))["mocked"]
        assert route.call_count == 4
    assert not loop_threads()


def test_a_client_that_somebody_traces_is_asked(monkeypatch, api):
    seen = []
    original = httpx.Client.send

    def send(self, request, **options):
        seen.append(str(request.url))
        return original(self, request, **options)

    monkeypatch.setenv("FLOWLET_TRANSPORT", "aiohttp")
    monkeypatch.setattr(httpx.Client, "send", send)
    flowlet.get(f"{api.url}/user/1")
    flowlet.gather([f"{api.url}/user/2"])
    assert seen == [f"{api.url}/user/1", f"{api.url}/user/2"]


def test_the_log_of_httpx_names_each_request(api, caplog):
    caplog.set_level("INFO", "httpx")
    flowlet.get(f"{api.url}/user/1")
    assert f'HTTP Request: GET {api.url}/user/1 "HTTP/1.1 200 OK"' in caplog.text


# the event loop


@pytest.fixture
def on_the_loop(monkeypatch):
    monkeypatch.setenv("FLOWLET_TRANSPORT", "aiohttp")


@pytest.mark.usefixtures("on_the_loop")
def test_a_closed_session_ends_its_thread_and_can_be_used_again(api):
    session = default_session()
    for _ in range(2):
        assert flowlet.gather([f"{api.url}/user/1"]).complete
        assert len(loop_threads()) == 1
        session.close()
        eventually(lambda: not loop_threads())


@pytest.mark.usefixtures("on_the_loop")
def test_what_failed_is_asked_for_again_after_the_session_was_closed(api):
    gathered = flowlet.gather([f"{api.url}/user/13"], retry=0)
    default_session().close()
    assert gathered.resume().complete
    default_session().close()
    eventually(lambda: not loop_threads())


@pytest.mark.usefixtures("on_the_loop")
def test_a_session_that_nobody_closed_ends_its_thread(api, tmp_path):
    session = Session(tmp_path / "other")
    flowlet.gather([f"{api.url}/user/1"], session=session)
    gone = weakref.ref(session)
    del session
    eventually(lambda: gc.collect() and gone() is None and not loop_threads())


@pytest.mark.usefixtures("on_the_loop")
def test_a_session_that_is_closed_meanwhile_says_so(api):
    api.delay = 3
    closing = threading.Thread(target=lambda: (eventually(lambda: api.running), default_session().close()))
    closing.start()
    with pytest.raises(RequestFailed, match="session was closed"):
        flowlet.gather([f"{api.url}/user/1"])
    closing.join()


@pytest.mark.usefixtures("on_the_loop")
def test_connections_are_kept_from_one_call_to_the_next(api):
    flowlet.gather([f"{api.url}/user/1"])
    loop = default_session().part(BackgroundLoop)._running()
    first = default_session().part(client_module.ClientPool)._async_clients[loop][None]
    flowlet.gather([f"{api.url}/user/2"])
    assert default_session().part(client_module.ClientPool)._async_clients[loop][None] is first


@pytest.mark.slow  # a process of its own
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.usefixtures("on_the_loop")
def test_a_forked_child_has_a_loop_of_its_own_and_leaves_the_parents_alone(api):
    program = (
        "import os, sys, flowlet_jupyter as flowlet\n"
        f"ask = lambda: flowlet.gather(['{api.url}/user/1', '{api.url}/user/2'])\n"
        "assert len(ask().responses) == 2\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    assert len(ask().responses) == 2\n"
        "    sys.exit(7)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7\n"
        "assert len(ask().responses) == 2\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert not any(word in done.stderr for word in ("Traceback", "Warning", "destroyed"))


@pytest.mark.slow  # a process of its own
@pytest.mark.usefixtures("on_the_loop")
def test_a_process_ends_while_requests_are_under_way(api):
    api.delay = 6
    program = (
        "import contextlib, sys, threading, flowlet_jupyter as flowlet\n"
        "def ask():\n"
        "    with contextlib.suppress(flowlet.RequestFailed):\n"
        f"        flowlet.gather(['{api.url}/user/1'])\n"
        "threading.Thread(target=ask, daemon=True).start()\n"
        "sys.stdin.readline()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], text=True, **pipes) as process:
        eventually(lambda: api.running)
        _, errors = process.communicate("\n", timeout=60)
    assert api.running
    assert process.returncode == 0
    assert not any(word in errors for word in ("Traceback", "Warning", "destroyed"))
