"""What an API writes into headers and bodies to stop a kernel, to show the value that it was sent, or to steer what comes next."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
import traceback

import httpx
import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.gather import Gathered
from flowlet_jupyter.http.pagination.link_members import links_of_header
from flowlet_jupyter.http.rate_limit import pause_of, rate_limit_of, retry_after_of
from flowlet_jupyter.http.transport import our_response
from flowlet_jupyter.model.challenge import challenge_of
from flowlet_jupyter.model.redaction import SentValues
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.notebook.display.series import series_text
from flowlet_jupyter.notebook.display.text import response_text
from flowlet_jupyter.oauth.token_error import clock_ahead, retry_after_seconds

BIG, HUGE = "9" * 400, "9" * 5000
NO_DATES = ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 01 Jan 2020 00:00:00 +9999999999999")
# numbers that are none, times that never come
HEADERS = [
    {"ratelimit": f'"default";r={BIG};t=3'}, {"ratelimit": f'"default";r=0;t={BIG}'}, {"ratelimit": f"limit=1, remaining={HUGE}, reset=1"},
    {"x-ratelimit-limit": f"{BIG}/{BIG}"}, {"x-shop-api-call-limit": f"{HUGE}/1"},
    {"x-ratelimit-limit": f"{BIG},{BIG}", "x-ratelimit-usage": f"{BIG},{BIG}"},
    {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{BIG}d"}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{'9' * 18}h"},
    {"x-usage": '{"estimated_time_to_regain_access": %s}' % BIG}, {"x-usage": '{"estimated_time_to_regain_access": %s}' % HUGE},
    {"retry-after": f"{BIG}d"}, {"retry-after": "²"}, {"retry-after": "١٢"}, {"retry-after": "1e18"}, {"retry-after": "inf"}, {"retry-after": "nan"},
    {"retry-after": "9999-12-31T23:59:59-23:59"}, {"retry-after": "0001-01-01T00:00:00+23:59"}, {"retry-after-ms": "1e18"},
    *({"retry-after": date} for date in NO_DATES),
]  # fmt: skip


@pytest.mark.parametrize("headers", HEADERS, ids=lambda headers: "; ".join(f"{k} {v[:30]}" for k, v in headers.items()))
@pytest.mark.parametrize("status", [200, 429, 503])
def test_no_rate_limit_breaks_a_request_or_makes_it_wait_for_ever(headers, status, attacked):
    now = time.time()
    rate_limit_of(headers, now=now)
    for seconds in (pause_of(status, headers, now=now), retry_after_of(headers, now=now)):
        assert seconds is None or 0 <= seconds < 4e9  # time.sleep takes it
    retry_after_seconds(httpx.Headers(headers, encoding="utf-8"))
    attacked(3)


@pytest.mark.parametrize("date", NO_DATES)
def test_no_date_breaks_a_look_at_the_clock(date, attacked):
    assert clock_ahead({"Date": date}) is None
    attacked()


LONG = 50_000
SLOW_LINKS = ["<" + " " * LONG, "<" * LONG, "< " * (LONG // 2), "<a>" + "; a=b" * (LONG // 5), '<a>; a="' + "\\" * LONG, "<a>;" + " " * LONG,
              "<a>" + " ; a = b" * (LONG // 8) + " ;", '<a>; a="<' * (LONG // 9)]  # fmt: skip


@pytest.mark.parametrize("header", SLOW_LINKS, ids=lambda header: header[:12])
def test_a_link_header_is_read_in_time(header, attacked):
    took = _seconds_of(lambda: links_of_header(header))
    assert took < 2
    attacked()


@pytest.mark.parametrize(
    "text", ["1" * 100_000, "1" * 100_000 + ",", "1/" * LONG, "1," * LONG, "1 " * LONG, "1h" * LONG]
)
@pytest.mark.parametrize("name", ["x-ratelimit-limit", "x-ratelimit-reset", "ratelimit"])
def test_a_rate_limit_is_read_in_time(name, text, attacked):
    took = _seconds_of(lambda: pause_of(429, {name: text}, now=0))
    assert took < 0.25
    attacked()


def test_a_challenge_is_read_in_time(attacked):
    took = _seconds_of(lambda: challenge_of({"WWW-Authenticate": "a" * 100_000}))
    assert took < 0.3
    attacked()


STEERING = ["\u202e", "\u200b", "\x1b[2J", "\0", "\x9b", "\u2066", "\ud800"]


@pytest.mark.parametrize("character", STEERING, ids=ascii)
@pytest.mark.parametrize("parameter", ["scope", "acr_values", "error"])
def test_a_challenge_puts_nothing_into_the_next_cell_that_is_not_seen(parameter, character, attacked):
    found = getattr(challenge_of({"WWW-Authenticate": f'Bearer {parameter}="read{character}\n!id"'}), parameter)
    assert found.isprintable()
    assert "!id" in found
    attacked()


# ---- the value that was sent, where a message is cut

TOKEN = "eyJhbGciOiJSUzI1NiJ9." + "".join(f"{number:04x}" for number in range(500))
BODIES = {
    "error at the cut": (json.dumps({"ok": False, "error": "x " * 120 + TOKEN}), "application/json"),
    "error": (json.dumps({"ok": False, "error": TOKEN}), "application/json"),
    "XML": (f"<error><message>{'x ' * 120}{TOKEN}</message></error>", "application/xml"),
    "CSV": (f'a,b\n{TOKEN},"{TOKEN}', "text/csv"),
    "a name": (json.dumps({TOKEN: [{"a": 1}]}), "application/json"),
    "no JSON": ('{"a":"' + TOKEN, "application/json"),
    "text": (TOKEN, "text/plain"),
    "media type": ("{", TOKEN),
}
READING = {
    "to_df": lambda response: response.to_df(),
    "to_df path": lambda response: response.to_df("data"),
    "to_polars": lambda response: response.to_polars(),
    "records": lambda response: response.records(),
    "json": lambda response: response.json(),
    "item": lambda response: response["data"],
    "raise_for_status": lambda response: response.raise_for_status(),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("reading", READING)
def test_an_error_shows_no_part_of_the_value_that_the_api_repeats(body, reading, attacked):
    content, media_type = BODIES[body]
    made = httpx.Response(200, headers={"content-type": media_type}, content=content.encode())
    response = our_response(made, "api", SentValues([SecretValue(TOKEN)]))
    response.request = httpx.Request("GET", "https://api.example/x")
    response.read()
    try:
        READING[reading](response)
    except FlowletError as error:
        shown = "".join(traceback.format_exception(error)) + repr(error.__context__)
        assert TOKEN[:12] not in shown
        assert TOKEN[200:212] not in shown
    attacked()


@pytest.mark.parametrize("cut", [12, 13, 40, 200, 1000])
@pytest.mark.parametrize("rest", ["", "…", " and more", '"', ". Try again."])
def test_the_beginning_of_a_value_is_hidden_where_it_was_cut(cut, rest, attacked):
    text = f"Invalid token {TOKEN[:cut]}{rest}"
    assert SentValues([SecretValue(TOKEN)]).redact(text) == f"Invalid token (value of the secret){rest}"
    attacked()


def test_other_words_that_begin_as_a_value_are_shown():
    sent = SentValues([SecretValue("https://hooks.example.org/services/T0/B0/abcdefgh")])
    assert sent.redact("https://hooks.example.net/") == "https://hooks.example.net/"


def _seconds_of(work) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


# ---- what is not HTTP


@pytest.fixture
def speaking():
    """A server that sends the bytes it is given, whatever it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sends = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connection.recv(10_000)
                    connection.sendall(sends[0])
                    connection.close()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", sends
        listener.shutdown(socket.SHUT_RDWR)


