"""One walk through each environment that notebooks run in: without a person, connecting, a request, the status.

`tests/environments/test_environments.py` walks; `docs/make_environments.py` writes what the walks give into
docs/environments.md. What is said of an environment is what the walk saw there, never what is hoped for.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty

import httpx
import nbformat
from jupyter_client import BlockingKernelClient
from kernels import start_kernel
from support import JupyterProcess, birdsong_secret, free_port, npm_install

import flowlet_jupyter as flowlet
from flowlet_jupyter.demo.process import Birdsong

HERE = Path(__file__).parent
COLUMNS = ("Environment", "Driven as", "Connect", "Request", "Status", "Unattended")
ALLOW = {"username": "ada", "password": "birdsong", "decision": "allow"}
IMPORT = "import flowlet_jupyter as flowlet"
ASK = f"{IMPORT}\nprint('user', flowlet.get('/2/users/me', secret='twitter')['data']['username'])"
STATUS = f"{IMPORT}\nprint(flowlet.secrets['twitter'])"
ENDS_AT_ONCE = "`AuthRequired` at once"
_SECONDS = 90.0
_SERVER_LINK = re.compile(r"(http://[^\s'\"]+/flowlet/authorize/twitter)")
_CODE = re.compile(r"enter the code ([A-Z0-9-]+)")
_PASTE = re.compile(r"1\. Open (http[^\s'\"\\]+)")


@dataclass(frozen=True)
class Environment:
    """One environment: its title, how it is driven, the package that it needs beyond the tests' own, and the walk."""

    title: str
    driven: str
    walk: Callable[[Stage], dict[str, str]]
    package: str = ""


@dataclass(frozen=True)
class Stage:
    """Where a walk takes place: Birdsong, a folder, and the secret `twitter`, which has no token yet."""

    birdsong: Birdsong
    folder: Path

    def reset(self) -> None:
        """The secret `twitter` as it was at first."""
        with contextlib.suppress(flowlet.SecretNotFound):
            flowlet.secrets["twitter"].delete()
        flowlet.secrets.add(birdsong_secret(self.birdsong, flowlet_redirect()))

    def connect(self) -> None:
        """What somebody has done before a scheduled run."""
        from flowlet_jupyter.connect.loopback import open_loopback

        with open_loopback(flowlet.secrets.vault) as loopback:
            allow(loopback.authorize_url("twitter"))


def flowlet_redirect() -> str:
    from flowlet_jupyter.settings import loopback_redirect_uri

    return loopback_redirect_uri()


def allow(link: str, *, cookies: httpx.Cookies | None = None) -> str:
    """Follow the link as a browser does, allow it, and return to where that leads."""
    headers = {"Sec-Fetch-Site": "none"}
    with httpx.Client(timeout=30, headers=headers, cookies=cookies) as browser:
        page = browser.get(link)
        while page.is_redirect and "/i/oauth2/authorize" not in page.headers["location"]:
            page = browser.get(page.url.join(page.headers["location"]))
        back = browser.post(page.headers["location"], data=ALLOW)
        browser.headers["Sec-Fetch-Site"] = "cross-site"
        done = browser.get(back.headers["location"], follow_redirects=True)
        assert done.status_code == 200, done.text
        return done.text


