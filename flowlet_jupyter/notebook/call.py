"""A request as it is sent: with its URL, secret and options, and the files that are open meanwhile."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http import api
from flowlet_jupyter.http.curl_export import FormPart
from flowlet_jupyter.notebook.request_line.interpolation import PreparedRequest
from flowlet_jupyter.session import Session

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response

_STREAMED_BYTES = 8_000_000  # a larger file is read while it is sent; then it cannot be sent again after a 401


def file_content(name: str) -> bytes | IO[bytes]:
    """The content of a file that a request names; an open file if it is large. Raises `RequestFailed`."""
    file = _opened(name)
    if os.fstat(file.fileno()).st_size > _STREAMED_BYTES:
        return file
    with file:
        return file.read()


def _opened(name: str) -> IO[bytes]:
    try:
        return Path(name).expanduser().open("rb")
    except OSError as error:
        raise RequestFailed(f"The file {name} cannot be read: {error.strerror}. Nothing was sent.") from None


@dataclass(frozen=True, kw_only=True)
class Call:
    """What is sent, and how: every default is filled in."""

    session: Session
    request: PreparedRequest
    url: str
    secret: str | None
    # for the client: timeout, retry, cache and the like
    options: dict[str, Any]

    def client_options(self, files: contextlib.ExitStack) -> dict[str, Any]:
        """The options of the client's functions; `files` closes those that are uploaded."""
        request = self.request
        # a header may be repeated
        options: dict[str, Any] = {"session": self.session, "headers": list(request.headers), **self.options}
        if request.content is not None:
            options["content"] = request.content
        if request.parts:
            options["files"] = [(part.name, _multipart_field(part, files)) for part in request.parts]
        elif request.content is not None and not isinstance(request.content, bytes):
            files.enter_context(request.content)
        return options

    def send(self) -> Response:
        """The response. Raises `FlowletError`."""
        with contextlib.ExitStack() as files:
            return api.request(self.request.method, self.url, secret=self.secret, **self.client_options(files))


def _multipart_field(part: FormPart, files: contextlib.ExitStack) -> tuple[str | None, str | IO[bytes], str | None]:
    content = part.text if part.path is None else files.enter_context(_opened(part.path))
    return part.filename, content, part.content_type