VALUE = b"canary-value-5e1f-of-some-length"
NOT_HTTP = {
    "a status line": VALUE + b"\r\n\r\n",
    "a header": b"HTTP/1.1 200 OK\r\n" + VALUE + b"\r\n\r\n",
    "a chunk's length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + VALUE + b"\r\n",
    "a body's length": b"HTTP/1.1 200 OK\r\nContent-Length: " + VALUE + b"\r\n\r\n",
    "an encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 32\r\n\r\n" + VALUE,
    "a reason": b"HTTP/1.1 500 " + VALUE + b"\r\nContent-Length: 5\r\n\r\n",
}
WAYS = {
    "get": lambda url: flowlet.get(url, secret="api", timeout=5).raise_for_status(),
    "aget": lambda url: asyncio.run(flowlet.aget(url, secret="api", timeout=5)).raise_for_status(),
    "gather": lambda url: flowlet.gather([url], secret="api", retry=0, errors="raise", timeout=5),
}


@pytest.mark.parametrize("value_in", NOT_HTTP)
@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_http_repeats_no_value_in_an_error_or_log(value_in, way, speaking, caplog, attacked):
    url, sends = speaking
    sends.append(NOT_HTTP[value_in])
    caplog.set_level(1)
    flowlet.secrets.add(flowlet.Headers(name="api", headers={"X-Key": VALUE.decode()}, base_url=url))
    with pytest.raises(FlowletError) as caught:
        WAYS[way](url)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__) + caplog.text
    assert VALUE.decode()[:12] not in shown
    attacked()


# ---- what an API shows to a terminal

