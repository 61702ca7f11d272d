"""A request as a curl command and as Python code. Neither holds a credential."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Sequence
from typing import Any

from flowlet_jupyter.credentials.redaction import is_sensitive
from flowlet_jupyter.model.secret import Record

_HIDDEN = "(left out)"


def as_curl(
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    content: bytes | None,
    record: Record | None,
    *,
    fields: Sequence[tuple[str, str]] = (),
    files: Sequence[tuple[str, str]] = (),
) -> str:
    """A curl command that works in a shell where `jupyter flowlet` does: it asks for the credential when it runs.

    `fields` and `files` (name, path) are those of a multipart/form-data body.
    """
    # -g: brackets and braces in a URL are not a pattern
    globbed = ["-g"] if any(sign in url for sign in "[]{}") else []
    is_plain = method == ("POST" if fields or files else "GET") and content is None
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
    for name, value in fields:
        quoted += ["--form-string", shlex.quote(f"{name}={value}")]
    for name, path in files:
        escaped = path.replace("\\", "\\\\").replace('"', '\\"')
        is_simple = not set(path) & set(';,"\\ ')
        quoted += ["-F", shlex.quote(f"{name}=@{path}" if is_simple else f'{name}=@"{escaped}"')]
    return " ".join(quoted)


def as_python(
    method: str, url: str, headers: Sequence[tuple[str, str]], content: bytes | None, secret: str | None
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
