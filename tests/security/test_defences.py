"""The list of defences fits the code, so that `nox -s defences` tries what is there. It is tried there, not here."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # the commands of this folder are scripts, no package

from remove_defences import load_defences, problems  # behind the line above


def test_every_defence_stands_once_where_the_list_says_and_has_its_tests():
    defences = load_defences()
    assert len(defences) >= 100
    assert list(problems(defences)) == []


def test_a_text_that_is_gone_and_a_test_that_is_gone_are_said():
    defence = load_defences()[0]
    moved = dataclasses.replace(
        defence, file="flowlet_jupyter/errors.py", tests=("tests/model/test_hosts.py::test_no",)
    )
    text, test = problems([moved])
    assert f"found in {defence.file}" in text
    assert test.endswith("there is no test tests/model/test_hosts.py::test_no")
