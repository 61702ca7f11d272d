"""The log of what this vault's secrets were used for: local, bounded, without paths, queries or values.

One JSON object a line beside the vault: time, secret, method, host, status, and the notebook if it is known. Written by
a thread of its own, so that a request does not wait for the disk.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from flowlet_jupyter.vault import Vault

MAX_BYTES = 1_000_000  # then it becomes the old one, and the older one goes
_QUEUE_SIZE = 10_000
_ROUND_SECONDS = 0.5
_IDLE_ROUNDS = 20
_SWITCH = "uses.off"


def log_file(vault: Vault) -> Path:
    """Where the uses are written."""
    return vault.folder.parent / "log" / "uses.jsonl"


def is_on(vault: Vault) -> bool:
    """Whether uses are logged: unless `turn(vault, on=False)` was called, or `FLOWLET_LOG=off` is set."""
    return os.environ.get("FLOWLET_LOG", "").lower() != "off" and not (log_file(vault).parent / _SWITCH).exists()


def turn(vault: Vault, *, on: bool) -> None:
    """Log from now on, or no longer; what was logged stays until it is cleared."""
    switch = log_file(vault).parent / _SWITCH
    switch.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if on:
        switch.unlink(missing_ok=True)
    else:
        switch.touch(mode=0o600)
    _state.pop(vault, None)


def clear(vault: Vault) -> None:
    """Remove what was logged."""
    _flush()
    for file in (log_file(vault), _old(log_file(vault))):
        file.unlink(missing_ok=True)


def uses(vault: Vault) -> list[dict[str, Any]]:
    """What was logged, oldest first: `time` (Unix time), `secret`, `method`, `host`, `status`, `notebook` if known."""
    _flush()
    found = []
    for file in (_old(log_file(vault)), log_file(vault)):
        with contextlib.suppress(OSError):
            for line in file.read_text("utf-8").splitlines():
                with contextlib.suppress(ValueError):  # a line that was cut short by a crash
                    found.append(json.loads(line))
    return found


_state: dict[Vault, bool] = {}  # whether it is on, asked once a process
_waiting: deque[tuple[Vault, float, str, str, str, int]] = deque(maxlen=_QUEUE_SIZE)
_writer: threading.Thread | None = None
_guard = threading.Lock()


def record_use(vault: Vault, secret_name: str, method: str, host: str, status: int) -> None:
    """Log one request that was sent with a secret; never raises, and never waits."""
    on = _state.get(vault)
    if on is None:
        on = _state[vault] = is_on(vault)
    if on:
        _waiting.append((vault, time.time(), secret_name, method, host, status))
        if _writer is None or not _writer.is_alive():
            _start_writer()


def _start_writer() -> None:
    global _writer  # noqa: PLW0603 - one thread a process
    with _guard:
        if _writer is None:
            atexit.register(_flush)
        if _writer is None or not _writer.is_alive():  # a forked child has none, and an idle one ends
            _writer = threading.Thread(target=_write_while_busy, name="flowlet: log of uses", daemon=True)
            _writer.start()


def _write_while_busy() -> None:
    """Write what has come every now and then, so that a request wakes no thread; end when nothing comes any more."""
    idle = 0
    while idle < _IDLE_ROUNDS:
        time.sleep(_ROUND_SECONDS)
        idle = 0 if _waiting else idle + 1
        _flush()


def _flush() -> None:
    """Write what waits, in one piece a vault."""
    lines: dict[Path, list[str]] = {}
    notebook = os.environ.get("JPY_SESSION_NAME")  # the server tells its kernels (jupyter-server 2)
    with _flush_guard:
        while _waiting:
            vault, moment, secret, method, host, status = _waiting.popleft()
            use = {"time": round(moment, 3), "secret": secret, "method": method, "host": host, "status": status}
            if notebook:
                use["notebook"] = Path(notebook).name
            lines.setdefault(log_file(vault), []).append(json.dumps(use, ensure_ascii=False))
        for file, found in lines.items():
            with contextlib.suppress(OSError):  # a full disk must not cost a request
                _append(file, found)


_flush_guard = threading.Lock()


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
