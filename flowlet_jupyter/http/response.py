"""`Response`: an `httpx.Response` with short ways to the data. It knows nothing of notebooks."""

from __future__ import annotations

import contextlib
import email.message
import functools
import json as jsonlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from flowlet_jupyter.credentials.redaction import NOTHING_SENT, SentValues
from flowlet_jupyter.errors import FlowletError, RequestFailed, printable
from flowlet_jupyter.session.ipython_hooks import hooks
from flowlet_jupyter.tables.charset import decode, without_guard
from flowlet_jupyter.tables.json_body import kind_of, parse_json
from flowlet_jupyter.tables.selection import select

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from flowlet_jupyter.http.plot import Plot

MAX_BODY_BYTES = 1_000_000_000  # unpacked; a body without an end, or a small one that unpacks to one, fills no memory
# one layer of these unpacks what came from the network to at most a thousand times its size; brotli and zstd, and a layer
# within a layer, unpack a few kilobytes at once to more than there is memory
ACCEPT_ENCODING = "gzip, deflate"
_BOUNDED, _UNBOUNDED = frozenset({"gzip", "deflate"}), frozenset({"br", "zstd"})
_UNPARSED: Any = object()


@functools.lru_cache(maxsize=64)  # of the same few types, for each page several times
def _charset_in(content_type: str) -> str | None:
    message = email.message.Message()
    message["content-type"] = content_type
    return message.get_content_charset(failobj=None)