class Conversation:
    """A kernel's client, and a person who does what its output asks for."""

    def __init__(self, client: BlockingKernelClient, stage: Stage, *, cookies: httpx.Cookies | None = None) -> None:
        self.client = client
        self.stage = stage
        self.cookies = cookies
        self.way = ""

    def run(self, code: str, *, has_person: bool) -> str:
        """All that the cell said, its error included."""
        request = self.client.execute(code, allow_stdin=has_person)
        output, end = "", time.monotonic() + _SECONDS
        while time.monotonic() < end:
            if has_person:
                self._type(output)
            try:
                message = self.client.get_iopub_msg(timeout=0.2)
            except Empty:
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            output += content.get("text", "") + content.get("evalue", "") + content.get("ename", "")
            output += str(content.get("data", {}).get("text/plain", ""))
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                return output
            if has_person and not self.way:
                self._follow(output)
        raise AssertionError(f"the cell did not end in {_SECONDS} s; it said: {output}")

    def _follow(self, output: str) -> None:
        if (link := _SERVER_LINK.search(output)) is not None and "\n" in output:
            is_own = "redirect URI to register is" in output
            self.way = "link to a page of this process" if is_own else "widget, and link to the server's page"
            allow(link[1], cookies=self.cookies)
        elif (code := _CODE.search(output)) is not None:
            self.way = "code to enter on another device"
            body = {"username": "ada", "password": "birdsong", "user_code": code[1]}
            page = httpx.get(f"{self.stage.birdsong.url}/device")
            assert page.is_success
            httpx.post(f"{self.stage.birdsong.url}/device", data=body).raise_for_status()

    def _type(self, output: str) -> None:
        link = _PASTE.search(output)
        if link is None or self.way:
            return  # the question may be here before the text above it
        with contextlib.suppress(Empty):
            self.client.get_stdin_msg(timeout=0.01)
            self.way = "paste of the redirected address"
            self.client.input(httpx.post(link[1], data=ALLOW).headers["location"])


def walk_kernel(conversation: Conversation) -> dict[str, str]:
    """Without a person, then with one."""
    unattended = conversation.run(ASK, has_person=False)
    assert "AuthRequired" in unattended, unattended
    output = conversation.run(ASK, has_person=True)
    assert "user ada" in output, output
    return {
        "Connect": conversation.way,
        "Request": "works",
        "Status": _status(conversation.run(STATUS, has_person=True)),
        "Unattended": ENDS_AT_ONCE,
    }


def _status(output: str) -> str:
    assert "secret 'twitter': access token obtained" in output, output
    return "shown"


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _plain_kernel(stage: Stage, **environment: str) -> dict[str, str]:
    with _environment(**environment):
        manager, client = start_kernel()
    try:
        return walk_kernel(Conversation(client, stage))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _with_device_codes(stage: Stage) -> None:
    """The provider has an endpoint for codes, and an app that may use it."""
    flowlet.secrets["twitter"].delete()
    made = birdsong_secret(stage.birdsong, flowlet_redirect())
    endpoint = stage.birdsong.device_authorization_endpoint
    flowlet.secrets.add(dataclasses.replace(made, device_authorization_endpoint=endpoint))


def hosted(**environment: str) -> Callable[[Stage], dict[str, str]]:
    """A kernel with a service's environment: by a code where the provider has them, and by paste elsewhere."""

    def walk(stage: Stage) -> dict[str, str]:
        by_paste = _plain_kernel(stage, **environment)
        _with_device_codes(stage)
        by_code = _plain_kernel(stage, **environment)
        return {**by_code, "Connect": f"{by_code['Connect']}; {by_paste['Connect']} where the provider has none"}

    return walk


def server(command: str, *options: str) -> Callable[[Stage], dict[str, str]]:
    """A Jupyter server, and a kernel that it started."""

    def walk(stage: Stage) -> dict[str, str]:
        process = JupyterProcess(stage.folder, options=list(options), command=command)
        try:
            with httpx.Client(base_url=process.base, timeout=60) as browser:
                browser.get("tree" if command == "notebook" else "lab", params={"token": process.token})
                started = httpx.post(f"{process.base}api/kernels", headers=process.headers, json={"name": "python3"})
                file = Path(os.environ["JUPYTER_RUNTIME_DIR"], f"kernel-{started.json()['id']}.json")
                client = _client(file)
                _register_server(stage, process)
                try:
                    return walk_kernel(Conversation(client, stage, cookies=browser.cookies))
                finally:
                    client.stop_channels()
        finally:
            process.stop()

    return walk


def _client(file: Path) -> BlockingKernelClient:
    """A client of the kernel that somebody else has started."""
    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels()
    end = time.monotonic() + 60
    while True:
        try:
            client.wait_for_ready(60)
        except RuntimeError:  # of a kernel whose heart does not beat yet
            assert time.monotonic() < end
            time.sleep(0.5)
        else:
            return client


def _register_server(stage: Stage, process: JupyterProcess) -> None:
    flowlet.secrets["twitter"].delete()
    flowlet.secrets.add(birdsong_secret(stage.birdsong, process.flowlet("callback")))


