"""A server whose token endpoint writes what a test says, byte by byte, and whose API takes the token `fresh`."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# writes to the connection; what is left open when it returns is closed
Behaviour = Callable[["Connection"], None]
FRESH = {"access_token": "fresh", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r2"}


class Connection:
    """One connection, its request read; `stopped` is set when the test ends."""

    def __init__(self, raw: socket.socket, request: bytes, stopped: threading.Event) -> None:
        self.raw, self.request, self.stopped = raw, request, stopped

    def answer(self, status: int, body: bytes = b"", *, length: int | None = None, **headers: str) -> None:
        """A whole response, or one that says to be longer than it is."""
        lines = [
            f"HTTP/1.1 {status} Text",
            "Connection: close",
            f"Content-Length: {len(body) if length is None else length}",
        ]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.raw.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    def drip(self, piece: bytes) -> None:
        """Send `piece` again and again, until nobody reads any more."""
        while not self.stopped.wait(0.02):
            self.raw.sendall(piece)

    def reset(self) -> None:
        """End the connection as a crashed machine's does."""
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.raw.close()


class Faulty:
    """A running server; `paths` are those that were asked for."""

    def __init__(self, behaviour: Behaviour, api: Behaviour | None) -> None:
        self.paths: list[str] = []
        self.stopped = threading.Event()
        self._behaviour, self._api = behaviour, api or _api
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError, IndexError), raw:
            request = b""
            while b"\r\n\r\n" not in request and (part := raw.recv(65536)):
                request += part
                if request.startswith(b"\x16"):  # TLS, which this server does not speak
                    return
            head, _, body = request.partition(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            while len(body) < length and (part := raw.recv(65536)):
                body += part
            path = head.split(b" ")[1].decode()
            self.paths.append(path)
            connection = Connection(raw, head + b"\r\n\r\n" + body, self.stopped)
            (self._behaviour if path == "/token" else self._api)(connection)

    def close(self) -> None:
        self.stopped.set()
        # an accept that waits is not ended by closing its socket
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _api(connection: Connection) -> None:
    connection.answer(200 if b"Bearer fresh" in connection.request else 401, b"{}", Content_Type="application/json")


def token(connection: Connection, **members: object) -> None:
    """A good response of a token endpoint, `members` beside or in the place of the usual ones; None takes one out."""
    content = {name: value for name, value in {**FRESH, **members}.items() if value is not None}
    connection.answer(200, json.dumps(content).encode(), Content_Type="application/json")


@contextmanager
def faulty(behaviour: Behaviour, api: Behaviour | None = None) -> Iterator[Faulty]:
    """A server that answers a request for a token by `behaviour`, and others by `api`."""
    server = Faulty(behaviour, api)
    try:
        yield server
    finally:
        server.close()
