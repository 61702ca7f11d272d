# ruff: noqa: F704, PLE1142, F821, RUF012 - run by pyodide_walk.mjs, which gives `api` and lets it await
"""What somebody does in JupyterLite, in Pyodide itself; its last value is what came of it, as JSON."""

import importlib.machinery
import json
import sys
import types
import warnings

sys.path += ["/project", "/packages"]
sys.dont_write_bytecode = True
warnings.simplefilter("ignore")


class OfTheDistribution:
    """ssl, sqlite3 and cryptography (and what asks it for curves): Pyodide has them apart from what npm has. Only imported."""

    names = {"ssl", "sqlite3", "cryptography", "joserfc"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__getattr__ = lambda name: type(name, (), {})
        return module

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, OfTheDistribution())

import httpx  # noqa: E402
import js  # noqa: E402
from pyodide.ffi import to_js  # noqa: E402


class Fetch(httpx.AsyncBaseTransport):
    """What Pyodide's own httpx has in the place of `AsyncHTTPTransport`."""

    async def handle_async_request(self, request):
        headers = [
            pair for pair in request.headers.multi_items() if pair[0] not in {"host", "connection", "user-agent"}
        ]
        response = await js.fetch(str(request.url), method=request.method, headers=to_js(headers))
        body = (await response.arrayBuffer()).to_bytes()
        return httpx.Response(response.status, headers={"content-type": response.headers["content-type"]}, content=body)


class Synchronous(httpx.BaseTransport):
    """In the place of `HTTPTransport`: a browser's worker has a synchronous way, Node.js has none."""

    def handle_request(self, request):
        return httpx.Response(200, json={"path": request.url.path, "items": [{"id": 1}, {"id": 2}], "total": 2})


httpx.AsyncHTTPTransport, httpx.HTTPTransport = Fetch, Synchronous
import flowlet_jupyter as flowlet  # noqa: E402

found = {"platform": sys.platform}
response = await flowlet.aget(f"{api}/birds")
found["request"] = [response.status_code, response["path"], response.records()[0]["name"]]
found["sync"] = flowlet.get(f"{api}/birds")["path"]
found["gather"] = len(flowlet.gather([f"{api}/birds/1", f"{api}/birds/2"]).responses)
found["pages"] = flowlet.paginate(f"{api}/birds", progress=False).read_all().complete
found["secrets"] = repr(flowlet.secrets)
for name, use in {
    "named": lambda: flowlet.get(f"{api}/birds", secret="twitter"),
    "looked up": lambda: flowlet.secrets["twitter"],
    "added": lambda: flowlet.secrets.add(flowlet.Password(name="x", password="y", allowed_hosts=("a.example",))),
}.items():
    try:
        found[name] = repr(use())
    except flowlet.FlowletError as error:
        found[name] = f"{type(error).__name__}: {error}"
try:
    await flowlet.aget(f"{api}/birds", secret="twitter")
except flowlet.FlowletError as error:
    found["unattended"] = f"{type(error).__name__}: {error}"

OfTheDistribution.names.discard("sqlite3")
del sys.modules["sqlite3"]  # IPython does without it where it is not there
from IPython.core.interactiveshell import InteractiveShell  # noqa: E402

shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "flowlet_jupyter")
shell.run_cell(f"r = %flowlet_request {api}/birds")
shown, _ = shell.display_formatter.format(shell.user_ns["r"])
found["magic"] = [shown["text/plain"].splitlines()[0], "flowlet-response" in shown["text/html"]]
json.dumps(found)
