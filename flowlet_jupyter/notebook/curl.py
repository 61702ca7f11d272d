"""A curl command as API documentation offers it to copy, read as a request. A credential in it is left out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.options import HEADER_LINE, MakeTemplate
from flowlet_jupyter.notebook.request_spec import Body, Draft, Template
from flowlet_jupyter.notebook.words import lift_expressions, shown, template, words

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
    return bool(re.match(r"\s*\$?\s*curl(\.exe)?\s", text))


def read_curl(text: str, draft: Draft) -> None:
    """Take in the command; what was left out of it is in `draft.notes`. Raises `RequestSyntaxError`."""
    joined = re.sub(r"[\\^`]\r?\n", " ", text.strip()).removeprefix("$").strip()
    marked, expressions = lift_expressions(joined)
    found = [piece for word in words(marked)[1:] for piece in _apart(word)]
    data: list[str] = []
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


def _apart(word: str) -> list[str]:
    """`-fsSL` as its flags; any other word as it is."""
    if re.fullmatch("-[sSfvgNOLkiIG#]{2,}", word):
        return [f"-{flag}" for flag in word[1:]]
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
    if word.startswith("-") and len(word) > 2 and word not in _IGNORED and word[1] in "XHdFubAem":
        return word[:2], word[2:]
    return (word, None) if word.startswith("-") and len(word) > 1 else ("", None)


def _set_url(word: str, draft: Draft, make: MakeTemplate) -> None:
    if draft.url is not None:
        raise RequestSyntaxError(f"{shown(word)} is not understood here: the curl command has a URL already.")
    draft.url = make(word if "://" in word or word.startswith(("\0", "/")) else f"https://{word}")


def _take(name: str, value: str, draft: Draft, make: MakeTemplate, data: list[str]) -> None:
    take = _TAKERS.get(name)
    if take is not None:
        take(value, draft, make)
    elif name in {"-d", "--data", "--data-ascii", "--data-raw", "--data-binary", "--json"}:
        if name == "--json":
            draft.headers.append(("Content-Type", Template(("application/json",))))
        if value.startswith("@") and name != "--data-raw":
            if data or draft.body is not None:
                raise RequestSyntaxError("The curl command has a body of a file and another one. Leave one out.")
            draft.body = Body("auto", file=value[1:])
        else:
            data.append(value)
    elif name == "--data-urlencode":
        key, found, rest = value.partition("=")
        data.append(f"{key}={_encoded(rest)}" if found else _encoded(value))
    elif name not in _IGNORED_WITH_VALUE:
        raise RequestSyntaxError(
            f"The curl option {shown(name)} is not known here. Leave it out, or use --help of curl."
        )


def _encoded(text: str) -> str:
    # marks of expressions stay; their values are encoded where they are filled in
    return "".join(
        piece if number % 2 else quote(piece, safe="") for number, piece in enumerate(re.split("(\0\\d+\0)", text))
    )


def _header(value: str, draft: Draft, make: MakeTemplate) -> None:
    header = HEADER_LINE.fullmatch(value)
    if not header:
        if value.rstrip().endswith((";", ":")):  # curl's ways to send none
            return
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


def _form(value: str, draft: Draft, make: MakeTemplate) -> None:
    key, found, rest = value.partition("=")
    if not found or "\0" in key:
        raise RequestSyntaxError(
            f"{shown(value)} is not a field of a form. curl writes -F name=value or -F name=@file."
        )
    if rest.startswith("@"):
        draft.files.append((key, rest[1:].partition(";")[0]))
    else:
        draft.fields.append((key, make(rest), False))
        draft.as_form = True


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
    "-b": _cookie, "--cookie": _cookie, "-F": _form, "--form": _form, "--form-string": _form, "--url": _url,
    "-m": _timeout, "--max-time": _timeout, "--retry": _retry,
    "-A": _named_header("User-Agent"), "--user-agent": _named_header("User-Agent"),
    "-e": _named_header("Referer"), "--referer": _named_header("Referer"),
}  # fmt: skip


def _put_data(data: list[str], draft: Draft, make: MakeTemplate, *, in_query: bool) -> None:
    """`-d` several times is one body joined by `&`; with `-G` it is the query."""
    if not data:
        return
    joined = "&".join(data)
    if not in_query:
        if draft.body is not None:
            raise RequestSyntaxError("The curl command has a body of a file and another one. Leave one out.")
        draft.body = Body("auto", text=make(joined))
        has_type = any(name.lower() == "content-type" for name, _ in draft.headers)
        if not has_type and not joined.lstrip().startswith(("{", "[")):
            draft.headers.append(("Content-Type", Template(("application/x-www-form-urlencoded",))))
        return
    if draft.url is None:
        raise RequestSyntaxError("The curl command has no URL.")
    joint = "&" if any("?" in part for part in draft.url.parts if isinstance(part, str)) else "?"
    draft.url = Template((*draft.url.parts, joint, *make(joined).parts))
    draft.method = draft.method or "GET"
