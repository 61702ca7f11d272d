"""Whatever an API repeats of a secret's value, and in whatever form, no output and no message shows it.

Generated over kinds of secret, forms of a value and surfaces; each search is first shown to find the value.
"""

from __future__ import annotations

import base64
import copy
import html
import json
import pickle
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import flowlet_jupyter as flowlet
from flowlet_jupyter.credentials.redaction import HIDDEN, SentValues
from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.response import redacted
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.notebook.display.html import response_html
from flowlet_jupyter.notebook.display.text import response_text
from flowlet_jupyter.vault import default_vault

# characters that JSON, URLs, HTML and base64 each write in another way
CANARY = "canary/5e1f+Zq=&<w>\"x'9~K"
# what must be left of no surface: the value's letters and digits in order, whatever stands between them
TRACE = re.compile(".{0,12}?".join("canary5e1fZqwx9K"), re.DOTALL)


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, slashes escaped": lambda text: json.dumps(text)[1:-1].replace("/", r"\/"),
    "JSON, every character escaped": lambda text: "".join(f"\\u{ord(sign):04x}" for sign in text),
    "JSON, escaped in capitals": lambda text: "".join(f"\\u{ord(sign):04X}" for sign in text),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text).replace("/", r"\/"))[1:-1],
    "percent": lambda text: quote(text, safe=""),
    "percent, small": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "percent, every character": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, capitals": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 behind a name": lambda text: base64.b64encode(f"ann:{text}".encode()).decode(),
    "base64, percent": lambda text: quote(base64.b64encode(f"x:{text}".encode()).decode(), safe=""),
    "HTML": html.escape,
    "HTML, by numbers": lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    "split by markup": lambda text: f"<b>{html.escape(text[:9])}</b><wbr/>{html.escape(text[9:])}",
}
# rarer ones, which are tried by the property below only
MORE_FORMS: dict[str, Callable[[str], str]] = {
    "capitals": lambda text: text.encode().upper().decode(),
    "small letters": lambda text: text.encode().lower().decode(),
    "hexadecimal, mixed": lambda text: "".join(f"{n:02X}" if n % 2 else f"{n:02x}" for n in text.encode()),
    "hexadecimal, separated": lambda text: text.encode().hex(":"),
    "base64 in lines": lambda text: base64.encodebytes(b"x" * 50 + text.encode() * 2).decode(),
    "base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    "base64 of base64": lambda text: base64.b64encode(base64.b64encode(f"u:{text}".encode())).decode(),
    "base64 of JSON": lambda text: base64.b64encode(json.dumps({"token": text}).encode()).decode(),
    "JavaScript": lambda text: "".join(f"\\u{{{ord(sign):x}}}" for sign in text),
    "octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "escape()": lambda text: "".join(f"%u{ord(sign):04x}" for sign in text),
    "HTML, by numbers alone": lambda text: "".join(f"&#{ord(sign)}" for sign in text) + " ",
    "a line break within": lambda text: f"{text[:6]}\r\n {text[6:].lstrip()}" if text[6:7].strip() else text,
    "CDATA": lambda text: f"<![CDATA[{text[:5]}]]><![CDATA[{text[5:]}]]>" if "<" not in text else text,
}
REVERSED: dict[str, Callable[[str], str]] = {
    "hexadecimal": lambda text: _try(lambda found: bytes.fromhex(found[0]).decode(), r"(?:[0-9a-fA-F]{2}){12,}", text),
    "base64": lambda text: _try(
        lambda found: base64.b64decode(found[0].replace("-", "+").replace("_", "/") + "==").decode("latin-1"),
        r"[A-Za-z0-9+/_-]{16,}", text,
    ),
    "escapes": lambda text: re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text),
    "percent": unquote,
    "HTML": html.unescape,
    "markup": lambda text: re.sub(r"<[^<>]*>", "", text),
    "backslashes": lambda text: text.replace("\\", ""),
}  # fmt: skip


def _try(decoded: Callable[[re.Match], str], pattern: str, text: str) -> str:
    def replaced(found: re.Match) -> str:
        try:
            return decoded(found)
        except ValueError:
            return found[0]

    return re.sub(pattern, replaced, text)


