"""The API that is asked, in a process of its own: one small JSON body, `/slow` after 50 ms.

It parses nothing but the request line, so that what is measured is the client.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator

BODY = b'{"data": {"id": "1"}}'
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
SLOW_SECONDS = 0.05


class Api(asyncio.Protocol):
    """Answers each request that has no body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            if b" /slow " in head.split(b"\r\n", 1)[0]:
                asyncio.get_running_loop().call_later(SLOW_SECONDS, self._transport.write, RESPONSE)
            else:
                self._transport.write(RESPONSE)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Api, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def running_api() -> Iterator[str]:
    """The address of an API that runs meanwhile."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.server"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    asyncio.run(serve())
