"""What all tests share: an isolated vault, real servers on free loopback ports, and the switch that forbids skipping."""

from __future__ import annotations

import functools
import gc
import importlib
import itertools
import json
import os
import queue
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import xdist

# Fixtures import what they need: the process that only hands out tests to the others needs none of it.

pytest_plugins = ["flowlet_jupyter.testing.plugin"]


HERE = Path(__file__).parent
_NUMBERS = itertools.count()
FAST = "not slow"

# A test that starts a kernel, a browser, a server program or a storm of processes is slow by what it asks for.
SLOW_FIXTURES = frozenset({"kernel", "jupyter_lab", "oidc_provider", "chromium", "open_lab", "hub", "jp_serverapp"})
SLOW_FILES = frozenset(
    {
        "test_kernel.py",
        "test_environments.py",
        "test_quality.py",
        "test_notebooks.py",
        "test_terminal.py",
        "test_httpie.py",
        "test_typing.py",
        "test_frontend.py",
        "test_curl_on_the_wire.py",
        "test_storm.py",
        "test_recovery.py",  # each guess of a passphrase takes half a second
        "test_host_rule.py",
        "test_leaks.py",
    }
)

# They are what each process begins with, so that none of them is what is left for one process at its end.
LONGEST = (
    "test_story.py",
    "test_responses.py",
    "test_quickstart.py",
    "test_tour.py",
    "test_leaks.py",
    "test_hub.py",
    "test_quality.py",
    "test_typing.py",
    "test_frontend.py",
    # and of the fast part those that wait for a span of time
    "test_many.py",
    "test_retries.py",
    "test_grant_end.py",
    "test_refresh.py",
    "test_patience.py",
    "test_doctor.py",
)

# What a secret could be lost by: leaks, attacks, the host rule, redirects, redaction, tracebacks, faults of the vault.
SECURITY_FILES = frozenset({
    "test_auth_flow.py", "test_bridges.py", "test_caching.py", "test_endpoint_checks.py", "test_endpoints_api.py",
    "test_flow.py", "test_flow_binding.py", "test_injection.py", "test_folders.py", "test_hosts.py", "test_loopback.py", "test_modes.py",
    "test_redaction.py", "test_redirects.py", "test_shielded.py", "test_shielded_frames.py", "test_story.py",
    "test_tracebacks.py", "test_backup.py", "test_key_rotation.py", "test_recovery.py", "test_traces.py", "test_transport_frames.py", "test_value.py", "test_vault.py",
})  # fmt: skip


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="the long profile of the security suites: more of everything")


def pytest_configure(config):
    if config.getoption("--long"):
        os.environ["FLOWLET_SECURITY"] = "long"  # read where tests are parametrised, also in xdist's workers
    # a shell lets what it starts in the background ignore SIGINT: interrupts are tried there too
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.option.markexpr == FAST:
        os.environ["FLOWLET_FAST"] = "1"  # read by tests/examples.py, also in xdist's workers
    # for xdist's workers and each server that is started
    path = [str(HERE / "servers" / "light"), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(os.pathsep.join(path).split(os.pathsep)))


def pytest_sessionstart(session):
    if not (session.config.pluginmanager.hasplugin("xdist") and xdist.is_xdist_controller(session)):
        importlib.import_module("examples")  # before the tests, which take their number of examples from there
        gc.disable()  # what is imported while tests are collected stays
        _share_default_context()


def _share_default_context() -> None:
    """Each client of httpx that a test makes for itself would read 140 certificates, which takes longer than its request."""
    default = importlib.import_module("httpx._transports.default")
    make = default.create_ssl_context
    shared = functools.cache(make)

    def create_ssl_context(verify=True, cert=None, trust_env=True):
        is_default = verify is True and cert is None and not ({"SSL_CERT_FILE", "SSL_CERT_DIR"} & os.environ.keys())
        return shared() if is_default else make(verify=verify, cert=cert, trust_env=trust_env)

    default.create_ssl_context = create_ssl_context


def pytest_collection_finish():
    gc.freeze()  # and is not looked through at each collection from now on
    gc.enable()


