"""What each option of curl means for the request. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.curl_body import (
    CurlCommand,
    add_data,
    add_encoded,
    add_part,
    add_query,
    add_text_part,
    file_name,
)
from flowlet_jupyter.notebook.request_line.options import HEADER_LINE
from flowlet_jupyter.notebook.request_line.pasted_credentials import user_and_password
from flowlet_jupyter.notebook.request_line.spec import Template
from flowlet_jupyter.notebook.request_line.tokens import quote_excerpt

_IGNORED = frozenset({
    "-s", "--silent", "-S", "--show-error", "-f", "--fail", "--fail-with-body", "--compressed", "-v", "--verbose", "-g",
    "--globoff", "-N", "--no-buffer", "-#", "--progress-bar", "--http1.1", "--http2", "-O", "--remote-name", "--basic",
    "-4", "--ipv4", "-6", "--ipv6", "--tlsv1", "--tlsv1.2", "--tlsv1.3", "--http1.0", "--http2-prior-knowledge", "--http3",
    "--no-progress-meter", "--no-keepalive", "--tcp-nodelay", "--ssl-reqd", "--retry-all-errors", "--retry-connrefused",
    "--create-dirs", "--fail-early", "-j", "--junk-session-cookies", "-Z", "--parallel",
})  # fmt: skip
_IGNORED_WITH_VALUE = frozenset({
    "-w", "--write-out", "--connect-timeout", "--retry-delay", "--retry-max-time", "--cacert", "-c", "--cookie-jar",
    "--keepalive-time", "--limit-rate", "--stderr", "--trace", "--trace-ascii",
})  # fmt: skip
_FLAGS = {
    "-L": "follow", "--location": "follow", "-k": "insecure", "--insecure": "insecure", "-i": "show_headers",
    "--include": "show_headers",
}  # fmt: skip
_WITH_VALUE = "XHdFubAemorwTcD"  # of one letter: -XPOST


def take_flag(name: str, command: CurlCommand) -> bool:
    """Take in the option `name` if it has no value; whether that was so."""
    if name in {"-G", "--get"}:
        command.is_query = True
    elif name in {"-I", "--head"}:
        command.draft.method = "HEAD"
    elif name in _FLAGS:
        command.draft.options.setdefault(_FLAGS[name], True)
    elif name not in _IGNORED:
        return False
    return True


def take_option(name: str, value: str, command: CurlCommand) -> None:
    """Take in the option `name` with its value. Raises `RequestSyntaxError`."""
    if name in _DATA:
        add_data(name, value, command)
    elif name in _TAKERS:
        _TAKERS[name](value, command)
    elif name not in _IGNORED_WITH_VALUE:
        raise RequestSyntaxError(
            f"The curl option {quote_excerpt(name)} is not known here. Leave it out, or use --help of curl."
        )


def single_flags(word: str) -> list[str]:
    """`-fsSLo` as its flags, of which the last may take a value; any other word as it is."""
    match = re.fullmatch(rf"-([sSfvgNOLkiIG#]+)([{_WITH_VALUE}].*)?", word, re.DOTALL)
    if match and len(word) > 2:
        return [*(f"-{flag}" for flag in match[1]), *([f"-{match[2]}"] if match[2] else [])]
    return [word]


def split_option(word: str) -> tuple[str, str | None]:
    """The option in `word` and the value joined to it: `-XPOST`, `--request=POST`; no name if it is no option."""
    if word.startswith("--"):
        name, sign, value = word.partition("=")
        return name, value if sign else None
    if word.startswith("-") and len(word) > 2 and word not in _IGNORED and word[1] in _WITH_VALUE:
        return word[:2], word[2:]
    return (word, None) if word.startswith("-") and len(word) > 1 else ("", None)


def set_url(word: str, command: CurlCommand) -> None:
    """Take `word` as the URL. Raises `RequestSyntaxError`."""
    if re.search(r"[{}]|\[[^\[\]:]*\]", word):
        raise RequestSyntaxError(
            f"{quote_excerpt(word)}: curl reads {{a,b}} and [1-3] in a URL as several requests. Write {{{{ name }}}} for a value."
        )
    if command.draft.url is not None:
        raise RequestSyntaxError(f"{quote_excerpt(word)} is not understood here: the command has a URL already.")
    is_whole = "://" in word or word.startswith(("\0", "/"))
    command.draft.url = command.make(word if is_whole else f"https://{word}")


def set_header(value: str, command: CurlCommand) -> None:
    """`-H`: a header, `Name;` for an empty one, `Name:` for none. Raises `RequestSyntaxError`."""
    headers = command.draft.headers
    header = HEADER_LINE.fullmatch(value)
    if re.fullmatch(r"[^:;\0]+:[ \t]*", value):
        command.without.add(value.partition(":")[0].lower())
    elif header:
        headers.append((header[1], command.make(header[2])))
    elif re.fullmatch(r"[^:;\0]+;", value):
        headers.append((value[:-1], Template(())))
    else:
        raise RequestSyntaxError(f"{quote_excerpt(value)} is not a header.")


def _user(value: str, command: CurlCommand) -> None:
    command.draft.left_out.append(user_and_password(value, "-u"))


def _cookie(value: str, command: CurlCommand) -> None:
    if "=" in value or "\0" in value:
        command.draft.headers.append(("Cookie", command.make(value)))
    else:
        command.draft.notes.append("The file of cookies (-b) was left out: a session is a credential.")


def set_method(value: str, command: CurlCommand) -> None:
    """`-X`. Raises `RequestSyntaxError`."""
    if not value.isascii() or not value.isalpha():
        raise RequestSyntaxError(f"{quote_excerpt(value)} is not a method.")
    command.draft.method = value.upper()


def _upload(value: str, command: CurlCommand) -> None:
    command.upload = file_name(value)


def set_output(value: str, command: CurlCommand) -> None:
    """`-o`, or the file behind `>`."""
    options = command.draft.options
    if value not in {"-", "/dev/null"} and not {"frame", "paginate"} & set(options):
        options.setdefault("save", file_name(value))


def set_timeout(value: str, command: CurlCommand) -> None:
    """`-m`, in seconds; 0 is no limit, which is left at the default. Raises `RequestSyntaxError`."""
    try:
        seconds = float(value)
    except ValueError:
        raise RequestSyntaxError(f"{quote_excerpt(value)} is not a number of seconds.") from None
    if seconds > 0:
        command.draft.options["timeout"] = min(max(seconds, 0.001), 86400.0)


def _dump_header(_value: str, command: CurlCommand) -> None:
    command.draft.options.setdefault("show_headers", True)


def _retry(value: str, command: CurlCommand) -> None:
    if not value.isascii() or not value.isdigit():
        raise RequestSyntaxError(f"{quote_excerpt(value)} is not a number of tries.")
    command.draft.options["retry"] = min(int(value[:4]), 100)


def _named_header(name: str, prefix: str = "") -> Callable[[str, CurlCommand], None]:
    def take(value: str, command: CurlCommand) -> None:
        command.draft.headers.append((name, command.make(f"{prefix}{value}")))

    return take


_DATA = frozenset({"-d", "--data", "--data-ascii", "--data-raw", "--data-binary", "--json"})
_TAKERS: dict[str, Callable[[str, CurlCommand], None]] = {
    "-X": set_method, "--request": set_method, "-H": set_header, "--header": set_header, "-u": _user, "--user": _user,
    "-b": _cookie, "--cookie": _cookie, "-F": add_part, "--form": add_part, "--form-string": add_text_part,
    "-D": _dump_header, "--dump-header": _dump_header, "--url": set_url, "-m": set_timeout, "--max-time": set_timeout, "--retry": _retry, "-T": _upload,
    "--upload-file": _upload, "-o": set_output, "--output": set_output, "--data-urlencode": add_encoded,
    "--url-query": add_query, "--oauth2-bearer": _named_header("Authorization", "Bearer "),
    "-r": _named_header("Range", "bytes="), "--range": _named_header("Range", "bytes="),
    "-A": _named_header("User-Agent"), "--user-agent": _named_header("User-Agent"),
    "-e": _named_header("Referer"), "--referer": _named_header("Referer"),
}  # fmt: skip
