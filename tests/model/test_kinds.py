"""What each kind of secret puts on a request, and that a key in the query is seen nowhere."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import HostNotAllowed, InvalidOption, InvalidSecret
from flowlet_jupyter.http.curl_export import as_curl
from flowlet_jupyter.http.response import redacted
from flowlet_jupyter.vault import default_vault

KEY = "canary-key-7d31"


class Api(BaseHTTPRequestHandler):
    """Says what it was sent; `/moved` redirects, and `/pages` names a next page, both with the query repeated."""

    def do_GET(self):
        path, _, query = self.path.partition("?")
        self.server.seen.append((self.path, dict(self.headers)))
        body = json.dumps({"path": self.path, "headers": dict(self.headers)}).encode()
        self.send_response(302 if path == "/moved" else 200)
        if path == "/moved":
            self.send_header("Location", f"/there?{query}#part")
        if path == "/pages":
            self.send_header("Link", f'</pages?page=2&{query}>; rel="next"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as running:
        running.seen = []
        running.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def add_key(server, **fields) -> None:
    host = server.url.removeprefix("http://")
    flowlet.secrets.add(flowlet.ApiKey(**{"name": "api", "key": KEY, "allowed_hosts": (host,), **fields}))


def test_a_key_goes_in_the_header_that_the_api_names(server):
    add_key(server, parameter="Authorization", prefix="Token ")
    flowlet.get(f"{server.url}/x", secret="api")
    assert server.seen[0][1]["Authorization"] == f"Token {KEY}"
    assert flowlet.secrets["api"].token().reveal() == KEY


@pytest.mark.parametrize("path", ["/x?a=1", "/moved?a=1", "/pages?a=1"])
def test_a_key_in_the_query_is_sent_and_seen_nowhere(server, path):
    add_key(server, parameter="api_key", location="query")
    response = flowlet.get(server.url + path, secret="api", follow_redirects=True)
    assert all(f"api_key={KEY}" in sent for sent, _headers in server.seen)
    assert all(sent.count("api_key") == 1 and "a=1" in sent for sent, _headers in server.seen)
    hops = [*response.history, response]
    visible = [str(hop.url) + str(hop.request.url) + str(hop.headers) + repr(hop) for hop in hops]
    assert not any(KEY in text for text in visible)
    assert KEY not in redacted(response).text


def test_the_next_page_that_repeats_the_key_is_read(server):
    add_key(server, parameter="api_key", location="query")
    response = flowlet.get(f"{server.url}/pages?page=2&api_key={KEY}", secret="api")
    assert KEY not in str(response.url)
    assert server.seen[0][0].count(KEY) == 1


def test_a_query_parameter_of_the_users_own_is_not_overwritten(server):
    add_key(server, parameter="api_key", location="query")
    with pytest.raises(InvalidOption, match="api_key of its own") as caught:
        flowlet.get(f"{server.url}/x?api_key=mine", secret="api")
    assert KEY not in str(caught.value)
    assert server.seen == []


@pytest.mark.parametrize("location", ["header", "query"])
def test_a_key_is_under_the_host_rule(server, location):
    add_key(server, location=location, allowed_hosts=("api.example.org",))
    with pytest.raises(HostNotAllowed):
        flowlet.get(f"{server.url}/x", secret="api")
    assert server.seen == []


def test_a_server_that_is_not_there_does_not_bring_the_key_into_the_message(server):
    host = "127.0.0.1:1"
    flowlet.secrets.add(flowlet.ApiKey(name="api", key=KEY, location="query", parameter="k", allowed_hosts=(host,)))
    with pytest.raises((flowlet.RequestFailed, httpx.HTTPError)) as caught:
        flowlet.get(f"http://{host}/x", secret="api", retry=0)
    assert KEY not in repr(caught.value) + str(caught.value)


@pytest.mark.parametrize("parameter", ["X-Api-Key", "api_key"])
def test_other_clients_do_not_get_a_key_that_they_would_carry_along(server, parameter):
    add_key(server, parameter=parameter)
    with pytest.raises(InvalidOption, match="carry along"):
        flowlet.auth("api")


@pytest.mark.parametrize(("username", "password"), [("sk_test_1", ""), ("", "only-a-key"), ("ann", "p")])
def test_basic_sends_a_pair_with_one_side_empty(server, username, password):
    host = server.url.removeprefix("http://")
    flowlet.secrets.add(flowlet.Basic(name="api", username=username, password=password, allowed_hosts=(host,)))
    flowlet.get(f"{server.url}/x", secret="api")
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    assert server.seen[0][1]["Authorization"] == f"Basic {pair}"


def test_basic_without_both_is_refused():
    with pytest.raises(InvalidSecret, match="not both"):
        flowlet.Basic(name="api", username="", password="", allowed_hosts=("a.example",))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"key": ""}, "key"),
        ({"key": "a\nb"}, "key"),
        ({"parameter": "Host"}, "parameter"),
        ({"parameter": "X Y"}, "parameter"),
        ({"parameter": "a b", "location": "query"}, "parameter"),
        ({"parameter": "", "location": "query"}, "parameter"),
        ({"location": "cookie"}, "location"),
        ({"prefix": "Tok\r\nX: "}, "prefix"),
        ({"allowed_hosts": ()}, "allowed_hosts"),
    ],
)
def test_a_key_that_cannot_be_sent_is_refused(fields, field):
    with pytest.raises(InvalidSecret) as caught:
        flowlet.ApiKey(**{"name": "api", "key": KEY, "allowed_hosts": ("a.example",), **fields})
    assert field in caught.value.errors
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"parameter": "api_key", "location": "query"}, '--url-query "api_key=$(jupyter flowlet token api)"'),
        ({"parameter": "X-Key", "prefix": "Token "}, '-H "X-Key: Token $(jupyter flowlet token api)"'),
        ({"prefix": '"$(reboot)`x`'}, r'-H "X-API-Key: \"\$(reboot)\`x\`$(jupyter flowlet token api)"'),
    ],
)
def test_curl_asks_for_the_key_when_it_runs(fields, expected):
    flowlet.secrets.add(flowlet.ApiKey(**{"name": "api", "key": KEY, "allowed_hosts": ("a.example",), **fields}))
    shown = as_curl("GET", "https://a.example/x", [], None, default_vault().get("api"))
    assert shown.endswith(expected)
    assert KEY not in shown
