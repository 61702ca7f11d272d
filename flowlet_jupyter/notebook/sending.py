"""From a prepared request to its result: sent, paged, saved or only shown, as the options say."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flowlet_jupyter.errors import PagingStopped, RequestFailed
from flowlet_jupyter.http import interchange, many, verbs
from flowlet_jupyter.http.interchange import is_sensitive
from flowlet_jupyter.http.redaction import redacted, without_values
from flowlet_jupyter.notebook.display.messages import explanation, status_line
from flowlet_jupyter.notebook.interpolation import PreparedRequest
from flowlet_jupyter.notebook.request_spec import RequestSpec
from flowlet_jupyter.secret import base_url_of
from flowlet_jupyter.vault import default_vault

if TYPE_CHECKING:
    from flowlet_jupyter.http.pages import Pages
    from flowlet_jupyter.http.response import Response
    from flowlet_jupyter.notebook.magics import FlowletMagics

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


class Sender:
    """One request of a magic: `run()` gives what the cell gets."""

    def __init__(self, magics: FlowletMagics, spec: RequestSpec, request: PreparedRequest) -> None:
        self._magics = magics
        self._spec = spec
        self._request = request
        default = magics.defaults.secret or magics.default_secret
        self._secret = None if spec.no_secret else spec.secret or default or None
        self._url = self._with_base(request.url)

    def _with_base(self, url: str) -> str:
        """`url`, behind the default base URL if it is a path and the secret has no base URL of its own."""
        base = self._magics.defaults.base_url
        if not base or "://" in url or (self._secret and base_url_of(default_vault().get(self._secret))):
            return url
        return f"{base}/{url.lstrip('/')}"

    def run(self) -> Any:
        """Do what the request asks for; None where the result goes into a variable."""
        for note in self._spec.notes:
            _say(note)
        spec = self._spec
        if spec.dry_run or spec.curl or spec.python:
            print(self._in_words())  # noqa: T201 - the magic's output
            return None
        if spec.insecure:
            _say("The server's certificate is not checked (-k): anybody on the way could answer in its place.")
        result = self._result()
        self._remember_path()
        if spec.out is not None:
            self._magics.shell.user_ns[spec.out] = result
            return None
        return None if spec.quiet else result

    def _result(self) -> Any:
        if self._spec.save is not None:
            return self._saved(self._spec.save)
        if self._spec.paginate is not None:
            return self._pages()
        with self._options() as options:
            response = verbs.request(self._request.method, self._url, secret=self._secret, **options)
        self._check(response)
        if self._spec.verbose or self._spec.show_headers:
            print(without_values(self._exchange(response), self._secret))  # noqa: T201 - the magic's output
        return self._of_response(response)

    def _check(self, response: Response) -> None:
        raises = self._magics.raise_on_error if self._spec.raises is None else self._spec.raises
        if raises and response.is_error:
            raise RequestFailed(" ".join([f"{status_line(response)}.", *explanation(redacted(response))]))

    def _of_response(self, response: Response) -> Any:
        spec = self._spec
        if spec.select is not None:
            return response.select(spec.select)
        if spec.frame is None:
            return response
        if self._frame_kind == "polars":
            return response.to_polars(spec.frame_path)
        frame = response.to_df(spec.frame_path)
        if spec.frame_path is None and frame.attrs.get("path"):
            _say(f'The records of "{frame.attrs["path"]}" were taken; another list: --df PATH')
        return frame

    @property
    def _frame_kind(self) -> str:
        return "polars" if self._spec.frame == "polars" else self._magics.dataframe

    def _saved(self, path: str) -> Path:
        if self._request.method == "GET" and self._request.content is None:
            with self._options() as options:
                for without in ("cache", "insecure", "retry_any"):
                    del options[without]
                if self._spec.retry is None:
                    del options["retry"]  # a long transfer is tried again by itself
                return many.download(self._url, path, secret=self._secret, **options)
        with self._options() as options:
            response = verbs.request(self._request.method, self._url, secret=self._secret, **options)
        if response.is_error:
            raise RequestFailed(
                " ".join([f"{status_line(response)}. Nothing was saved.", *explanation(redacted(response))])
            )
        return response.save(path)

    def _pages(self) -> Any:
        spec = self._spec
        body = self._json_body()
        limits = {
            name: value
            for name in ("max_pages", "max_items", "concurrency")
            if (value := getattr(spec, name)) is not None
        }
        with self._options() as options:
            options.pop("content", None)
            options["retry"] = many.TRIES_OF_MANY if spec.retry is None else spec.retry
            path = spec.frame_path if spec.frame else spec.select
            pages = many.paginate(
                self._url, secret=self._secret, method=self._request.method, json=body, style=spec.paginate,  # type: ignore[arg-type]  # the grammar has checked it
                path=path, **limits, **options,
            )  # fmt: skip
            try:
                pages.read_all()
            except (KeyboardInterrupt, PagingStopped):
                self._keep(pages)
                raise
        return self._of_pages(pages)

    def _json_body(self) -> Any:
        content = self._request.content
        if content is None:
            return None
        try:
            return json.loads(content if isinstance(content, bytes) else content.read())
        except ValueError:
            raise RequestFailed(
                "Pages are read with a JSON body or none; this one is not JSON. Nothing was sent."
            ) from None

    def _keep(self, pages: Pages) -> None:
        """An interrupt or an error ends the cell, and loses nothing."""
        if self._spec.out is not None:
            self._magics.shell.user_ns[self._spec.out] = self._of_pages(pages)
        kept = f"in {self._spec.out} (complete=False) and " if self._spec.out else ""
        _say(f"{pages!r}. They are kept {kept}in flowlet.last_pages(), whose resume() goes on.")

    def _of_pages(self, pages: Pages) -> Any:
        if self._spec.select is not None:
            return pages.records  # what the selection gives of each page, one behind the other
        if self._spec.frame is None:
            return pages
        return pages.to_polars() if self._frame_kind == "polars" else pages.to_df()

    @contextlib.contextmanager
    def _options(self) -> Iterator[dict[str, Any]]:
        """The helper's options; files that are uploaded are open while the block runs."""
        spec, request = self._spec, self._request
        options: dict[str, Any] = {
            "headers": list(request.headers),  # a header may be repeated
            "timeout": self._magics.timeout if spec.timeout is None else spec.timeout,
            "retry": spec.retry or 0,
            "retry_any": spec.retry_any,
            "cache": spec.cache or False,
            "insecure": spec.insecure,
        }
        if spec.follow is not None:
            options["follow_redirects"] = spec.follow
        if request.content is not None:
            options["content"] = request.content
        with contextlib.ExitStack() as stack:
            if request.parts:
                options["files"] = list(request.parts)
            elif request.files:
                options["data"] = dict(request.fields)
                options["files"] = [(name, stack.enter_context(_opened(path))) for name, path in request.files]
            elif request.content is not None and not isinstance(request.content, bytes):
                stack.enter_context(request.content)
            yield options

    def _in_words(self) -> str:
        request, spec = self._request, self._spec
        content = request.content
        if content is not None and not isinstance(content, bytes):
            with content:
                content = b"(a large file, streamed)"
        url = verbs.absolute(self._url, self._secret)
        if spec.curl:
            record = default_vault().get(self._secret) if self._secret else None
            command = interchange.as_curl(request.method, url, request.headers, content, record)
            return command + "".join(f" -F {name}=@{path}" for name, path in request.files)
        if spec.python:
            return interchange.as_python(request.method, url, request.headers, content, self._secret)
        lines = [f"{request.method} {url}", *(f"{name}: {_hidden(name, value)}" for name, value in request.headers)]
        if self._secret:
            lines.append(f"(credentials of secret '{self._secret}')")
        lines += [f"{name}={value}" for name, value in request.fields]
        lines += [f"{name}@{path}" for name, path in request.files]
        lines += [f"(part) {name}" for name, _ in request.parts]
        if content is not None:
            lines += ["", content.decode("utf-8", "replace")]
        return "\n".join(["Not sent (--dry-run):", *lines])

    def _exchange(self, response: Response) -> str:
        lines = []
        if self._spec.verbose:
            sent = response.request
            lines += [
                f"> {sent.method} {sent.url}",
                *(f"> {name}: {_hidden(name, value)}" for name, value in sent.headers.items()),
            ]
            lines += [f"> (credentials of secret '{self._secret}')"] if self._secret else []
        lines.append(f"< {response.status_code} {response.reason_phrase}")
        lines += [f"< {name}: {_hidden(name, value)}" for name, value in response.headers.multi_items()]
        return "\n".join(lines)

    def _remember_path(self) -> None:
        """For completion: the path, without its query."""
        parts = urlsplit(self._url)
        shown = parts.path if not parts.netloc else f"{parts.scheme}://{parts.netloc}{parts.path}"
        self._magics.called_paths.pop(shown, None)
        self._magics.called_paths[shown] = None


def _hidden(name: str, value: str) -> str:
    return "(not shown)" if is_sensitive(name) else value


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - a notebook shows it apart from the output
