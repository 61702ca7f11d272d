"""A prepared request becomes one object, by what its options ask for: plain, paged, saved or shown. `run()` gives its result.

Each is made from the parsed line, the settings as they are now and, where it keeps something there, the namespace.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flowlet_jupyter.credentials.redaction import is_sensitive, redact
from flowlet_jupyter.errors import PagingStopped, RequestFailed
from flowlet_jupyter.http import api, curl_export, many
from flowlet_jupyter.http.response import redacted
from flowlet_jupyter.model.secret import base_url_of
from flowlet_jupyter.notebook.display.messages import explanation, status_line
from flowlet_jupyter.notebook.request_line.interpolation import PreparedRequest
from flowlet_jupyter.notebook.request_line.spec import RequestSpec
from flowlet_jupyter.session import default_session

if TYPE_CHECKING:
    from flowlet_jupyter.http.pages import Pages
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
class Settings:
    """What lines of a kernel need not say: the magics' traits and `%flowlet_defaults`. `timeout` is in seconds."""

    secret: str = ""
    base_url: str = ""
    timeout: float
    raise_on_error: bool
    dataframe: str


@dataclass(frozen=True, kw_only=True)
class Call:
    """What is sent, and how: every default is filled in."""

    request: PreparedRequest
    url: str
    secret: str | None
    # for the client: timeout, retry, cache and the like
    options: dict[str, Any]

    def client_options(self, files: contextlib.ExitStack) -> dict[str, Any]:
        """The options of the client's functions; `files` closes those that are uploaded."""
        request = self.request
        options: dict[str, Any] = {"headers": list(request.headers), **self.options}  # one may be repeated
        if request.content is not None:
            options["content"] = request.content
        if request.parts:
            options["files"] = list(request.parts)
        elif request.files:
            options["data"] = dict(request.fields)
            options["files"] = [(name, files.enter_context(_opened(path))) for name, path in request.files]
        elif request.content is not None and not isinstance(request.content, bytes):
            files.enter_context(request.content)
        return options

    def send(self) -> Response:
        """The response. Raises `FlowletError`."""
        with contextlib.ExitStack() as files:
            return api.request(self.request.method, self.url, secret=self.secret, **self.client_options(files))


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
            raise RequestFailed(_as_error(response))
        if self.shows_headers:
            print(redact(self._exchange(response), response))  # noqa: T201 - the magic's output
        if self.select is not None:
            return response.select(self.select)
        if self.frame is None:
            return response
        if self.frame == "polars":
            return response.to_polars(self.frame_path)
        frame = response.to_df(self.frame_path)
        if self.frame_path is None and (path := redact(frame.attrs.get("path") or "", response)):
            _notice(f'The records of "{path}" were taken; another list: --df PATH')
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
            except (KeyboardInterrupt, PagingStopped):
                self._keep(pages)
                raise
        if not pages.complete:
            _notice(f"{pages!r}.")
        return self._result(pages)

    def _keep(self, pages: Pages) -> None:
        where = ""
        if self.out is not None:
            self.namespace[self.out] = self._result(pages)
            where = f"in {self.out} (complete=False) and "
        _notice(f"{pages!r}. They are kept {where}in flowlet.last_pages(), whose resume() goes on.")

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
            raise RequestFailed(_as_error(response, "Nothing was saved."))
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
        url = api.absolute(call.url, call.secret)
        if self.form == "curl":
            record = default_session().vault.get(call.secret) if call.secret else None
            return curl_export.as_curl(
                request.method, url, request.headers, content, record, fields=request.fields, files=request.files
            )
        if self.form == "python":
            return curl_export.as_python(request.method, url, request.headers, content, call.secret)
        lines = [f"{request.method} {url}", *_header_lines(request.headers)]
        if call.secret:
            lines.append(f"(credentials of secret '{call.secret}')")
        lines += [f"{name}={value}" for name, value in request.fields]
        lines += [f"{name}@{path}" for name, path in request.files]
        if content is not None:
            lines += ["", content.decode("utf-8", "replace")]
        return "\n".join(["Not sent (--dry-run):", *lines])


Execution = Plain | Paged | Saved | Shown


def execution_of(
    spec: RequestSpec, request: PreparedRequest, settings: Settings, namespace: MutableMapping[str, Any]
) -> Execution:
    """The object that does what the parsed line asks for."""
    call = _call_of(spec, request, settings)
    if spec.dry_run or spec.curl or spec.python:
        return Shown(call=call, form="curl" if spec.curl else "python" if spec.python else "dry-run")
    if spec.save is not None:
        return Saved(call=call, path=spec.save, retry=spec.retry)
    frame = None if spec.frame is None else "polars" if spec.frame == "polars" else settings.dataframe
    if spec.paginate is not None:
        limits = {name: getattr(spec, name) for name in ("max_pages", "max_items", "concurrency")}
        paging = {"style": spec.paginate, "path": spec.frame_path if spec.frame else spec.select}
        paging |= {name: value for name, value in limits.items() if value is not None}
        return Paged(call=call, paging=paging, select=spec.select, frame=frame, out=spec.out, namespace=namespace)
    return Plain(
        call=call, raises=settings.raise_on_error if spec.raises is None else spec.raises,
        shows_request=spec.verbose, shows_headers=spec.verbose or spec.show_headers,
        select=spec.select, frame=frame, frame_path=spec.frame_path,
    )  # fmt: skip


def _call_of(spec: RequestSpec, request: PreparedRequest, settings: Settings) -> Call:
    tries = 0 if spec.paginate is None else many.TRIES_OF_MANY
    secret = None if spec.no_secret else spec.secret or settings.secret or None
    url = request.url
    # a path goes behind the default base URL, unless the secret has one of its own
    if settings.base_url and "://" not in url and not (secret and base_url_of(default_session().vault.get(secret))):
        url = f"{settings.base_url}/{url.lstrip('/')}"
    options: dict[str, Any] = {
        "timeout": settings.timeout if spec.timeout is None else spec.timeout,
        "retry": tries if spec.retry is None else spec.retry,
        "retry_any": spec.retry_any,
        "cache": spec.cache or False,
        "insecure": spec.insecure,
    }
    if spec.follow is not None:
        options["follow_redirects"] = spec.follow
    return Call(request=request, url=url, secret=secret, options=options)


def execute(
    spec: RequestSpec,
    request: PreparedRequest,
    settings: Settings,
    namespace: MutableMapping[str, Any],
    called_paths: dict[str, None],
) -> Any:
    """What the cell gets: the result, or None where it goes into a variable. `called_paths` are those to complete."""
    execution = execution_of(spec, request, settings, namespace)
    for note in spec.notes:
        _notice(note)
    if isinstance(execution, Shown):
        return execution.run()
    if spec.insecure:
        _notice("The server's certificate is not checked (-k): anybody on the way could answer in its place.")
    result = execution.run()
    called_at = urlsplit(execution.call.url)._replace(query="", fragment="").geturl()
    called_paths.pop(called_at, None)
    called_paths[called_at] = None
    if spec.out is not None:
        namespace[spec.out] = result
        return None
    return None if spec.quiet else result


def _as_error(response: Response, consequence: str = "") -> str:
    shown = redacted(response)
    return " ".join(filter(None, [f"{status_line(shown)}.", consequence, *explanation(shown)]))


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
    return [f"{mark}{name}: {'(not shown)' if is_sensitive(name) else value}" for name, value in headers]


def _notice(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - a notebook shows it apart from the output
