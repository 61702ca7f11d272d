"""Every Python block of the documentation runs, or says why not; every shell line and every magic is one that there is."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import flowlet_jupyter as flowlet
from flowlet_jupyter import cli
from flowlet_jupyter.providers import fields_for

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS / "_extensions"))
import generated_pages  # noqa: E402 - found by the line above
import provider_pages  # noqa: E402

_FENCE = re.compile(
    r"(?:^<!-- (?P<mark>not run: [^\n]*?|run first\n.*?) ?-->\n+)?^(?P<fence>`{3,})(?P<language>\w+)\n(?P<code>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    language: str
    code: str
    first: str  # what runs before it, and is not shown
    reason: str  # why it does not run


def blocks_of(text: str) -> list[Block]:
    found = []
    for fence in _FENCE.finditer(text):
        mark = fence["mark"] or ""
        first = mark.removeprefix("run first\n") if mark.startswith("run first") else ""
        found.append(
            Block(fence["language"], fence["code"], first, mark.removeprefix("not run: ") if not first else "")
        )
    return found


PAGES = {
    **{path.relative_to(DOCS).as_posix(): path.read_text("utf-8") for folder in ("", "guides", "guides/providers", "explanation", "decisions")
       for path in sorted((DOCS / folder).glob("*.md"))},
    **{f"generated/{path}": text for path, text in sorted(generated_pages.pages().items())},
}  # fmt: skip
BLOCKS = {name: blocks_of(text) for name, text in PAGES.items()}


def runs(name: str) -> list[Block]:
    return [block for block in BLOCKS[name] if block.language == "python" and not block.reason]


@pytest.fixture
def shell(flowlet_session, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    yield made
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("name", sorted(name for name in BLOCKS if runs(name)))
def test_the_blocks_of_a_page_run_in_their_order(name, shell, birdsong, capsys):
    port = birdsong.url.rpartition(":")[2]
    for block in runs(name):
        code = f"{block.first}\n{block.code}" if not block.code.startswith("%%") else block.code
        done = shell.run_cell(code.strip().replace("demo.start()", f"demo.start({port})"))
        assert done.success, (
            f"{name}:\n{code}\n{done.error_before_exec or done.error_in_exec}\n{capsys.readouterr().out}"
        )


def test_a_block_that_fails_is_noticed(shell):
    (block,) = blocks_of("<!-- run first\nx = 1\n-->\n```python\nassert x == 2\n```\n")
    assert not shell.run_cell(f"{block.first}{block.code}").success


def test_a_block_that_does_not_run_has_a_reason():
    reasons = [block.reason for blocks in BLOCKS.values() for block in blocks if block.reason]
    assert reasons
    assert all(len(reason) > 10 for reason in reasons)


@pytest.mark.parametrize(
    "name", sorted(name for name in BLOCKS if any(block.language == "bash" for block in BLOCKS[name]))
)
def test_a_command_in_a_page_is_one_that_there_is(name):
    parser, _ = cli._parser()
    for block in BLOCKS[name]:
        for line in block.code.replace("\\\n", " ").splitlines() if block.language == "bash" else ():
            tokens = shlex.split(line.partition(" #")[0].partition(" > ")[0])
            if tokens[:2] == ["jupyter", "flowlet"]:
                parser.parse_args(tokens[2:])


@pytest.mark.parametrize("key", sorted(provider_pages.MOST_USED))
def test_the_first_request_of_a_provider_may_be_sent(key, shell, capsys):
    provider = next(each for each in provider_pages.providers() if each.key == key)
    samples = provider_pages.samples(provider)
    fields = {**fields_for(provider, samples), "name": key, "client_id": "c", "client_secret": "s"}
    from flowlet_jupyter.model.schema import from_mapping

    flowlet.secrets.add(from_mapping("oauth2", fields))
    shell.run_line_magic("load_ext", "flowlet_jupyter")
    line = provider_pages.first_request(provider, samples).splitlines()[0]
    done = shell.run_cell(f"{line} --dry-run")
    assert done.success, capsys.readouterr().out
    assert "https://" in capsys.readouterr().out
