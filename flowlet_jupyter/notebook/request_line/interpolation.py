"""Put the values of `{{ }}` where they stand, so that none can leave its place. Pure but for the given `evaluate`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, Any
from urllib.parse import quote, urlencode

from flowlet_jupyter.errors import InterpolationError
from flowlet_jupyter.http.curl_export import FormPart
from flowlet_jupyter.http.outgoing import json_bytes, text_of, texts_of
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.notebook.request_line.nested_json import nested
from flowlet_jupyter.notebook.request_line.spec import Body, Expression, FileText, RequestSpec, Template

Evaluate = Callable[[str], Any]
ReadFile = Callable[[str], bytes | IO[bytes]]


@dataclass(frozen=True)
class PreparedRequest:
    """A request with every value in place. `content` is read from a file while it is sent if the file is large.

    `parts` are those of a multipart/form-data body, whose boundary only the sender knows.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    content: bytes | IO[bytes] | None
    parts: tuple[FormPart, ...] = ()


def prepare(spec: RequestSpec, evaluate: Evaluate, read_file: ReadFile) -> PreparedRequest:
    """The request of `spec`. Raises `InterpolationError`, which names the expression; then nothing was sent."""
    headers = [(name, _header(name, template, evaluate)) for name, template in spec.headers]
    content_type = next((value.lower() for name, value in headers if name.lower() == "content-type"), None)
    query = [(name, text) for name, value in spec.query for text in _query_values(value, evaluate, read_file)]
    url = _with_query(_url(spec.url, evaluate), query)
    if spec.body is not None and (parts := _parts(spec.body, evaluate, read_file)):
        headers = [(name, value) for name, value in headers if name.lower() != "content-type"]
        return PreparedRequest(spec.method, url, tuple(headers), None, parts)
    content = None
    if spec.body is not None:
        content, default_type = _body(spec.body, content_type, evaluate, read_file)
        if content_type is None and default_type:
            headers.append(("Content-Type", default_type))
    return PreparedRequest(spec.method, url, tuple(headers), content)


def _with_query(url: str, query: list[tuple[str, str]]) -> str:
    """The URL with the items of `query` behind those that it has already."""
    if not query:
        return url
    url, _, fragment = url.partition("#")
    joint = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return f"{url}{joint}{urlencode(query, quote_via=quote, safe='')}{'#' if fragment else ''}{fragment}"


def _value(expression: Expression, evaluate: Evaluate) -> Any:
    try:
        value = evaluate(expression.source)
    except Exception as error:  # noqa: BLE001 - the user's expression may raise anything
        reason = f"{type(error).__name__}: {str(error)[:200]}"
        raise InterpolationError(f"{{{{ {expression.source} }}}} failed: {reason}. Nothing was sent.") from None
    if isinstance(value, SecretValue):
        raise InterpolationError(
            f"{{{{ {expression.source} }}}} is a secret value and is not put into a request. Use --secret NAME."
        )
    return value


def _text(expression: Expression, evaluate: Evaluate) -> str:
    value = _value(expression, evaluate)
    try:
        return text_of(value)
    except ValueError as error:
        raise _not_encodable(expression, value, error) from None


def _not_encodable(expression: Expression, value: Any, error: ValueError) -> InterpolationError:
    return InterpolationError(
        f"{{{{ {expression.source} }}}} is {type(value).__name__}, which has no place there: {error}. Nothing was sent."
    )


def _url(template: Template, evaluate: Evaluate) -> str:
    """Values are percent-encoded whole, but for one at the very start, which is the start of the URL as it is."""
    url = ""
    for position, part in enumerate(template.parts):
        if isinstance(part, str):
            url += part
        elif position == 0:
            url = _text(part, evaluate)
        else:
            text = _text(part, evaluate)
            if text in {".", ".."}:  # percent-encoding leaves dots, and a client would climb up the path
                raise InterpolationError(f"{{{{ {part.source} }}}} is '{text}', which is not a path segment.")
            url += quote(text, safe="")
    if any(character.isspace() for character in url):
        raise InterpolationError("The URL has a space or line break in it. Nothing was sent.")
    return url


def _query_values(template: Template | FileText, evaluate: Evaluate, read_file: ReadFile) -> list[str]:
    """The values of one query item; a list alone repeats the parameter, None alone leaves it out."""
    if isinstance(template, FileText):
        return [_text_of_file(template, read_file).rstrip("\n")]
    if len(template.parts) == 1 and isinstance(template.parts[0], Expression):
        value = _value(template.parts[0], evaluate)
        try:
            return texts_of(value)
        except ValueError as error:
            raise _not_encodable(template.parts[0], value, error) from None
    return [_joined(template, evaluate)]


def _joined(template: Template, evaluate: Evaluate) -> str:
    return "".join(part if isinstance(part, str) else _text(part, evaluate) for part in template.parts)


def _header(name: str, template: Template, evaluate: Evaluate) -> str:
    value = _joined(template, evaluate).strip()
    if not value.isascii() or not value.replace("\t", " ").isprintable():
        raise InterpolationError(
            f"The header {name} would hold a line break or another character that a header cannot have. "
            "Nothing was sent."
        )
    return value


# bodies

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


def _body(
    body: Body, content_type: str | None, evaluate: Evaluate, read_file: ReadFile
) -> tuple[bytes | IO[bytes], str]:
    """The body's bytes, and the content type where the user gave none."""
    if body.kind == "raw":
        return _raw_body(body, content_type, evaluate, read_file), body.media_type or ""
    if body.kind in {"fields", "form"}:
        return _fields_body(body, content_type, evaluate, read_file)
    if body.file is not None:
        return read_file(body.file), _JSON if body.kind == "json" else "application/octet-stream"
    return _text_body(body.text or Template(()), content_type, evaluate, is_json=body.kind == "json")


