"""What a magic's text asks for, as data: templates that are not evaluated yet, and what is to be done with the response."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.pasted_credentials import PastedCredential

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Expression:
    """The Python expression of a `{{ }}`."""

    source: str


@dataclass(frozen=True)
class Template:
    """Text with expressions in it, in order."""

    parts: tuple[str | Expression, ...]

    @property
    def plain(self) -> str | None:
        """The text, if there is no expression in it."""
        return "".join(self.parts) if all(isinstance(part, str) for part in self.parts) else None  # type: ignore[arg-type]  # all are texts here


@dataclass(frozen=True)
class FileText:
    """The content of a file within a body, as curl's `-d @file`, `--data-binary` and `--data-urlencode` take it."""

    path: str
    transform: Literal["raw", "stripped", "urlencoded"] = "raw"


@dataclass(frozen=True)
class Part:
    """One part of a multipart body: a text, or the content of the file at `path`."""

    name: str
    text: Template | None = None
    path: str | None = None
    filename: str | None = None
    content_type: str | None = None


@dataclass(frozen=True)
class Body:
    """A request body: raw text, fields, or a file to read. `kind` "auto" decides by the text itself.

    `files` are uploads (name of the field, template of the path); with one of them the fields are multipart/form-data.
    """

    kind: Literal["auto", "json", "fields", "form", "raw", "multipart"]
    text: Template | None = None
    fields: tuple[tuple[str, Template | FileText, bool], ...] = ()  # name, value, whether the value is JSON
    files: tuple[tuple[str, str], ...] = ()
    file: str | None = None
    pieces: tuple[Template | FileText, ...] = ()  # of kind "raw": sent one behind the other
    parts: tuple[Part, ...] = ()  # of kind "multipart"
    media_type: str | None = None  # of kind "raw", where no header gives it; "" sends none

    @property
    def whole_text(self) -> Template | None:
        """The pieces of kind "raw" as one text; None where a file is among them, or there are none."""
        texts = [piece for piece in self.pieces if isinstance(piece, Template)]
        if not texts or len(texts) < len(self.pieces):
            return None
        return Template(tuple(part for text in texts for part in text.parts))


@dataclass(frozen=True, kw_only=True)
class RequestSpec:
    """What the text asks for."""

    url: Template
    method: str
    query: tuple[tuple[str, Template | FileText], ...] = ()
    headers: tuple[tuple[str, Template], ...] = ()
    body: Body | None = None
    notes: tuple[str, ...] = ()  # what the cell says of how the text was read
    left_out: tuple[PastedCredential, ...] = ()

    # how it is sent
    secret: str | None = None
    no_secret: bool = False
    timeout: float | None = None
    follow: bool | None = None
    insecure: bool = False
    retry: int | None = None
    retry_any: bool = False
    cache: str | None = None
    paginate: str | None = None
    max_pages: int | None = None
    max_items: int | None = None
    concurrency: int | None = None

    # what becomes of the response
    out: str | None = None
    frame: Literal["pandas", "polars"] | None = None
    frame_path: str | None = None
    select: str | None = None
    save: str | None = None
    show_headers: bool = False
    verbose: bool = False
    quiet: bool = False
    raises: bool | None = None

    # instead of sending it
    dry_run: bool = False
    curl: bool = False
    python: bool = False


@dataclass
class Draft:
    """What has been read so far; it becomes the spec at the end."""

    method: str | None = None
    url: Template | None = None
    query: list[tuple[str, Template | FileText]] = field(default_factory=list)
    headers: list[tuple[str, Template]] = field(default_factory=list)
    fields: list[tuple[str, Template | FileText, bool]] = field(default_factory=list)
    files: list[tuple[str, str]] = field(default_factory=list)
    body: Body | None = None
    as_form: bool = False
    notes: list[str] = field(default_factory=list)
    left_out: list[PastedCredential] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    def finished(self) -> RequestSpec:
        """The spec. Raises `RequestSyntaxError` for what only the whole text shows to be wrong."""
        if self.url is None:
            raise RequestSyntaxError(
                "There is no URL. Example: %flowlet_request https://api.example.com/me --secret NAME"
            )
        if self.fields or self.files:
            if self.body is not None:
                raise RequestSyntaxError("The request has a body twice: key=value items, and a text. Leave one out.")
            kind: Literal["fields", "form"] = "form" if self.as_form or self.files else "fields"
            self.body = Body(kind, fields=tuple(self.fields), files=tuple(self.files))
        for one, other in (("secret", "no_secret"), ("select", "frame"), ("save", "paginate"), ("save", "frame")):
            if self.options.get(one) and self.options.get(other):
                raise RequestSyntaxError(
                    f"--{one.replace('_', '-')} and --{_SPELLED.get(other, other)} do not go together. Leave one out."
                )
        return RequestSpec(
            url=self.url,
            method=self.method or ("POST" if self.body else "GET"),
            query=tuple(self.query),
            headers=tuple(self.headers),
            body=self.body,
            notes=tuple(self.notes),
            left_out=tuple(self.left_out),
            **self.options,
        )


_SPELLED = {"no_secret": "no-secret", "frame": "df"}
