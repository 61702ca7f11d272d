"""A provider and API that answers as a test says, and a secret that is stored for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault import default_vault

CANARY = "canary-client-secret"
FRESH = {"access_token": "fresh", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r2"}
Answer = Callable[[BaseHTTPRequestHandler, dict[str, str]], tuple[int, dict[str, str], object]]


@contextmanager
def provider(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """A server whose every request `answer` answers; its URL, and the paths that were asked."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            paths.append(urlsplit(self.path).path)
            members = {key: values[-1] for key, values in parse_qs(body.decode("latin-1")).items()}
            status, headers, content = answer(self, members)
            sent = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(sent))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_PUT = do_POST

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", paths
        finally:
            server.shutdown()


def stored(url: str, *, expires_at: float | None = 1.0, **fields: object) -> OAuth2:
    given = {"authorization_endpoint": f"{url}/a", "token_endpoint": f"{url}/token", "client_id": "id",
             "client_secret": CANARY, "base_url": url}  # fmt: skip
    secret = OAuth2(name="api", **{**given, **fields})
    token_set = TokenSet(access_token=SecretValue("old"), refresh_token=SecretValue("r1"), expires_at=expires_at)
    default_vault().put(Record(secret=secret, token_set=token_set))
    return secret