def spyder(stage: Stage) -> dict[str, str]:
    """The kernel of Spyder's console, started as Spyder does."""
    file = stage.folder / "kernel.json"
    program = [sys.executable, "-m", "spyder_kernels.console", "-f", str(file)]
    process = subprocess.Popen(program, cwd=stage.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while not (file.is_file() and file.read_text()):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        client = _client(file)
        try:
            return walk_kernel(Conversation(client, stage))
        finally:
            client.stop_channels()
    finally:
        process.kill()
        process.wait()


def terminal(program: list[str], *, prompt: str = "") -> Callable[[Stage], dict[str, str]]:
    """A program in a terminal of its own."""

    def walk(stage: Stage) -> dict[str, str]:
        import pexpect

        script = stage.folder / "script.py"
        script.write_text(f"{ASK}\nprint(flowlet.secrets['twitter'])\n")
        arguments = [*program, "-i", str(script)] if prompt else [*program, str(script)]
        alone = subprocess.run(
            [sys.executable, *[word for word in arguments if word != "-i"]], cwd=stage.folder, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
        assert "AuthRequired" in alone.stdout + alone.stderr, alone
        shell = pexpect.spawn(
            sys.executable, arguments, cwd=str(stage.folder), timeout=60, encoding="utf-8", dimensions=(50, 300)
        )
        try:
            shell.expect(_SERVER_LINK)
            allow(shell.match[1])
            shell.expect("user ada")
            shell.expect("secret 'twitter': access token obtained")
        finally:
            shell.close(force=True)
        return {
            "Connect": "link to a page of this process", "Request": "works", "Status": "shown",
            "Unattended": ENDS_AT_ONCE,
        }  # fmt: skip

    return walk


def executed(run: Callable[[Path], str]) -> Callable[[Stage], dict[str, str]]:
    """A program that executes a notebook without anybody there."""

    def walk(stage: Stage) -> dict[str, str]:
        cells = [nbformat.v4.new_code_cell(ASK), nbformat.v4.new_code_cell(STATUS)]
        file = stage.folder / "notebook.ipynb"
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), file)
        output = run(file)
        assert "AuthRequired" in output, output
        stage.connect()
        output = run(file)
        assert "user ada" in output, output
        return {
            "Connect": "beforehand, elsewhere", "Request": "works", "Status": _status(output.replace("&#39;", "'")),
            "Unattended": ENDS_AT_ONCE,
        }  # fmt: skip

    return walk


