"""A server that gives each request the next of the answers that a test wrote, and says what it was sent."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """`body` may be made of the headers and the path of the request, for an API that repeats what it was sent."""

    body: bytes | Callable[[Mapping[str, str], str], bytes] = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


class AnsweringServer(ThreadingHTTPServer):
    daemon_threads = True
    answer = Answer()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        answer = self.server.answer
        body = answer.body if isinstance(answer.body, bytes) else answer.body(self.headers, self.path)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # who has read enough goes away
            self.wfile.write(body)


@contextlib.contextmanager
def answering() -> Iterator[AnsweringServer]:
    with AnsweringServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
