"""Values that must not be seen, one of each kind; secrets that hold them; and a provider and API that repeat them."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets as random
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from joserfc.jwk import RSAKey

import flowlet_jupyter as flowlet
from flowlet_jupyter.model.oauth2 import CLIENT_CREDENTIALS, JWT_BEARER
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.oauth import dpop
from flowlet_jupyter.vault import default_vault

MARK = "q7Zk2xW9"  # every canary that is ours to choose begins with it, so that a search is quick
PLANTED = "planted-Vh3tR8-canary"  # what the control of a surface plants


def canary() -> str:
    """A value with characters that JSON, URLs, HTML, shells and base64 each write in another way."""
    return f"{MARK}{random.token_hex(8)}+/=%25&'\"<>~{random.token_hex(4)}"


class CanaryServer(ThreadingHTTPServer):
    """A provider's token endpoint and an API on one port of loopback. What it was sent and what it issued is in `values`.

    /token issues, /token/refuse and /token/broken repeat in their errors what they were sent, /token/wait answers when
    `may_answer` is set. The API: /quiet, /unauthorized, /echo, /status/NNN, /pages, /html, /drop, /to?URL.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.may_answer = threading.Event()
        self.was_asked = threading.Event()
        self.values: dict[str, list[str]] = {}

    def note(self, kind: str, value: str) -> str:
        """Remember a value that must be seen nowhere."""
        known = self.values.setdefault(kind, [])
        if value not in known:
            known.append(value)
        return value


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: CanaryServer

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        sent = f"{self.path} {dict(self.headers)} {body.decode('utf-8', 'replace')}"
        if path.startswith("/token"):
            self._token(path, body, sent)
        elif path == "/unauthorized":
            self._send(401, {"error": "no"}, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        elif path == "/drop":
            self.close_connection = True
        elif path.startswith("/status/"):
            self._send(
                int(path.rpartition("/")[2]), {"message": f"you sent {sent}", "sent": dict(self.headers)}, repeat=True
            )
        elif path == "/echo":
            query = dict(parse_qsl(urlsplit(self.path).query))
            self._send(200, {"headers": dict(self.headers), "query": query, "path": self.path}, repeat=True)
        elif path == "/html":
            self._send(200, f"<p>{sent}</p><script>x='{sent}'</script>", content_type="text/html", repeat=True)
        elif path == "/to":
            target = urlsplit(self.path).query.partition("&")[0]
            self._send(302, {"sent": sent}, {"Location": target}, repeat=True)
        elif path == "/pages":
            query = dict(parse_qsl(urlsplit(self.path).query))
            number = int(query.get("page", "1"))
            following = (
                {"next": f"{self.server.url}{self.path.partition('?')[0]}?page={number + 1}"} if number < 3 else {}
            )
            self._send(200, {"data": [{"id": number * 10 + each} for each in range(3)], "paging": following})
        else:
            self._send(200, {"data": [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}]})

    def _token(self, path: str, body: bytes, sent: str) -> None:
        form = dict(parse_qsl(body.decode())) | dict(parse_qsl(urlsplit(self.path).query))
        for name in (
            "code_verifier",
            "code",
            "client_secret",
            "refresh_token",
            "client_assertion",
            "assertion",
            "password",
        ):
            if name in form:
                # a JWT's beginning is the same for all
                self.server.note(name, form[name].rpartition(".")[2] if "assertion" in name else form[name])
        if self.headers["Authorization"]:
            self.server.note("Basic pair of the client", self.headers["Authorization"].partition(" ")[2])
        if path.endswith("wait"):
            self.server.was_asked.set()
            self.server.may_answer.wait(30)
        if path.endswith("refuse"):
            self._send(400, {"error": "invalid_client", "error_description": f"refused: {sent}", "error_uri": sent})
        elif path.endswith("broken"):
            self._send(500, f"<h1>Oops</h1><pre>{sent}</pre>", content_type="text/html")
        else:
            issued = {
                "access_token": self.server.note("access token", canary()),
                "refresh_token": self.server.note("refresh token", canary()),
                "token_type": "DPoP" if self.headers["DPoP"] else "Bearer", "expires_in": 3600, "scope": "read",
            }  # fmt: skip
            self._send(200, issued)

    def _send(
        self, status: int, content, headers=(), *, content_type: str = "application/json", repeat: bool = False
    ) -> None:
        data = (content if isinstance(content, str) else json.dumps(content)).encode()
        # the reason phrase too, of which httpx logs every one
        self.send_response(status, f"you sent {self.headers['Authorization']}" if repeat else None)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        if repeat:  # as some gateways do
            for name in ("Authorization", "X-Key"):
                if self.headers[name]:
                    self.send_header(f"X-Seen-{name}", self.headers[name])
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


