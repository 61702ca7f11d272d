"""What a named secret costs on a request, against bare httpx, and what %load_ext costs. Interleaved, medians.

python benchmarks/request_overhead.py
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

os.environ["FLOWLET_VAULT"] = tempfile.mkdtemp() + "/vault"
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

import httpx

import flowlet_jupyter as flowlet
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.notebook.request_line.grammar import parse
from flowlet_jupyter.notebook.request_line.interpolation import prepare
from flowlet_jupyter.vault import default_vault

ROUNDS = 1500


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        body = b'{"data": {"id": "1"}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


PROGRAM = (
    "import sys, time; from IPython.core.interactiveshell import InteractiveShell as S; shell = S.instance()\n"
    "started = time.perf_counter(); shell.run_line_magic('load_ext', sys.argv[1])\n"
    "print((time.perf_counter() - started) * 1000)"
)


def microseconds(call) -> float:
    started = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - started) / 1000


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/me"
    secret = OAuth2(name="api", authorization_endpoint=url, token_endpoint=url, client_id="id")
    token = TokenSet(access_token=SecretValue("t" * 60), obtained_at=time.time(), expires_at=time.time() + 7200)
    default_vault().put(Record(secret=secret, token_set=token))
    bare = httpx.Client()
    header = {"Authorization": "Bearer " + "t" * 60}
    contenders = {
        "httpx.Client().get, header by hand": lambda: bare.get(url, headers=header),
        "flowlet.get(secret=...)": lambda: flowlet.get(url, secret="api"),
        "flowlet.get without a secret": lambda: flowlet.get(url),
    }
    times = {name: [] for name in contenders}
    for round_ in range(ROUNDS):
        for name, call in contenders.items():
            taken = microseconds(call)
            if round_ >= 50:
                times[name].append(taken)
    base = statistics.median(next(iter(times.values())))
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:36} {median:8.0f} us  {median / base:.3f} x")

    line = "POST /users/{{uid}}/tweets max_results==100 -s api note='a text' tags:='[1, 2]' X-Trace:abc --df data"
    parsed = [
        microseconds(lambda: prepare(parse(line), lambda source: {"uid": "a/b"}[source], lambda _: b""))
        for _ in range(2000)
    ]
    print(f"{'a line of the magic, parsed and filled':36} {statistics.median(parsed):8.0f} us")

    names = ["flowlet_jupyter", *(["sql"] if importlib.util.find_spec("sql") else [])]  # jupysql, if it is installed
    loads: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(11):
        for name in names:
            loads[name].append(float(subprocess.check_output([sys.executable, "-c", PROGRAM, name]).split()[-1]))
    for name, taken in loads.items():
        print(f"{f'%load_ext {name}':36} {statistics.median(taken):8.1f} ms (median of {len(taken)} processes)")
    server.shutdown()


if __name__ == "__main__":
    main()