class Response(httpx.Response):
    """What a request gives. `response.request` is the request as the user made it, without credentials.

    `sent_values` are what must not be shown should the API repeat it; a copy or a pickle has neither them nor what they
    would hide: its body and headers say `(value of the secret)` there.
    """

    secret_name: str | None = None
    sent_values: SentValues = NOTHING_SENT
    _parsed: Any = _UNPARSED

    def __repr__(self) -> str:
        return printable(self.sent_values.redact(super().__repr__()))

    def __getstate__(self) -> dict[str, Any]:
        shown = redacted(self) if self.is_closed and hasattr(self, "_content") else self
        state: dict[str, Any] = httpx.Response.__getstate__(shown)
        state.pop("sent_values", None)
        state.pop("_parsed", None)  # `_UNPARSED` is known by its identity
        return state

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The body, unpacked, as it comes. Raises `RequestFailed` if it is packed as nobody asked for."""
        self._check_encoding()
        return super().iter_bytes(chunk_size)

    def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """The async twin of `iter_bytes`."""
        self._check_encoding()
        return super().aiter_bytes(chunk_size)

    def _check_encoding(self) -> None:
        if hasattr(self, "_content") or "content-encoding" not in self.headers:
            return
        layers = [each.strip().lower() for each in ",".join(self.headers.get_list("content-encoding")).split(",")]
        packed = [each for each in layers if each in _BOUNDED | _UNBOUNDED]
        asked = self.request.headers.get("accept-encoding", "").lower() if self.has_request else ""
        if len(packed) > 1 or any(each in _UNBOUNDED and each not in asked for each in packed):
            raise RequestFailed(
                f"The body of this response ({self.status_code} {self.reason_phrase}) is packed as {', '.join(packed)}, which "
                "was not asked for: a few bytes of it may unpack to more than there is memory. It was not read."
            )

    def read(self) -> bytes:
        """The whole body, unpacked. Raises `RequestFailed` if it is longer than `MAX_BODY_BYTES`."""
        if not hasattr(self, "_content") and not self._take_in():
            parts, size = [], 0
            for part in self._as_it_comes() if self._is_plain(httpx.SyncByteStream) else self.iter_bytes():
                parts.append(part)
                size += len(part)
                if size > MAX_BODY_BYTES:
                    parts.clear()
                    self.close()
                    raise self._too_long()
            self._content = b"".join(parts)
        return self._content

    async def aread(self) -> bytes:
        """The async twin of `read`."""
        if not hasattr(self, "_content") and not self._take_in():
            parts, size = [], 0
            async for part in self.aiter_bytes():
                parts.append(part)
                size += len(part)
                if size > MAX_BODY_BYTES:
                    parts.clear()
                    await self.aclose()
                    raise self._too_long()
            self._content = b"".join(parts)
        return self._content

    def _is_plain(self, kind: type) -> bool:
        """Whether the body is one to be read, of a stream of this kind, and is not packed."""
        is_ready = isinstance(self.stream, kind) and not self.is_stream_consumed and not self.is_closed
        return is_ready and "content-encoding" not in self.headers

    def _take_in(self) -> bool:
        """Read a body that is here already, if it is; httpx's four generators and two buffers cost ten times as much."""
        if not self._is_plain(httpx.ByteStream):
            return False
        content = b"".join(self.stream)  # type: ignore[arg-type]  # of a `ByteStream`, which is asked for above
        if len(content) > MAX_BODY_BYTES:
            return False
        self._content, self._num_bytes_downloaded = content, len(content)
        self.is_stream_consumed = self.is_closed = True
        return True

    def _as_it_comes(self) -> Iterator[bytes]:
        """`iter_bytes` of a body that is not packed, without the buffers."""
        self.is_stream_consumed = True
        self._num_bytes_downloaded = 0
        try:
            for part in self.stream:  # type: ignore[union-attr]  # a sync one, which is asked for before
                self._num_bytes_downloaded += len(part)
                yield part
        except httpx.RequestError as error:
            if self._request is not None:
                error.request = self._request
            raise
        self.close()

    def _too_long(self) -> RequestFailed:
        return RequestFailed(
            f"The body of this response ({self.status_code} {self.reason_phrase}) is longer than "
            f"{MAX_BODY_BYTES // 1_000_000:,} MB unpacked, which is more than is read into memory. "
            "Write it to a file: flowlet.download(url, path, secret=…), or %flowlet_request … --save FILE."
        )

    def __getitem__(self, key: str | int) -> Any:
        """`r["data"]["id"]`: the item `key` of the JSON body. Raises `RequestFailed` if there is none."""
        body = self.json()
        try:
            return body[key]
        except (KeyError, IndexError, TypeError):
            message = self.sent_values.redact(self._missing(key, body))
        raise RequestFailed(message)

    @contextlib.contextmanager
    def _redacting(self) -> Iterator[None]:
        """What an error in the block quotes of the response is shown without the values that were sent."""
        try:
            yield
        except FlowletError as error:
            message = str(error)
            shown = self.sent_values.redact(message)
            if shown == message:
                raise
            failure = type(error)(shown)
            error.args, error.__context__ = (shown,), None  # it stays behind `failure`, for whoever looks there
            del message
        else:
            return
        raise failure from None  # what it came from quotes the value

    def _missing(self, key: str | int, body: Any) -> str:
        if isinstance(body, dict):
            has = f"it has: {', '.join(list(body)[:20])}" if body else "it is empty"
        elif isinstance(body, list):
            has = f"it is a list of {len(body)}"
        else:
            has = f"it is {kind_of(body)}"
        return f"The JSON of this response ({self.status_code} {self.reason_phrase}) has no {key!r}; {has}."

    def json(self, **kwargs: Any) -> Any:
        """The parsed JSON body, the same object each time. Raises `RequestFailed` if the body is not JSON."""
        if kwargs or self._parsed is _UNPARSED:
            try:
                if kwargs:
                    parsed = jsonlib.loads(without_guard(decode(self.content, self.charset_encoding).text), **kwargs)
                else:
                    parsed = parse_json(self.content, self.charset_encoding)
            except (ValueError, RecursionError):
                if not self.content.strip():
                    message = f"This response ({self.status_code} {self.reason_phrase}) has no body, so nothing can be read from it."
                    raise RequestFailed(self.sent_values.redact(message)) from None
                kind = self.headers.get("content-type", "no content type")
                message = self.sent_values.redact(
                    f"The body of this response ({self.status_code} {self.reason_phrase}, {kind}, "
                    f"{len(self.content)} bytes) is not JSON. See its text: r.text"
                )
                raise RequestFailed(message) from None
            if kwargs:
                return parsed
            self._parsed = parsed
        return self._parsed

    def _repr_html_(self) -> str:  # IPython finds these two
        return hooks().response_html(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - IPython's signature
        printer.text(hooks().response_text(self))

    @property
    def charset_encoding(self) -> str | None:
        """The charset that the Content-Type header declares, None if it declares none."""
        content_type = self.headers.get("content-type")
        return None if content_type is None else _charset_in(content_type)

    @property
    def text(self) -> str:
        """The body as text: by its byte order mark, the declared charset, UTF-8, else a guess (`r.encoding = …` before)."""
        if not hasattr(self, "_text"):
            self._text = decode(self.content, getattr(self, "_encoding", None) or self.charset_encoding).text
        return self._text

    @property
    def sent_without_secret_to(self) -> str | None:
        """The host that a redirect led to and that was asked without the secret, being none of its allowed hosts."""
        return self.extensions.get("flowlet_without_secret")

    @property
    def is_parsed(self) -> bool:
        """Whether the body has been parsed already, so that looking into it costs nothing."""
        return self._parsed is not _UNPARSED

    def forget_parsed(self) -> None:
        """Let go of the parsed body, which is several times as large as its text; it is parsed anew when asked for."""
        self._parsed = _UNPARSED

    @property
    def has_request(self) -> bool:
        """Whether the request is known; a response that was made by hand has none."""
        return self._request is not None

    def select(self, path: str) -> Any:
        """The part of the JSON body that a JMESPath expression selects (`data[].id`); None if nothing matches."""
        return select(self.json(), path)

    def records(self, path: str | None = None) -> list[Any]:
        """The list of records at the JMESPath `path`, or the likeliest one. Raises `RequestFailed`."""
        from flowlet_jupyter.http.frames import records_of

        with self._redacting():
            return records_of(self, path).records

    def to_df(
        self, path: str | None = None, *, dates: bool = False, read: Mapping[str, Any] | None = None
    ) -> pd.DataFrame:
        """The records as a pandas DataFrame, nested fields as dotted columns; `df.attrs["path"]` says which list it is.

        Without a JMESPath `path` the likeliest list is taken. `dates` turns columns of ISO 8601 texts into dates. The
        formats and shapes that are read are in docs/requests.md; `df.attrs` say what was seen. `read` are options of the
        library's reader (`{"sep": ";", "dtype": {"id": "str"}}`), and `member` of a zip file, `table` of an HTML page.
        Raises `RequestFailed`, `MissingExtra`.
        """
        from flowlet_jupyter.http.frames import to_pandas

        with self._redacting():
            return to_pandas(self, path, dates=dates, read=read)

    def to_polars(
        self, path: str | None = None, *, dates: bool = False, read: Mapping[str, Any] | None = None
    ) -> pl.DataFrame:
        """The same as a polars DataFrame."""
        from flowlet_jupyter.http.frames import to_polars

        with self._redacting():
            return to_polars(self, path, dates=dates, read=read)

    def plot(self, x: str | None = None, y: str | Sequence[str] | None = None, *, path: str | None = None) -> Plot:
        """The records as a chart over time: of the column `x` (times) and of `y` (numbers, or several), else of the likeliest.

        `path` is the JMESPath of the list, as in `to_df`. The values that were sent are hidden in it, as in the view.
        Raises `RequestFailed`, which names the columns, if there are no times or no numbers.
        """
        from flowlet_jupyter.http.plot import plot_of

        return plot_of(redacted(self).records(path), x=x, y=y)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the body to a file, atomically; for a body that is too large for memory there is `flowlet.download`."""
        from flowlet_jupyter.http.download import write_atomically

        return write_atomically(path, self.content)


def redacted(response: Response) -> Response:
    """`response`, or a copy without the values that were sent, if its body or a header holds one.

    The reason phrase has none: the transport sees to it.
    """
    sent = response.sent_values
    if not sent:
        return response
    content = sent.redact_bytes(response.content)
    headers = [(name, sent.redact(value)) for name, value in response.headers.multi_items()]
    if content is response.content and headers == response.headers.multi_items():
        return response
    # the body is decoded and of another length now
    left_out = {"content-encoding", "content-length", "transfer-encoding"}
    copy = type(response)(
        response.status_code, headers=[pair for pair in headers if pair[0].lower() not in left_out],
        content=content, extensions=response.extensions, request=response.request if response.has_request else None,
        history=response.history, default_encoding=response.default_encoding,
    )  # fmt: skip
    copy.secret_name, copy.sent_values = response.secret_name, sent
    if hasattr(response, "_elapsed"):
        copy.elapsed = response.elapsed
    return copy
