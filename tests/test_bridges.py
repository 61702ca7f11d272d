"""A secret in other libraries' clients, each the real one: the header is there, the host rule holds, a 401 refreshes."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import threading
import time

import httpx
import pandas as pd
import pytest
import requests
from google.auth.transport.requests import AuthorizedSession
from servers.oauth_provider import FRESH, provider, stored
from support import birdsong_secret

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import HostNotAllowed, InvalidOption, MissingExtra
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-5e1f"


@pytest.fixture
def secret(api):
    flowlet.secrets.add(flowlet.Password(name="api", password=CANARY, base_url=api.url))


@pytest.fixture
def twitter(birdsong):
    """An OAuth2 secret whose access token the API no longer takes."""
    secret = birdsong_secret(birdsong, "http://localhost/callback")
    birdsong.server.provider.state["grants"]["g"] = {
        "client_id": secret.client_id, "scope": "users.read offline.access", "username": "ada",
    }  # fmt: skip
    issued = birdsong.server.provider._issue("g")
    tokens = TokenSet(
        access_token=SecretValue("revoked"), refresh_token=SecretValue(issued["refresh_token"]), obtained_at=time.time()
    )
    default_vault().put(Record(secret=secret, token_set=tokens))
    return birdsong


def test_requests(api, secret):
    auth = flowlet.requests_auth("api")
    echoed = requests.get(f"{api.url}/echo", auth=auth, timeout=5).json()
    assert echoed["headers"]["Authorization"] == f"Bearer {CANARY}"
    assert CANARY not in repr(auth) + str(vars(auth))
    with pytest.raises(HostNotAllowed):
        requests.get("https://evil.example/", auth=auth, timeout=5)


def test_requests_refreshes_once_after_a_401(twitter):
    response = requests.get(f"{twitter.url}/2/users/me", auth=flowlet.requests_auth("twitter"), timeout=5)
    assert response.json()["data"]["username"] == "ada"
    assert twitter.refresh_count() == 1


@pytest.fixture
def one_token():
    """An API that takes the access token `fresh` only, and first lets four requests come; what it and the provider saw."""
    together = threading.Barrier(4, timeout=30)
    seen = []

    def answer(handler, members):
        if handler.path == "/token":
            return 200, {}, FRESH
        good = handler.headers.get("Authorization") == "Bearer fresh"
        seen.append((handler.path, good))
        if handler.path == "/old":
            return 307, {"Location": "/new"}, b""
        if handler.path == "/together" and not good:
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait()
        return (200 if good else 401), {}, {"sent": members}

    with provider(answer) as (url, paths):
        yield url, paths, seen


@pytest.mark.parametrize("library", ["requests", "google"])
def test_what_a_bridge_sends_with_an_expired_token_is_refreshed_before(library, one_token):
    url, paths, seen = one_token
    stored(url)
    if library == "requests":
        status = requests.get(f"{url}/me", auth=flowlet.requests_auth("api"), timeout=5).status_code
    else:
        with AuthorizedSession(flowlet.google_credentials("api")) as session:
            status = session.get(f"{url}/me", timeout=5).status_code
    assert (status, paths, seen) == (200, ["/token", "/me"], [("/me", True)])


@pytest.mark.parametrize("library", ["requests", "google"])
def test_requests_of_a_bridge_that_are_refused_together_refresh_once(library, one_token):
    url, paths, _ = one_token
    stored(url, expires_at=None)
    statuses = []
    auth = flowlet.requests_auth("api") if library == "requests" else flowlet.google_credentials("api")

    def ask():
        if library == "requests":
            statuses.append(requests.get(f"{url}/together", auth=auth, timeout=30).status_code)
        else:
            with AuthorizedSession(auth) as session:
                statuses.append(session.get(f"{url}/together", timeout=30).status_code)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses, paths.count("/token")) == ([200] * 4, 1)


def test_a_refusal_of_a_token_that_is_replaced_already_refreshes_nothing(one_token):
    url, paths, _ = one_token
    stored(url, expires_at=None)
    credentials, headers = flowlet.google_credentials("api"), {}
    credentials.before_request(None, "GET", f"{url}/me", headers)
    assert headers["Authorization"] == "Bearer old"
    flowlet.secrets["api"].refresh()  # meanwhile, for somebody else
    credentials.refresh(None)
    assert paths == ["/token"]


def test_requests_sends_a_body_again_as_far_as_it_can(one_token, tmp_path):
    url, paths, _ = one_token
    file = tmp_path / "body"
    file.write_bytes(b"name=ada")
    for body in (b"name=ada", {"name": "ada"}, file.open("rb")):
        stored(url, expires_at=None)
        response = requests.post(f"{url}/me", data=body, auth=flowlet.requests_auth("api"), timeout=5)
        assert (response.status_code, response.json()) == (200, {"sent": {"name": "ada"}})
        assert [each.status_code for each in response.history] == [401]
    stored(url, expires_at=None)
    with pytest.raises(flowlet.RequestFailed, match=r"fresh now.*repeat the call"):
        requests.post(f"{url}/me", data=iter([b"a"]), auth=flowlet.requests_auth("api"), timeout=5)
    assert requests.get(f"{url}/me", auth=flowlet.requests_auth("api"), timeout=5).status_code == 200
    assert paths.count("/token") == 4


def test_a_401_at_the_end_of_a_redirect_refreshes_too(one_token):
    url, paths, _ = one_token
    stored(url, expires_at=None)
    response = requests.get(f"{url}/old", auth=flowlet.requests_auth("api"), timeout=5)
    assert (response.status_code, paths) == (200, ["/old", "/new", "/token", "/new"])


@pytest.mark.parametrize("library", ["requests", "google"])
def test_a_401_that_stays_is_given_back_by_a_bridge(library):
    with provider(lambda handler, _: (200, {}, FRESH) if handler.path == "/token" else (401, {}, {})) as (url, paths):
        stored(url, expires_at=None)
        if library == "requests":
            status = requests.get(f"{url}/me", auth=flowlet.requests_auth("api"), timeout=5).status_code
            assert paths == ["/me", "/token", "/me"]
        else:
            with AuthorizedSession(flowlet.google_credentials("api"), max_refresh_attempts=1) as session:
                status = session.get(f"{url}/me", timeout=5).status_code
        assert status == 401


OAUTH = {"authorization_endpoint": "https://a.example/a", "token_endpoint": "https://a.example/t", "client_id": "c"}
CARRIED = {
    "headers": lambda: flowlet.Headers(name="key", headers={"X-Key": CANARY}, allowed_hosts=("a.example",)),
    "external": lambda: flowlet.External(name="key", source="env:CANARY", header="X-Key", allowed_hosts=("a.example",)),
    "oauth2 header": lambda: flowlet.OAuth2(name="key", compliance={"token_header": "X-Token"}, **OAUTH),
    "oauth2 parameter": lambda: flowlet.OAuth2(name="key", compliance={"token_parameter": "access_token"}, **OAUTH),
    "key in a header": lambda: flowlet.ApiKey(name="key", key=CANARY, allowed_hosts=("a.example",)),
    "key in the query": lambda: flowlet.ApiKey(name="key", key=CANARY, location="query", allowed_hosts=("a.example",)),
    "oauth2 api header": lambda: flowlet.OAuth2(name="key", compliance={"api_headers": {"X-Client": "c"}}, **OAUTH),
}
BRIDGES = {
    "httpx": lambda: flowlet.auth("key"),
    "requests": lambda: flowlet.requests_auth("key"),
    "google": lambda: flowlet.google_credentials("key"),
    "azure": lambda: flowlet.azure_credential("key", "https://a.example/"),
}


@pytest.mark.parametrize("bridge", BRIDGES)
@pytest.mark.parametrize("kind", CARRIED)
def test_whatever_a_redirect_would_carry_elsewhere_is_refused(kind, bridge, monkeypatch):
    monkeypatch.setenv("CANARY", CANARY)
    default_vault().put(Record(secret=CARRIED[kind]()))
    with pytest.raises(InvalidOption, match="carry along on a redirect") as caught:
        BRIDGES[bridge]()
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("bridge", ["httpx", "requests", "google"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", ["password", "basic", "external"])
def test_what_is_let_through_does_not_reach_another_host(redirecting, kind, status, bridge, monkeypatch):
    """Each library strips Authorization itself, or the bridge's host rule stops it."""
    monkeypatch.setenv("CANARY", CANARY)
    made = {
        "password": lambda: flowlet.Password(name="key", password=CANARY, base_url=redirecting.url),
        "basic": lambda: flowlet.Basic(name="key", username="ann", password=CANARY, base_url=redirecting.url),
        "external": lambda: flowlet.External(name="key", source="env:CANARY", base_url=redirecting.url),
    }[kind]()
    flowlet.secrets.add(made)
    elsewhere = redirecting.url.replace("127.0.0.1", "localhost")
    url = f"{redirecting.url}/{status}/{elsewhere}"
    with contextlib.suppress(flowlet.FlowletError):
        if bridge == "httpx":
            httpx.get(url, auth=flowlet.auth("key"), follow_redirects=True)
        elif bridge == "requests":
            requests.get(url, auth=flowlet.requests_auth("key"), timeout=5)
        else:
            with AuthorizedSession(flowlet.google_credentials("key")) as session:
                session.get(url, timeout=5)
    assert [bool(sent) for host, sent in redirecting.seen if host.startswith("127.0.0.1")] == [True]
    assert [sent for host, sent in redirecting.seen if host.startswith("localhost") and sent] == []


