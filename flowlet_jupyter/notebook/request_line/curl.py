"""A curl command as API documentation offers it to copy, read as a request. A credential in it is left out. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath
from typing import Any
from urllib.parse import quote, unquote

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.options import HEADER_LINE, MakeTemplate
from flowlet_jupyter.notebook.request_line.pasted_credentials import PastedCredential, is_credential
from flowlet_jupyter.notebook.request_line.shell import read_shell
from flowlet_jupyter.notebook.request_line.spec import Body, Draft, FileText, Part, Template
from flowlet_jupyter.notebook.request_line.tokens import lift_expressions, shown, template

_IGNORED = frozenset({
    "-s", "--silent", "-S", "--show-error", "-f", "--fail", "--fail-with-body", "--compressed", "-v", "--verbose", "-g",
    "--globoff", "-N", "--no-buffer", "-#", "--progress-bar", "--http1.1", "--http2", "-O", "--remote-name",
})  # fmt: skip
_IGNORED_WITH_VALUE = frozenset(
    {"-o", "--output", "-w", "--write-out", "--connect-timeout", "--retry-delay", "--cacert"}
)
_FLAGS = {
    "-L": "follow", "--location": "follow", "-k": "insecure", "--insecure": "insecure", "-i": "show_headers",
    "--include": "show_headers",
}  # fmt: skip
_CREDENTIAL_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_USE_SECRET = "Store it as a secret (%flowlet_secret --new) and name that: --secret NAME"


def is_curl(text: str) -> bool:
    """Whether the text is a curl command."""
    return bool(re.match(r"(?:\s*#[^\n]*\n)*\s*(?:[$%]\s*)?(?:time\s+)?curl(\.exe)?\s", text))


def read_curl(text: str, draft: Draft) -> None:
    """Take in the command; what was left out of it is in `draft.notes`. Raises `RequestSyntaxError`."""
    if '^"' in text:
        raise RequestSyntaxError("This is curl for cmd.exe (^). Copy it as cURL (bash) instead.")
    joined = re.sub(r"(?<=\s)[\^`]\r?\n", " ", text.strip())
    marked, expressions = lift_expressions(re.sub(r"^[$%]\s+", "", joined))
    command = read_shell(marked, expressions)
    if command.words[:1] == ["time"]:
        del command.words[0]
    found = [piece for word in command.words[1:] for piece in _apart(word)]
    data: list[_Piece] = []
    in_query = False

    def make(piece: str) -> Template:
        return template(piece, expressions)

    position = 0
    while position < len(found):
        word = found[position]
        position += 1
        name, value = _split(word)
        if not name:
            _set_url(word, draft, make)
        elif name in {"-G", "--get"}:
            in_query = True
        elif name in {"-I", "--head"}:
            draft.method = "HEAD"
        elif name in _FLAGS:
            draft.options.setdefault(_FLAGS[name], True)
        elif name not in _IGNORED:
            if value is None:
                value, position = _behind(name, found, position)
            _take(name, value, draft, make, data)
    _put_data(data, draft, make, in_query=in_query)
    if command.piped is not None:
        _put_pipe(command.piped, draft)
    if command.output not in {None, "/dev/null"}:
        draft.options.setdefault("save", command.output)
    _leave_out_credentials(draft)


def _put_pipe(words: list[str], draft: Draft) -> None:
    """`| jq EXPR` as a selection, where it is a path."""
    arguments = [word for word in words[1:] if not re.fullmatch(r"-[rCMS]+|--raw-output", word)]
    if words[:1] == ["jq"] and arguments in ([], ["."]):
        return
    path = arguments[0] if words[:1] == ["jq"] and len(arguments) == 1 else ""
    steps = r"\.?[A-Za-z_]\w*|\.?\[\d*\]"
    if not re.fullmatch(rf"\.(?:{steps})(?:{steps})*", path) or "select" in draft.options:
        raise RequestSyntaxError(
            f"{shown(' '.join(words))} behind | is not read. A path is (| jq .data[].id); "
            "else leave it out and use --select with JMESPath, or Python."
        )
    draft.options["select"] = path.replace(".[", "[").lstrip(".")


def _apart(word: str) -> list[str]:
    """`-fsSLo` as its flags, of which the last may take a value; any other word as it is."""
    found = re.fullmatch(r"-([sSfvgNOLkiIG#]+)([XHdFubAemorwT].*)?", word, re.DOTALL)
    if found and len(word) > 2:
        return [*(f"-{flag}" for flag in found[1]), *([f"-{found[2]}"] if found[2] else [])]
    return [word]


def _behind(name: str, found: list[str], position: int) -> tuple[str, int]:
    if position == len(found):
        raise RequestSyntaxError(f"The curl option {shown(name)} needs a value behind it.")
    return found[position], position + 1


def _split(word: str) -> tuple[str, str | None]:
    """The option in `word` and the value that is joined to it: `-XPOST`, `--request=POST`; no name if it is no option."""
    if word.startswith("--"):
        name, found, value = word.partition("=")
        return name, value if found else None
    if word.startswith("-") and len(word) > 2 and word not in _IGNORED and word[1] in "XHdFubAemorwT":
        return word[:2], word[2:]
    return (word, None) if word.startswith("-") and len(word) > 1 else ("", None)


def _set_url(word: str, draft: Draft, make: MakeTemplate) -> None:
    if re.search(r"[{}]|\[[^\]:]*\]", word):
        raise RequestSyntaxError(
            f"{shown(word)}: curl reads {{a,b}} and [1-3] in a URL as several requests. Write {{{{ name }}}} for a value."
        )
    if draft.url is not None:
        raise RequestSyntaxError(f"{shown(word)} is not understood here: the curl command has a URL already.")
    draft.url = make(word if "://" in word or word.startswith(("\0", "/")) else f"https://{word}")


_Piece = tuple[str, str | FileText]  # text in front of it, and the text or file


def _take(name: str, value: str, draft: Draft, make: MakeTemplate, data: list[_Piece]) -> None:
    take = _TAKERS.get(name)
    if take is not None:
        take(value, draft, make)
    elif name in {"-d", "--data", "--data-ascii", "--data-raw", "--data-binary", "--json"}:
        joint = "" if name == "--json" or not data else "&"
        if name == "--json":
            for header in ("Content-Type", "Accept"):
                if not any(given.lower() == header.lower() for given, _ in draft.headers):
                    draft.headers.append((header, Template(("application/json",))))
        if value.startswith("@") and name != "--data-raw":
            whole = name in {"--data-binary", "--json"}
            data.append((joint, FileText(_path(value[1:]), "raw" if whole else "stripped")))
        else:
            data.append((joint, value))
    elif name in {"--data-urlencode", "--url-query"}:
        _take_encoded(name, value, draft, make, data)
    elif name not in _IGNORED_WITH_VALUE:
        raise RequestSyntaxError(
            f"The curl option {shown(name)} is not known here. Leave it out, or use --help of curl."
        )


def _take_encoded(name: str, value: str, draft: Draft, make: MakeTemplate, data: list[_Piece]) -> None:
    """`content`, `=content`, `name=content`, `@file`, `name@file`: the content is percent-encoded."""
    found = re.search("[=@]", value)
    key, content = (value[: found.start()], value[found.end() :]) if found else ("", value)
    prefix = f"{key}=" if key else ""
    if name == "--url-query":
        if (found and found[0] == "@") or value.startswith("+"):
            raise RequestSyntaxError("--url-query with a file or + is not read. Write name=value.")
        text = f"{prefix}{_encoded(content)}"
        draft.options.setdefault("_query", []).append(text)
    elif found and found[0] == "@":
        data.append((("&" if data else "") + prefix, FileText(_path(content), "urlencoded")))
    else:
        data.append(("&" if data else "", f"{prefix}{_encoded(content)}"))


def _path(text: str) -> str:
    if text == "-" or "\0" in text or not text:
        raise RequestSyntaxError("A file's name is taken literally, and there is no standard input (@-).")
    return text


def _encoded(text: str) -> str:
    # marks of expressions stay; their values are encoded where they are filled in
    return "".join(
        piece if number % 2 else quote(piece, safe="") for number, piece in enumerate(re.split("(\0\\d+\0)", text))
    )


def _header(value: str, draft: Draft, make: MakeTemplate) -> None:
    header = HEADER_LINE.fullmatch(value)
    if re.fullmatch(r"[^:;\0]+:[ \t]*", value):  # curl's way to send none
        draft.options.setdefault("_without", []).append(value.partition(":")[0].lower())
        return
    if not header and value.endswith(";"):  # and its way to send an empty one
        draft.headers.append((value[:-1], Template(())))
        return
    if not header:
        raise RequestSyntaxError(f"{shown(value)} is not a header.")
    if header[1].lower() in _CREDENTIAL_HEADERS:
        draft.notes.append(
            f"The header {header[1]} was left out: its value does not belong in a notebook. {_USE_SECRET}"
        )
        return
    draft.headers.append((header[1], make(header[2])))


def _user(_value: str, draft: Draft, _make: MakeTemplate) -> None:
    draft.notes.append(f"The user name and password (-u) were left out. {_USE_SECRET}")


def _cookie(_value: str, draft: Draft, _make: MakeTemplate) -> None:
    draft.notes.append(
        "The cookies (-b) were left out: a session is a credential. Store it as a secret of HTTP headers."
    )


def _method(value: str, draft: Draft, _make: MakeTemplate) -> None:
    if not value.isascii() or not value.isalpha():
        raise RequestSyntaxError(f"{shown(value)} is not a method.")
    draft.method = value.upper()


_TYPES = {
    ".gif": "image/gif", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml",
    ".txt": "text/plain", ".htm": "text/html", ".html": "text/html", ".pdf": "application/pdf",
    ".xml": "application/xml",
}  # fmt: skip


def _form(value: str, draft: Draft, make: MakeTemplate) -> None:
    key, found, rest = value.partition("=")
    if not found or "\0" in key:
        raise RequestSyntaxError(
            f"{shown(value)} is not a field of a form. curl writes -F name=value or -F name=@file."
        )
    content, filename, content_type = _form_value(rest)
    parts = draft.options.setdefault("_parts", [])
    if rest[:1] in {"@", "<"}:
        path = _path(content[1:])
        if "," in path:
            raise RequestSyntaxError("Several files in one -F are not read. Write -F once for each.")
        guess = _TYPES.get(PurePath(path).suffix.lower())
        if rest[0] == "@":
            filename = filename or PurePath(path).name
            content_type = content_type or _TYPES.get(PurePath(filename).suffix.lower()) or guess
            content_type = content_type or "application/octet-stream"
        elif content_type is None and guess != "text/plain":
            content_type = guess
        parts.append(Part(key, path=path, filename=filename, content_type=content_type))
    else:
        parts.append(Part(key, text=make(content), filename=filename, content_type=content_type))


def _form_value(rest: str) -> tuple[str, str | None, str | None]:
    """The content, `filename=` and `type=` of a field."""
    mark = rest[:1] if rest[:1] in {"@", "<"} else ""
    pieces = re.findall(r'"(?:[^"\\]|\\.)*"[^;]*|[^;]+', rest[len(mark) :])
    filename = content_type = None
    kept = [pieces[0] if pieces else ""]
    for piece in pieces[1:]:
        name, found, value = piece.strip().partition("=")
        if found and name == "type":
            content_type = value
        elif found and name == "filename":
            filename = _unquoted(value)
        elif name in {"headers", "encoder"} and found:
            raise RequestSyntaxError(f"{name}= in -F is not read. Leave it out.")
        elif content_type is not None:
            content_type += f";{piece}"
        else:
            kept.append(piece)
    return mark + _unquoted(";".join(kept)), filename, content_type


def _unquoted(text: str) -> str:
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', text.strip())
    return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text


def _form_string(value: str, draft: Draft, make: MakeTemplate) -> None:
    key, _, rest = value.partition("=")
    draft.options.setdefault("_parts", []).append(Part(key, text=make(rest)))


def _upload(value: str, draft: Draft, make: MakeTemplate) -> None:
    draft.options["_upload"] = _path(value)


def _range(value: str, draft: Draft, make: MakeTemplate) -> None:
    draft.headers.append(("Range", make(f"bytes={value}")))


def _output(value: str, draft: Draft, _make: MakeTemplate) -> None:
    if value not in {"-", "/dev/null"} and "frame" not in draft.options and "paginate" not in draft.options:
        draft.options.setdefault("save", _path(value))


def _url(value: str, draft: Draft, make: MakeTemplate) -> None:
    _set_url(value, draft, make)


def _timeout(value: str, draft: Draft, _make: MakeTemplate) -> None:
    try:
        draft.options["timeout"] = min(max(float(value), 0.001), 86400.0)
    except ValueError:
        raise RequestSyntaxError(f"{shown(value)} is not a number of seconds.") from None


def _retry(value: str, draft: Draft, _make: MakeTemplate) -> None:
    if not value.isascii() or not value.isdigit():
        raise RequestSyntaxError(f"{shown(value)} is not a number of tries.")
    draft.options["retry"] = min(int(value[:4]), 100)


def _named_header(name: str) -> Callable[[str, Draft, MakeTemplate], None]:
    def take(value: str, draft: Draft, make: MakeTemplate) -> None:
        draft.headers.append((name, make(value)))

    return take


_TAKERS: dict[str, Callable[[str, Draft, MakeTemplate], None]] = {
    "-X": _method, "--request": _method, "-H": _header, "--header": _header, "-u": _user, "--user": _user,
    "-b": _cookie, "--cookie": _cookie, "-F": _form, "--form": _form, "--form-string": _form_string, "--url": _url,
    "-m": _timeout, "--max-time": _timeout, "--retry": _retry,
    "-T": _upload, "--upload-file": _upload, "-r": _range, "--range": _range, "-o": _output, "--output": _output,
    "-A": _named_header("User-Agent"), "--user-agent": _named_header("User-Agent"),
    "-e": _named_header("Referer"), "--referer": _named_header("Referer"),
}  # fmt: skip


_FORM = "application/x-www-form-urlencoded"


def _put_data(data: list[_Piece], draft: Draft, make: MakeTemplate, *, in_query: bool) -> None:
    """`-d` several times is one body joined by `&`; with `-G` it is the query; `-F` are the parts of one."""
    parts, without = draft.options.pop("_parts", []), draft.options.pop("_without", [])
    query, upload = draft.options.pop("_query", []), draft.options.pop("_upload", None)
    if draft.url is None:
        raise RequestSyntaxError("There is no URL in the curl command.")
    if parts and data:
        raise RequestSyntaxError("curl takes -d or -F, not both. Leave one out.")
    if upload is not None:
        if data or parts:
            raise RequestSyntaxError("curl takes -T or a body, not both. Leave one out.")
        path, tail = re.fullmatch(r"([^?#]*)(.*)", draft.url.plain or "", re.DOTALL).groups()  # type: ignore[union-attr]  # matches any text
        if path.endswith("/"):  # curl puts the file's name there
            draft.url = Template((f"{path}{quote(PurePath(upload).name)}{tail}",))
        draft.method = draft.method or "PUT"
        draft.body = Body("raw", pieces=(FileText(upload),), media_type="")
    own = [(value.plain or "").lower() for name, value in draft.headers if name.lower() == "content-type"]
    if parts and any(not value.startswith("multipart/form-data") for value in own):
        raise RequestSyntaxError("The fields of -F are multipart/form-data; leave the Content-Type header out.")
    if parts:
        draft.body = Body("multipart", parts=tuple(parts))
    if data and in_query:
        if any(isinstance(content, FileText) for _, content in data):
            raise RequestSyntaxError("A file's content as the query (-G) is not read. Read it in Python: {{ text }}.")
        query.append("".join(f"{joint}{content}" for joint, content in data))
        draft.method = draft.method or "GET"
    elif data:
        pieces: list[Template | FileText] = []
        for joint, content in data:
            pieces += [make(f"{joint}{content}")] if isinstance(content, str) else [make(joint), content]
        pieces = [piece for piece in pieces if piece != Template(())]
        draft.body = Body("raw", pieces=tuple(pieces), media_type="" if "content-type" in without else _FORM)
    if query:
        _put_query("&".join(query), draft, make)


def _put_query(text: str, draft: Draft, make: MakeTemplate) -> None:
    parts = list(draft.url.parts) if draft.url else []
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].partition("#")[0]
    joint = "&" if any("?" in part for part in parts if isinstance(part, str)) else "?"
    draft.url = Template((*parts, joint, *make(text).parts))


def _leave_out_credentials(draft: Draft) -> None:
    """Take out what names and shapes show to be a credential, and say so."""
    url = draft.url or Template(())
    first = url.parts[0] if url.parts and isinstance(url.parts[0], str) else ""
    userinfo = re.match(r"([a-z]+://)[^/?#@]*@", first)
    if userinfo:
        first = userinfo[1] + first[userinfo.end() :]
        url = Template((first, *url.parts[1:]))
    host = (re.match(r"[a-z]+://([^/?#]*)", first) or ["", ""])[1]
    left: list[PastedCredential] = [PastedCredential("user name and password", "", "URL", host)] if userinfo else []

    def without(text: str, location: str) -> str:
        pairs = text.split("&")
        for pair in pairs:
            name, _, value = pair.partition("=")
            if is_credential(unquote(name), unquote(value)):
                left.append(PastedCredential("credential", unquote(name), location, host))
        return "&".join(p for p in pairs if not is_credential(*map(unquote, p.partition("=")[::2])))

    if url.plain is not None and "?" in url.plain:
        path, _, query = url.plain.partition("?")
        clean = without(query, "query")
        url = Template((f"{path}?{clean}" if clean else path,))
    draft.url = url
    for name, value in list(draft.headers):
        if is_credential(name, value.plain or ""):
            draft.headers.remove((name, value))
            left.append(PastedCredential("header", name, "header", host))
    body = draft.body
    if body is not None and body.kind == "raw" and all(isinstance(piece, Template) for piece in body.pieces):
        text = "".join(piece.plain or "\0" for piece in body.pieces if isinstance(piece, Template))
        if "\0" not in text and text.lstrip()[:1] == "{":
            clean = _without_members(text, left, host)
            draft.body = replace(body, pieces=(Template((clean,)),))
        elif "\0" not in text and text:
            draft.body = replace(body, pieces=(Template((without(text, "form"),)),))
    elif body is not None and body.kind == "multipart":
        secret = [p for p in body.parts if is_credential(p.name, (p.text.plain or "") if p.text else "")]
        left += [PastedCredential("field", part.name, "form", host) for part in secret]
        draft.body = replace(body, parts=tuple(part for part in body.parts if part not in secret))
    draft.notes += [credential.note() for credential in left]


def _without_members(text: str, left: list[PastedCredential], host: str) -> str:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return text
    before = len(left)

    def clean(node: Any) -> Any:
        if isinstance(node, list):
            return [clean(entry) for entry in node]
        if not isinstance(node, dict):
            return node
        names = [name for name, value in node.items() if isinstance(value, str) and is_credential(name, value)]
        left.extend(PastedCredential("member", name, "JSON", host) for name in names)
        return {name: clean(value) for name, value in node.items() if name not in names}

    cleaned = clean(content)
    return json.dumps(cleaned, ensure_ascii=False) if len(left) > before else text
