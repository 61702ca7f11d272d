"""The magics and the helper in a real kernel: with a person there, with nobody there, and when things go wrong."""

from __future__ import annotations

import dataclasses
import json
import re
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest
from kernels import run_notebook
from leak_search import leaks
from nbclient.exceptions import CellExecutionError
from support import free_port

from flowlet_jupyter.credentials.handles import Secrets
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.static import Password
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault import default_vault

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"


def oauth2(birdsong, **fields) -> OAuth2:
    client_id, client_secret = birdsong.server.provider.register("test", "http://localhost/callback")
    return OAuth2(
        name="twitter",
        authorization_endpoint=birdsong.authorization_endpoint,
        token_endpoint=birdsong.token_endpoint,
        client_id=client_id,
        client_secret=client_secret,
        base_url=birdsong.url,
        **fields,
    )


def grant(birdsong, secret: OAuth2) -> TokenSet:
    """What the provider would give for a finished flow."""
    provider = birdsong.server.provider
    provider.state["grants"]["g"] = {
        "client_id": secret.client_id, "scope": "users.read tweet.read offline.access", "username": "ada",
    }  # fmt: skip
    response = provider._issue("g")
    return TokenSet(
        access_token=SecretValue(response["access_token"]),
        refresh_token=SecretValue(response["refresh_token"]),
        scope=response["scope"],
        obtained_at=time.time(),
        expires_at=time.time() + 7200,
    )


def test_line_cell_assignment_and_frame(kernel, birdsong):
    secret = oauth2(birdsong)
    default_vault().put(Record(secret=secret, token_set=grant(birdsong, secret)))
    code = """
me = %flowlet_request /2/users/me --secret twitter
tweets = %flowlet_request {{me.url.scheme}}://127.0.0.1:PORT/2/users/{{me["data"]["id"]}}/tweets max_results==7 -s twitter --df data
%flowlet_request again << /2/users/me -s twitter --timeout 5
assert me["data"]["username"] == again["data"]["username"] == "ada"
assert tweets.shape == (7, 6), tweets.shape
""".replace("PORT", birdsong.url.rpartition(":")[2])
    assert kernel.run(code)["status"] == "ok", kernel.text
    assert (
        kernel.run("%%flowlet_request -s twitter -o third\n\nGET /2/users/me\nAccept: application/json\n")["status"]
        == "ok"
    )
    assert kernel.run("third")["status"] == "ok"
    shown = next(message for message in kernel.said if message["msg_type"] == "execute_result")["content"]["data"]
    assert "200 OK  GET 127.0.0.1" in shown["text/plain"]
    assert "secret: twitter" in shown["text/html"]
    assert kernel.run("%flowlet_request 'https://a.example/?$filter=x&y={z}' -s twitter --dry-run")["status"] == "ok"
    assert "$filter=x&y={z}" in kernel.text
    assert "credentials of secret 'twitter'" in kernel.text
    assert leaks({"said": kernel.text.encode()}, [secret.client_secret.reveal()]) == []


EXPECTED_ERRORS = [
    ("%flowlet_request https://a.example --secret nope", "SecretNotFound", "Did you mean"),
    ("%flowlet_request https://evil.example --secret note", "HostNotAllowed", "evil.example"),
    ("%flowlet_request https://a.example/{{nope}}", "InterpolationError", "nope"),
    ("%flowlet_request --secret note", "RequestSyntaxError", "no URL"),
    ("flowlet.get('https://evil.example', secret='note')", "HostNotAllowed", "evil.example"),
    ("%flowlet_secret", "RequestSyntaxError", "Which secret"),
]


def test_an_expected_error_is_one_block_without_traceback(kernel):
    default_vault().put(Record(secret=Password(name="note", password="p", allowed_hosts=("a.example",))))
    for code, name, says in EXPECTED_ERRORS:
        reply = kernel.run(code)
        assert (reply["status"], reply["ename"]) == ("error", name), code
        error = next(message for message in kernel.said if message["msg_type"] == "error")["content"]
        assert len(error["traceback"]) == 1, code
        assert error["traceback"][0].startswith(f"{name}: "), code
        assert says in error["traceback"][0], code
        assert "\nWhat to do: " in error["traceback"][0], code


def test_with_nobody_there_it_fails_at_once(kernel, birdsong):
    default_vault().put(Record(secret=oauth2(birdsong)))
    started = time.monotonic()
    reply = kernel.run("%flowlet_request /2/users/me --secret twitter")
    assert time.monotonic() - started < 100  # of the ten minutes that a person has
    assert reply["ename"] == "AuthRequired"
    assert "Secret 'twitter' needs authorization" in reply["evalue"]
    assert "%flowlet_secret twitter" in reply["evalue"]