SENDING = {
    "httpx": lambda url: httpx.get(url, auth=flowlet.auth("key"), follow_redirects=True),
    "requests": lambda url: requests.get(url, auth=flowlet.requests_auth("key"), timeout=5),
    "google": lambda url: AuthorizedSession(flowlet.google_credentials("key")).get(url, timeout=5),
}


@pytest.mark.parametrize("bridge", SENDING)
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_nothing_for_this_machine_is_handed_to_a_proxy(redirecting, bridge, variable, monkeypatch):
    """The proxy is the same server: what reaches it with the secret would have been read there."""
    port = redirecting.server_port
    url = f"http://localhost:{port}"
    flowlet.secrets.add(flowlet.Password(name="key", password=CANARY, base_url=url))
    monkeypatch.setenv(variable, f"http://127.0.0.1:{port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(HostNotAllowed, match="NO_PROXY"):
        SENDING[bridge](f"{url}/")
    assert redirecting.seen == []
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert SENDING[bridge](f"{url}/").status_code == 200
    assert len(redirecting.seen) == 1


@pytest.mark.parametrize("bridge", ["httpx", "httpx async", "requests"])
def test_another_hosts_401_ends_no_token_of_ours(redirecting, bridge):
    elsewhere = redirecting.url.replace("127.0.0.1", "localhost")
    url = f"{redirecting.url}/302/{elsewhere}/401/"
    fields = {**OAUTH, "token_endpoint": f"{redirecting.url}/200/token", "base_url": redirecting.url}
    tokens = TokenSet(access_token=SecretValue(CANARY), refresh_token=SecretValue("refresh-token"))
    default_vault().put(Record(secret=flowlet.OAuth2(name="key", **fields), token_set=tokens))
    if bridge == "httpx async":

        async def send():
            async with httpx.AsyncClient(auth=flowlet.auth("key"), follow_redirects=True) as client:
                return await client.get(url)

        response = asyncio.run(send())
    else:
        response = SENDING[bridge](url)
    assert response.status_code == 401
    assert not any("token" in path for path in redirecting.paths)


@pytest.fixture
def redirecting():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.seen.append((self.headers["Host"], self.headers["Authorization"]))
            self.server.paths.append(self.path)
            _, status, target = (*self.path.split("/", 2), "", "")[:3]
            self.send_response(int(status) if target or status == "401" else 200)
            self.send_header("Location", target)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.seen, server.paths = [], []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_google(twitter):
    credentials = flowlet.google_credentials("twitter")
    session = AuthorizedSession(credentials)
    response = session.get(f"{twitter.url}/2/users/me", timeout=5)
    assert response.json()["data"]["username"] == "ada"  # their session refreshes after a 401
    with pytest.raises(HostNotAllowed):
        session.get("https://evil.example/", timeout=5)
    session.close()


def test_azure(api, secret):
    credential = flowlet.azure_credential("api", api.url)
    token = credential.get_token("https://vault.azure.net/.default")
    assert token.token == CANARY
    assert token.expires_on > time.time()
    assert CANARY not in repr(credential)
    with pytest.raises(HostNotAllowed):
        flowlet.azure_credential("api", "https://evil.example/")


def test_pandas_reads_by_the_name_of_the_secret(api, secret):
    address = f"flowlet://{api.url.removeprefix('http://')}"
    frame = pd.read_json(f"{address}/link?p=1", storage_options={"secret": "api"})
    assert len(frame) == 10
    assert api.requests[-1][2]["Authorization"] == f"Bearer {CANARY}"
    with pytest.raises(HostNotAllowed):
        pd.read_json("flowlet://evil.example/x.json", storage_options={"secret": "api"})
    with pytest.raises(flowlet.RequestFailed, match="404"):
        pd.read_json(f"{address}/nothing", storage_options={"secret": "api"})


def _read_by_pandas(url: str, session: flowlet.Session) -> None:
    options = {"secret": "api", "session": session}
    pd.read_json(f"flowlet://{url.removeprefix('http://')}/link?p=1", storage_options=options)


OF_SESSION = {
    "httpx": lambda url, session: httpx.get(f"{url}/user/1", auth=flowlet.auth("api", session=session)),
    "requests": lambda url, session: requests.get(
        f"{url}/user/1", auth=flowlet.requests_auth("api", session=session), timeout=5
    ),
    "google": lambda url, session: AuthorizedSession(flowlet.google_credentials("api", session=session)).get(
        f"{url}/user/1", timeout=5
    ),
    "azure": lambda url, session: httpx.get(f"{url}/user/1", headers={
        "Authorization": f"Bearer {flowlet.azure_credential('api', url, session=session).get_token().token}"
    }),
    "fsspec": _read_by_pandas,
}  # fmt: skip


@pytest.mark.parametrize("bridge", OF_SESSION)
def test_a_bridge_of_a_session_sends_the_secret_of_its_vault(bridge, api, secret, tmp_path):
    with flowlet.Session(tmp_path / "other" / "vault") as other:
        flowlet.secrets.of(other).add(flowlet.Password(name="api", password="of-the-other", base_url=api.url))
        for session in (other, None, other):
            OF_SESSION[bridge](api.url, session)
    sent = [request[2]["Authorization"].removeprefix("Bearer ") for request in api.requests]
    assert sent == ["of-the-other", CANARY, "of-the-other"]


@pytest.mark.parametrize("package", ["requests", "google", "azure"])
def test_a_library_that_is_missing_is_named(package, secret, api, monkeypatch):
    names = {"requests": "requests.auth", "google": "google.auth", "azure": "azure.core.credentials"}
    monkeypatch.setitem(__import__("sys").modules, names[package], None)
    make = {
        "requests": lambda: flowlet.requests_auth("api"),
        "google": lambda: flowlet.google_credentials("api"),
        "azure": lambda: flowlet.azure_credential("api", api.url),
    }[package]
    with pytest.raises(MissingExtra, match="pip install"):
        make()
