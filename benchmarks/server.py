"""The API that is asked, in a process of its own: one small JSON body, `/slow` after 50 ms.

It parses nothing but the request line, so that what is measured is the client.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

BODY = b'{"data": {"id": "1"}}'
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
SLOW_SECONDS = 0.05
BLOCK = bytes(1_000_000)


class Api(asyncio.Protocol):
    """Answers each request that has no body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._received = b""
        self._may_write = asyncio.Event()
        self._may_write.set()

    async def _send(self, size: int) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for start in range(0, size, len(BLOCK)):
            await self._may_write.wait()
            self._transport.write(BLOCK[: size - start])

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1]
            if path == b"/slow":
                asyncio.get_running_loop().call_later(SLOW_SECONDS, self._transport.write, RESPONSE)
            elif path.startswith(b"/bytes/"):
                self._sending = asyncio.create_task(self._send(int(path[7:])))
            else:
                self._transport.write(RESPONSE)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Api, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests 1000000; default_type application/json;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ return 200 '{body}'; }} }}
}}
"""


@contextlib.contextmanager
def running_api() -> Iterator[str]:
    """The address of an API of one small body that runs meanwhile."""
    nginx = shutil.which("nginx")
    if nginx is None:
        with running_slow_api() as url:
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="flowlet-nginx-") as folder:
        port = free_port()
        settings = Path(folder) / "nginx.conf"
        settings.write_text(_NGINX.format(folder=folder, port=port, body=BODY.decode()), "utf-8")
        with program([nginx, "-p", folder, "-c", str(settings)], port) as url:
            yield url


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


@contextlib.contextmanager
def program(command: list[str], port: int) -> Iterator[str]:
    """The address of a server program that listens at `port`, as long as the block lasts."""
    process = subprocess.Popen(command)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int) -> None:
    """Until somebody listens."""
    for _ in range(400):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


@contextlib.contextmanager
def running_slow_api() -> Iterator[str]:
    """The address of an API that runs meanwhile, and answers `/slow` after 50 ms."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.server"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    asyncio.run(serve())
