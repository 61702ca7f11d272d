"""The short way around httpx's client: what arrives and what comes back is the same as by `httpx.Client.request`."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
import threading
import time
from http.cookiejar import CookieJar, DefaultCookiePolicy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http import plain_request
from flowlet_jupyter.http import response as response_module
from flowlet_jupyter.http.client import ClientPool
from flowlet_jupyter.http.plain_request import AsyncPlainClient, PlainClient
from flowlet_jupyter.http.redirects import AsyncRedirectTransport, RedirectTransport
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.model.static import Password
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.session import default_session
from flowlet_jupyter.testing import put_secret

MODES = ("sync", "async")
NO_COOKIES = {"cookies": CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _respond(self):
        self.server.seen.append((self.requestline, list(self.headers.items())))
        if self.path.startswith("/slow"):
            time.sleep(0.1)
        is_redirect = self.path.startswith(("/to", "/slow"))
        self.send_response(302 if is_redirect else 404 if self.path == "/missing" else 200)
        if is_redirect:
            self.send_header("Location", "/loop" if self.path == "/to/loop" else "/here")
        self.send_header("Set-Cookie", "session=1")
        self.send_header("Content-Type", "text/plain; charset=iso-8859-1")
        self.send_header("Content-Length", "4")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"caf\xe9")

    do_GET = do_HEAD = do_OPTIONS = do_DELETE = _respond

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as started:
        started.daemon_threads = True
        started.seen = []
        started.url = f"http://127.0.0.1:{started.server_address[1]}"
        thread = threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield started
        started.shutdown()
        thread.join()


@pytest.fixture(params=MODES)
def sent(request):
    """`sent(function, method, url, **options)`: the response of a pooled client's `ask` or `request`."""

    def send(function: str, method: str, url: str, *, secret: str | None = None, **options):
        pool = default_session().part(ClientPool)
        if request.param == "sync":
            return getattr(pool.get(secret), function)(method, url, **options)

        async def run():
            try:
                return await getattr(pool.get_async(secret), function)(method, url, **options)
            finally:
                await pool.aclose()

        return asyncio.run(run())

    return send


def went_httpxs_way(response: httpx.Response) -> bool:
    return type(response.stream).__name__ in {"BoundSyncStream", "BoundAsyncStream"}


def looks(response: httpx.Response) -> dict:
    request = response.request
    names = ("status_code", "text", "content", "encoding", "default_encoding", "http_version", "reason_phrase", "url",
             "is_closed", "is_stream_consumed", "next_request", "num_bytes_downloaded")  # fmt: skip
    return {
        **{name: getattr(response, name) for name in names},
        "headers": [pair for pair in response.headers.raw if pair[0].lower() != b"date"],
        "history": [(each.status_code, each.text, each.url) for each in response.history],
        "cookies": dict(response.cookies),
        "request": (request.method, request.url, request.headers.raw, b"".join(request.stream)),
        "timeout": request.extensions["timeout"],
        "has_elapsed": response.elapsed.total_seconds() > 0,
    }


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("path", ["/here?q=a%20b&q=%C3%A9", "/missing", ""])
@pytest.mark.parametrize("secret", [None, "api"])
def test_the_same_request_arrives_and_the_same_response_comes(server, sent, method, path, secret):
    put_secret(Password(name="api", password=SecretValue("canary-5e1f"), base_url=server.url))
    short, by_httpx = (sent(function, method, f"{server.url}{path}", secret=secret) for function in ("ask", "request"))
    assert not went_httpxs_way(short)
    assert went_httpxs_way(by_httpx)
    assert looks(short) == looks(by_httpx)
    assert server.seen[0] == server.seen[1]