def pytest_ignore_collect(collection_path, config):
    """The fast part does not even import what is slow throughout."""
    if config.option.markexpr == FAST and (collection_path.name in SLOW_FILES or collection_path == HERE / "browser"):
        return True
    return None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Tests wait (for servers, kernels, pages): more workers than cores. Each costs the seconds in which it collects.

    The fast part waits less. The whole suite took 460 s with four on two cores, 541 s with three.
    """
    return round((1.5 if config.option.markexpr == FAST else 2) * (os.cpu_count() or 1))


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items):
    for item in items:
        fixtures = SLOW_FIXTURES & set(getattr(item, "fixturenames", ()))
        if fixtures or item.path.name in SLOW_FILES:
            item.add_marker(pytest.mark.slow)
        if item.path.name in SECURITY_FILES or HERE / "security" in item.path.parents:
            item.add_marker(pytest.mark.security)
    yield  # until those that are not asked for are left out
    items[:] = _in_shares(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def _in_shares(items: list[pytest.Item], count: int) -> list[pytest.Item]:
    """One part for each process, as xdist cuts them: some of the longest files, of the other slow ones, and as many fast tests as fit.

    One file's slow tests stay together, for what they share. Fast tests end each part, and are what a process takes from another's.
    """
    early: dict[Path, list[pytest.Item]] = {}
    fast = []
    for item in items:
        if item.path.name in LONGEST or item.get_closest_marker("slow"):
            early.setdefault(item.path, []).append(item)
        else:
            fast.append(item)
    files = sorted(early, key=lambda path: LONGEST.index(path.name) if path.name in LONGEST else len(LONGEST))
    shares = [[item for path in files[number::count] for item in early[path]] for number in range(count)]
    remaining = iter(fast)
    for number, share in enumerate(shares):
        size = (len(items) - sum(map(len, shares[:number]))) // (count - number)
        share.extend(itertools.islice(remaining, max(size - len(share), 0)))
    return [*itertools.chain.from_iterable(shares), *remaining]


@pytest.fixture
def tmp_path(request, tmp_path_factory):
    """As pytest's own, without its look at all other folders and its link to the newest one, which each test would pay for."""
    base = tmp_path_factory.getbasetemp()
    path = base / f"{next(_NUMBERS)}-{re.sub(r'[^a-zA-Z0-9_]', '_', request.node.name)[:40]}"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture(autouse=True)
def isolated(tmp_path, monkeypatch):
    """No test sees the user's vault, keyring, Jupyter folders or IPython profile."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nobody cuts the power, and each would wait for the disk
    monkeypatch.setenv("FLOWLET_VAULT", str(home / "vault"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("IPYTHONDIR", str(home / "ipython"))
    for name in ("FLOWLET_MASTER_KEY", "FLOWLET_MASTER_KEY_FILE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY",
                 "http_proxy", "https_proxy", "all_proxy"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture(params=["httpx", "aiohttp"])
def async_transport(request, monkeypatch):
    """What is under the async requests of this test: it runs over each."""
    monkeypatch.setenv("FLOWLET_TRANSPORT", request.param)
    return request.param


@pytest.fixture
def measured() -> Callable[..., None]:
    """A function that notes counts for a row of the table in docs/security.md: `measured("urls", tried=3000, elsewhere=0)`.

    The rows and their counts stand in rows.toml. What several tests or processes note for one row is added up.
    """
    file = os.environ.get("FLOWLET_SECURITY_MEASURES")

    def note(row: str, **counts: int) -> None:
        if file:
            with Path(file).open("a", encoding="utf-8") as measures:  # short lines: appended whole by each process
                measures.write(json.dumps([row, counts]) + "\n")

    return note


@pytest.fixture
def jupyter_folders(isolated, monkeypatch):
    """Jupyter's data, runtime and config folders, for tests that start a server or a kernel."""
    for name in ("DATA", "RUNTIME", "CONFIG"):
        folder = isolated / name.lower()
        folder.mkdir()
        monkeypatch.setenv(f"JUPYTER_{name}_DIR", str(folder))
    return isolated


@pytest.fixture
def loopback(isolated, monkeypatch):
    """The listener of a process without a server, open on a free port; its page takes secrets."""
    from support import free_port

    from flowlet_jupyter.connect.loopback import open_loopback
    from flowlet_jupyter.vault import default_vault

    monkeypatch.setenv("FLOWLET_LOOPBACK_PORT", str(free_port()))
    with open_loopback(default_vault()) as opened:
        yield opened


@pytest.fixture
def birdsong(tmp_path):
    """The demo provider, in this process; `.server.provider` is its state."""
    from flowlet_jupyter.demo.process import Birdsong
    from flowlet_jupyter.demo.web import BirdsongServer

    server = BirdsongServer(0, tmp_path / "birdsong.json")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    running = Birdsong(server.origin)
    object.__setattr__(running, "server", server)
    yield running
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api():
    """A real API that pages in every style; see tests/servers/catalogue_api.py."""
    from servers.catalogue_api import CatalogueApi

    with CatalogueApi() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def oidc_provider():
    """A function that starts oidc-provider with the given clients and access token lifetime."""
    from support import OidcProvider, npm_install

    folder = HERE / "servers" / "oidc"
    npm_install(folder, "oidc-provider")
    started = []

    def start(clients: list[dict], *, access_token_lifetime: int = 3600, **settings):
        settings = json.dumps({"clients": clients, "access_token_lifetime": access_token_lifetime, **settings})
        process = subprocess.Popen(
            ["node", "start.js", settings], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        started.append(process)
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()
        return OidcProvider(process, lines.get(timeout=30).strip())

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


@pytest.fixture
def jupyter_lab(jupyter_folders, tmp_path):
    """A function that starts a JupyterLab; all are stopped at the end."""
    from support import JupyterProcess

    started = []
    root = tmp_path / "notebooks"
    root.mkdir()

    def start(**options) -> JupyterProcess:
        started.append(JupyterProcess(root, **options))
        return started[-1]

    yield start
    for server in started:
        server.stop()
