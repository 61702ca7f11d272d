"""Bodies that are no text: which of them a page may show, and as what. Pure.

A browser is told one of few media types, chosen by the body's first bytes as much as by its header, so that nothing of an
API is ever taken for a page or a script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.frames import format_of

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response

Kind = Literal["image", "audio", "pdf"]
MAX_BYTES = 20_000_000  # to a live view; a saved notebook holds far less
_SIGNATURES: tuple[tuple[bytes, int, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"), (b"\xff\xd8\xff", 0, "image/jpeg"), (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"), (b"ftypavif", 4, "image/avif"), (b"BM", 0, "image/bmp"),
    (b"WAVE", 8, "audio/wav"), (b"OggS", 0, "audio/ogg"), (b"fLaC", 0, "audio/flac"), (b"ID3", 0, "audio/mpeg"),
    (b"\xff\xfb", 0, "audio/mpeg"), (b"\xff\xf3", 0, "audio/mpeg"), (b"\xff\xf1", 0, "audio/aac"),
    (b"ftypM4A", 4, "audio/mp4"), (b"%PDF-", 0, "application/pdf"),
)  # fmt: skip
# without a signature that tells them from text, shown by what the API calls them; an image of SVG runs no script
_BY_HEADER = {"image/svg+xml"}


def media_type_of(response: Response) -> str:
    """The media type as header says it, in lower case and without parameters."""
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def shown_type(response: Response) -> str:
    """The media type that a page is told; "" if the body is not shown as an image, audio or PDF."""
    declared, content = media_type_of(response), response.content
    if declared in _BY_HEADER:
        return declared
    found = next(
        (kind for signature, start, kind in _SIGNATURES if content[start : start + len(signature)] == signature), ""
    )
    # two letters may begin any text
    if (
        found in {"image/bmp", "audio/mpeg", "audio/aac"}
        and not declared.startswith(("image/", "audio/"))
        and declared not in {"", "application/octet-stream"}
    ):
        return ""
    return found


def kind_of(response: Response) -> Kind | None:
    """How the body is shown, None if it is not."""
    kind = shown_type(response)
    if kind == "application/pdf":
        return "pdf"
    return "image" if kind.startswith("image/") else "audio" if kind.startswith("audio/") else None


def shown(response: Response) -> tuple[bytes, str]:
    """The body and its media type, for a live view. Raises `RequestFailed` if it is not shown."""
    kind = shown_type(response)
    if not kind:
        raise RequestFailed("The body is no image, audio or PDF that is shown here.")
    if len(response.content) > MAX_BYTES:
        raise RequestFailed(f"The body is larger than {MAX_BYTES // 1_000_000} MB; save it: r.save(path)")
    return response.content, kind


def is_binary(response: Response) -> bool:
    """Whether the body is no text."""
    kind = media_type_of(response)
    if kind == "image/svg+xml":
        return True
    return (
        kind.startswith(("image/", "audio/", "video/", "font/"))
        or kind == "application/pdf"
        or format_of(response) in {"excel", "parquet", "arrow", "gzip", "zip"}
        or b"\0" in response.content[:1000]
    )
