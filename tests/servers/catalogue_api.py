"""An API with records that pages in every style, limits, fails and serves files; for tests and benchmarks.

`python catalogue_api.py PORT` runs it as a process of its own.
"""

from __future__ import annotations

import gzip
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

FILE = bytes(range(256)) * 4096  # 1 MiB


def record(number: int) -> dict:
    return {
        "id": number,
        "name": f"record {number}",
        "created_at": f"2026-11-{number % 28 + 1:02d}T08:00:00Z",
        "metrics": {"likes": number % 7, "replies": {"open": number % 3}},
        "tags": ["a", "b"],
    }


def rich_record(number: int) -> dict:
    """A record of the size that APIs usually have, for benchmarks."""
    return {
        "id": str(number), "text": f"record number {number}", "created_at": "2026-11-01T18:30:00.000Z", "lang": "en",
        "metrics": {"likes": number % 200, "replies": number % 20, "shares": number % 50},
        "author": {"id": str(number % 50), "name": f"user {number % 50}", "geo": {"lat": number / 7, "lon": 1.0}},
        "tags": ["a", "b"],
    }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 30

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        server = self.server
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        with server.guard:
            server.requests.append((self.command, self.path, dict(self.headers), body))
            server.running += 1
            server.most_running = max(server.most_running, server.running)
        try:
            time.sleep(server.delay)
            getattr(self, f"_{parts.path.split('/')[1]}", self._missing)(query, body)
        finally:
            with server.guard:
                server.running -= 1

    do_POST = do_PUT = do_HEAD = do_GET

    def _answer(
        self, body, status: int = 200, headers: dict | None = None, content_type: str = "application/json"
    ) -> None:
        content = body if isinstance(body, bytes) else self._encoded(body)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _encoded(self, body) -> bytes:
        written = self.server.kept
        if written is None:
            return json.dumps(body).encode()
        if self.path not in written:  # a benchmark measures clients, and not how fast this server writes JSON
            written[self.path] = json.dumps(body).encode()
        return written[self.path]

    def _missing(self, _query, _body) -> None:
        self._answer({"title": "Not Found", "status": 404, "detail": "There is no such path."}, 404,
                     content_type="application/problem+json")  # fmt: skip

    def _slice(self, start: int, size: int) -> list[dict]:
        return self.server.records[start : start + size]

    def _page(self, query, _body) -> None:
        number, size = int(query.get("page", 1)), min(int(query.get("per_page", 10)), 100)
        self._answer(
            {"items": self._slice((number - 1) * size, size), "page": number, "total": len(self.server.records)}
        )

    def _nototal(self, query, _body) -> None:
        number, size = int(query.get("page", 1)), int(query.get("per_page", 10))
        self._answer({"items": self._slice((number - 1) * size, size), "page": number})

    def _offset(self, query, _body) -> None:
        start, size = int(query.get("offset", 0)), int(query.get("limit", 10))
        self._answer(
            {"results": self._slice(start, size), "offset": start, "limit": size, "count": len(self.server.records)}
        )

    def _cursor(self, query, body) -> None:
        given = {**query, **(json.loads(body) if body else {})}
        start, size = int(given.get("pagination_token", 0)), int(given.get("max_results", 10))
        meta = {"result_count": size}
        if start + size < len(self.server.records):
            meta["next_token"] = str(start + size)
        self._answer({"data": self._slice(start, size), "meta": meta})

    def _next(self, query, _body) -> None:
        start = int(query.get("$skip", 0))
        body = {"value": self._slice(start, 10)}
        if start + 10 < len(self.server.records):
            body["@odata.nextLink"] = f"{self.server.url}/next?{urlencode({'$skip': start + 10})}"
        self._answer(body)

    def _link(self, query, _body) -> None:
        number = int(query.get("p", 1))
        headers = {}
        if number * 10 < len(self.server.records):
            headers["Link"] = (
                f'<{self.server.url}/link?p={number + 1}>; rel="next", <{self.server.url}/link?p=1>; rel="first"'
            )
        self._answer(self._slice((number - 1) * 10, 10), headers=headers)

    def _circle(self, query, _body) -> None:
        number = int(query.get("cursor", 0))
        self._answer({"data": self._slice(number, 1), "next_cursor": str(number % 3 + 1)})

    def _same(self, query, _body) -> None:
        self._answer({"items": self._slice(0, 10), "page": 1, "total": len(self.server.records)})

    def _elsewhere(self, _query, _body) -> None:
        self._answer({"data": self._slice(0, 1), "next": "http://169.254.169.254/latest/"})

    def _breaks(self, query, _body) -> None:
        number = int(query.get("page", 1))
        if number == self.server.breaks_at:
            self._answer({"error": "out of order"}, 500)
            return
        self._page(query, _body)

    def _limited(self, query, _body) -> None:
        server = self.server
        with server.guard:
            server.refusals -= 1
            refused = server.refusals >= 0
        if refused:
            self._answer({"title": "Too Many Requests"}, 429, server.refusal_headers)
        else:
            self._answer({"ok": True, **query}, headers={"X-RateLimit-Remaining": "74", "X-RateLimit-Limit": "75"})

    def _echo(self, query, body) -> None:
        self._answer({"query": query, "method": self.command, "headers": dict(self.headers), "body": body.decode("latin-1")},
                     headers={"Set-Cookie": "session=canary-session"})  # fmt: skip

    def _scold(self, _query, _body) -> None:
        sent = self.headers.get("Authorization")
        self._answer({"message": f"bad credentials: {sent}"}, 400, {"X-Seen": str(sent)})

    def _seen(self, _query, _body) -> None:
        self._answer({"ok": True}, headers={"X-Seen": str(self.headers.get("Authorization"))})

    def _user(self, query, _body) -> None:
        number = self.path.rpartition("/")[2]
        if number == "13":
            self._answer({"error": "unlucky"}, 500)
        else:
            self._answer({"data": [{"id": number}]})

    def _file(self, query, _body) -> None:
        headers = {"ETag": self.server.etag, "Accept-Ranges": "bytes"}
        requested = self.headers.get("Range")
        content = self.server.file
        status = 200
        if requested and (self.headers.get("If-Range") == self.server.etag or self.server.ignores_if_range):
            start = int(requested.removeprefix("bytes=").rstrip("-"))
            headers["Content-Range"] = f"bytes {start}-{len(self.server.file) - 1}/{len(self.server.file)}"
            content, status = self.server.file[start:], 206
        cut = self.server.cut_after
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content if cut is None else content[:cut])
        if cut is not None:
            self.close_connection = True

    def _big(self, query, _body) -> None:
        self._answer({"data": self.server.records * int(query.get("times", 1))})

    def _bomb(self, _query, _body) -> None:
        self._answer(gzip.compress(b"0" * 50_000_000), headers={"Content-Encoding": "gzip"}, content_type="text/plain")

    def _kind(self, query, _body) -> None:
        self._answer(self.server.body, content_type=query["type"])


class CatalogueApi(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, port: int = 0, *, count: int = 95) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.records = [record(number) for number in range(count)]
        self.guard = threading.Lock()
        self.requests: list[tuple] = []
        self.delay = 0.0
        self.running = self.most_running = 0
        self.breaks_at = 0
        self.refusals = 0
        self.refusal_headers: dict[str, str] = {}
        self.etag = '"one"'
        self.file = FILE
        self.ignores_if_range = False
        self.cut_after: int | None = None
        self.body = b""
        self.kept: dict[str, bytes] | None = None


if __name__ == "__main__":
    with CatalogueApi(int(sys.argv[1]), count=int(sys.argv[2])) as api:
        api.delay = float(sys.argv[3])
        api.kept = {}
        api.records = [rich_record(number) for number in range(int(sys.argv[2]))]
        api.serve_forever()
