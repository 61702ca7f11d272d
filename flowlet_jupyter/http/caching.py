"""The cache for exploration: off unless asked for, separate for each secret, without credentials. hishel is an extra.

Kept in one SQLite file beside the vault, readable by its user only. What APIs sent is in it as it came.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from flowlet_jupyter.credentials.redaction import is_sensitive, own_credentials
from flowlet_jupyter.errors import InvalidOption, MissingExtra
from flowlet_jupyter.http.response import Response, redacted
from flowlet_jupyter.http.transport import our_response
from flowlet_jupyter.model.wording import counted
from flowlet_jupyter.session import Session, default_session, session_of
from flowlet_jupyter.vault import Vault

EXTENSION = "flowlet_cache"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def age_of(text: str) -> float:
    """The seconds that `text` states: `30s`, `10m`, `1h`, `7d`, or a number of seconds. Raises `InvalidOption`."""
    matched = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)([smhd]?)", text.strip().lower())
    if not matched or not float(matched[1]):
        raise InvalidOption(f"'{text[:20]}' is not an age. Write it as 30s, 10m, 1h or 7d.")
    return float(matched[1]) * _UNITS[matched[2] or "s"]


def cache_file(session: Session | None = None) -> Path:
    """Where the responses are kept."""
    return (session or default_session()).vault.folder.parent / "cache" / "answers.sqlite"


def _storage(file: Path) -> Any:
    try:
        from hishel import SqliteStorage
    except ImportError:
        raise MissingExtra('The cache needs hishel: pip install "flowlet-jupyter[cache]"') from None
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in (file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
        # before SQLite makes them, which would follow the umask
        os.close(os.open(name, os.O_CREAT | os.O_RDWR, 0o600))
        name.chmod(0o600)
    return SqliteStorage(database_path=file)


class _Storages:
    """The open caches of a session: one a file and process."""

    def __init__(self, _session: Session) -> None:
        self._open: dict[tuple[Path, int], Any] = {}

    def get(self, file: Path) -> Any:
        key = (file, os.getpid())
        storage = self._open.get(key)
        return storage if storage is not None else self._open.setdefault(key, _storage(file))


class CachingTransport(httpx.BaseTransport):
    """The outermost transport: takes the response from the cache where a request asks for it, and hands all others on."""

    def __init__(self, inner: httpx.BaseTransport, secret_name: str | None, session: Session) -> None:
        self._inner = inner
        self._secret_name = secret_name
        self._vault = session.vault  # not the session, which holds the pool that holds this

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The cached response, or a new one, which is kept if the request asks for it."""
        age = request.extensions.pop(EXTENSION, None)
        if age is None or request.method not in {"GET", "HEAD"} or _has_credentials(request):
            return self._inner.handle_request(request)
        storage = session_of(self._vault).part(_Storages).get(cache_file(session_of(self._vault)))
        from hishel.httpx import CacheTransport

        request.extensions["caching"] = {
            "storage": storage,
            "ttl": age,
            "key": _key(request, self._secret_name, self._vault),
        }
        try:
            cached = CacheTransport(_OnlyWhatMayBeKept(self._inner), storage=storage).handle_request(request)
        except _NotKept as passed:
            return passed.response
        return our_response(cached, self._secret_name)  # hishel makes one of its own

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class _NotKept(Exception):
    def __init__(self, response: httpx.Response) -> None:
        super().__init__("this response is not stored")
        self.response = response


class _OnlyWhatMayBeKept(httpx.BaseTransport):
    """Takes credentials out of what is kept, and leads past the cache what would be wrong or a credential in it."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        # a redirect's address may be signed, and is then a credential; what varies by everything fits no request again
        if response.has_redirect_location or "*" in response.headers.get("vary", ""):
            raise _NotKept(response)
        for name in list(response.headers):
            if is_sensitive(name):
                del response.headers[name]
        if isinstance(response, Response) and response.sent_values:
            response.read()
            return redacted(response)
        return response


def _has_credentials(request: httpx.Request) -> bool:
    """Whether the user's own request has a credential: the response then belongs to whoever sent it."""
    return bool(own_credentials(request)) or bool(request.url.userinfo)


def _key(request: httpx.Request, secret_name: str | None, vault: Vault) -> str:
    """Never shared between secrets: another account may see something else at the same URL.

    Every header is part of it: any may be one that the API varies by, whether it says so (`Vary`) or not.
    """
    headers = sorted((name.lower(), value) for name, value in request.headers.multi_items())
    named = [vault.folder, secret_name, request.method, request.url, headers]
    return hashlib.sha256(repr([str(part) for part in named]).encode()).hexdigest()


@dataclass(frozen=True)
class CachedResponses:
    """What the cache holds: how many responses, and how many bytes on disk."""

    count: int
    size: int
    file: Path

    def __str__(self) -> str:
        return f"{counted(self.count, 'response')}, {self.size / 1000:,.1f} kB in {self.file}"


def cached_responses(session: Session | None = None) -> CachedResponses:
    """What the cache holds now."""
    file = cache_file(session)
    count = 0
    for connection in _connected(file):
        count = connection.execute("SELECT count(*) FROM entries").fetchone()[0]
    size = sum(path.stat().st_size for path in file.parent.glob(file.name + "*")) if file.parent.is_dir() else 0
    return CachedResponses(count, size, file)


def clear_cache(session: Session | None = None) -> None:
    """Remove all responses."""
    for connection in _connected(cache_file(session)):
        for table in ("streams", "entries"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - two names of ours
        connection.commit()
        connection.execute("VACUUM")


def _connected(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the cache, if there is one with tables in it."""
    if not file.is_file():
        return
    with (
        contextlib.closing(sqlite3.connect(file, timeout=10)) as connection,
        contextlib.suppress(sqlite3.OperationalError),
    ):
        yield connection
