"""Birdsong over HTTP: developer page, login and consent, token endpoint, and a Twitter-like API. Loopback only."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from flowlet_jupyter.demo.provider import SCOPES, USERS, OAuthRefusal, Provider
from flowlet_jupyter.demo.tweets import tweets_of

IDLE_SECONDS = 12 * 3600  # a forgotten process ends by itself
_STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:38rem;margin:2rem auto;padding:0 1rem}
label{display:block;margin:.75rem 0 .2rem}
input[type=text],input[type=password],input[type=url]{width:100%;padding:.4rem;box-sizing:border-box;font:inherit}
button{margin:1rem .5rem 0 0;padding:.5rem 1.2rem;font:inherit;cursor:pointer}
code{overflow-wrap:anywhere;background:#8882;padding:.1rem .3rem;border-radius:4px;user-select:all}
pre{background:#8882;padding:.6rem .8rem;border-radius:4px;white-space:pre-wrap;overflow-wrap:anywhere}
pre code{background:none;padding:0}
.error{color:#c0392b}.quiet{opacity:.7}
"""
_COPY = (
    "const copy = document.getElementById('copy'), client = document.getElementById('client');"
    "copy.onclick = () => navigator.clipboard.writeText(client.textContent).then("
    "() => { copy.textContent = 'Copied'; }, () => getSelection().selectAllChildren(client));"
)
_COPY_HASH = base64.b64encode(hashlib.sha256(_COPY.encode()).digest()).decode()


