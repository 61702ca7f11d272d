"""The cache for exploration: off unless asked for, apart for each secret, without credentials. hishel is an extra.

Kept in one SQLite file beside the vault, readable by its user only. What APIs answered is in it as it came.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from flowlet_jupyter.errors import InvalidOption, MissingExtra
from flowlet_jupyter.http.transport import our_response
from flowlet_jupyter.vault import default_vault

EXTENSION = "flowlet_cache"
# of the user's own request; a response to one of these belongs to whoever sent it
_CREDENTIAL_HEADERS = ("authorization", "cookie", "proxy-authorization", "x-api-key")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def age_of(text: str) -> float:
    """The seconds that `text` states: `30s`, `10m`, `1h`, `7d`, or a number of seconds. Raises `InvalidOption`."""
    matched = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)([smhd]?)", text.strip().lower())
    if not matched or not float(matched[1]):
        raise InvalidOption(f"'{text[:20]}' is not an age. Write it as 30s, 10m, 1h or 7d.")
    return float(matched[1]) * _UNITS[matched[2] or "s"]


def cache_file() -> Path:
    """Where the answers are kept."""
    return default_vault().folder.parent / "cache" / "answers.sqlite"


@functools.lru_cache(maxsize=4)
def _storage(file: Path, _process: int) -> Any:
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


class CachingTransport(httpx.BaseTransport):
    """The outermost transport: answers from the cache where a request asks for it, and hands all others on."""

    def __init__(self, inner: httpx.BaseTransport, secret_name: str | None) -> None:
        self._inner = inner
        self._secret_name = secret_name

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The cached answer, or a new one, which is kept if the request asks for it."""
        age = request.extensions.pop(EXTENSION, None)
        if age is None or request.method not in {"GET", "HEAD"} or _has_credentials(request):
            return self._inner.handle_request(request)
        storage = _storage(cache_file(), os.getpid())
        from hishel.httpx import CacheTransport

        request.extensions["caching"] = {"storage": storage, "ttl": age, "key": _key(request, self._secret_name)}
        answer = CacheTransport(_WithoutCookies(self._inner), storage=storage).handle_request(request)
        return our_response(answer, self._secret_name)  # hishel makes one of its own

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class _WithoutCookies(httpx.BaseTransport):
    """A session that an API sets is a credential, and is not kept."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        for name in ("set-cookie", "set-cookie2"):
            if name in response.headers:
                del response.headers[name]
        return response


def _has_credentials(request: httpx.Request) -> bool:
    return any(name in request.headers for name in _CREDENTIAL_HEADERS)


def _key(request: httpx.Request, secret_name: str | None) -> str:
    """Never shared between secrets: another account may see something else at the same URL."""
    named = [default_vault().folder, secret_name, request.method, request.url, request.headers.get("accept")]
    return hashlib.sha256(repr([str(part) for part in named]).encode()).hexdigest()


@dataclass(frozen=True)
class CachedAnswers:
    """What the cache holds: how many answers, and how many bytes on disk."""

    count: int
    size: int
    file: Path

    def __str__(self) -> str:
        return f"{self.count} answers, {self.size / 1000:,.1f} kB in {self.file}"


def cached_answers() -> CachedAnswers:
    """What the cache holds now."""
    file = cache_file()
    count = 0
    for connection in _connected(file):
        count = connection.execute("SELECT count(*) FROM entries").fetchone()[0]
    size = sum(path.stat().st_size for path in file.parent.glob(file.name + "*")) if file.parent.is_dir() else 0
    return CachedAnswers(count, size, file)


def clear_cache() -> None:
    """Remove all answers."""
    for connection in _connected(cache_file()):
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