@pytest.mark.parametrize("follow", [True, False])
def test_redirects_are_httpxs_own(server, sent, follow):
    url = f"{server.url}/slow"
    short, by_httpx = (sent(function, "GET", url, follow_redirects=follow) for function in ("ask", "request"))
    first, own = looks(short), looks(by_httpx)
    following = [each.pop("next_request") for each in (first, own)]
    assert first == own
    assert [each and each.url for each in following] == [None if follow else httpx.URL(f"{server.url}/here")] * 2
    assert server.seen[: len(server.seen) // 2] == server.seen[len(server.seen) // 2 :]
    of_slow_hop = short.history[0] if follow else short
    assert of_slow_hop.elapsed.total_seconds() >= 0.1


@pytest.mark.parametrize("mode", MODES)
def test_redirects_without_end_are_ended_by_httpx(mode):
    hops = []

    def respond(request: httpx.Request) -> httpx.Response:
        hops.append(request.url)
        return httpx.Response(302, headers={"Location": "/again"})

    with pytest.raises(httpx.TooManyRedirects):
        asked(mode, httpx.MockTransport(respond), follow_redirects=True, max_redirects=3)
    assert len(hops) == 4


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"X-A": "1"}},
        {"params": {"q": "1"}},
        {"timeout": 5},
        {"auth": ("ann", "pw")},
    ],
)
def test_whatever_is_asked_for_goes_httpxs_way(server, sent, options):
    assert went_httpxs_way(sent("ask", "GET", f"{server.url}/here", **options))


@pytest.mark.parametrize("method", ["get", "POST", "PUT", "PATCH", "PROPFIND"])
def test_a_method_that_may_have_a_body_goes_httpxs_way(server, sent, method):
    with contextlib.suppress(httpx.HTTPError):
        assert went_httpxs_way(sent("ask", method, f"{server.url}/here"))


def test_a_users_name_in_the_url_is_sent_as_httpx_sends_it(server, sent):
    url = server.url.replace("://", "://ann:pw@")
    assert went_httpxs_way(sent("ask", "GET", f"{url}/here"))
    assert dict(server.seen[0][1])["Authorization"].startswith("Basic ")


def test_the_log_of_httpx_has_its_line_where_somebody_reads_it(server, sent, caplog):
    with caplog.at_level(logging.INFO, logger="httpx"):
        assert went_httpxs_way(sent("ask", "GET", f"{server.url}/here"))
    assert "GET" in caplog.text


@pytest.mark.parametrize("name", ["request", "build_request", "send", "_send_single_request"])
def test_who_replaces_a_function_of_httpx_sees_each_request(server, sent, name, monkeypatch):
    seen = []

    def watched(own):
        def replaced(*arguments, **options):
            seen.append(name)
            return own(*arguments, **options)

        return replaced

    for kind in (httpx.Client, httpx.AsyncClient):
        monkeypatch.setattr(kind, name, watched(getattr(kind, name)))
    assert went_httpxs_way(sent("ask", "GET", f"{server.url}/here"))
    assert seen == [name]


def test_a_cookie_is_not_taken_in(server, sent):
    for _ in range(2):
        sent("ask", "GET", f"{server.url}/here")
    assert all("Cookie" not in dict(headers) for _, headers in server.seen)


@pytest.mark.parametrize("mode", MODES)
def test_a_pooled_client_has_nothing_that_the_short_way_leaves_out(mode):
    pool = default_session().part(ClientPool)

    async def of_loop():
        pooled = pool.get_async(None)
        await pool.aclose()
        return pooled

    pooled = pool.get(None) if mode == "sync" else asyncio.run(of_loop())
    assert pooled.event_hooks == {"request": [], "response": []}
    assert pooled.auth is None
    assert not pooled.params
    assert not pooled.cookies
    assert not pooled._mounts
    assert not pooled.trust_env
    assert str(pooled.base_url) == ""
    assert pooled._default_encoding == "utf-8"
    assert isinstance(pooled._transport, RedirectTransport if mode == "sync" else AsyncRedirectTransport)


def asked(mode: str, transport, **options) -> httpx.Response:
    """The response of one GET by a client of ours over `transport`."""
    if mode == "sync":
        with PlainClient(transport=_First(transport), trust_env=False, **NO_COOKIES, **options) as client:
            return client.ask("GET", "http://api.example/")

    async def run():
        async with AsyncPlainClient(transport=_First(transport), trust_env=False, **NO_COOKIES, **options) as client:
            return await client.ask("GET", "http://api.example/")

    return asyncio.run(run())