def _program(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_SECONDS,
        check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def run_papermill(file: Path) -> str:
    out = file.with_name("out.ipynb")
    output = _program("papermill", str(file), str(out))
    return output + (out.read_text("utf-8") if out.is_file() else "")


def run_nbclient(file: Path) -> str:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(file, as_version=4)
    try:
        NotebookClient(notebook, kernel_name="python3").execute()
    except CellExecutionError as error:
        return str(error)
    return json.dumps(notebook)


def run_nbconvert(file: Path) -> str:
    out = file.with_name("converted.ipynb")
    output = _program("nbconvert", "--execute", "--to", "notebook", "--output", out.name, str(file))
    return output + (out.read_text("utf-8") if out.is_file() else "")


def run_voila(file: Path) -> str:
    """The page that a visitor gets."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "voila", str(file), "--no-browser", f"--port={port}", "--show_tracebacks=True"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        return _page(f"http://127.0.0.1:{port}/", process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _page(url: str, process: subprocess.Popen) -> str:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(url, timeout=60, follow_redirects=True).text
        time.sleep(0.2)
    raise AssertionError(f"{url} did not answer")


MARIMO = """import marimo

app = marimo.App()


@app.cell
def _():
    import flowlet_jupyter as flowlet

    response = flowlet.get("/2/users/me", secret="twitter")
    print("user", response["data"]["username"])
    response
    return flowlet, response


@app.cell
def _(flowlet, response):
    response.status_code  # after the request
    print(flowlet.secrets["twitter"])
    flowlet.secrets
    return


if __name__ == "__main__":
    app.run()
"""


def marimo(stage: Stage) -> dict[str, str]:
    """A marimo notebook, exported with its outputs and run as a script."""
    file = stage.folder / "notebook.py"
    file.write_text(MARIMO)
    page = stage.folder / "page.html"
    export = ("marimo", "-y", "export", "html", str(file), "-o", str(page), "--no-include-code")
    output = _program(*export) + (page.read_text("utf-8") if page.is_file() else "")
    assert "AuthRequired" in output, output[:3000]
    stage.connect()
    output = _program(*export)
    text = page.read_text("utf-8")
    assert "user ada" in output, output[:3000]
    assert 'class=\\"flowlet' in text or "flowlet-" in text, "the response's view is not in the page"
    assert "marimo-anywidget" in text, "the widget is not in the page"
    found = _program_of([str(file)])
    return {
        "Connect": "beforehand, elsewhere", "Request": "works, with the response's view",
        "Status": _status(found), "Unattended": ENDS_AT_ONCE,
    }  # fmt: skip


def _program_of(arguments: list[str]) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False)
    return done.stdout + done.stderr


def lite(_stage: Stage) -> dict[str, str]:
    """Pyodide, which JupyterLite runs, in Node.js instead of a browser."""
    npm_install(HERE, "pyodide")
    done = subprocess.run(
        ["node", HERE / "pyodide_walk.mjs", HERE.parents[1], sysconfig.get_path("purelib")],
        check=False, capture_output=True, text=True, timeout=_SECONDS * 2,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["request"] == [200, "/birds", "wren"], found
    assert (found["sync"], found["gather"], found["pages"]) == ("/birds", 2, True), found
    assert found["magic"][0].startswith("200 OK"), found
    assert found["magic"][1], found
    assert all("no vault in a browser" in found[use] for use in ("named", "looked up", "added", "unattended")), found
    assert found["secrets"].startswith("No secrets yet"), found
    return {
        "Connect": "not possible: there is no vault in a browser",
        "Request": "works without a secret, with the response's view; with one it is refused",
        "Status": "no secrets",
        "Unattended": "`VaultError` at once",
    }


ENVIRONMENTS = {
    "lab": Environment("JupyterLab", "its server and a kernel of it", server("lab")),
    "notebook": Environment("Notebook 7", "its server and a kernel of it", server("notebook"), "notebook"),
    "collaboration": Environment(
        "jupyter-collaboration", "JupyterLab's server with the extension", server("lab"), "jupyter-server-ydoc"
    ),
    "vscode": Environment("VS Code", "a kernel without a server, its client allows input", _plain_kernel),
    "ipython": Environment(
        "IPython terminal", "a pseudo-terminal",
        terminal(["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"], prompt="In"),
    ),
    "python": Environment("Plain Python", "`python script.py` in a pseudo-terminal", terminal([])),
    "spyder": Environment("Spyder", "the kernel of its console", spyder, "spyder-kernels"),
    "papermill": Environment("papermill", "its command", executed(run_papermill)),
    "nbclient": Environment("nbclient", "its client", executed(run_nbclient)),
    "nbconvert": Environment("nbconvert", "`nbconvert --execute`", executed(run_nbconvert)),
    "voila": Environment("Voila", "its server and the page it gives", executed(run_voila), "voila"),
    "marimo": Environment("marimo", "`marimo export html`", marimo, "marimo"),
    "lite": Environment("JupyterLite", "Pyodide in Node.js", lite),
    "colab": Environment("Google Colab", "a kernel with its environment", hosted(COLAB_RELEASE_TAG="release-colab")),
    "kaggle": Environment("Kaggle", "a kernel with its environment", hosted(KAGGLE_KERNEL_RUN_TYPE="Interactive")),
    "databricks": Environment("Databricks", "a kernel with its environment", hosted(DATABRICKS_RUNTIME_VERSION="17.3")),
}  # fmt: skip


def walk(key: str, stage: Stage) -> list[str]:
    """The row of docs/environments.md."""
    environment = ENVIRONMENTS[key]
    stage.reset()
    found = environment.walk(stage)
    return [environment.title, environment.driven, *(found[column] for column in COLUMNS[2:])]


def table_row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
