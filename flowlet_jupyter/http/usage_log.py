"""The log of what this vault's secrets were used for: local, bounded, without paths, queries or values.

One JSON object a line beside the vault: time, secret, method, host, status, and the notebook if it is known. Written by
a thread of its own, so that a request does not wait for the disk.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from flowlet_jupyter.session import Session, at_exit, session_of
from flowlet_jupyter.settings import is_usage_log_allowed
from flowlet_jupyter.vault import Vault

MAX_BYTES = 1_000_000  # then it becomes the old one, and the older one goes
_QUEUE_SIZE = 10_000
_ROUND_SECONDS = 0.5
_IDLE_ROUNDS = 20
_SWITCH = "uses.off"
_ENCODER = json.JSONEncoder(ensure_ascii=False)  # `json.dumps` makes one for each line, which costs more than the line


def log_file(vault: Vault) -> Path:
    """Where the uses are written."""
    return vault.folder.parent / "log" / "uses.jsonl"


def is_on(vault: Vault) -> bool:
    """Whether uses are logged: not if the session's settings, `FLOWLET_LOG=off` or `turn(vault, on=False)` forbid it."""
    is_allowed = session_of(vault).settings.usage_log and is_usage_log_allowed()
    return is_allowed and not (log_file(vault).parent / _SWITCH).exists()


def turn(vault: Vault, *, on: bool) -> None:
    """Log from now on, or no longer; what was logged stays until it is cleared."""
    switch = log_file(vault).parent / _SWITCH
    switch.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if on:
        switch.unlink(missing_ok=True)
    else:
        switch.touch(mode=0o600)
    _log_of(vault).is_on = None


def clear(vault: Vault) -> None:
    """Remove what was logged."""
    _log_of(vault).flush()
    for file in (log_file(vault), _old(log_file(vault))):
        file.unlink(missing_ok=True)


def uses(vault: Vault) -> list[dict[str, Any]]:
    """What was logged, oldest first: `time` (Unix time), `secret`, `method`, `host`, `status`, `notebook` if known."""
    _log_of(vault).flush()
    entries = []
    for file in (_old(log_file(vault)), log_file(vault)):
        with contextlib.suppress(OSError):
            for line in file.read_text("utf-8").splitlines():
                with contextlib.suppress(ValueError):  # a line that was cut short by a crash
                    entries.append(json.loads(line))
    return entries


def last_uses(vault: Vault) -> dict[str, dict[str, Any]]:
    """The last use of each secret that was logged, as in `uses`."""
    return {use["secret"]: use for use in uses(vault) if isinstance(use, dict) and "secret" in use}


def record_use(vault: Vault, secret_name: str, method: str, host: str, status: int) -> None:
    """Log one request that was sent with a secret; never raises, and never waits."""
    _log_of(vault).record(secret_name, method, host, status)


def _log_of(vault: Vault) -> UsageLog:
    return session_of(vault).part(UsageLog)


class UsageLog:
    """What one session has still to write, and the thread that writes it."""

    def __init__(self, session: Session) -> None:
        self._vault = session.vault
        self.is_on: bool | None = None  # asked once
        self._waiting: deque[tuple[float, str, str, str, int]] = deque(maxlen=_QUEUE_SIZE)
        self._writer: threading.Thread | None = None
        self._process = os.getpid()
        self._guard = threading.Lock()
        self._flush_guard = threading.Lock()
        at_exit(self.flush)

    def record(self, secret_name: str, method: str, host: str, status: int) -> None:
        """Put one use behind the others."""
        if self.is_on is None:
            self.is_on = is_on(self._vault)
        if self.is_on:
            self._waiting.append((time.time(), secret_name, method, host, status))
            if self._writer is None or not self._writer.is_alive():
                self._start_writer()

    def _start_writer(self) -> None:
        if self._process != os.getpid():  # another thread may have held them at the fork
            self._process = os.getpid()
            self._guard, self._flush_guard = threading.Lock(), threading.Lock()
        with self._guard:
            if self._writer is None or not self._writer.is_alive():  # an idle one ends
                self._writer = threading.Thread(target=self._write_while_busy, name="flowlet: log of uses", daemon=True)
                self._writer.start()

    def _write_while_busy(self) -> None:
        """Write what has come every now and then, so that a request wakes no thread; end when nothing comes any more."""
        idle = 0
        while idle < _IDLE_ROUNDS:
            time.sleep(_ROUND_SECONDS)
            idle = 0 if self._waiting else idle + 1
            self.flush()

    def flush(self) -> None:
        """Write what waits, in one piece."""
        lines: list[str] = []
        notebook = os.environ.get("JPY_SESSION_NAME")  # the server tells its kernels (jupyter-server 2)
        with self._flush_guard:
            while self._waiting:
                moment, secret, method, host, status = self._waiting.popleft()
                use = {"time": round(moment, 3), "secret": secret, "method": method, "host": host, "status": status}
                if notebook:
                    use["notebook"] = Path(notebook).name
                lines.append(_ENCODER.encode(use))
            if lines:
                with contextlib.suppress(OSError):  # a full disk must not cost a request
                    _append(log_file(self._vault), lines)

    close = flush


def _append(file: Path, lines: list[str]) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, "".join(f"{line}\n" for line in lines).encode())
        is_full = os.fstat(descriptor).st_size > MAX_BYTES
    finally:
        os.close(descriptor)
    if is_full:
        os.replace(file, _old(file))


def _old(file: Path) -> Path:
    return file.with_name(f"{file.stem}.old{file.suffix}")