class _First(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Gives httpx the response that the short way has already, as our redirect transport does."""

    def __init__(self, inner):
        self._inner = inner

    def handle_request(self, request):
        return request.extensions.pop("flowlet_first_response", None) or self._inner.handle_request(request)

    async def handle_async_request(self, request):
        return request.extensions.pop("flowlet_first_response", None) or await self._inner.handle_async_request(request)


class _Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.closed = 0

    def __iter__(self):
        yield b"a"
        raise self.error

    async def __aiter__(self):
        yield b"a"
        raise self.error

    def close(self):
        self.closed += 1

    async def aclose(self):
        self.closed += 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("error", [httpx.ReadError("broke off"), httpx.ReadTimeout("too slow"), ValueError("odd")])
def test_a_body_that_breaks_off_is_closed(mode, error):
    stream = _Broken(error)
    with pytest.raises(type(error)) as raised:
        asked(mode, httpx.MockTransport(lambda _: httpx.Response(200, stream=stream)))
    assert raised.value is error
    assert stream.closed


@pytest.mark.parametrize("status", [200, 302])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_body_that_cannot_be_decoded_is_closed(encoding, status):
    stream = httpx.ByteStream(b"not packed at all")
    headers = {"Content-Encoding": encoding, "Location": "/next"}
    for mode in MODES:
        with pytest.raises(httpx.DecodingError):
            asked(mode, httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, stream=stream)))


@pytest.mark.parametrize("mode", MODES)
def test_a_client_that_was_closed_sends_nothing(server, mode):
    if mode == "sync":
        pooled = default_session().part(ClientPool).get(None)
        pooled.close()
        with pytest.raises(RuntimeError, match="closed"):
            pooled.ask("GET", server.url)
    else:

        async def run():
            pooled = default_session().part(ClientPool).get_async(None)
            await pooled.aclose()
            await pooled.ask("GET", server.url)

        with pytest.raises(RuntimeError, match="closed"):
            asyncio.run(run())
    assert server.seen == []
    default_session().part(ClientPool).close()


PATHS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "/",
                "/.",
                "/..",
                "/./",
                "//",
                "%2F",
                "%2f",
                "%",
                "%zz",
                "?",
                "?a=b",
                "&",
                "#",
                "@",
                "\\",
                "[",
                "~",
                "{",
                '"',
                "`",
                "<",
                " ",
                "\t",
                "\u00fc",
            ]
        ),
        st.text(st.characters(min_codepoint=0x1F, max_codepoint=0x17F), max_size=4),
        st.text("abcXYZ019-._~!$&'()*+,;=:@", max_size=8),
    ),
    max_size=6,
).map("".join)
ORIGINS = st.sampled_from([
    "http://127.0.0.1:8000", "http://127.0.0.1:80", "https://api.example.com", "https://api.example.com:443",
    "https://api.example.com:0443", "https://API.example.com", "https://b\u00fccher.example", "https://xn--bcher-kva.example",
    "http://[::1]:8000", "https://ann:pw@api.example.com", "https://api.example.com.", "http://0x7f.1", "https://a_b.example",
    "https://api.example.com:", "https://api.example.com:99999", "https://-a.example", "HTTPS://api.example.com", "https://..",
])  # fmt: skip


def _made(make) -> object:
    try:
        request = make()
    except (httpx.InvalidURL, UnicodeError) as error:
        return type(error) if isinstance(error, httpx.InvalidURL) else None
    return request and (
        request.method, vars(request.url), str(request.url), request.headers.raw, request.headers.encoding,
        request.content, request.extensions,
    )  # fmt: skip


@given(st.lists(st.tuples(ORIGINS, PATHS), min_size=1, max_size=4))
def test_an_address_that_is_put_together_is_the_one_that_httpx_makes(addresses):
    with PlainClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)), trust_env=False) as client:
        for origin, path in addresses:
            url = f"{origin}/{path}"
            short = _made(lambda url=url: plain_request._plain_request(client, "GET", url, {}))
            if short is not None:  # else it goes httpx's way
                assert short == _made(lambda url=url: client.build_request("GET", url))


def test_each_host_gets_its_own_name_whichever_was_asked_before():
    hosts = []

    def respond(request: httpx.Request) -> httpx.Response:
        hosts.append((str(request.url), request.headers["Host"]))
        return httpx.Response(200)

    with PlainClient(transport=_First(httpx.MockTransport(respond)), trust_env=False, **NO_COOKIES) as client:
        for url in ("http://a.example/1", "http://b.example/2", "http://b.example:81/3", "http://a.example/4"):
            client.ask("GET", url)
    assert hosts == [
        ("http://a.example/1", "a.example"),
        ("http://b.example/2", "b.example"),
        ("http://b.example:81/3", "b.example:81"),
        ("http://a.example/4", "a.example"),
    ]


def test_an_origin_is_taken_apart_once(monkeypatch):
    parsed = []
    own = plain_request._parsed
    monkeypatch.setattr(plain_request, "_parsed", lambda client, url: parsed.append(url) or own(client, url))
    with PlainClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)), trust_env=False) as client:
        for url in ("http://a.example/1?q=%20", "http://a.example/2", "http://a.example/a/../3"):
            assert plain_request._plain_request(client, "GET", url, {})
    assert parsed == ["http://a.example/", "http://a.example/a/../3"]


def test_with_another_httpx_each_address_is_taken_apart(monkeypatch):
    assert plain_request._may_put_together.__wrapped__()
    monkeypatch.setattr(plain_request, "_with_target", lambda url, *_: url.reference)
    assert not plain_request._may_put_together.__wrapped__()
    monkeypatch.setattr(plain_request, "_with_target", lambda url, *_: url)
    assert not plain_request._may_put_together.__wrapped__()


@pytest.mark.parametrize("sign", list("~_!$&'()*+,;:@=%./-"))
def test_with_an_httpx_that_quotes_more_each_address_is_taken_apart(monkeypatch, sign):
    quote = httpx._urlparse.quote
    monkeypatch.setattr(
        httpx._urlparse, "quote", lambda text, **options: quote(text, **options).replace(sign, f"%{ord(sign):X}")
    )
    assert not plain_request._may_put_together.__wrapped__()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("body", [b"", b"text", gzip.compress(b"text", mtime=0)], ids=["empty", "text", "gzip"])
def test_a_body_that_is_here_at_once_is_read_as_by_httpx(mode, body):
    headers = {"Content-Encoding": "gzip"} if body.startswith(b"\x1f") else {}
    ours, own = (
        kind(200, headers=headers, stream=httpx.ByteStream(body), request=httpx.Request("GET", "http://a.example/"))
        for kind in (Response, httpx.Response)
    )
    read = [each.read() if mode == "sync" else asyncio.run(each.aread()) for each in (ours, own)]
    assert read[0] == read[1] == ours.content
    for name in ("is_closed", "is_stream_consumed", "num_bytes_downloaded"):
        assert getattr(ours, name) == getattr(own, name)
    with pytest.raises(httpx.StreamConsumed):
        list(ours.iter_raw())


def test_a_body_that_is_not_packed_needs_no_buffers(monkeypatch):
    def refuse(_self):
        raise AssertionError("httpx's iter_bytes")

    async def in_pieces():
        return await Response(200, stream=httpx.ByteStream(b"abc")).aread()

    monkeypatch.setattr(Response, "iter_bytes", refuse)
    monkeypatch.setattr(Response, "aiter_bytes", refuse)
    assert asyncio.run(in_pieces()) == b"abc"
    assert Response(200, stream=httpx.ByteStream(b"abc")).read() == b"abc"
    assert Response(200, stream=_Pieces()).read() == b"abc"
    with pytest.raises(AssertionError):
        Response(200, headers={"Content-Encoding": "gzip"}, stream=_Pieces()).read()


class _Pieces(httpx.SyncByteStream):
    closed = False

    def __iter__(self):
        yield from (b"a", b"", b"bc")

    def close(self):
        self.closed = True


def test_a_body_that_comes_in_pieces_is_read_as_by_httpx():
    ours, own = (kind(200, stream=_Pieces()) for kind in (Response, httpx.Response))
    assert ours.read() == own.read() == b"abc"
    assert ours.stream.closed
    for name in ("is_closed", "is_stream_consumed", "num_bytes_downloaded"):
        assert getattr(ours, name) == getattr(own, name)
    for each in (ours, own):
        del each._content
        with pytest.raises(httpx.StreamConsumed):
            each.read()


@pytest.mark.parametrize("kind", [Response, httpx.Response])
def test_an_error_while_a_body_is_read_knows_its_request(kind):
    asked = httpx.Request("GET", "http://a.example/")
    with pytest.raises(httpx.ReadError) as raised:
        kind(200, stream=_Broken(httpx.ReadError("broke off")), request=asked).read()
    assert raised.value.request is asked


@pytest.mark.parametrize("mode", MODES)
def test_a_body_that_is_here_at_once_and_too_long_is_refused(mode, monkeypatch):
    monkeypatch.setattr(response_module, "MAX_BODY_BYTES", 3)
    too_long = Response(200, stream=httpx.ByteStream(b"abcd"))
    with pytest.raises(RequestFailed, match="longer than"):
        too_long.read() if mode == "sync" else asyncio.run(too_long.aread())
    assert not hasattr(too_long, "_content")
