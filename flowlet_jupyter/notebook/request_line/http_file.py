"""Requests as .http files hold them (RFC 9110's form, as the clients of JetBrains and VS Code write it). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.http_multipart import read_multipart
from flowlet_jupyter.notebook.request_line.options import HEADER_LINE
from flowlet_jupyter.notebook.request_line.spec import METHODS, Body, Draft, Template
from flowlet_jupyter.notebook.request_line.tokens import extract_placeholders, quote_excerpt, template

_VARIABLE = re.compile(r"@([A-Za-z_][\w.-]*)\s*=\s*(.*)")
_REFERENCE = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")
_COMMENT = re.compile(r"\s*(?:#|//)")
_PROTOCOL = re.compile(r"\s+HTTP/[\d.]+\s*$")
_OTHER_PROTOCOLS = frozenset({"GRAPHQL", "WEBSOCKET", "GRPC", "RSOCKET"})
_UNREAD = {
    r">\s*\{%|>\s*\S+\.js\s*$|<\s*\{%": "Scripts of .http files (response handlers) are not run. Leave them out, and write Python.",
    r"<@": "A file with variables in it (<@) is not read. Read it in Python, and write {{ text }}.",
    r">>!?\s*\S+\s*$": "A response is not stored by >>. Leave the line out, and use --save FILE.",
    r"(?:import|run)\s+\S+": "Other .http files are not imported. Put their requests into this cell.",
}


def split_requests(cell: str) -> tuple[list[str], dict[str, str]]:
    """The texts of the requests of a cell, which `###` separates, and its variables. Raises `RequestSyntaxError`."""
    requests: list[list[str]] = [[]]
    variables: dict[str, str] = {}
    is_head = True  # before the request line, where variables stand
    for line in cell.replace("\r\n", "\n").split("\n"):
        if line.startswith("###"):
            requests.append([])
            is_head = True
        elif is_head and (variable := _VARIABLE.match(line)):
            variables[variable[1]] = variable[2].strip()
        else:
            is_head = is_head and (not line.strip() or bool(_COMMENT.match(line)))
            requests[-1].append(line)
    texts = ["\n".join(lines) for lines in requests if any(map(_is_content, lines))]
    return texts, _resolved(variables)


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not _COMMENT.match(line)


def _resolved(variables: Mapping[str, str]) -> dict[str, str]:
    values = dict(variables)
    for _ in values:
        values = {name: _filled(value, values) for name, value in values.items()}
    for name, value in values.items():
        if any(other in values for other in _REFERENCE.findall(value)):
            raise RequestSyntaxError(f"The variable @{name} refers to itself.")
    return values


def _filled(text: str, variables: Mapping[str, str]) -> str:
    return _REFERENCE.sub(lambda match: variables.get(match[1], match[0]), text)


def read_http(text: str, variables: Mapping[str, str], draft: Draft) -> None:
    """Take in the request of `text`, a variable of the file before one of the notebook. Raises `RequestSyntaxError`."""
    # `<> FILE` names a response that JetBrains' client stored earlier
    lines = [line for line in _filled(text, variables).split("\n") if not re.match(r"<>\s+\S", line)]
    _refuse_unread(lines)
    _skip_comments(lines, draft)
    _read_request_line(lines, draft)
    if lines and lines[0].strip() and not HEADER_LINE.fullmatch(lines[0].rstrip()) and not _COMMENT.match(lines[0]):
        raise RequestSyntaxError(
            f"{quote_excerpt(lines[0])} is not a header. Between the headers and the body stands an empty line."
        )
    read_headers_and_body(lines, draft, has_comments=True)
    _put_host(draft)


def _refuse_unread(lines: list[str]) -> None:
    for start, reason in _UNREAD.items():
        if any(re.match(start, line) for line in lines):
            raise RequestSyntaxError(reason)
    for line in lines:
        if match := re.search(r"\{\{\s*(\$[\w.]*)", line):
            raise RequestSyntaxError(
                f"{{{{{match[1]}}}}} is a value that another client makes. Write it in Python: {{{{ uuid.uuid4() }}}}"
            )


def _skip_comments(lines: list[str], draft: Draft) -> None:
    while lines and not _is_content(lines[0]):
        if re.match(r"\s*(?:#|//)\s*@no-redirect\b", lines.pop(0)):
            draft.options.setdefault("follow", False)


def _read_request_line(lines: list[str], draft: Draft) -> None:
    first = lines.pop(0).strip() if lines else ""
    method, _, rest = first.partition(" ")
    is_url = bool(re.match(r"\s*(?:[a-z][a-z0-9+.-]*://|/|\{\{|[\w.-]+(?:[/:.?]|$))", rest))
    if method in _OTHER_PROTOCOLS and rest:
        raise RequestSyntaxError(f"{method} requests are not sent here. GraphQL over HTTP is a POST of JSON.")
    if (method.upper() in METHODS and rest) or (method.isupper() and method.isalpha() and is_url):
        draft.method, first = method.upper(), rest.strip()
    if not first:
        raise RequestSyntaxError("There is no URL: write METHOD URL on the first line or at the start of the cell.")
    while lines and re.match(r"\s+\S", lines[0]):  # a URL over several lines
        first = _PROTOCOL.sub("", first) + lines.pop(0).strip()
    draft.url = template(*extract_placeholders(_PROTOCOL.sub("", first)))


def read_headers_and_body(lines: list[str], draft: Draft, *, has_comments: bool = False) -> None:
    """Take in the lines behind the request line; of a file there are comments among them. Raises `RequestSyntaxError`."""
    while lines:
        header = HEADER_LINE.fullmatch(lines[0].rstrip())
        if header:
            draft.headers.append((header[1], template(*extract_placeholders(header[2]))))
        elif not (has_comments and _COMMENT.match(lines[0])):
            break
        lines.pop(0)
    text = "\n".join(lines).strip("\n")
    media_type = _media_type(draft)
    if has_comments and (not media_type or media_type.endswith("json")):  # elsewhere a # may begin a heading
        text = _without_comments(text)
    if not text.strip():
        return
    if draft.body is not None or draft.fields or draft.files:
        raise RequestSyntaxError("The request has a body twice: on the first line and in the cell. Leave one out.")
    draft.body = _body(text, media_type, draft)


def _media_type(draft: Draft) -> str:
    values = (value.plain or "" for name, value in draft.headers if name.lower() == "content-type")
    return next(values, "").partition(";")[0].strip().lower()


def _body(text: str, media_type: str, draft: Draft) -> Body:
    if match := re.fullmatch(r"<\s+(\S(?:.*\S)?)", text.strip()):
        return Body("auto", file=match[1])
    if media_type.startswith("multipart/"):
        return Body("multipart", parts=read_multipart(text, media_type, draft))
    if re.search(r"^<\s+\S+$", text, re.MULTILINE) and not media_type.endswith("xml"):
        raise RequestSyntaxError("A file (< NAME) is the whole body, or a part of a multipart one. Leave the text out.")
    if media_type == "application/x-www-form-urlencoded":
        text = "".join(line.strip() for line in text.split("\n"))
    elif not media_type and draft.method in {"GET", "HEAD"} and text.lstrip()[:1] not in {"{", "["}:
        raise RequestSyntaxError(
            f"{quote_excerpt(text)} would be the body of a {draft.method}. Leave it out, separate another request by ###, "
            "or give the body a Content-Type header."
        )
    return Body("auto", text=template(*extract_placeholders(text)))


def _without_comments(text: str) -> str:
    """The text without the comments around it; those within belong to whoever reads it."""
    lines = text.split("\n")
    while lines and not _is_content(lines[0]):
        lines.pop(0)
    while lines and not _is_content(lines[-1]):
        lines.pop()
    return "\n".join(lines)


def _put_host(draft: Draft) -> None:
    """`GET /path` with the header `Host` (RFC 9112, 3.2.1) goes to that host."""
    first = draft.url.parts[0] if draft.url and draft.url.parts else ""
    host = next((header for header in draft.headers if header[0].lower() == "host"), None)
    if host is not None and draft.url is not None and isinstance(first, str) and first.startswith("/"):
        draft.headers.remove(host)
        draft.url = Template(("https://", *host[1].parts, *draft.url.parts))
