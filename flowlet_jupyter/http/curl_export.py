"""A request as a curl command and as Python code. Neither holds a credential."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flowlet_jupyter.credentials.redaction import (
    NOTHING_SENT,
    SentValues,
    credentials_in_body,
    is_credential_name,
    is_sensitive,
)
from flowlet_jupyter.model.secret import Record

_HIDDEN = "(left out)"


def without_credentials(url: str, content: bytes | None, media_type: str) -> tuple[str, bytes | None]:
    """A request's URL and body without what in them is a credential of the user's own, by its name."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if any(is_credential_name(name) for name, _ in pairs):
        shown = [(name, _HIDDEN if is_credential_name(name) else value) for name, value in pairs]
        parts = parts._replace(query=urlencode(shown, safe="()"))
    if parts.password:
        parts = parts._replace(netloc=f"{parts.username}:{_HIDDEN}@{parts.netloc.rpartition('@')[2]}")
    own = SentValues(credentials_in_body(content, media_type)) if content else NOTHING_SENT
    return urlunsplit(parts), own.redact_bytes(content) if content and own else content


@dataclass(frozen=True)
class FormPart:
    """A part of a multipart/form-data body (RFC 7578): its text, or the file that is opened when it is sent."""

    name: str
    text: str = ""
    path: str | None = None
    filename: str | None = None
    content_type: str | None = None

    @property
    def summary(self) -> str:
        """The part on one line."""
        shown = f"{self.name}@{self.path}" if self.path is not None else f"{self.name}={self.text}"
        return f"{shown} ({self.content_type})" if self.content_type else shown

    def curl_arguments(self) -> list[str]:
        """The words of a curl command."""
        if self.path is None and self.filename is None and self.content_type is None:
            return ["--form-string", f"{self.name}={self.text}"]
        # without a name of its own the content of a file is a text
        mark = "" if self.path is None else "@" if self.filename is not None else "<"
        word = f"{self.name}={mark}{_form_text(self.text if self.path is None else self.path)}"
        if self.filename is not None and (self.path is None or self.filename != PurePath(self.path).name):
            word += f";filename={_form_text(self.filename)}"
        if self.content_type is not None:
            word += f";type={self.content_type}"
        return ["-F", word]

    def python_source(self) -> str:
        """The part as an item of `files=`."""
        content = repr(self.text) if self.path is None else f'open({self.path!r}, "rb")'
        return f"({self.name!r}, ({self.filename!r}, {content}, {self.content_type!r}))"


def _form_text(text: str) -> str:
    """`text` as curl's -F takes it: quoted where a character would end it."""
    if text and not set(text) & set(';,"\\ ') and text[0] not in "@<":
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def as_curl(
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    content: bytes | None,
    record: Record | None,
    *,
    parts: Sequence[FormPart] = (),
) -> str:
    """A curl command that works in a shell where `jupyter flowlet` does: it asks for the credential when it runs.

    `parts` are those of a multipart/form-data body.
    """
    # -g: brackets and braces in a URL are not a pattern
    globbed = ["-g"] if any(sign in url for sign in "[]{}") else []
    is_plain = method == ("POST" if parts else "GET") and content is None
    command = ["curl", *globbed, *([] if is_plain else ["-X", method]), url]
    for name, value in headers:
        # "Name:" alone would leave the header out
        shown = _HIDDEN if is_sensitive(name) else value
        command += ["-H", f"{name}: {shown}" if shown else f"{name};"]
    quoted = [shlex.quote(part) for part in command]
    if record is not None:
        # a command substitution, so that the value is in no text
        quoted += record.secret.curl_arguments(f"$(jupyter flowlet token {shlex.quote(record.secret.name)})")
    if content is not None:
        text = content.decode("utf-8", "replace")
        # "@" at the beginning would name a file
        quoted += ["--data-raw" if text.startswith("@") else "--data-binary", shlex.quote(text)]
    for part in parts:
        quoted += map(shlex.quote, part.curl_arguments())
    return " ".join(quoted)


def as_python(
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    content: bytes | None,
    secret: str | None,
    *,
    parts: Sequence[FormPart] = (),
) -> str:
    """The same request as code of the helper."""
    options = {} if secret is None else {"secret": secret}
    shown = {name: _HIDDEN if is_sensitive(name) else value for name, value in headers}
    body = _body_option(content, shown)
    verb = method.lower()
    known = verb in {"get", "post", "put", "patch", "delete", "head"}
    lines = [f"flowlet.{verb}(" if known else "flowlet.request(", *([] if known else [f"    {method!r},"])]
    lines.append(f"    {url!r},")
    lines += [f"    {name}={value!r}," for name, value in options.items()]
    lines += [f"    headers={shown!r},"] if shown else []
    lines += [f"    {name}={value!r}," for name, value in body.items()]
    if parts:
        lines += ["    files=[", *(f"        {part.python_source()}," for part in parts), "    ],"]
    return "\n".join(["import flowlet_jupyter as flowlet", "", *lines, ")"])


def _body_option(content: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
    if content is None:
        return {}
    if headers.get("Content-Type") == "application/json":
        with contextlib.suppress(ValueError):
            value = json.loads(content)
            del headers["Content-Type"]  # json= sets it
            return {"json": value}
    return {"content": content}
