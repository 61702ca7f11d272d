"""Items mean what they mean in HTTPie, which is asked what it would send."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from flowlet_jupyter.notebook.request_line.grammar import parse
from flowlet_jupyter.notebook.request_line.interpolation import prepare

URL = "https://a.example/v1/items"


def of_httpie(line: str) -> tuple:
    program = Path(sys.executable).with_name("http")
    done = subprocess.run(
        [program, "--offline", "--ignore-stdin", "--pretty=none", "--print=HB", *shlex.split(line)],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    head, _, body = done.stdout.partition("\n\n")
    first, *headers = head.splitlines()
    method, target, _ = first.split()
    return method, target, dict(header.split(": ", 1) for header in headers), body.strip()


@pytest.mark.parametrize(
    "items",
    [
        "",
        "q==search 'name==with space & sign' q==again",
        "name=ann age:=7 flags:='[true, null]' 'text=it'\"'\"'s \"quoted\"'",
        "X-Trace:abc 'X-Two:a b' name=x",
        "name=ann 'note=a&b=c' number=1 --form",
        "'q==ü 🐦'",
        "url=https://b.example/x",
        "mail=ann@b.example",
    ],
)
def test_items_mean_what_they_mean_in_httpie(items):
    option = "--form " if "--form" in items else ""  # HTTPie wants it in front
    method, target, headers, body = of_httpie(f"{option}{URL} {items.replace('--form', '')}")
    ours = prepare(parse(f"{URL} {items}"), lambda _: None, lambda _: b"")
    assert ours.method == method
    theirs, mine = urlsplit(target), urlsplit(ours.url)
    assert mine.path == theirs.path
    assert sorted(parse_qsl(mine.query)) == sorted(parse_qsl(theirs.query))  # HTTPie puts equal names together
    for name, value in ours.headers:
        assert headers[name].partition(";")[0] == value
    text = (ours.content or b"").decode()
    if headers.get("Content-Type", "").startswith("application/json"):
        assert json.loads(text) == json.loads(body)
    else:
        assert parse_qsl(text) == parse_qsl(body)
