"""The same handlers, hosted by a process that has no Jupyter server: on loopback, while something is pending (RFC 8252, 7.3).

The redirect URI is fixed, since it is registered; everything else is behind a path that nobody can guess.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets as random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from jupyter_server.auth.authorizer import AllowAllAuthorizer
from jupyter_server.auth.identity import IdentityProvider, User
from tornado import web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.server.routes import loopback_handlers
from flowlet_jupyter.session import Session, session_of
from flowlet_jupyter.settings import LOOPBACK_ADDRESS, loopback_port
from flowlet_jupyter.vault import Vault

PAGE_SECONDS = 600.0
_START_SECONDS = 10.0


@dataclass(frozen=True)
class Loopback:
    """A listener that is open. `base` is its secret address, without a slash at the end."""

    base: str
    redirect_uri: str

    def authorize_url(self, secret_name: str) -> str:
        """The link that starts the authorization of a secret."""
        return f"{self.base}/flowlet/authorize/{quote(secret_name, safe='')}"

    @property
    def secrets_url(self) -> str:
        """The page with all secrets, the form and Manage tokens."""
        return f"{self.base}/flowlet/"


class _Anybody(IdentityProvider):
    """Whoever knows the path was given it by the process itself."""

    async def get_user(self, handler: web.RequestHandler) -> User:  # noqa: ARG002 - the base class's signature
        return User("owner")


class _Listener:
    """One open socket and the thread that answers on it, for as long as somebody holds it."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.holders = 0
        port = loopback_port()
        try:
            sockets = bind_sockets(port, LOOPBACK_ADDRESS)
        except OSError:
            raise FlowletError(
                f"The redirect URI http://{LOOPBACK_ADDRESS}:{port} is taken by another program. Stop that one, or set "
                "FLOWLET_LOOPBACK_PORT to the port of another redirect URI that is registered."
            ) from None
        path = random.token_urlsafe(24)
        port = sockets[0].getsockname()[1]
        self.loopback = Loopback(
            f"http://{LOOPBACK_ADDRESS}:{port}/{path}", f"http://{LOOPBACK_ADDRESS}:{port}/flowlet/callback"
        )
        ready = threading.Event()

        async def serve() -> None:
            server = HTTPServer(_application(vault, f"/{path}/"))
            server.add_sockets(sockets)
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            ready.set()
            await self._stop.wait()
            await asyncio.sleep(0.2)  # the last page is on its way
            server.stop()
            await server.close_all_connections()

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), name="flowlet: loopback", daemon=True)
        self._thread.start()
        if not ready.wait(_START_SECONDS):
            raise FlowletError("The listener for the redirect could not be started.")

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_START_SECONDS)


class _Listeners:
    """The listener of a session, by process: a forked child has the memory of one, but not its thread."""

    def __init__(self, session: Session) -> None:
        self._vault = session.vault
        self._guard = threading.Lock()
        self._open: dict[int, _Listener] = {}

    def take(self) -> _Listener:
        """The one that is open, started if there is none: the one port serves all who wait."""
        with self._guard:
            listener = self._open.get(os.getpid())
            if listener is None:
                listener = self._open[os.getpid()] = _Listener(self._vault)
            listener.holders += 1
            return listener

    def give_back(self, listener: _Listener) -> None:
        """Close it when nobody waits any more."""
        with self._guard:
            listener.holders -= 1
            if listener.holders:
                return
            del self._open[os.getpid()]
            listener.close()


@contextlib.contextmanager
def open_loopback(vault: Vault) -> Iterator[Loopback]:
    """Listen while the block runs. Raises `FlowletError` if the port is taken: another one is not registered."""
    listeners = session_of(vault).part(_Listeners)
    listener = listeners.take()
    try:
        yield listener.loopback
    finally:
        listeners.give_back(listener)


def hold_loopback(vault: Vault, *, seconds: float = PAGE_SECONDS) -> Loopback:
    """Listen for some minutes, so that a user can use the page of secrets, and return at once. Raises `FlowletError`."""
    listeners = session_of(vault).part(_Listeners)
    listener = listeners.take()
    timer = threading.Timer(seconds, listeners.give_back, (listener,))
    timer.daemon = True
    timer.start()
    return listener.loopback


def _application(vault: Vault, base_url: str) -> web.Application:
    return web.Application(
        loopback_handlers(base_url, vault),
        base_url=base_url,
        identity_provider=_Anybody(),
        authorizer=AllowAllAuthorizer(),
        allow_remote_access=False,  # a Host header that is not loopback is a rebound DNS name
        local_hostnames=["localhost"],
        cookie_secret=random.token_bytes(32),
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"path": base_url, "samesite": "Strict"},
        flowlet_callback="/flowlet/callback",
        headers={},
        log_function=lambda _handler: None,
    )
