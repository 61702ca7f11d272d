"""A command's words are those that bash gives its programs."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from support import MUST_RUN_ALL

from flowlet_jupyter.errors import RequestSyntaxError
from flowlet_jupyter.notebook.request_line.shell import read_shell

pytestmark = pytest.mark.skipif(not MUST_RUN_ALL and not shutil.which("bash"), reason="bash is compared with")

plain = st.text(alphabet="abzü/:.,=%+-_@", min_size=1, max_size=6)
literal = st.text(alphabet='ab \\"$`!#&|;<>(){}*?\n\tü', max_size=6).map(lambda text: f"'{text}'")
double = st.lists(
    st.one_of(plain, st.sampled_from(["\\\\", '\\"', "\\$", "\\`", "\\n", "\\\n", " ", "'", "#", "&", "|", ";", "$ ", "*", "{a,b}", "$"])),
    max_size=5,
).map(lambda pieces: f'"{"".join(pieces)} "')  # fmt: skip
ansi = st.lists(
    st.one_of(
        plain,
        st.sampled_from([r"\n", r"\t", r"\\", r"\'", r"\"", r"\x41", r"\x9", r"\101", r"\u00e9", r"\U0001F600", r"\e", r"\?",
                         r"\q", '"', "$", "`", " ", r"\xc3\xa9", r"\a\b\f\v\r"]),
    ),
    max_size=5,
).map(lambda pieces: f"$'{''.join(pieces)}'")  # fmt: skip
escaped = st.sampled_from(["\\ ", "\\\\", "\\'", '\\"', "\\$", "\\&", "\\#", "\\\n", "\\a", "\\;", "\\|"])
word = st.lists(st.one_of(plain, literal, double, ansi, escaped), min_size=1, max_size=4).map("".join)
line = st.lists(st.one_of(word, st.sampled_from(["\\\n", "x#y", "''"])), min_size=1, max_size=5).map(" ".join)


def is_refused(line: str) -> bool:
    try:
        read_shell(line, [])
    except RequestSyntaxError:
        return True
    return False


@given(st.lists(line, min_size=1, max_size=12))
@settings(max_examples=examples(60))
def test_the_words_are_those_of_bash(lines):
    """Many lines to each bash, which takes longer to start than to read them."""
    script = "\n".join(f"printf '%s\\0' {line}; printf '\\1\\0'" for line in lines)
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, timeout=30, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    theirs = [part.split(b"\0")[:-1] for part in done.stdout.split(b"\1\0")[:-1]]
    for line, expected in zip(lines, theirs, strict=True):
        if re.search(r"\$(?:[\w{@*#?$!-]|\\\n)", line, re.ASCII) and is_refused(line):
            continue
        expressions: list[str] = []
        command = read_shell(f"printf {line}", expressions)
        if expressions:
            continue  # a variable: the notebook's, which bash does not have
        ours = [word.encode("utf-8", "surrogateescape") for word in command.words[1:]]
        assert (ours or [b""]) == expected, line


def test_a_parameter_whose_name_is_in_the_next_line_is_refused():
    assert is_refused('curl "$\\\n@ "')


@given(st.text(alphabet="ab '\"\\$`{}()&|;<>#\n*!", max_size=40))
def test_any_line_is_read_or_says_why(text):
    try:
        read_shell(text, [])
    except RequestSyntaxError as error:
        assert str(error)
