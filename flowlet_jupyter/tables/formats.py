"""What a body is: by its first bytes, its media type, its file name, else by how its text begins. Pure."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from typing import IO, Literal, cast

from flowlet_jupyter.errors import RequestFailed

Format = Literal[
    "json", "ndjson", "json-seq", "sse", "csv", "tsv", "excel", "parquet", "arrow", "xml", "html", "gzip", "zip"
]
MAX_UNPACKED_BYTES = 1_000_000_000  # a small archive must not fill the memory
_FORMATS: dict[str, Format] = {
    "application/x-ndjson": "ndjson", "application/ndjson": "ndjson", "application/jsonl": "ndjson",
    "application/json-lines": "ndjson", "application/jsonlines": "ndjson", "application/x-jsonlines": "ndjson",
    "application/x-json-stream": "ndjson", "application/stream+json": "ndjson", "application/json-seq": "json-seq",
    "application/geo+json-seq": "json-seq", "text/event-stream": "sse", "text/csv": "csv", "application/csv": "csv",
    "text/x-csv": "csv", "application/vnd.sdmx.data+csv": "csv", "text/tab-separated-values": "tsv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "excel", "application/vnd.ms-excel": "excel",
    "application/vnd.apache.parquet": "parquet", "application/x-parquet": "parquet", "application/parquet": "parquet",
    "application/vnd.apache.arrow.stream": "arrow", "application/vnd.apache.arrow.file": "arrow",
    "application/xml": "xml", "text/xml": "xml", "text/html": "html", "application/xhtml+xml": "html",
    "application/gzip": "gzip", "application/x-gzip": "gzip", "application/zip": "zip", "application/x-zip-compressed": "zip",
}  # fmt: skip
_ENDINGS: dict[str, Format] = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json", ".geojson": "json",
    ".xlsx": "excel", ".xls": "excel", ".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".feather": "arrow",
    ".xml": "xml", ".atom": "xml", ".rss": "xml",
}  # fmt: skip
# media types that a server gives to what it knows nothing about
_VAGUE = {"", "text/plain", "application/octet-stream", "binary/octet-stream", "application/download", "application/force-download"}  # fmt: skip
_PACKED = re.compile(r"\.(gz|gzip|zip)$", re.IGNORECASE)


@dataclass(frozen=True)
class Body:
    """The bytes of a response, and what it says of them: media type, charset, file name (or the URL's last segment)."""

    content: bytes = field(repr=False)  # it may repeat what was sent, and a verbose traceback prints what it holds
    media_type: str = ""
    charset: str | None = None
    filename: str = ""


def format_of(body: Body) -> Format:  # noqa: PLR0911 - one return a way to know it
    """The format of `body`; JSON if in doubt. Looks at the beginning only."""
    by_magic = _by_magic(body.content)
    if by_magic:
        return by_magic
    media_type = body.media_type.strip().lower()
    by_type = _FORMATS.get(media_type)
    if by_type in {"excel", "parquet", "arrow", "gzip", "zip"}:
        # none of its magic: often a CSV that a portal calls Excel, or what was unpacked on the way
        by_text = _by_text(body.content[:4000])
        return by_type if by_text == "json" and not body.content.lstrip().startswith((b"{", b"[")) else by_text
    if by_type == "html" and body.content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return "json"  # which a script sends under the type that its server gives to all pages
    if by_type:
        return by_type
    if re.search(r"json(-[\w.]+)?$", media_type):
        return "json"
    if media_type.endswith("+xml"):
        return "xml"
    if media_type not in _VAGUE and media_type not in _FORMATS:
        return "json"
    name = _PACKED.sub("", body.filename.lower())
    by_name = next((form for ending, form in _ENDINGS.items() if name.endswith(ending)), None)
    if by_name and by_name not in {"excel", "parquet", "arrow"}:
        return by_name
    return _by_text(body.content[:4000])


def _by_magic(content: bytes) -> Format | None:
    if content.startswith(b"PAR1"):
        return "parquet"
    if content.startswith((b"ARROW1\0\0", b"\xff\xff\xff\xff")):
        return "arrow"
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "excel"
    if content.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "excel" if b"[Content_Types].xml" in content[:2000] or b"xl/workbook" in content[-20_000:] else "zip"
    return None


def _by_text(head: bytes) -> Format:
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if text.startswith(b"\x1e"):
        return "json-seq"
    if text.startswith(b"<"):
        if text[:15].lower().startswith((b"<!doctype html", b"<html")):
            return "html"
        return "xml" if text.startswith(b"<?xml") or b"xmlns" in text[:500] else "json"
    while text.startswith(b"#") and b"\n" in text:
        text = text.partition(b"\n")[2]  # remarks above a table
    lines = text.splitlines()
    if text.startswith((b"{", b"[", b'"{')):
        is_lines = len(lines) > 1 and all(line.startswith(b"{") and line.endswith(b"}") for line in lines[:2])
        return "ndjson" if is_lines else "json"
    for separator in (b"\t", b",", b";", b"|"):
        counts = {line.count(separator) for line in lines[: len(lines) - (len(head) == 4000)] if line}
        if len(lines) > 1 and counts and min(counts):
            return "tsv" if separator == b"\t" else "csv"
    return "json"


def unpacked(body: Body, member: str | None = None) -> Body:
    """`body` out of its gzip or zip file, however often it is packed; `member` names one of a zip's files.

    Raises `RequestFailed` if it is damaged, larger than `MAX_UNPACKED_BYTES`, or holds several files and none is named.
    """
    for _ in range(3):
        form = format_of(body)
        if form not in {"gzip", "zip"}:
            return body
        try:
            if form == "gzip":
                with gzip.open(io.BytesIO(body.content)) as file:
                    content, name = _bounded(cast("IO[bytes]", file)), _PACKED.sub("", body.filename)
            else:
                content, name = _member(body.content, member)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise RequestFailed(f"The body is a {form} file that cannot be unpacked: {str(error)[:200]}") from None
        # the media type spoke of the packed file, or of what is in it
        media_type = "" if _FORMATS.get(body.media_type.lower()) in {"gzip", "zip"} else body.media_type
        body = replace(body, content=content, filename=name, media_type=media_type)
    raise RequestFailed("The body is packed more than three times over. See r.content.")


def _member(content: bytes, member: str | None) -> tuple[bytes, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [
            info.filename
            for info in archive.infolist()
            if not info.is_dir()
            and not info.filename.startswith("__MACOSX/")
            and not info.filename.endswith(".DS_Store")
        ]
        if member is None and len(names) != 1:
            listed = ", ".join(name[:80] for name in names[:10]) or "none"
            raise RequestFailed(f'The zip file holds {len(names)} files: {listed}. Name one: read={{"member": "…"}}')
        name = names[0] if member is None else member
        if name not in names:
            raise RequestFailed(f"The zip file has no {name!r}; it holds: {', '.join(names[:10])}")
        with archive.open(name) as file:
            return _bounded(file), name


def _bounded(file: IO[bytes]) -> bytes:
    content = file.read(MAX_UNPACKED_BYTES + 1)
    if len(content) > MAX_UNPACKED_BYTES:
        raise RequestFailed(
            f"The packed body is larger than {MAX_UNPACKED_BYTES:,} bytes when unpacked. Use flowlet.download."
        )
    return content