def shows_canary(text: str) -> bool:
    """Whether the value can be read in `text`, by decoders that are none of the package's."""
    seen = {text}
    for _ in range(3):
        for known in list(seen):
            seen |= {reverse(known) for reverse in REVERSED.values()}
    return any(TRACE.search(each) for each in seen)


class _Parrot(BaseHTTPRequestHandler):
    """Answers `/STATUS` with what `server.answer(value)` makes of the value that it was sent."""

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        given = parse_qs(parts.query).get("access_token") or [""]
        value = given[0] or self.headers.get("X-Key") or self.headers.get("Authorization", "").partition(" ")[2]
        value = unquote(self.headers.get("X-Repeat", "")) or value
        if self.headers.get("Authorization", "").startswith("Basic "):
            value = base64.b64decode(value).decode().partition(":")[2]
        self.server.received = value
        form, status = self.server.form, int(parts.path.rpartition("/")[2])
        body = f'{{"items": [{{"id": 1}}], "page": 1, "total": 30, "message": "you sent {form(value)}"}}'
        if self.server.content_type != "application/json":
            body = f"you sent {form(value)}"
        content = body.encode()
        self.send_response(status, f"Said {form(value)}".encode("ascii", "replace").decode())
        self.send_header("Content-Type", self.server.content_type)
        self.send_header("X-Seen", form(value))
        self.send_header("Location", f"http://127.0.0.1/login?next={form(value)}")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def parrot() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Parrot) as server:
        server.url = f"http://127.0.0.1:{server.server_port}"
        server.form, server.content_type, server.received = str, "application/json", ""
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def oauth2(url: str, **compliance: object) -> flowlet.OAuth2:
    return flowlet.OAuth2(
        name="api", client_id="i", client_secret="another secret value", token_endpoint=f"{url}/token",
        authorization_endpoint=f"{url}/authorize", base_url=url, compliance=compliance,
    )  # fmt: skip


KINDS = ("password", "basic", "headers", "external", "oauth2", "oauth2 in the query")


def put(kind: str, url: str, monkeypatch: pytest.MonkeyPatch, value: str = CANARY) -> None:
    monkeypatch.setenv("PARROT_KEY", value)
    secret = {
        "password": lambda: flowlet.Password(name="api", password=value, base_url=url),
        "basic": lambda: flowlet.Basic(name="api", username="ann", password=value, base_url=url),
        "headers": lambda: flowlet.Headers(name="api", headers={"X-Key": value}, base_url=url),
        "external": lambda: flowlet.External(name="api", source="env:PARROT_KEY", base_url=url),
        "oauth2": lambda: oauth2(url),
        "oauth2 in the query": lambda: oauth2(url, token_parameter="access_token"),
    }[kind]()
    token = TokenSet(access_token=SecretValue(value), obtained_at=time.time()) if "oauth2" in kind else None
    default_vault().put(Record(secret=secret, token_set=token))


# what shows a response, each with the status that it is about


def _har(_response) -> str:
    with flowlet.recording() as har:
        flowlet.get("/201", secret="api")
    return json.dumps(har.to_dict())


def _error_of(action: Callable[[], object]) -> str:
    with pytest.raises(FlowletError) as caught:
        action()
    return f"{caught.value}\n{caught.value!r}"


def _gathered(_response) -> str:
    gathered = flowlet.gather(["/400", "/403"], secret="api", retry=0)
    return "\n".join([str(gathered.errors), repr(gathered)])


SURFACES: dict[str, Callable[[flowlet.Response], str]] = {
    "HTML view": lambda response: response_html(redacted(response)),
    "plain view": lambda response: response_text(redacted(response)),
    "repr": repr,
    "HAR": _har,
    "gathered errors": _gathered,
    "gather that raises": lambda _: _error_of(lambda: flowlet.gather(["/400"], secret="api", errors="raise", retry=0)),
    "to_df of an error": lambda response: _error_of(response.to_df),
    "records of an error": lambda response: _error_of(response.records),
    "a key that is not there": lambda response: _error_of(lambda: response["no such key"]),
    "paging error": lambda _: _error_of(lambda: flowlet.paginate("/500", secret="api", retry=0).read_all()),
    "download error": lambda _: _error_of(lambda: flowlet.download("/400", "never.bin", secret="api", retry=0)),
    "pickle": lambda response: pickle.dumps(response).decode("latin-1"),
    "copy": lambda response: copy.deepcopy(response).text + copy.copy(response).text,
}


