"""The walk of one line of the magic: which functions of the package control stays in, in order.

    python docs/trace_request.py [LINE] [MODULE ...]

A stay begins when a function is called and when a callee returns to it. Without MODULEs those of `notebook` are shown.
It starts an API of its own on loopback, for which "API" stands in LINE.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType

os.environ.setdefault("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")

from IPython.core.interactiveshell import InteractiveShell

LINE = "API/me limit==2 --timeout 5 -i -q"
MODULES = (
    "flowlet_jupyter.notebook.sending",
    "flowlet_jupyter.notebook.cell",
    "flowlet_jupyter.notebook.execution",
    "flowlet_jupyter.notebook.magics",
)


class Api(BaseHTTPRequestHandler):
    """Answers each GET with a small JSON."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer."""
        body = b'{"data": [{"id": 1}, {"id": 2}]}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def walk(shell: InteractiveShell, line: str, modules: tuple[str, ...]) -> list[tuple[str, str]]:
    """The stays, as (function, how it began: `call` or `return to`)."""
    stays: list[tuple[str, str]] = []

    def is_walked(frame: FrameType | None) -> bool:
        # a comprehension is read where it stands, and a dataclass's __init__ by nobody
        return (
            frame is not None
            and frame.f_globals.get("__name__") in modules
            and (not frame.f_code.co_name.startswith("<") and "__create_fn__" not in frame.f_code.co_qualname)
        )

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and is_walked(frame):
            stays.append((frame.f_code.co_qualname, "call"))
        elif event == "return" and is_walked(frame):
            caller = frame.f_back
            while caller is not None and caller.f_code.co_name.startswith("<"):
                caller = caller.f_back
            if caller is not None and is_walked(caller):
                stays.append((caller.f_code.co_qualname, "return to"))

    sys.setprofile(profile)
    try:
        shell.run_line_magic("flowlet_request", line)
    finally:
        sys.setprofile(None)
    return stays


def main() -> None:
    """Print the walk and its figures."""
    line = sys.argv[1] if len(sys.argv) > 1 else LINE
    modules = tuple(sys.argv[2:]) or MODULES
    with tempfile.TemporaryDirectory() as folder, ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        os.environ["FLOWLET_VAULT"] = f"{folder}/vault"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        shell = InteractiveShell.instance()
        shell.run_line_magic("load_ext", "flowlet_jupyter")
        line = line.replace("API", f"http://127.0.0.1:{server.server_port}")
        walk(shell, line, modules)  # imports
        stays = walk(shell, line, modules)
        server.shutdown()
    for function, began in stays:
        print(f"{began:>9} {function}")
    began = Counter(how for _, how in stays)
    functions = len({name for name, _ in stays})
    print(f"{len(stays)} stays, {began['return to']} of them returns, in {functions} functions")


if __name__ == "__main__":
    main()