class _Handler(BaseHTTPRequestHandler):
    server: BirdsongServer
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_: object) -> None:
        """Say nothing: request lines hold codes."""

    def do_GET(self) -> None:
        self._route(
            {
                "/": self._home,
                "/developer": self._developer,
                "/i/oauth2/authorize": self._authorize,
                "/device": self._device,
                **dict.fromkeys(("/2", "/2/"), self._me),  # the API's root, which Test asks
                "/2/users/me": self._me,
                "/demo/settings": self._settings,
            }
        )

    def do_POST(self) -> None:
        self._route(
            {
                "/developer": self._register,
                "/i/oauth2/authorize": self._allow,
                "/2/oauth2/token": self._token,
                "/2/oauth2/device": self._device_authorization,
                "/device": self._enter,
                "/demo/settings": self._change_settings,
                "/demo/stop": self._stop,
            }
        )

    def _route(self, routes: dict[str, Callable[[], None]]) -> None:
        self.server.last_use = time.monotonic()
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(min(length, 100_000)).decode("utf-8", "replace")
        parts = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
        if host not in {"127.0.0.1", "localhost"}:  # another name that leads here is DNS rebinding
            self._json({"error": "misdirected"}, 421)
            return
        tweets = parts.path.removeprefix("/2/users/").removesuffix("/tweets")
        try:
            if parts.path == f"/2/users/{tweets}/tweets" and self.command == "GET":
                self._tweets(tweets)
            elif parts.path in routes:
                routes[parts.path]()
            else:
                self._json({"title": "Not Found", "status": 404}, 404)
        except OAuthRefusal as refusal:
            self._json(
                {"error": refusal.error, "error_description": refusal.description, "title": refusal.description},
                refusal.status,
                {"WWW-Authenticate": f'Bearer error="{refusal.error}"'} if refusal.status == 401 else None,
            )

    # pages

    def _home(self) -> None:
        self._page(
            "Birdsong",
            "<p>A small provider and API for the flowlet quickstart. It runs on this machine only.</p>"
            '<p><a href="/developer">Developer page: register an app</a></p>',
        )

    def _developer(self) -> None:
        apps = "".join(
            f"<li>{escape(app['name'])}: client ID <code>{escape(client_id)}</code>, "
            f"redirect URI <code>{escape(app['redirect_uri'])}</code></li>"
            for client_id, app in self.server.provider.state["apps"].items()
        )
        self._page(
            "Birdsong for developers",
            f"""<h2>Register an app</h2>
            <form method="post">
            <label for="name">Name of the app</label><input type="text" id="name" name="name" value="Birdwatch" required>
            <label for="redirect_uri">Redirect URI (the form in your notebook shows it)</label>
            <input type="url" id="redirect_uri" name="redirect_uri" required autofocus>
            <label><input type="checkbox" name="public" value="yes"> public client (no client secret)</label>
            <button>Register</button></form>
            <h2>Apps</h2><ul>{apps or "<li>none yet</li>"}</ul>""",
        )

    def _register(self) -> None:
        form = self._same_site_form()
        try:
            client_id, client_secret = self.server.provider.register(
                form.get("name", ""), form.get("redirect_uri", ""), public="public" in form
            )
        except OAuthRefusal as refusal:
            self._page("Birdsong for developers", f'<p class="error">{escape(refusal.description)}</p>', 400)
            return
        origin = self.server.origin
        secret = (
            f'BIRDWATCH_CLIENT_SECRET=<code id="client_secret">{escape(client_secret)}</code>\n'
            if client_secret
            else ""
        )
        self._page(
            "App registered",
            f"""<p>Copy these lines, and paste them into the form in your notebook, in any field: they fill in the rest.
            {"The client secret is shown only now." if client_secret else ""}</p>
            <pre id="client">BIRDWATCH_CLIENT_ID=<code id="client_id">{escape(client_id)}</code>
{secret}BIRDWATCH_AUTH_URL={origin}/i/oauth2/authorize
BIRDWATCH_TOKEN_URL={origin}/2/oauth2/token
BIRDWATCH_API_URL={origin}/2
BIRDWATCH_SCOPE={" ".join(SCOPES)}</pre>
            <button id="copy">Copy</button><script>{_COPY}</script>""",
        )

    def _authorize(self, problem: str = "") -> None:
        try:
            app = self.server.provider.check_authorization_request(self.query)
        except OAuthRefusal as refusal:
            self._refuse(refusal)
            return
        scopes = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in self.query.get("scope", "").split())
        self._page(
            f"{app['name']} wants to use your Birdsong account",
            f"""<ul>{scopes}</ul><p class="error" role="alert">{escape(problem)}</p>
            <form method="post">
            <label for="username">User</label><input type="text" id="username" name="username" value="ada" autofocus>
            <label for="password">Password</label>
            <input type="password" id="password" name="password" value="birdsong">
            <p class="quiet">There are the users {" and ".join(USERS)}, with the password “birdsong”.</p>
            <button name="decision" value="allow">Log in and allow</button><button name="decision" value="deny">Deny</button>
            </form>""",
        )

    def _allow(self) -> None:
        form = self._same_site_form()
        try:
            self.server.provider.check_authorization_request(self.query)
        except OAuthRefusal as refusal:
            self._refuse(refusal)
            return
        if form.get("decision") == "deny":
            self._refuse(OAuthRefusal("access_denied", "The user did not allow it."))
            return
        user = USERS.get(form.get("username", ""))
        if user is None or user["password"] != form.get("password"):
            self._authorize("User or password is wrong.")
            return
        self._back({"code": self.server.provider.issue_code(self.query, user["username"])})

    def _device(self, problem: str = "") -> None:
        self._page(
            "Connect a device",
            f"""<p class="error" role="alert">{escape(problem)}</p><form method="post">
            <label for="user_code">Code that the device shows</label>
            <input type="text" id="user_code" name="user_code" value="{escape(self.query.get("user_code", ""))}" required>
            <label for="username">User</label><input type="text" id="username" name="username" value="ada">
            <label for="password">Password</label>
            <input type="password" id="password" name="password" value="birdsong">
            <button>Log in and allow</button></form>""",
        )

    def _enter(self) -> None:
        form = self._same_site_form()
        user = USERS.get(form.get("username", ""))
        if user is None or user["password"] != form.get("password"):
            self._device("User or password is wrong.")
        elif self.server.provider.enter_user_code(form.get("user_code", ""), user["username"]):
            self._page("Device connected", "<p>You can close this page and go on at the device.</p>")
        else:
            self._device("No device waits for this code.")

    def _refuse(self, refusal: OAuthRefusal) -> None:
        if refusal.error == "invalid_client":  # RFC 6749, 4.1.2.1: then the redirect URI cannot be trusted
            self._page("This request cannot be used", f'<p class="error">{escape(refusal.description)}</p>', 400)
        else:
            self._back({"error": refusal.error, "error_description": refusal.description})

    def _back(self, parameters: dict[str, str]) -> None:
        uri = self.query["redirect_uri"]
        response = {**parameters, "state": self.query.get("state", ""), "iss": self.server.origin}
        self._send(303, "text/plain", b"", {"Location": f"{uri}{'&' if '?' in uri else '?'}{urlencode(response)}"})

    # API

    def _token(self) -> None:
        form = self._form()
        client_id, client_secret = form.get("client_id", ""), form.get("client_secret")
        scheme, _, credentials = (self.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise OAuthRefusal("invalid_client", "The Basic header cannot be read.", 401) from None
            client_id, client_secret = unquote_plus(user), unquote_plus(password)
        self._json(self.server.provider.token(form, client_id, client_secret))

    def _device_authorization(self) -> None:
        authorization = self.server.provider.device_authorization(self._form())
        device_page = f"{self.server.origin}/device"
        complete = f"{device_page}?{urlencode({'user_code': authorization['user_code']})}"
        self._json({**authorization, "verification_uri": device_page, "verification_uri_complete": complete})

    def _user(self, scope: str) -> dict[str, str]:
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer":
            raise OAuthRefusal("invalid_token", "An access token is needed.", 401)
        return self.server.provider.user_of(token, scope)

    def _me(self) -> None:
        user = self._user("users.read")
        self._json({"data": {key: user[key] for key in ("id", "username", "name")}})

    def _tweets(self, user_id: str) -> None:
        self._user("tweet.read")
        if user_id not in {user["id"] for user in USERS.values()}:
            self._json({"title": "Not Found", "detail": "There is no such user.", "status": 404}, 404)
            return
        try:
            size = min(max(int(self.query.get("max_results", "10")), 5), 100)
            start = int(self.query.get("pagination_token", "0"))
        except ValueError:
            self._json({"title": "Invalid Request", "detail": "max_results must be a number.", "status": 400}, 400)
            return
        tweets = tweets_of(user_id)
        page = tweets[start : start + size]
        meta: dict[str, Any] = {"result_count": len(page)}
        if start + size < len(tweets):
            meta["next_token"] = str(start + size)
        self._json({"data": page, "meta": meta})

    # control, for the notebook that started it

    def _settings(self) -> None:
        state = self.server.provider.state
        self._json({"birdsong": True, **{key: state[key] for key in ("access_token_lifetime", "refresh_count")}})

    def _change_settings(self) -> None:
        self.server.provider.set_access_token_lifetime(self._json_from_here()["access_token_lifetime"])
        self._settings()

    def _stop(self) -> None:
        self._json_from_here()
        self._json({"stopped": True})
        threading.Thread(target=self.server.shutdown).start()

    def _json_from_here(self) -> dict[str, Any]:
        # a page of another site cannot send this type without a preflight, which we never allow
        if self.headers.get("Content-Type") != "application/json":
            raise OAuthRefusal("invalid_request", "JSON is needed.", 415)
        return dict(json.loads(self.body))

    # reading and writing

    def _form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body, keep_blank_values=True).items()}

    def _same_site_form(self) -> dict[str, str]:
        # The cookie-less login page needs no XSRF token, but no other site shall register apps
        if self.headers.get("Sec-Fetch-Site") not in {None, "same-origin", "none"}:
            raise OAuthRefusal("invalid_request", "This form was sent by another site.", 403)
        return self._form()

    def _page(self, title: str, content: str, status: int = 200) -> None:
        page = (
            f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            '<meta name="viewport" content="width=device-width">'
            f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{content}</body></html>"
        )
        policy = (
            f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_COPY_HASH}'; frame-ancestors 'none'"
        )
        self._send(status, "text/html; charset=utf-8", page.encode(), {"Content-Security-Policy": policy})

    def _json(self, body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(status, "application/json", json.dumps(body).encode(), headers or {})

    def _send(self, status: int, content_type: str, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class BirdsongServer(ThreadingHTTPServer):
    """One Birdsong on one loopback port."""

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # on Windows it would let two programs share the port

    def __init__(self, port: int, state: Path) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.provider = Provider(state)
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.last_use = time.monotonic()

    def service_actions(self) -> None:
        """Stop after a long time without use."""
        if time.monotonic() - self.last_use > IDLE_SECONDS:
            threading.Thread(target=self.shutdown).start()


def serve(port: int, state: Path) -> None:
    """Run until stopped."""
    with BirdsongServer(port, state) as server:
        server.serve_forever()