@pytest.mark.parametrize(
    "code", ["r = %flowlet_request /2/users/me -s twitter", "r = flowlet.get('/2/users/me', secret='twitter')"]
)
def test_with_a_person_there_it_waits_and_goes_on(kernel, birdsong, code):
    secret = oauth2(birdsong)
    default_vault().put(Record(secret=secret))
    request = kernel.start(code, allow_stdin=True)
    message = kernel.until_said("Secret 'twitter': waiting for authorization, ")
    assert re.search(r"for authorization, \d+:\d\d left", message)
    default_vault().put(Record(secret=secret, token_set=grant(birdsong, secret)))
    assert kernel.until_idle(request)["status"] == "ok"
    assert "the request goes on" in kernel.text
    assert kernel.run("print(r['data']['username'])")["status"] == "ok"
    assert "ada" in kernel.text


def test_the_waiting_can_be_interrupted(kernel, birdsong):
    default_vault().put(Record(secret=oauth2(birdsong)))
    request = kernel.start("%flowlet_request /2/users/me -s twitter", allow_stdin=True)
    kernel.until_said("To stop, interrupt the kernel")
    kernel.manager.interrupt_kernel()
    assert kernel.until_idle(request)["ename"] == "KeyboardInterrupt"
    assert "the request was not sent" in kernel.text


def test_a_value_is_asked_for_and_not_written_down(kernel):
    request = kernel.start("value = flowlet.ask('Client secret'); value", allow_stdin=True)
    question = kernel.client.get_stdin_msg(timeout=20)["content"]
    assert (question["prompt"], question["password"]) == ("Client secret: ", True)
    kernel.client.input("canary-5e1f")
    assert kernel.until_idle(request)["status"] == "ok"
    assert "SecretValue(hidden)" in kernel.text
    assert leaks({"said": kernel.text.encode()}, ["canary-5e1f"]) == []
    nobody = kernel.run("flowlet.ask('Client secret')")
    assert (nobody["ename"], nobody["evalue"]) == ("FlowletError", "Nobody is there to answer: Client secret")


def test_authorize_in_python_waits_for_a_person_and_fails_without(kernel, birdsong):
    secret = oauth2(birdsong)
    default_vault().put(Record(secret=secret))
    assert kernel.run("flowlet.secrets['twitter'].authorize()")["ename"] == "AuthRequired"
    request = kernel.start("flowlet.secrets['twitter'].authorize().state", allow_stdin=True)
    kernel.until_said("To stop, interrupt")
    default_vault().put(Record(secret=secret, token_set=grant(birdsong, secret)))
    assert kernel.until_idle(request)["status"] == "ok"
    assert "'connected'" in kernel.text


def test_a_widget_that_no_front_end_shows_becomes_text(kernel):
    default_vault().put(Record(secret=Password(name="note", password="p", allowed_hosts=("a.example",))))
    for code in ("%flowlet_secrets", "flowlet.secrets", "%flowlet_secret note", "%flowlet_secret --new"):
        kernel.start(code)
        kernel.until_said("pip install flowlet-jupyter")
    kernel.until_said("Manage tokens are at http://127.0.0.1:")  # the kernel serves them itself


def test_a_form_that_is_filled_in_for_a_newcomer(kernel):
    kernel.run("%flowlet_secret --new --provider spotify --scope 'a b'")
    states = [message["content"]["data"]["state"] for message in kernel.said if message["msg_type"] == "comm_open"]
    ours = next(state for state in states if "view" in state)
    assert (ours["view"], ours["prefill"]) == ("form", {"provider": "spotify", "scope": "a b"})
    wrong = kernel.run("%flowlet_secret twitter --provider spotify")
    assert wrong["ename"] == "RequestSyntaxError"


def test_what_a_flowlet_toml_asks_for_is_offered_and_not_stored(kernel, isolated):
    kernel.run(f"%cd {isolated}")
    (isolated / "flowlet.toml").write_text(
        '[secrets.birds]\nprovider = "twitter"\nallowed_hosts = ["api.twitter.com"]\n'
    )
    kernel.run("%flowlet_secrets")
    kernel.until_said("missing here: 'birds' (twitter, for api.twitter.com)")
    assert default_vault().names() == []


def test_a_server_without_the_extension_does_not_cut_a_kernel_off(kernel, birdsong, jupyter_folders):
    # the server of this kernel answers, but not for us: another environment's
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as bare:
        threading.Thread(target=bare.serve_forever, args=(0.02,), daemon=True).start()
        runtime = jupyter_folders / "runtime" / "jpserver-4242.json"
        runtime.write_text(json.dumps({"url": f"http://127.0.0.1:{bare.server_port}/"}))
        default_vault().put(Record(secret=oauth2(birdsong)))
        kernel.run(f"import os; os.environ.update(JPY_PARENT_PID='4242', FLOWLET_LOOPBACK_PORT='{free_port()}')")
        request = kernel.start("%flowlet_request /2/users/me -s twitter", allow_stdin=True)
        kernel.until_said("The redirect URI to register is http://127.0.0.1:")
        kernel.manager.interrupt_kernel()
        assert kernel.until_idle(request)["ename"] == "KeyboardInterrupt"
        bare.shutdown()