STEERS = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\",
    "\x9b2J",
    "\r",
    "\b\b",
    "\x7f",
    "\u202e",
    "\u2066",
]
SHOWN = {
    "text": lambda steer: (f"a {steer} b", "text/plain"),
    "JSON": lambda steer: (json.dumps({"a": f"x {steer} y"}, ensure_ascii=False), "application/json"),
    "records": lambda steer: (json.dumps([{f"n {steer}": f"x {steer} y"}] * 3, ensure_ascii=False), "application/json"),
    "an error": lambda steer: (
        json.dumps({"error": {"message": f"x {steer} y"}}, ensure_ascii=False),
        "application/json",
    ),
    "a form of problem": lambda steer: (
        json.dumps({"title": steer, "detail": steer}, ensure_ascii=False),
        "application/problem+json",
    ),
}


@pytest.mark.parametrize("steer", STEERS, ids=ascii)
@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("status", [200, 400])
def test_no_text_of_an_api_steers_a_terminal(shown, steer, status, attacked):
    content, media_type = SHOWN[shown](steer)
    reason = steer.encode("utf-8")
    made = httpx.Response(
        status,
        headers={"content-type": f"{media_type}; charset=utf-8"},
        content=content.encode(),
        extensions={"reason_phrase": reason},
    )
    response = our_response(made, None)
    response.request = httpx.Request("GET", "https://api.example/x")
    response.read()
    gathered = Gathered(["https://api.example/x"], None, errors="collect")
    gathered._outcomes = [response]
    for text in (response_text(response), repr(response), series_text(gathered)):
        assert steer not in text
        assert all(each.isprintable() or each in "\n\t" for each in text.replace("\u2028", ""))
    attacked()


def test_text_in_any_script_is_shown_as_it_is():
    text = "東京\u3000都, 12\u00a0000, 👩\u200d🔬, עברית, a\tb"
    response = our_response(httpx.Response(200, headers={"content-type": "text/plain"}, content=text.encode()), None)
    response.read()
    assert text in response_text(response)


# ---- a head that does not end, and one that is not HTTP

ENDLESS = {
    "a header": (b"HTTP/1.1 200 OK\r\nX-A: ", b"a"), "interim responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "a status line": (b"HTTP/1.1 200 ", b"a"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-A: a\r\n"),
}  # fmt: skip


@pytest.mark.slow  # waits as long as it is asked to
@pytest.mark.parametrize("endless", ENDLESS)
@pytest.mark.parametrize("way", ["get", "aget", "gather"])
def test_a_head_without_an_end_is_not_waited_for(endless, way, monkeypatch, attacked):
    monkeypatch.setenv("FLOWLET_TRANSPORT", "aiohttp")
    begins, goes_on = ENDLESS[endless]
    ended = threading.Event()

    def drip(listener) -> None:
        connection, _ = listener.accept()
        connection.recv(10_000)
        with contextlib.suppress(OSError):
            connection.sendall(begins)
            while not ended.wait(0.1):
                connection.sendall(goes_on)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        timeout = httpx.Timeout(0.4)
        ways = {
            "get": lambda: flowlet.get(url, timeout=timeout),
            "aget": lambda: asyncio.run(asyncio.wait_for(flowlet.aget(url, timeout=timeout), 10)),
            "gather": lambda: flowlet.gather([url], retry=0, errors="raise", timeout=timeout),
        }
        with pytest.raises(FlowletError, match="no response in time"):
            ways[way]()
        ended.set()
    attacked()


NAMES = [" x", "x ", "x y", "x:y", "Host: evil.example", "a\tb", "", "(a)", "x\x7f", "a\r\nb", "é", "a\0b\nX-B"]
TEXTS = [" v", "v ", "\tv", "a\x0bb", "\x00", "a\r\nX-B: c", "a\nb", "a\nX-B\0c"]


@pytest.mark.parametrize("pair", [("a\0b\nX-B", "c"), ("a", "b\nX-B\0c"), ("a\0b\nX-B\0c\nd", "e")], ids=ascii)
def test_no_header_hides_within_another(pair, attacked):
    pytest.importorskip("aiohttp")
    from flowlet_jupyter.http.aiohttp_transport import _plain_headers

    pairs = [(b"Host", b"a.example"), (pair[0].encode(), pair[1].encode())]
    assert _plain_headers(pairs[:1]) is not None
    assert _plain_headers(pairs) is None
    attacked()


@pytest.mark.parametrize("header", [*((name, "v") for name in NAMES), *(("X-One", text) for text in TEXTS)], ids=ascii)
@pytest.mark.parametrize("way", ["get", "aget", "apost"])
def test_a_header_that_is_none_is_not_sent(header, way, speaking, monkeypatch, attacked):
    monkeypatch.setenv("FLOWLET_TRANSPORT", "aiohttp")
    url, saying = speaking
    saying.append(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    headers = {"X-Zero": "0", header[0]: header[1]}
    with pytest.raises(FlowletError):
        if way == "get":
            flowlet.get(url, headers=headers, timeout=5)
        else:
            asyncio.run(getattr(flowlet, way)(url, headers=headers, timeout=5))
    attacked()
