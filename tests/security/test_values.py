"""Values and other people's texts in odd places: none is quoted, cut in two, sent along or run."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.cli.imports import imported
from flowlet_jupyter.credentials.external_values import MAX_BYTES, read_source
from flowlet_jupyter.credentials.redaction import SentValues, excerpt
from flowlet_jupyter.errors import FlowletError, InvalidSecret, RequestFailed, SourceUnavailable
from flowlet_jupyter.http.curl_export import as_python
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.session import default_session
from flowlet_jupyter.tables.xml import read_xml

CANARY = "canary-value-5e1f"


@pytest.mark.parametrize("given", [CANARY.encode(), [CANARY], {"value": CANARY}, bytearray(CANARY.encode())])
def test_what_is_no_text_is_refused_without_being_quoted(given):
    with pytest.raises(InvalidSecret) as caught:
        SecretValue(given)
    assert CANARY not in str(caught.value)


def external(source: str) -> flowlet.External:
    return flowlet.External(name="key", source=source, allowed_hosts=("a.example",))


def test_an_external_file_that_is_too_large_is_not_read(tmp_path):
    file = tmp_path / "key"
    file.write_text("k" * (MAX_BYTES + 1))
    with pytest.raises(SourceUnavailable, match="too large"):
        read_source(external(f"file:{file}"), default_session())


@pytest.mark.parametrize("value", [f"{CANARY}\r\nX-Evil: 1", f"{CANARY}\x00", f"{CANARY}\x7f", f"{CANARY}ü"])
def test_an_external_value_with_a_line_break_is_not_sent(tmp_path, value):
    file = tmp_path / "key"
    file.write_text(value, "utf-8")
    with pytest.raises(SourceUnavailable, match="cannot be sent") as caught:
        read_source(external(f"file:{file}"), default_session())
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "latin-1"])
def test_a_value_in_utf_16_is_found(encoding):
    value = "canary-välue-5e1f"
    content = f"the value is {value}.".encode(encoding)
    assert value.encode(encoding) not in SentValues([SecretValue(value)]).redact_bytes(content)


def test_a_value_that_a_message_cuts_in_two_is_found():
    response = Response(500, text=f"{'x' * 190}{CANARY}")
    response.sent_values = SentValues([SecretValue(CANARY)])
    assert CANARY[:8] not in excerpt(response, 200)


def test_exported_python_has_no_credential():
    code = as_python("GET", "https://a.example/", [("Authorization", CANARY), ("X-Api-Key", CANARY)], None, None)
    assert CANARY not in code
    assert "(left out)" in code


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><r><i>&b;</i><i>&b;</i></r>',
        '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><r><i>&a;</i><i>x</i></r>',
    ],
    ids=["unfolding", "another file"],
)
def test_entities_of_xml_are_refused(document):
    with pytest.raises(RequestFailed, match="entities are not read"):
        read_xml(document.encode())


def test_a_validator_with_a_line_break_is_not_sent(tmp_path):
    """The file beside an interrupted download is another program's to write: it sets no header of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.seen.append(dict(self.headers))
            self.send_response(200)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"new")

        def log_message(self, *_):
            pass

    (tmp_path / "file.part").write_bytes(b"old")
    (tmp_path / "file.part.etag").write_text('"1"\r\nX-Evil: 1')
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.seen = []
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        flowlet.download(f"http://127.0.0.1:{server.server_port}/", tmp_path / "file")
        server.shutdown()
    assert (tmp_path / "file").read_bytes() == b"new"
    assert not {"X-Evil", "If-Range"} & set(server.seen[0])


def test_an_imported_yaml_runs_nothing(tmp_path):
    text = (
        f"type: collection.insomnia.rest/5.0\nname: !!python/object/apply:os.mkdir ['{tmp_path / 'run'}']\n"
        "accessTokenUrl: https://a.example/t\nclientId: id\n"
    )
    with pytest.raises(FlowletError):
        imported(text)
    assert not (tmp_path / "run").exists()


def test_an_imported_yaml_does_not_unfold():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(InvalidSecret, match="No OAuth2 settings"):
        imported("\n".join(lines))
