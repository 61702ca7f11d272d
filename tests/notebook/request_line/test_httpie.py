"""Items mean what they mean in HTTPie, which is asked what it would send."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from flowlet_jupyter.errors import RequestSyntaxError
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
        "'a[b]=1' 'a[c][d]:=2' 'ids[]:=1' 'ids[]=x' 'rows[1][x]=y'",
        "'[]:=1' '[]=b'",
        "'a\\[b\\]=1' 'x[a-b]=2'",
        "q==@note.txt text=@note.txt raw:=@raw.json",
        "'a[b]=1' 'ids[]=2' --form",
    ],
)
def test_items_mean_what_they_mean_in_httpie(items, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "note.txt").write_text("a b\n")
    (tmp_path / "raw.json").write_text('{"n": [1, 2]}')
    option = "--form " if "--form" in items else ""  # HTTPie wants it in front
    method, target, headers, body = of_httpie(f"{option}{URL} {items.replace('--form', '')}")
    ours = prepare(parse(f"{URL} {items}"), lambda _: None, lambda name: Path(name).read_bytes())
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


@pytest.mark.parametrize(
    "items", ["'a[b]=1' 'a[]=2'", "a=1 'a[b]=2'", "'a[=1'", "'ids[99999999]=1'", f"'a{'[x]' * 60}=1'"]
)
def test_fields_that_do_not_fit_together_are_refused(items):
    with pytest.raises(RequestSyntaxError):
        prepare(parse(f"{URL} {items}"), lambda _: None, lambda _: b"")