@contextlib.contextmanager
def canary_server() -> Iterator[CanaryServer]:
    """A server for the block."""
    with CanaryServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.may_answer.set()
            server.shutdown()
            thread.join()


def put_secrets(server: CanaryServer, outside: Path, *, but: frozenset[str] = frozenset()) -> list[str]:
    """One secret of each kind and way, all with canaries, in the vault; their names, without those in `but`.

    `outside` is a folder that is not searched: the file of the external secret is there.
    """

    def new(kind: str) -> str:
        return server.note(kind, canary())

    key = RSAKey.generate_key(2048)
    pem = key.as_pem(private=True).decode()
    server.note("private key", "".join(pem.splitlines()[5:7]))
    server.note("line of the private key", pem.splitlines()[5])
    (outside / "external").write_text(new("external value"))
    dpop_key = dpop.new_key()
    server.note("DPoP key", json.loads(dpop_key.reveal())["d"])
    at = {"authorization_endpoint": f"{server.url}/authorize", "base_url": server.url, "client_id": "client"}
    pair = f"ann:{new('Basic password')}"
    server.note("Basic pair", base64.b64encode(pair.encode()).decode())
    made = [
        flowlet.OAuth2(name="oauth", token_endpoint=f"{server.url}/token", client_secret=new("client secret"), **at),
        flowlet.OAuth2(
            name="refused", token_endpoint=f"{server.url}/token/refuse", client_secret=new("client secret"),
            token_endpoint_auth_method="client_secret_post", **at,
        ),
        flowlet.OAuth2(
            name="broken", token_endpoint=f"{server.url}/token/broken", client_secret=new("client secret"), **at
        ),
        flowlet.OAuth2(
            name="machine", token_endpoint=f"{server.url}/token", client_secret=new("client secret"),
            grant_type=CLIENT_CREDENTIALS, token_endpoint_auth_method="client_secret_jwt", **at,
        ),
        flowlet.OAuth2(name="robot", token_endpoint=f"{server.url}/token", private_key=pem, grant_type=JWT_BEARER, **at),
        flowlet.OAuth2(name="dpop", token_endpoint=f"{server.url}/token", client_secret=new("client secret"), dpop=True, **at),
        flowlet.OAuth2(
            name="query", token_endpoint=f"{server.url}/token", client_secret=new("client secret"),
            compliance={"token_parameter": "access_token"}, **at,
        ),
        flowlet.OAuth2(
            name="in_header", token_endpoint=f"{server.url}/token", client_secret=new("client secret"),
            compliance={"token_header": "X-Key", "api_headers": {"X-Client": "{client_secret}"}}, **at,
        ),
        flowlet.Password(name="password", password=new("password"), base_url=server.url),
        flowlet.Basic(name="basic", username="ann", password=pair.partition(":")[2], base_url=server.url),
        flowlet.Headers(name="header", headers={"X-Key": new("header")}, base_url=server.url),
        flowlet.ApiKey(name="key", key=new("API key"), parameter="X-Key", prefix="Token ", base_url=server.url),
        flowlet.ApiKey(name="key_in_query", key=new("API key in the query"), parameter="key", location="query", base_url=server.url),
        flowlet.External(name="external", source=f"file:{outside / 'external'}", base_url=server.url),
    ]  # fmt: skip
    made = [secret for secret in made if secret.name not in but]
    for secret in made:
        tokens = None
        if isinstance(secret, flowlet.OAuth2) and secret.name not in {"machine", "robot"}:
            ended = secret.name in {"refused", "broken"}
            tokens = TokenSet(
                access_token=SecretValue(new("access token")), refresh_token=SecretValue(new("refresh token")),
                obtained_at=time.time() - 7200 * ended, expires_at=time.time() + 3600 - 7200 * ended,
                dpop_key=dpop_key if secret.dpop else None,
            )  # fmt: skip
        default_vault().put(Record(secret=secret, token_set=tokens))
    return [secret.name for secret in made]
