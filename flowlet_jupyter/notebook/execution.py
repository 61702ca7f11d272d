"""A prepared request becomes one object, by what its options ask for: plain, paged, saved or shown. `run()` gives its result.

Each is made from the parsed line, the settings as they are now and, where it keeps something there, the namespace.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.credentials.redaction import is_sensitive, redact
from flowlet_jupyter.errors import PagingStopped, RequestFailed
from flowlet_jupyter.http import api, curl_export, many
from flowlet_jupyter.http.frames import error_of
from flowlet_jupyter.http.shown_request import NOT_SHOWN
from flowlet_jupyter.notebook.call import Call
from flowlet_jupyter.notebook.display.problem import as_error
from flowlet_jupyter.notebook.display.summary import status_line
from flowlet_jupyter.notebook.request_line.interpolation import PreparedRequest
from flowlet_jupyter.tables.foreign_text import for_terminal

if TYPE_CHECKING:
    from flowlet_jupyter.http.pages import Pages
    from flowlet_jupyter.http.response import Response


@dataclass(frozen=True, kw_only=True)
class Plain:
    """One request, and its response or a part of it."""

    call: Call
    raises: bool = False
    shows_request: bool = False
    shows_headers: bool = False
    select: str | None = None
    frame: str | None = None
    frame_path: str | None = None

    def run(self) -> Any:
        """The response, what is selected of it, or its records as a DataFrame. Raises `FlowletError`."""
        response = self.call.send()
        if self.raises and response.is_error:
            raise RequestFailed(as_error(response))
        if self.raises and (message := error_of(response)):
            shown = redact(f"{status_line(response)}. The API reports an error in it: {message}", response)
            raise RequestFailed(shown)
        if self.shows_headers:
            print(for_terminal(redact(self._exchange(response), response)))  # noqa: T201 - the magic's output
        if self.select is not None:
            return response.select(self.select)
        if self.frame is None:
            return response
        if self.frame == "polars":
            return response.to_polars(self.frame_path)
        frame = response.to_df(self.frame_path)
        if self.frame_path is None and (path := redact(frame.attrs.get("path") or "", response)):
            print_notice(f'The records of "{path}" were taken; another list: --df PATH')
        return frame

    def _exchange(self, response: Response) -> str:
        lines = []
        if self.shows_request:
            request = response.request
            lines += [f"> {request.method} {request.url}", *_header_lines(request.headers.items(), "> ")]
            lines += [f"> (credentials of secret '{self.call.secret}')"] if self.call.secret else []
        lines.append(f"< {response.status_code} {response.reason_phrase}")
        lines += _header_lines(response.headers.multi_items(), "< ")
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Paged:
    """All pages, one behind the other. What was read before an interrupt or an error is kept in the namespace."""

    call: Call
    paging: dict[str, Any]
    select: str | None = None
    frame: str | None = None
    out: str | None = None
    is_shown: bool = False  # the pages themselves are the output of the cell, and say how complete they are
    namespace: MutableMapping[str, Any] = field(repr=False)

    def run(self) -> Any:
        """The pages, or their records as a list or a DataFrame. Raises `PagingStopped`."""
        body = _json_body(self.call.request)
        with contextlib.ExitStack() as files:
            options = self.call.client_options(files)
            options.pop("content", None)
            pages = many.paginate(
                self.call.url, secret=self.call.secret, method=self.call.request.method, json=body,
                **self.paging, **options,
            )  # fmt: skip
            try:
                pages.read_all()
            except PagingStopped:  # which says what was read, and how to go on
                if self._keep(pages):
                    print_notice(f"{self.out} holds what was read before the error, with complete=False.")
                raise
            except KeyboardInterrupt:
                where = f"{self.out} (with complete=False) and " if self._keep(pages) else ""
                print_notice(
                    f"Interrupted. What was read is kept, {pages.count_in_words()}: in {where}flowlet.last_pages(), whose "
                    "resume() goes on."
                )
                raise
        if not pages.complete and not self.is_shown:
            print_notice(_how_complete(pages))
        return self._result(pages)

    def _keep(self, pages: Pages) -> bool:
        """Put what was read into the variable that the line names; False if it names none, or there is no table of it."""
        if self.out is None:
            return False
        try:
            self.namespace[self.out] = self._result(pages)
        except RequestFailed:
            return False
        return True

    def _result(self, pages: Pages) -> Any:
        if self.select is not None:
            return pages.records  # what the selection gives of each page, one behind the other
        if self.frame is None:
            return pages
        return pages.to_polars() if self.frame == "polars" else pages.to_df()


@dataclass(frozen=True, kw_only=True)
class Saved:
    """The body in a file; of a GET it is streamed there."""

    call: Call
    path: str
    retry: int | None = None

    def run(self) -> Path:
        """The path of the file. Raises `RequestFailed`."""
        call = self.call
        if call.request.method == "GET" and call.request.content is None:
            with contextlib.ExitStack() as files:
                options = call.client_options(files)
                for without in ("cache", "insecure", "retry_any"):
                    del options[without]
                if self.retry is None:
                    del options["retry"]  # a long transfer is tried again by itself
                return many.download(call.url, self.path, secret=call.secret, **options)
        response = call.send()
        if response.is_error:
            raise RequestFailed(as_error(response, "Nothing was saved."))
        return response.save(self.path)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The request in words, as a curl command or as Python code, instead of sending it."""

    call: Call
    form: str  # "dry-run", "curl" or "python"

    def run(self) -> None:
        """Print it."""
        print(self.text())  # noqa: T201 - the magic's output

    def text(self) -> str:
        """What is printed; no credential is in it."""
        call, request = self.call, self.call.request
        content = request.content
        if content is not None and not isinstance(content, bytes):
            with content:
                content = b"(a large file, streamed)"
        url = api.absolute(call.url, call.secret, session=call.session)
        media_type = next((value for name, value in request.headers if name.lower() == "content-type"), "")
        url, content = curl_export.without_credentials(url, content, media_type)
        if self.form == "curl":
            record = call.session.vault.get(call.secret) if call.secret else None
            return curl_export.as_curl(request.method, url, request.headers, content, record, parts=request.parts)
        if self.form == "python":
            return curl_export.as_python(
                request.method, url, request.headers, content, call.secret, parts=request.parts
            )
        lines = [f"{request.method} {url}", *_header_lines(request.headers)]
        if call.secret:
            lines.append(f"(credentials of secret '{call.secret}')")
        lines += ["", "(multipart/form-data)"] if request.parts else []
        lines += [part.summary for part in request.parts]
        if content is not None:
            lines += ["", content.decode("utf-8", "replace")]
        return "\n".join(["Not sent (--dry-run):", *lines])


Execution = Plain | Paged | Saved | Shown


def _how_complete(pages: Pages) -> str:
    """One sentence on pages that are not complete, or not known to be."""
    if pages.complete is None:
        return f"Read: {pages.count_in_words()}. Whether these are all is not known: {pages.reason}."
    goes_on = " flowlet.last_pages().resume() reads on." if pages.can_resume else ""
    return f"Read: {pages.count_in_words()}. These are not all: {pages.reason}.{goes_on}"


def _json_body(request: PreparedRequest) -> Any:
    content = request.content
    if content is None:
        return None
    try:
        return json.loads(content if isinstance(content, bytes) else content.read())
    except ValueError:
        raise RequestFailed(
            "Pages are read with a JSON body or none; this one is not JSON. Nothing was sent."
        ) from None


def _header_lines(headers: Iterable[tuple[str, str]], mark: str = "") -> list[str]:
    return [f"{mark}{name}: {NOT_SHOWN if is_sensitive(name) else value}" for name, value in headers]


def print_notice(text: str) -> None:
    """Say something beside the output of the cell."""
    print(for_terminal(text), file=sys.stderr)  # noqa: T201 - a notebook shows it beside the output