# the fast part has each form and each kind, and the slow one each form of each kind
EACH = [(kind, form) for kind in KINDS for form in FORMS]
IN_TURN = {(KINDS[number % len(KINDS)], form) for number, form in enumerate(FORMS)}


@pytest.mark.parametrize(
    ("kind", "form"), [pytest.param(*pair, marks=[] if pair in IN_TURN else pytest.mark.slow) for pair in EACH]
)
def test_no_surface_shows_a_value_that_an_api_repeats(kind, form, parrot, monkeypatch):
    put(kind, parrot.url, monkeypatch)
    parrot.form = FORMS[form]
    for content_type in ("application/json", "text/html"):
        parrot.content_type = content_type
        response = flowlet.get("/400", secret="api")
        assert parrot.received == CANARY
        assert shows_canary(response.text), "the search must find what is not redacted"
        for name, shown in SURFACES.items():
            assert not shows_canary(shown(response)), name


@pytest.fixture
def shell(capsys):
    # the file of a history would outlive its folder: written at the exit of the process
    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    made.run_line_magic("load_ext", "flowlet_jupyter")
    yield made
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("form", ["as it is", "JSON, every character escaped", "base64 behind a name"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_option_of_the_magic_shows_it(kind, form, parrot, shell, request):
    capsys = request.getfixturevalue("capsys")
    put(kind, parrot.url, request.getfixturevalue("monkeypatch"))
    parrot.form = FORMS[form]
    for line in ("-v -q /200 -s api", "-i -q /200 -s api"):
        shell.run_line_magic("flowlet_request", line)
        shown = capsys.readouterr().out
        assert HIDDEN in shown
        assert not shows_canary(shown), line
    for line in ("/400 -s api --raise", "/500 -s api --paginate --retry 0", "/400 -s api --df",
                 "-X POST /400 -s api --save never"):  # fmt: skip
        with pytest.raises(FlowletError) as caught:
            shell.run_line_magic("flowlet_request", line)
        assert not shows_canary(str(caught.value)), line


def changed_afterwards(change: str) -> None:
    vault = default_vault()
    if change == "deleted":
        vault.delete("api")
        return
    record = vault.get("api")
    token = TokenSet(access_token=SecretValue("the next token of all"), obtained_at=time.time())
    secret = oauth2(record.secret.base_url, authorization_scheme="OAuth") if change == "edited" else record.secret
    vault.put(Record(secret=secret, token_set=token))


@pytest.mark.parametrize("change", ["refreshed", "edited", "deleted"])
def test_an_older_response_does_not_show_a_token_that_is_no_longer_stored(change, parrot, monkeypatch):
    put("oauth2", parrot.url, monkeypatch)
    with flowlet.recording() as har:
        response = flowlet.get("/302", secret="api", follow_redirects=False)
    gathered = flowlet.gather(["/400"], secret="api", retry=0)
    changed_afterwards(change)
    for shown in (response_html(redacted(response)), response_text(redacted(response)), str(gathered.errors)):
        assert not shows_canary(shown)
        assert HIDDEN in shown
    assert HIDDEN in har.to_dict()["log"]["entries"][0]["response"]["redirectURL"]
    assert not shows_canary(json.dumps(har.to_dict()))


def test_a_value_from_elsewhere_that_has_changed_since_is_still_not_shown(parrot, monkeypatch):
    put("external", parrot.url, monkeypatch)
    response = flowlet.get("/400", secret="api")
    monkeypatch.setenv("PARROT_KEY", "the next value of all")
    assert not shows_canary(response_text(redacted(response)))


def test_the_values_are_opaque_and_in_no_copy_and_no_pickle(parrot, monkeypatch):
    put("password", parrot.url, monkeypatch)
    response = flowlet.get("/200", secret="api")
    sent = response.sent_values
    assert sent
    assert not shows_canary(f"{sent!r} {sent} {vars(response)['sent_values']}")
    for other in (_unpickled(sent), copy.copy(sent), copy.deepcopy(sent)):
        assert not other
    for other in (_unpickled(response), copy.copy(response), copy.deepcopy(response)):
        assert not other.sent_values
        assert HIDDEN in other.text
        assert other.json()["total"] == 30


@pytest.mark.parametrize("kind", ["password", "oauth2"])
def test_the_values_to_hide_are_looked_for_by_one_object_until_they_change(kind, parrot, monkeypatch):
    put(kind, parrot.url, monkeypatch)
    first, second = (flowlet.get("/400", secret="api") for _ in range(2))
    assert first.sent_values is second.sent_values
    assert not shows_canary(repr(vars(default_vault().get("api"))))
    put(kind, parrot.url, monkeypatch, value="another/" + CANARY[::-1])
    third = flowlet.get("/400", secret="api")
    assert CANARY[::-1] in third.text
    assert CANARY[::-1] not in redacted(third).text
    assert not shows_canary(redacted(first).text)


def _unpickled(value):
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own


def test_what_the_cache_keeps_has_no_value_that_an_api_repeats(parrot, monkeypatch, isolated):
    put("password", parrot.url, monkeypatch)
    first = flowlet.get("/200", secret="api", cache="1h")
    again = flowlet.get("/200", secret="api", cache="1h")
    assert not shows_canary(first.text + again.text)
    for path in isolated.rglob("answers*"):
        assert CANARY.encode() not in path.read_bytes()


# a value has no control characters: SecretValue's users refuse them
@given(
    st.text(st.characters(exclude_categories=("C",)), min_size=6, max_size=40),
    st.sampled_from(sorted(FORMS | MORE_FORMS)),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_any_value_in_any_form_is_found_wherever_it_stands(value, form, before, behind):
    if any("\ud800" <= sign <= "\udfff" or ord(sign) > 0xFFFF for sign in value):
        value = "a plain value"
    if len(value) < 10 or (len(value) < 40 and form.startswith("base64 of")):
        value += "0123456789" * (4 if form.startswith("base64 of") else 1)  # long enough for its own digits
    # letters, so that what stands around does not make another text of the value (a "%" before it, say)
    before, behind = (re.sub(r"\W", " ", text, flags=re.ASCII) + " " for text in (before, behind))
    text = f"{before}{(FORMS | MORE_FORMS)[form](value)} {behind}"
    assert HIDDEN in SentValues([SecretValue(value)]).redact(text)


@given(st.text(max_size=300))
def test_a_text_without_the_value_stays_as_it_is(text):
    assert SentValues([SecretValue("not in any text here")]).redact(text) == text


def test_a_long_body_without_the_value_is_looked_through_in_linear_time():
    sent = SentValues([SecretValue(CANARY)])
    took = []
    for size in (200_000, 800_000):
        content = b'{"a": "\\u00e9 <b>", "b": "%20"},' * (size // 32)
        started = time.process_time()
        assert sent.redact_bytes(content) is content
        took.append(time.process_time() - started)
    assert took[1] < 20 * took[0]


def test_an_interrupt_while_a_text_is_searched_shows_no_value():
    """A verbose traceback prints the variables of every frame, and the search for values has them in its own."""
    sent = SentValues([SecretValue("canary-value-5e1f")])

    def interrupt(frame, event, _):
        if event == "line" and "canary" in repr(frame.f_locals.get("form")):
            raise KeyboardInterrupt  # where a frame has a value in a variable
        return interrupt

    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            sent.redact("a text of the API")
    finally:
        sys.settrace(before)
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert all("canary" not in repr(value) for local in frames[1:] for value in local.values())
    assert caught.value.__context__ is None


def test_no_attribute_shows_the_values():
    sent = SentValues([SecretValue("canary-value-5e1f")])
    assert "canary" not in sent.redact("canary-value-5e1f")
    assert all("canary" not in repr(getattr(sent, name)) for name in dir(sent))
