"""Authorization servers that others wrote, and one walk through each of them by the code that users run.

`tests/oauth/test_interoperability.py` walks; `docs/make_matrix.py` writes what the walks give into docs/standards.md.
"""

from __future__ import annotations

import contextlib
import html
import importlib.metadata
import importlib.util
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

import httpx
from support import npm_install, pip_install, skip_or_fail

import flowlet_jupyter as flowlet
from flowlet_jupyter.connect.loopback import open_loopback
from flowlet_jupyter.errors import DiscoveryFailed, ProviderError
from flowlet_jupyter.model.schema import from_mapping
from flowlet_jupyter.model.static import Headers
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.oauth.discovery import discover
from flowlet_jupyter.oauth.metadata import ProviderMetadata, client_for, fields_of
from flowlet_jupyter.oauth.registration import register_client
from flowlet_jupyter.settings import loopback_redirect_uri
from flowlet_jupyter.vault import default_vault

SERVERS_FOLDER = Path(__file__).parent / "servers"
CLIENT_ID = "notebook"
CLIENT_SECRET = "canary-client-secret-of-the-walk-7c02d1"
COLUMNS = (
    "Server", "Discovery", "Code and PKCE", "Client authentication", "Two refreshes", "Identity", "Revocation",
    "Registration",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Server:
    """One server: how it is started, what a user enters, and a request that its API takes."""

    title: str
    folder: str
    package: str  # on npm, or on PyPI where there is a start.py
    script: str
    module: str = ""  # of a package on PyPI
    debian: str = ""  # the packages of Debian that it takes
    scope: str = ""
    address: str = ""  # what is pasted into Discover, below the address that the server prints
    by_hand: dict[str, str] | None = None  # the fields that a user fills in, where nothing is to be discovered
    call: Callable[[str, str], httpx.Response] = field(
        default=lambda base, name: flowlet.get(f"{base}/me", secret=name)
    )
    settings: dict[str, object] = field(default_factory=dict)
    # heavy, or of a language that not every machine has: walked by `nox -s servers` only
    is_long: bool = False
    # logs in and allows, where the server's pages are a program of their own and no forms
    allow: Callable[[httpx.Client, httpx.Response], httpx.Response] | None = None

    @property
    def version(self) -> str:
        """The version of the package that is installed."""
        if self.script.endswith(".py"):
            return self._version_here if self._python == sys.executable else self._version_there
        if self.script.endswith(".rb"):
            found = subprocess.run(
                ["ruby", "-e", f"puts Gem::Specification.find_by_name('{self.package}').version"],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            return found.stdout.strip()
        if self.script.endswith(".sh"):
            found = subprocess.run(
                ["dpkg-query", "-W", "-f", "${source:Upstream-Version}", self.package],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            return found.stdout.strip()
        manifest = SERVERS_FOLDER / self.folder / "node_modules" / self.package / "package.json"
        return json.loads(manifest.read_text("utf-8"))["version"]

    @property
    def _version_here(self) -> str:
        return importlib.metadata.version(self.package)

    @property
    def _version_there(self) -> str:
        asked = f"import importlib.metadata; print(importlib.metadata.version({self.package!r}))"
        return subprocess.run([self._python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()

    @property
    def _python(self) -> str:
        """The interpreter: this one, or that of an environment of the server's own, where its requirements differ."""
        folder = SERVERS_FOLDER / self.folder
        return str(folder / ".venv" / "bin" / "python") if (folder / "requirements.txt").exists() else sys.executable

    def command(self) -> list[str]:
        """What starts it, installed first where it is not there yet."""
        folder = SERVERS_FOLDER / self.folder
        if self.script.endswith(".py"):
            if self._python != sys.executable:
                pip_install(folder)
            elif importlib.util.find_spec(self.module) is None:
                skip_or_fail(f"{self.package} is needed")
            return [self._python, self.script]
        if self.script.endswith((".rb", ".sh")):
            program = "ruby" if self.script.endswith(".rb") else "bash"
            if shutil.which(program if program == "ruby" else self.package) is None:
                skip_or_fail(f"{self.package} is needed: apt-get install {self.debian}")
            return [program, self.script]
        npm_install(folder, self.package)
        return ["node", self.script]


def _initialize_mcp(base: str, name: str) -> httpx.Response:
    return flowlet.post(
        f"{base}/mcp",
        secret=name,
        headers={"Accept": "application/json, text/event-stream"},
        json={
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "flowlet", "version": "1"},
            },
        },
    )


def _allow_at_pds(browser: httpx.Client, page: httpx.Response) -> httpx.Response:
    """What the PDS's page does when ann logs in and allows: its page is a program, not a form."""
    origin = f"{page.url.scheme}://{page.url.netloc.decode()}"
    cookies = {cookie.name: cookie.value for cookie in browser.cookies.jar}  # marked Secure, though it is on loopback
    same = {"Sec-Fetch-Site": "same-origin", "Referer": str(page.url)}

    def api(path: str, members: dict[str, object]) -> dict:
        headers = {**same, "Sec-Fetch-Mode": "same-origin", "Origin": origin, "X-CSRF-Token": cookies["csrf-token"],
                   "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}  # fmt: skip
        response = httpx.post(f"{origin}/@atproto/oauth-provider/~api{path}", json=members, headers=headers)
        cookies.update({cookie.name: cookie.value for cookie in response.cookies.jar})
        return response.raise_for_status().json()

    login = {"locale": "en", "username": "ann.test", "password": "any", "remember": True}
    allowed = api("/consent", {"sub": api("/sign-in", login)["account"]["sub"]})
    return browser.get(allowed["url"], headers={**same, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})


def _allow_at_glewlwyd(browser: httpx.Client, page: httpx.Response) -> httpx.Response:
    """The same at Glewlwyd: the page was led to by the address that it goes on to, its `callback_url`."""
    asked = dict(page.url.params)
    origin = f"{page.url.scheme}://{page.url.netloc.decode()}"
    for method, path, members in (
        ("POST", "auth/", {"username": "ann", "password": "password"}),
        ("PUT", f"auth/grant/{asked['client_id']}/{asked['scope']}", {"scope": asked["scope"]}),
    ):
        browser.request(method, f"{origin}/api/{path}", json=members).raise_for_status()
    return browser.get(f"{asked['callback_url']}&g_continue")


_BY_HAND = {"authorization_endpoint": "authorize", "token_endpoint": "token"}
SERVERS = {
    server.folder: server
    for server in (
        Server(
            title="oidc-provider",
            folder="oidc",
            package="oidc-provider",
            script="start.js",
            scope="openid offline_access",
            settings={"clients": [{"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
                                   "token_endpoint_auth_method": "client_secret_post"}]},
        ),
        Server(
            title="django-oauth-toolkit",
            folder="django_oauth_toolkit",
            package="django-oauth-toolkit",
            module="oauth2_provider",
            script="start.py",
            scope="openid read",
            call=lambda base, name: flowlet.get(f"{base.removesuffix('/o')}/me", secret=name),
        ),
        Server(
            title="MCP SDK",
            folder="mcp_sdk",
            package="mcp",
            module="mcp",
            script="start.py",
            scope="read",
            address="/mcp",
            call=_initialize_mcp,
        ),
        Server(
            title="MCP-SDK (TypeScript)",
            folder="mcp_sdk_typescript",
            package="@modelcontextprotocol/sdk",
            script="start.mjs",
            scope="read",
            address="/mcp",
            call=lambda base, name: flowlet.get(f"{base}/mcp", secret=name),
            is_long=True,
        ),
        Server(
            title="oauth2-mock-server",
            folder="oauth2_mock_server",
            package="oauth2-mock-server",
            script="start.mjs",
            scope="openid",
            call=lambda base, name: flowlet.get(f"{base}/userinfo", secret=name),
        ),
        Server(
            title="better-auth",
            folder="better_auth",
            package="better-auth",
            script="start.mjs",
            scope="openid profile offline_access",
            call=lambda base, name: flowlet.get(f"{base}/oauth2/userinfo", secret=name),
        ),
        Server(
            title="@node-oauth/oauth2-server",
            folder="node_oauth2_server",
            package="@node-oauth/oauth2-server",
            script="start.mjs",
            by_hand={**_BY_HAND, "identity_url": "me", "identity_name": "name"},
        ),
        Server(
            title="@jmondi/oauth2-server",
            folder="jmondi",
            package="@jmondi/oauth2-server",
            script="start.mjs",
            by_hand={**_BY_HAND, "revocation_endpoint": "revoke", "identity_url": "me", "identity_name": "name"},
        ),
        Server(
            title="oauth2orize",
            folder="oauth2orize",
            package="oauth2orize",
            script="start.mjs",
            by_hand={**_BY_HAND, "identity_url": "me", "identity_name": "name"},
        ),
        Server(
            title="JupyterHub",
            folder="jupyterhub",
            package="jupyterhub",
            module="jupyterhub",
            script="start.py",
            by_hand={
                "authorization_endpoint": "hub/api/oauth2/authorize",
                "token_endpoint": "hub/api/oauth2/token",
                "identity_url": "hub/api/user",
                "identity_name": "name",
            },
            call=lambda base, name: flowlet.get(f"{base}/hub/api/user", secret=name),
            is_long=True,
        ),
        Server(
            title="canaille",
            folder="canaille",
            package="canaille",
            script="start.py",
            scope="openid profile",
            call=lambda base, name: flowlet.get(f"{base}/oauth/userinfo", secret=name),
            is_long=True,
        ),
        Server(
            title="django-oidc-provider",
            folder="django_oidc_provider",
            package="django-oidc-provider",
            script="start.py",
            scope="openid offline_access",
            call=lambda base, name: flowlet.get(f"{base}/userinfo", secret=name),
            is_long=True,
        ),
        Server(
            title="atproto PDS",
            folder="atproto_pds",
            package="@atproto/pds",
            script="start.mjs",
            scope="atproto transition:generic",
            address="@ann.test",
            call=lambda base, name: flowlet.get(f"{base}/xrpc/com.atproto.server.getSession", secret=name),
            allow=_allow_at_pds,
            is_long=True,
        ),
        Server(
            title="glewlwyd",
            folder="glewlwyd",
            package="glewlwyd",
            script="start.sh",
            debian="glewlwyd",
            scope="openid",
            call=lambda base, name: flowlet.get(f"{base}/userinfo", secret=name),
            allow=_allow_at_glewlwyd,
            is_long=True,
        ),
        Server(
            title="doorkeeper",
            folder="doorkeeper",
            package="doorkeeper",
            script="start.rb",
            debian="ruby-doorkeeper ruby-rails ruby-sqlite3 ruby-webrick",
            scope="read",
            by_hand={
                "authorization_endpoint": "oauth/authorize",
                "token_endpoint": "oauth/token",
                "revocation_endpoint": "oauth/revoke",
                "introspection_endpoint": "oauth/introspect",
                "identity_url": "me",
                "identity_name": "name",
            },
            is_long=True,
        ),
    )
}  # fmt: skip


class Running(str):
    """The address of a server that runs, and the client that it has."""

    __slots__ = ("client_id", "client_secret")


def _running(address: str, client_id: str, client_secret: str) -> Running:
    made = Running(address)
    made.client_id, made.client_secret = client_id, client_secret
    return made


@contextlib.contextmanager
def running(server: Server) -> Iterator[Running]:
    """The address of the server, which runs while the block does."""
    folder = SERVERS_FOLDER / server.folder
    command = server.command()
    redirect_uri = loopback_redirect_uri()
    settings = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uri": redirect_uri, **server.settings}
    if "clients" in settings:
        settings["clients"] = [{**client, "redirect_uris": [redirect_uri]} for client in settings["clients"]]
    process = subprocess.Popen(
        [*command, json.dumps(settings)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in process.stdout:
            lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    before = dict(os.environ)
    try:
        line = lines.get(timeout=120).strip()
        announced = json.loads(line) if line.startswith("{") else {"address": line}
        os.environ.update(announced.get("environment", {}))  # what a client must know to find it
        yield _running(
            announced["address"], announced.get("client_id", CLIENT_ID), announced.get("client_secret", CLIENT_SECRET)
        )
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        process.terminate()
        process.wait(20)
        process.stdout.close()


def table_row(cells: tuple[str, ...]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def walk(server: Server, base: Running) -> tuple[str, ...]:
    """Connect, request, refresh twice, identify, revoke and register, as a user would; the server's row of the matrix."""
    metadata = _metadata(server, base)
    fields = fields_of(metadata) if metadata else _by_hand(server, base)
    client = {"client_id": base.client_id, "client_secret": base.client_secret}
    known = client_for(metadata, [loopback_redirect_uri()], scope=server.scope, hosted="") if metadata else {}
    fields |= known or client
    fields |= {"scope": server.scope, "base_url": base}
    chosen = fields.get("token_endpoint_auth_method")
    handle = flowlet.secrets.add(from_mapping("oauth2", {**fields, "name": "walk"}))
    connect("walk", server)
    first = _token_set("walk")
    assert server.call(base, "walk").status_code == 200
    refreshed = _refresh_twice(server, base)
    status = handle.status()
    row = (
        f"{server.title} {server.version}",
        _discovery(metadata),
        "works, with `iss`" if metadata and metadata.authorization_response_iss_parameter_supported else "works",
        _client_authentication(chosen, first),
        refreshed,
        _identity(status.identity, status.identity_problem, first),
        _revocation(server, base, "walk"),
        _registration(server, base, metadata),
    )
    assert base.client_secret not in repr(row)
    return row


# what a browser says of an address that somebody typed
_NAVIGATION = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def _metadata(server: Server, base: str) -> ProviderMetadata | None:
    try:
        return discover(server.address if server.address.startswith("@") else f"{base}{server.address}")
    except DiscoveryFailed:
        if server.by_hand is None:
            raise
        return None


def _by_hand(server: Server, base: str) -> dict[str, object]:
    return {key: value if key == "identity_name" else f"{base}/{value}" for key, value in server.by_hand.items()}


def _discovery(metadata: ProviderMetadata | None) -> str:
    if metadata is None:
        return "none: endpoints by hand"
    return " → ".join(metadata.found_by)


def connect(name: str, server: Server | None = None) -> None:
    """Authorize the secret as a user of a terminal does, in a browser that logs in and allows."""
    with open_loopback(default_vault()) as loopback, httpx.Client(follow_redirects=True, timeout=30) as browser:
        page = browser.get(loopback.authorize_url(name), headers=_NAVIGATION)
        if server is not None and server.allow is not None:
            page = server.allow(browser, page)
        for _ in range(4):
            if "<strong>You can close this tab" in page.text:
                return
            if "You can close this tab" in page.text:
                break
            page = _submit(browser, page)
    raise AssertionError(f"{page.status_code} {page.url.path}: {page.text[:2000]}")


def _submit(browser: httpx.Client, page: httpx.Response) -> httpx.Response:
    """Fill in the form of a page and press its button: the login, or the consent."""
    form = re.search(r"<form.*?</form>", page.text, re.DOTALL)
    assert form, f"{page.status_code} {page.url.path}: {page.text[:2000]}"
    action = re.search(r'action="([^"]*)"', form[0])
    fields = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            fields[name[1]] = html.unescape(value[1]) if value else ""
    for tag in re.findall(r"<button[^>]*>", form[0]):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="(accept|allow|yes)"', tag)
        if name and value:
            fields[name[1]] = value[1]
    for login in {"login", "username", "user_name"} & fields.keys():
        fields |= {login: "ann", "password": "any"}
    target = urljoin(str(page.url), html.unescape(action[1]) if action else "")
    return browser.post(target, data=fields, headers={"Referer": target})


def _token_set(name: str) -> TokenSet:
    token_set = default_vault().get(name).token_set
    assert token_set is not None
    return token_set


def _refresh_twice(server: Server, base: str) -> str:
    seen = [_token_set("walk")]
    if seen[0].refresh_token is None:
        return "no refresh token"
    for _ in range(2):
        flowlet.secrets["walk"].refresh()
        seen.append(_token_set("walk"))
        assert server.call(base, "walk").status_code == 200
    rotated = {token_set.refresh_token.reveal() for token_set in seen}
    return "works, rotating" if len(rotated) == 3 else "works, the refresh token stays"


def _client_authentication(chosen: str | None, first: TokenSet) -> str:
    worked = first.client_authentication
    if chosen:
        return f"`{worked}`, as the metadata says"
    return f"`{worked}`" if worked == "client_secret_basic" else f"`{worked}`, after `client_secret_basic` was refused"


def _identity(identity: str | None, problem: str | None, first: TokenSet) -> str:
    if identity is None:
        return f"none: {problem}" if problem else "none"
    if problem:
        return f"{identity}, not proven: {problem}"
    if (first.subject or "").startswith("did:"):
        return f"{identity}, proven by the account's own document"
    return f"{identity}, proven by the ID token" if first.subject else f"{identity}, as the API says"


def _revocation(server: Server, base: str, name: str) -> str:
    handle = flowlet.secrets[name]
    access_token = handle.token()
    try:
        assert handle.revoke().state == "no_token"
    except ProviderError as error:
        assert "no revocation endpoint" in str(error)
        return "no endpoint"
    if default_vault().get(name).secret.dpop:
        return "works"  # and a token without its key is of no use
    # what somebody who has the old access token can still do
    old = Headers(name=f"old {name}", headers={"Authorization": f"Bearer {access_token.reveal()}"}, base_url=base)
    flowlet.secrets.add(old)
    is_over = server.call(base, old.name).status_code in {401, 403}
    return "works" if is_over else "works; the access token lives until it expires"


def _registration(server: Server, base: str, metadata: ProviderMetadata | None) -> str:
    if metadata is not None and metadata.is_atproto:
        return "not needed: the client ID says what a client is"
    if metadata is None or "registration_endpoint" not in metadata.endpoints:
        return "none"
    client = register_client(
        metadata.endpoints["registration_endpoint"],
        redirect_uri=loopback_redirect_uri(),
        grant_type="authorization_code",
        scope=server.scope,
        client_name="flowlet",
    )
    fields = fields_of(metadata) | client | {"scope": server.scope, "base_url": base, "name": "registered"}
    flowlet.secrets.add(from_mapping("oauth2", fields))
    connect("registered", server)
    assert server.call(base, "registered").status_code == 200
    assert _revocation(server, base, "registered").startswith("works")
    return f"works, `{client['token_endpoint_auth_method']}`"
