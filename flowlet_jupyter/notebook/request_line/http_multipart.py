"""The parts of a multipart body as a .http file writes it out, with `< FILE` for a file's content. Pure."""

from __future__ import annotations

import re

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.options import HEADER_LINE
from flowlet_jupyter.notebook.request_line.spec import Draft, Part
from flowlet_jupyter.notebook.request_line.tokens import extract_placeholders, template


def read_multipart(text: str, media_type: str, draft: Draft) -> tuple[Part, ...]:
    """The parts of the body. Raises `RequestSyntaxError`.

    `media_type` is that of the header in lower case; the boundary is read from the header itself.
    """
    header = next((value.plain or "" for name, value in draft.headers if name.lower() == "content-type"), "")
    boundary = re.search(r'boundary="?([^";]+)"?', header, re.IGNORECASE)
    if not media_type.startswith("multipart/form-data") or not boundary:
        raise RequestSyntaxError("A multipart body is read as multipart/form-data with its boundary in the header.")
    mark = f"--{boundary[1].strip()}"
    parts: list[list[str]] = []
    for line in text.split("\n"):
        if line.strip() in {mark, f"{mark}--"}:
            parts.append([])
        elif parts:
            parts[-1].append(line)
        elif line.strip():
            raise RequestSyntaxError(f"A multipart body starts with its boundary, {mark}.")
    fields = tuple(_part(lines) for lines in parts if any(line.strip() for line in lines))
    if not fields:
        raise RequestSyntaxError(f"The multipart body has no part: each starts with {mark}.")
    return fields


def _part(lines: list[str]) -> Part:
    headers: dict[str, str] = {}
    while lines and (header := HEADER_LINE.fullmatch(lines[0].rstrip())):
        headers[header[1].lower()] = header[2]
        lines.pop(0)
    disposition = headers.pop("content-disposition", "")
    name, filename = _parameter(disposition, "name"), _parameter(disposition, "filename")
    content_type = headers.pop("content-type", None)
    if name is None or headers:
        raise RequestSyntaxError(
            'A part has the header Content-Disposition: form-data; name="…", and no other but Content-Type.'
        )
    content = [line for line in lines if not re.match(r"//|#", line)]
    text = "\n".join(content).strip("\n")
    if file := re.fullmatch(r"<\s+(\S(?:.*\S)?)\s*", text):
        return Part(name, path=file[1], filename=filename, content_type=content_type)
    return Part(name, text=template(*extract_placeholders(text)), filename=filename, content_type=content_type)


def _parameter(disposition: str, name: str) -> str | None:
    match = re.search(rf'(?:^|;)\s*{name}="([^"]*)"', disposition, re.IGNORECASE)
    return match[1] if match else None
