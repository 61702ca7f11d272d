"""What a pull request is told of its benchmarks, and that every row can be measured, fail and be shown."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch, tmp_path):
    """The package `benchmarks` beside the tests; its __init__ chooses a vault, which is not for this process."""
    monkeypatch.syspath_prepend(str(ROOT))
    for name in ("FLOWLET_VAULT", "PYTHON_KEYRING_BACKEND", "OAUTHLIB_INSECURE_TRANSPORT"):
        monkeypatch.setenv(name, "to be restored")
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]


def test_a_row_that_became_slower_is_said_first():
    from benchmarks.compare import comment

    text = comment(
        [{"nested": 0.5, "request": 1.2}, {"nested": 0.45, "request": 1.3}],
        [{"nested": 0.3, "request": 1.15}],
        "v1.0.0",
    )
    head, table = text.split("| what |")
    assert "Worse by a tenth or more:\n* 30,000 nested records ÷ json_normalize: 0.3 → 0.45" in head
    assert "GET with" not in head
    assert "| 30,000 nested records ÷ json_normalize | 0.3 | 0.45 | **+50%, slower** |" in table
    assert "| 1.15 | 1.2 | +4% |" in table
    assert "the best of 2 and 1 runs" in table


def test_a_row_that_became_faster_is_no_worry():
    from benchmarks.compare import comment

    text = comment([{"cli-list": 0.2, "storm-failed": 0}], [{"cli-list": 0.4, "storm-failed": 0}], "v1.0.0")
    assert "No row is worse" in text
    assert "| 0.4 s | 0.2 s | -50%, faster |" in text
    assert "| 0 | 0 | as before |" in text


def test_a_row_that_only_one_version_has():
    from benchmarks.compare import comment

    text = comment([{"nested": 0.3, "storm-failed": 1}], [{"aget": 0.4, "storm-failed": 0}], "v1.0.0")
    assert "| new |" in text
    assert "**no longer measured**" in text
    assert "| **worse** |" in text
    assert "Nothing was measured" in comment([], [], "v1.0.0")


def test_files_of_failed_runs_are_left_out(tmp_path, capsys, monkeypatch):
    from benchmarks import compare

    (tmp_path / "now.json").write_text(json.dumps({"nested": 0.3}))
    monkeypatch.setattr(
        sys, "argv", ["compare", "--now", str(tmp_path / "now.json"), "--before", "v1.0.0", str(tmp_path / "none.json")]
    )
    compare.main()
    assert "| 30,000 nested records ÷ json_normalize |  | 0.3 | new |" in capsys.readouterr().out


def test_every_group_has_a_function_and_every_row_a_name_of_its_own():
    from benchmarks.goals import GROUPS, chosen

    keys = [goal.key for group in GROUPS for goal in group.goals]
    assert len(keys) == len(set(keys))
    for group in GROUPS:
        assert callable(getattr(importlib.import_module(f"benchmarks.{group.module}"), group.name))
    assert [group.name for group in chosen(["large-memory"])] == ["large"]
    with pytest.raises(SystemExit, match="No such row: nonsense"):
        chosen(["nonsense"])


@pytest.mark.slow  # a process of its own
def test_a_group_that_fails_says_so_and_the_rest_go_on(capsys):
    from benchmarks.__main__ import run
    from benchmarks.goals import Goal, Group

    broken = run(Group("measure", "no_such_function", (Goal("a", "what", 1),)))
    assert "no_such_function" in broken["a"].problem
    assert broken["a"].measured is None
    slow = run(Group("profiles", "request", (Goal("b", "other", 1),), seconds=0.2))
    assert slow["b"].problem == "took longer than 0.2 s"
    assert "| what | | ≤ 1 | failed: " in capsys.readouterr().out


def test_the_page_keeps_rows_that_were_not_measured_again(tmp_path, monkeypatch):
    from benchmarks import page

    monkeypatch.setattr(page, "PAGE", tmp_path / "benchmarks.md")
    monkeypatch.setattr(page, "RESULTS", tmp_path / "benchmarks.json")
    page.PAGE.write_text(f"Words.\n\n{page.MARK}\nold figures\n")
    page.write_page({"nested": page.Result(0.3, lines=["30,000 records", "  flowlet"])})
    page.write_page(page.read_results() | {"request": page.Result(None, "took longer than 1 s")})
    text = page.PAGE.read_text()
    assert text.startswith("Words.")
    assert "old figures" not in text
    assert "| 30,000 nested records ÷ json_normalize | 0.3 | ≤ 0.33 | reached |" in text
    assert "failed: took longer than 1 s" in text
    assert "| not measured |" in text
    assert "## Frames\n\n```text\n30,000 records" in text


def test_curves_are_drawn_over_logarithmic_axes():
    from benchmarks.curves import svg

    picture = svg("A title", "at once", "requests a second", {"a <b>": [(1, 100), (256, 5000)], "c": [(1, 50)]})
    assert picture.count("<polyline") == 2
    assert "a &lt;b&gt;" in picture
    assert ">10,000</text>" in picture
