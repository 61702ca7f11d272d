"""The body of a curl command: `-d` in its kinds, `-F`, `-T`, and what `-G` and `--url-query` put into the query. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePath
from urllib.parse import quote

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.options import MakeTemplate
from flowlet_jupyter.notebook.request_line.spec import Body, Draft, FileText, Part, Template
from flowlet_jupyter.notebook.request_line.tokens import quote_excerpt

FORM = "application/x-www-form-urlencoded"
Piece = tuple[str, str | FileText]  # text in front of it, and the text or file

_TYPES = {
    ".gif": "image/gif", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml",
    ".txt": "text/plain", ".htm": "text/html", ".html": "text/html", ".pdf": "application/pdf",
    ".xml": "application/xml",
}  # fmt: skip


@dataclass
class CurlCommand:
    """What has been read of a command, beside what goes into the draft at once."""

    draft: Draft
    make: MakeTemplate
    data: list[Piece] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    query: list[str] = field(default_factory=list)
    without: set[str] = field(default_factory=set)  # headers that are not sent, in lower case
    upload: str | None = None
    is_query: bool = False  # -G


def add_data(name: str, value: str, command: CurlCommand) -> None:
    """`-d`, `--data-raw`, `--data-binary` or `--json`."""
    joint = "" if name == "--json" or not command.data else "&"
    if name == "--json":
        for header in ("Content-Type", "Accept"):
            if not any(own.lower() == header.lower() for own, _ in command.draft.headers):
                command.draft.headers.append((header, Template(("application/json",))))
    if value.startswith("@") and name != "--data-raw":
        whole = name in {"--data-binary", "--json"}
        command.data.append((joint, FileText(file_name(value[1:]), "raw" if whole else "stripped")))
    else:
        command.data.append((joint, value))


def add_encoded(value: str, command: CurlCommand) -> None:
    """`content`, `=content`, `name=content`, `@file`, `name@file`: the content is percent-encoded."""
    prefix, mark, content = _encodable(value)
    joint = "&" if command.data else ""
    if mark == "@":
        command.data.append((joint + prefix, FileText(file_name(content), "urlencoded")))
    else:
        command.data.append((joint, f"{prefix}{encoded(content)}"))


def add_query(value: str, command: CurlCommand) -> None:
    """`--url-query`: as `--data-urlencode`, or `+content` as it is."""
    prefix, mark, content = _encodable(value)
    if value.startswith("+"):
        command.query.append(value[1:])
    elif mark == "@":
        raise RequestSyntaxError("--url-query with a file is not read. Write name=value.")
    else:
        command.query.append(f"{prefix}{encoded(content)}")


def _encodable(value: str) -> tuple[str, str, str]:
    sign = re.search("[=@]", value)
    if not sign:
        return "", "", value
    name = value[: sign.start()]
    return f"{name}=" if name else "", sign[0], value[sign.end() :]


def file_name(text: str) -> str:
    """`text` as the name of a file. Raises `RequestSyntaxError` for standard input and for an expression."""
    if text == "-" or "\0" in text or not text:
        raise RequestSyntaxError("A file's name is taken literally, and there is no standard input (@-).")
    return text


def encoded(text: str) -> str:
    """`text` percent-encoded; marks of expressions stay, their values are encoded where they are filled in."""
    return "".join(
        piece if number % 2 else quote(piece, safe="") for number, piece in enumerate(re.split("(\0\\d+\0)", text))
    )


def add_part(value: str, command: CurlCommand) -> None:
    """`-F name=content`, `name=@file` or `name=<file`, each with `;type=` and `;filename=`."""
    key, sign, rest = value.partition("=")
    if not sign or "\0" in key:
        raise RequestSyntaxError(
            f"{quote_excerpt(value)} is not a field of a form. curl writes -F name=value or -F name=@file."
        )
    content, filename, content_type = _part_value(rest)
    if rest[:1] not in {"@", "<"}:
        part = Part(key, text=command.make(content), filename=filename, content_type=content_type)
        command.parts.append(part)
        return
    path = file_name(content[1:])
    if "," in path:
        raise RequestSyntaxError("Several files in one -F are not read. Write -F once for each.")
    guess = _TYPES.get(PurePath(path).suffix.lower())
    if rest[0] == "@":
        filename = filename or PurePath(path).name
        content_type = content_type or _TYPES.get(PurePath(filename).suffix.lower()) or guess
        content_type = content_type or "application/octet-stream"
    elif content_type is None and guess != "text/plain":
        content_type = guess
    command.parts.append(Part(key, path=path, filename=filename, content_type=content_type))


def add_text_part(value: str, command: CurlCommand) -> None:
    """`--form-string name=content`."""
    key, _, rest = value.partition("=")
    command.parts.append(Part(key, text=command.make(rest)))


def _part_value(rest: str) -> tuple[str, str | None, str | None]:
    """The content, `filename=` and `type=` of a field."""
    mark = rest[:1] if rest[:1] in {"@", "<"} else ""
    pieces = re.findall(r'"(?:[^"\\]|\\.)*"[^;]*|[^;]+', rest[len(mark) :])
    filename = content_type = None
    content = [pieces[0] if pieces else ""]
    for piece in pieces[1:]:
        name, sign, value = piece.strip().partition("=")
        if sign and name == "type":
            content_type = value
        elif sign and name == "filename":
            filename = _unquoted(value)
        elif name in {"headers", "encoder"} and sign:
            raise RequestSyntaxError(f"{name}= in -F is not read. Leave it out.")
        elif content_type is not None:
            content_type += f";{piece}"
        else:
            content.append(piece)
    return mark + _unquoted(";".join(content)), filename, content_type


def _unquoted(text: str) -> str:
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', text.strip())
    return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text


def put_body(command: CurlCommand) -> None:
    """`-d` several times is one body joined by `&`; with `-G` it is the query; `-F` are the parts of one."""
    draft = command.draft
    if draft.url is None:
        raise RequestSyntaxError("There is no URL in the command.")
    if sum(map(bool, (command.data, command.parts, command.upload))) > 1:
        raise RequestSyntaxError("curl takes one of -d, -F and -T. Leave the others out.")
    if command.upload is not None:
        _put_upload(command.upload, draft, draft.url)
    elif command.parts:
        _put_parts(command.parts, draft)
    elif command.data and command.is_query:
        if any(isinstance(content, FileText) for _, content in command.data):
            raise RequestSyntaxError("A file's content as the query (-G) is not read. Read it in Python: {{ text }}.")
        command.query.append("".join(f"{joint}{content}" for joint, content in command.data))
        draft.method = draft.method or "GET"
    elif command.data:
        draft.body = Body(
            "raw", pieces=_pieces(command), media_type="" if "content-type" in command.without else FORM
        )  # fmt: skip
    if command.query:
        _put_query("&".join(command.query), draft, draft.url or Template(()), command.make)


def _put_upload(path: str, draft: Draft, url: Template) -> None:
    matched = re.fullmatch(r"([^?#]*)(.*)", url.plain or "", re.DOTALL)
    if matched and matched[1].endswith("/"):  # curl puts the file's name there
        draft.url = Template((f"{matched[1]}{quote(PurePath(path).name)}{matched[2]}",))
    draft.method = draft.method or "PUT"
    draft.body = Body("raw", pieces=(FileText(path),), media_type="")


def _put_parts(parts: list[Part], draft: Draft) -> None:
    own = [(value.plain or "").lower() for name, value in draft.headers if name.lower() == "content-type"]
    if any(not value.startswith("multipart/form-data") for value in own):
        raise RequestSyntaxError("The fields of -F are multipart/form-data; leave the Content-Type header out.")
    draft.body = Body("multipart", parts=tuple(parts))


def _pieces(command: CurlCommand) -> tuple[Template | FileText, ...]:
    pieces: list[Template | FileText] = []
    for joint, content in command.data:
        if isinstance(content, str):
            pieces.append(command.make(f"{joint}{content}"))
        else:
            pieces += [command.make(joint), content]
    return tuple(piece for piece in pieces if piece != Template(()))


def _put_query(text: str, draft: Draft, url: Template, make: MakeTemplate) -> None:
    parts = list(url.parts)
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].partition("#")[0]
    joint = "&" if any("?" in part for part in parts if isinstance(part, str)) else "?"
    draft.url = Template((*parts, joint, *make(text).parts))