def _fields_body(body: Body, content_type: str | None, evaluate: Evaluate, read_file: ReadFile) -> tuple[bytes, str]:
    if body.kind == "form" or (content_type is not None and content_type.startswith(_FORM)):
        pairs = (
            f"{quote(key)}={quote(_field_text(value, evaluate, read_file), safe='')}" for key, value, _ in body.fields
        )
        return "&".join(pairs).encode(), _FORM
    # each value as the JSON that it is: read and written again, a Decimal would lose digits
    fields = [(key, _field(value, evaluate, read_file, is_json=is_json)) for key, value, is_json in body.fields]
    return nested(fields).encode(), _JSON


def _field_text(value: Template | FileText, evaluate: Evaluate, read_file: ReadFile) -> str:
    return _text_of_file(value, read_file) if isinstance(value, FileText) else _joined(value, evaluate)


def _text_of_file(file: FileText, read_file: ReadFile) -> str:
    try:
        return _file_text(file, read_file).decode()
    except UnicodeDecodeError:
        raise InterpolationError(
            f"The file {file.path} is no text in UTF-8, which a field or parameter is. To upload it: name@{file.path}"
        ) from None


def _text_body(
    template: Template, content_type: str | None, evaluate: Evaluate, *, is_json: bool = False
) -> tuple[bytes, str]:
    if is_json or (content_type or (_JSON if _looks_json(template) else "")).split(";")[0].endswith("json"):
        return _json_body(template, evaluate), _JSON
    if content_type is not None and not content_type.startswith(_FORM):
        return _joined(template, evaluate).encode(), content_type
    text = "".join(part if isinstance(part, str) else quote(_text(part, evaluate), safe="") for part in template.parts)
    return text.encode(), _FORM


def _looks_json(template: Template) -> bool:
    first = next(iter(template.parts), "")
    return isinstance(first, Expression) or first.lstrip()[:1] in {"{", "["}


def _parts(body: Body, evaluate: Evaluate, read_file: ReadFile) -> tuple[FormPart, ...]:
    """The parts of a multipart body; empty for any other."""
    if body.files:
        fields = [FormPart(name, _field_text(value, evaluate, read_file)) for name, value, _ in body.fields]
        return (*fields, *(FormPart(name, path=path, filename=PurePath(path).name) for name, path in body.files))
    return tuple(
        FormPart(part.name, _joined(part.text or Template(()), evaluate), part.path, part.filename, part.content_type)
        for part in body.parts
    )


def _raw_body(body: Body, content_type: str | None, evaluate: Evaluate, read_file: ReadFile) -> bytes | IO[bytes]:
    """A body as it is written; only values of expressions are encoded for where they stand."""
    if len(body.pieces) == 1 and isinstance(only := body.pieces[0], FileText) and only.transform == "raw":
        return read_file(only.path)
    if (whole := body.whole_text) is not None and whole.plain is None:
        # what a tool sends by default says nothing of a text that is JSON
        is_known = body.media_type != _FORM and not _looks_json(whole)
        default = body.media_type if is_known else None
        return _text_body(whole, content_type or default, evaluate)[0]
    return b"".join(
        _joined(piece, evaluate).encode("utf-8", "surrogateescape")
        if isinstance(piece, Template)
        else _file_text(piece, read_file)
        for piece in body.pieces
    )


def _file_text(piece: FileText, read_file: ReadFile) -> bytes:
    content = read_file(piece.path)
    if not isinstance(content, bytes):
        with content:
            content = content.read()
    if piece.transform == "stripped":
        return content.translate(None, b"\r\n\0")
    return quote(content, safe="").encode() if piece.transform == "urlencoded" else content


def _field(value: Template | FileText, evaluate: Evaluate, read_file: ReadFile, *, is_json: bool) -> str:
    if not is_json:
        return json.dumps(_field_text(value, evaluate, read_file), ensure_ascii=False)
    template = Template((_text_of_file(value, read_file),)) if isinstance(value, FileText) else value
    return _json_body(template, evaluate).decode()


def _json_body(template: Template, evaluate: Evaluate) -> bytes:
    """JSON with values encoded: whole outside a string, as escaped text inside one."""
    pieces: list[str] = []
    in_string = False
    for part in template.parts:
        if isinstance(part, str):
            in_string = _in_string_after(part, in_string=in_string)
            pieces.append(part)
        elif in_string:
            pieces.append(json.dumps(_text(part, evaluate), ensure_ascii=False)[1:-1])
        else:
            pieces.append(_as_json(part, evaluate))
    text = "".join(pieces)
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InterpolationError(
            f"The body is not valid JSON: {str(error)[:100]}. For another kind of body give a Content-Type header. "
            "Nothing was sent."
        ) from None
    return text.encode()


def _as_json(expression: Expression, evaluate: Evaluate) -> str:
    value = _value(expression, evaluate)
    try:
        return json_bytes(value, separators=(", ", ": ")).decode()
    except (ValueError, RecursionError) as error:
        raise InterpolationError(
            f"{{{{ {expression.source} }}}} ({type(value).__name__}) cannot be written as JSON: {error}. Nothing was sent."
        ) from None


def _in_string_after(text: str, *, in_string: bool) -> bool:
    escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif in_string and character == "\\":
            escaped = True
        elif character == '"':
            in_string = not in_string
    return in_string
