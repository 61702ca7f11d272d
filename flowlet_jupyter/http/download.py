"""A body straight to a file: never whole in memory, with a progress bar, and going on where an earlier try ended."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import httpx

from flowlet_jupyter.credentials.redaction import excerpt, redact
from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.progress import Progress
from flowlet_jupyter.http.retries import STREAMED

_CHUNK_BYTES = 256 * 1024


def write_atomically(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write `content` to `path`: whole, or not at all. Raises `RequestFailed`."""
    target = _target(path)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.chmod(name, 0o666 & ~_umask())  # a file of the user's, unlike mkstemp's
            os.replace(name, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise RequestFailed(f"The file {target} cannot be written: {error.strerror or error}.") from None
    return target


def _target(path: str | os.PathLike[str]) -> Path:
    target = Path(path).expanduser()
    try:
        can_be = b"\0" not in os.fsencode(target)
    except UnicodeEncodeError:  # half a character, in a name that an API gave
        can_be = False
    if not can_be:
        raise RequestFailed(f"No file can be called {target.name[:100]}. Nothing was saved.")
    return target


def _umask() -> int:
    # the only portable way to read it; the window in which it is 0o77 makes files of others stricter, not laxer
    mask = os.umask(0o77)
    os.umask(mask)
    return mask


def download(client: httpx.Client, url: str, path: str | os.PathLike[str], **options: Any) -> Path:
    """Stream the body of a GET to `path`. What an interrupted try left in `PATH.part` is gone on with (RFC 9110, 14).

    The part is used only if the server says that its file is still the same (`If-Range`). Raises `RequestFailed`.
    """
    target = _file_to_write(path, url)
    part, validator_file = target.with_name(target.name + ".part"), target.with_name(target.name + ".part.etag")
    validator = _read_text(validator_file)
    start = part.stat().st_size if validator and part.is_file() else 0
    headers = {**(options.pop("headers", None) or {}), "Accept-Encoding": "identity"}  # a range is one of stored bytes
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": validator}
    extensions = {**(options.pop("extensions", None) or {}), STREAMED: True}
    with client.stream("GET", url, headers=headers, extensions=extensions, **options) as response:
        if response.status_code == 416 and start:  # the part is the whole already, or the file has become shorter
            part.unlink(missing_ok=True)
            validator_file.unlink(missing_ok=True)
            raise RequestFailed(f"What was downloaded of {target.name} no longer fits. It was removed; try again.")
        if response.is_error:
            response.read()
            raise RequestFailed(
                f"The API answered {response.status_code} {redact(response.reason_phrase, response)}, so nothing was saved: "
                f"{excerpt(response, 300)}"
            )
        resumed = response.status_code == 206
        if resumed and not _goes_on(response.headers, start, validator):
            part.unlink(missing_ok=True)
            validator_file.unlink(missing_ok=True)
            raise RequestFailed(
                f"The API sent a part of another file than that of {target.name}. It was removed; try again."
            )
        _remember(validator_file, response.headers)
        _write_body(response, part, start=start if resumed else 0)
    try:
        os.replace(part, target)
    except OSError as error:
        raise RequestFailed(f"The file {target} cannot be written: {error.strerror}.") from None
    validator_file.unlink(missing_ok=True)
    return target


def _file_to_write(path: str | os.PathLike[str], url: str) -> Path:
    """The file to write; raises `RequestFailed` before anything is asked for where there can be none."""
    target = _target(path)
    if target.is_dir():
        name = PurePosixPath(urlsplit(url).path).name or "file"
        raise RequestFailed(f"{target} is a folder. Name the file too: {target / name}")
    if not target.parent.is_dir():
        raise RequestFailed(f"The folder {target.parent} does not exist, so {target.name} cannot be written there.")
    return target


def _write_body(response: httpx.Response, part: Path, *, start: int) -> None:
    length = response.headers.get("content-length", "")
    total = start + int(length) if length.isdigit() else None
    try:
        with (
            part.open("ab" if start else "wb") as file,
            Progress(f"Saving {part.stem}", unit="B", total=total) as progress,
        ):
            progress.add(start)
            for chunk in response.iter_bytes(_CHUNK_BYTES):
                file.write(chunk)
                progress.add(len(chunk))
    except OSError as error:
        raise RequestFailed(f"The file {part} cannot be written: {error.strerror}. What is there stays.") from None


def _goes_on(headers: Mapping[str, str], start: int, validator: str) -> bool:
    """Whether a 206 is the rest of what is there: not every server that knows `Range` heeds `If-Range`."""
    if not start or not headers.get("content-range", "").startswith(f"bytes {start}-"):
        return False
    return _validator_of(headers) in {validator, ""}


def _validator_of(headers: Mapping[str, str]) -> str:
    """What tells whether a later try meets the same file: a strong ETag, else the date of its last change (RFC 9110, 8.8)."""
    etag = headers.get("etag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("last-modified", "")


def _remember(file: Path, headers: Mapping[str, str]) -> None:
    validator = _validator_of(headers)
    if headers.get("accept-ranges", "").lower() == "none" or not validator:
        file.unlink(missing_ok=True)
        return
    with contextlib.suppress(OSError):  # then a later try begins anew
        file.write_text(validator, "utf-8")


def _read_text(file: Path) -> str:
    try:
        text = file.read_text("utf-8")
    except (OSError, ValueError):
        return ""
    return text if text.isprintable() and text.isascii() else ""
