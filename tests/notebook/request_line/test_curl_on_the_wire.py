"""A pasted command sends what bash and the real curl send."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest
from support import MUST_RUN_ALL

from flowlet_jupyter.notebook.request_line.grammar import parse
from flowlet_jupyter.notebook.request_line.interpolation import prepare

DATA = [
    "-d a=1", "-d a=1 -d b=2", "-da=1", "-d 'a=x y&b=\"q\"'", "-d @note.txt", "-d a=1 -d @note.txt", "--data-binary @note.txt",
    "--data-raw @handle", "--data-urlencode 'q=a b&c'", "--data-urlencode 'a b'", "--data-urlencode =a=b",
    "--data-urlencode q@note.txt", "--data-urlencode @note.txt", "--json '{\"a\":' --json '1}'", "-d '{\"a\": 1}'",
    r"--data-raw $'caf\u00e9 it\'s \x41\n\t\041'", r'-d "a \"b\" \\ \n"', r"-d a\ b", "-d ''", "-F a=1 -F a=2", "-F 'a=1;type=text/x'",
    "-F f=@note.txt", "-F 'f=@note.txt;filename=x.pdf'", "-F 'f=<note.txt'", "-F 'a=\"x;y\"'", "--form-string a=@x",
    "-T note.txt", "--url-query 'q=x y'", "--url-query '+q=x%20y'", "-G -d a=1 --data-urlencode 'q=x y'", "-r 0-9", "",
]  # fmt: skip
MORE = ["", "-X PUT", "-H 'X-Two: a' -H 'X-Two: b'", "-H 'X-Empty;'", "-sS -A me/1", "-H 'Content-Type: text/plain'"]


@pytest.fixture
def wire():
    seen: list[tuple] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def record(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            kind = self.headers.get("Content-Type", "")
            if "boundary=" in kind:
                kind, _, boundary = kind.partition("; boundary=")
                body = body.replace(boundary.encode(), b"-").replace(b"-" * 25, b"--")
                parts = body.split(b"\r\n--")
                body = repr([sorted(part.lstrip(b"-").split(b"\r\n")) for part in parts]).encode()
            elif b"%" in body or b"+" in body:
                body = repr(parse_qsl(body.decode(), keep_blank_values=True)).encode()
            headers = sorted(pair for pair in self.headers.items() if pair[0].lower().startswith(("x-", "range")))
            seen.append((self.command, path, parse_qsl(query, keep_blank_values=True), kind, headers, body))
            self.send_response(204)
            self.end_headers()

        do_GET = do_POST = do_PUT = record

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()


def send(client: httpx.Client, command: str) -> None:
    """Send what the command was read as."""
    request = prepare(parse("", command), lambda _: None, lambda name: Path(name).read_bytes())
    files = [
        (part.name, (part.filename, Path(part.path).read_bytes() if part.path else part.text, part.content_type))
        for part in request.parts
    ]
    client.request(request.method, request.url, headers=list(request.headers), content=request.content, files=files or None)  # fmt: skip


@pytest.mark.skipif(
    not MUST_RUN_ALL and not (shutil.which("curl") and shutil.which("bash")), reason="curl is compared with"
)
@pytest.mark.parametrize("more", MORE)
def test_what_is_sent_is_what_curl_sends(more, wire, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("note.txt").write_text("a b&c=ü\nsecond\r\n")
    url, seen = wire
    commands = [
        f"curl -s '{url}{path}' {more} {data}"
        for data, path in itertools.product(DATA, ("/x", "/x/?k=1&k=2#f"))
        if not (data.startswith(("-F", "--form")) and "Content-Type" in more)
    ]
    subprocess.run(["bash", "-ec", "\n".join(commands)], check=True, capture_output=True, timeout=60)
    by_curl = list(seen)
    seen.clear()
    with httpx.Client(trust_env=False) as client:
        for command in commands:
            send(client, command)
    assert len(commands) >= 48
    assert list(zip(commands, seen, strict=True)) == list(zip(commands, by_curl, strict=True))
