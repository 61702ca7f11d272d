"""A kept response fits the request that it is given to, and holds nothing that may be a credential."""

from __future__ import annotations

import http.server
import threading

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.http.caching import cache_file


@pytest.fixture
def counting():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.seen.append(self.path)
            if self.path == "/redirect":
                self.send_response(301)  # which may be stored without a word of the server's
                self.send_header("Location", "/signed?sig=canary-5e1f")
            else:
                self.send_response(200)
            for name, value in self.server.extra.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.seen, server.extra = [], {}
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("header", ["Accept", "Accept-Language", "X-Tenant", "Notion-Version", "Range"])
def test_another_header_is_another_response(counting, header):
    for value in ("a", "b", "a"):
        flowlet.get(f"{counting.url}/x", cache="1h", headers={header: value})
    assert len(counting.seen) == 2


HEADERS = ("Authorization", "Cookie", "X-Api-Key", "PRIVATE-TOKEN", "X-Client-Secret", "Ocp-Apim-Subscription-Key",
           "X-Auth", "X-Key", "X-Session-Id", "X-Signature")  # fmt: skip
PARAMETERS = ("api_key", "apikey", "access_token", "X-Amz-Signature", "sig", "password", "client_secret", "appid")


@pytest.mark.parametrize(
    ("header", "parameter"), [*((name, "") for name in HEADERS), *(("", name) for name in PARAMETERS)]
)
def test_a_request_with_a_credential_of_its_own_is_not_kept(counting, header, parameter):
    for _ in range(2):
        flowlet.get(
            f"{counting.url}/x", cache="1h",
            headers={header: "canary-5e1f"} if header else {}, params={parameter: "canary-5e1f"} if parameter else {},
        )  # fmt: skip
    assert len(counting.seen) == 2
    assert not any(b"canary-5e1f" in file.read_bytes() for file in cache_file().parent.glob("*"))


@pytest.mark.parametrize("parameter", ["q", "page_token", "nextPageToken", "cursor", "keyword", "author", "key_fields"])
def test_an_ordinary_parameter_is_kept(counting, parameter):
    for _ in range(2):
        flowlet.get(f"{counting.url}/x", cache="1h", params={parameter: "a"})
    assert len(counting.seen) == 1


@pytest.mark.parametrize("header", ["Set-Cookie", "X-Auth-Token", "X-Csrf-Token", "X-Amz-Security-Token"])
def test_a_credential_in_a_response_is_not_kept(counting, header):
    counting.extra = {header: "canary-5e1f=1"}
    for _ in range(2):
        flowlet.get(f"{counting.url}/x", cache="1h")
    assert len(counting.seen) == 1
    assert not any(b"canary-5e1f" in file.read_bytes() for file in cache_file().parent.iterdir())


def test_a_signed_address_and_what_varies_by_everything_are_not_kept(counting):
    counting.extra = {"Cache-Control": "max-age=3600"}
    for _ in range(2):
        response = flowlet.get(f"{counting.url}/redirect", cache="1h", follow_redirects=False)
        assert response.headers["Location"] == "/signed?sig=canary-5e1f"
    assert not any(b"canary-5e1f" in file.read_bytes() for file in cache_file().parent.iterdir())
    counting.extra = {"Vary": "*"}
    for _ in range(2):
        flowlet.get(f"{counting.url}/x", cache="1h")
    assert counting.seen == ["/redirect", "/redirect", "/x", "/x"]