def test_the_widget_syncs_the_secrets_name_and_no_more_of_it(kernel):
    default_vault().put(Record(secret=Password(name="note", password="canary-5e1f", allowed_hosts=("a.example",))))
    kernel.run("%flowlet_secret note")
    states = [message["content"]["data"]["state"] for message in kernel.said if message["msg_type"] == "comm_open"]
    ours = next(state for state in states if "view" in state)
    own = {key: value for key, value in ours.items() if not key.startswith("_")}
    assert own == {
        "view": "manage",
        "name": "note",
        "prefill": {},
        "greeting": own["greeting"],
        "layout": own["layout"],
        "tabbable": None,
        "tooltip": None,
    }
    assert leaks({"said": kernel.text.encode()}, ["canary-5e1f", "a.example"]) == []


def test_html_of_an_api_is_shown_as_text(kernel):
    code = (
        "import httpx\nfrom flowlet_jupyter.http.response import Response\n"
        "r = Response(200, text='<script>alert(1)</script>', headers={'content-type': 'text/html'},"
        " request=httpx.Request('GET', 'https://a.example/<b>'))\n"
        "import datetime; r.elapsed = datetime.timedelta(seconds=1); r"
    )
    assert kernel.run(code)["status"] == "ok", kernel.text
    html = next(message for message in kernel.said if message["msg_type"] == "execute_result")["content"]["data"][
        "text/html"
    ]
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_the_output_of_a_huge_answer_stays_small(kernel):
    code = (
        "import httpx, datetime\nfrom flowlet_jupyter.http.response import Response\n"
        "r = Response(200, json=[{'n': n} for n in range(500_000)], request=httpx.Request('GET', 'https://a.example/'))\n"
        "r.elapsed = datetime.timedelta(seconds=1); r"
    )
    kernel.run(code)
    shown = next(message for message in kernel.said if message["msg_type"] == "execute_result")["content"]["data"]
    assert len(str(shown)) < 64_000
    assert "The beginning of" in shown["text/html"]


# whole notebooks, as nbclient and papermill run them


def quickstart(birdsong) -> nbformat.NotebookNode:
    notebook = nbformat.read(QUICKSTART, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("demo.start()", f"demo.start({birdsong.url.rpartition(':')[2]})")
    return notebook


def birdwatch(birdsong) -> OAuth2:
    """What the form makes of the lines of Birdsong's developer page."""
    return dataclasses.replace(oauth2(birdsong), name="birdwatch", base_url=f"{birdsong.url}/2")


def test_the_quickstart_runs_from_top_to_bottom(jupyter_folders, birdsong):
    secret = birdwatch(birdsong)
    default_vault().put(Record(secret=secret, token_set=grant(birdsong, secret)))
    for expected in (1, 2):  # a second run, in a new kernel, goes on with the same grant
        notebook = quickstart(birdsong)
        run_notebook(notebook)
        outputs = str([cell.get("outputs") for cell in notebook.cells])
        assert "2244994945" in outputs
        assert "created_at" in outputs
        assert "(200, 'access token obtained" in outputs
        # more on a machine so busy that five seconds pass between two cells
        assert birdsong.refresh_count() >= expected
    token = default_vault().get("birdwatch").token_set
    values = [token.access_token.reveal(), token.refresh_token.reveal(), secret.client_secret.reveal()]
    assert leaks({"notebook": nbformat.writes(notebook).encode()}, values) == []


def test_the_quickstart_without_a_token_says_what_to_do(jupyter_folders, birdsong):
    default_vault().put(Record(secret=birdwatch(birdsong)))
    with pytest.raises(CellExecutionError, match="AuthRequired: Secret 'birdwatch' needs authorization"):
        run_notebook(quickstart(birdsong))


def test_the_collection_reads_like_a_mapping():
    secrets = Secrets(default_vault())
    assert repr(secrets) == "No secrets yet. To add one: %flowlet_secret --new"
    secrets.add(Password(name="note", password="canary-5e1f", allowed_hosts=("a.example",)))
    assert list(secrets) == ["note"]
    assert "note" in secrets
    assert "nope" not in secrets
    assert secrets["note"].token().reveal() == "canary-5e1f"
    assert "canary" not in repr(secrets) + repr(secrets["note"]) + str(secrets["note"].configuration())
    secrets["note"].delete()
    assert len(secrets) == 0
