"""The rows of two versions side by side, as a comment for a pull request.

python -m benchmarks.compare --now now1.json now2.json --before v0.1.0 before1.json before2.json > comment.md

Each file is what `python -m benchmarks --json FILE` wrote. Of several runs of a version the best figure of each row counts:
what else ran on the machine makes a figure worse and never better. Nothing fails by a figure; a person judges.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.goals import GROUPS, Goal

NOTICEABLE = 0.10
Figures = Mapping[str, float]


def best(runs: Sequence[Figures]) -> dict[str, float]:
    """The lowest figure of each row."""
    return {
        key: min(run[key] for run in runs if key in run) for key in dict.fromkeys(key for run in runs for key in run)
    }


def change_of(now: float | None, before: float | None) -> tuple[str, bool]:
    """The change of a figure in words, and whether somebody should look at it."""
    if now is None:
        return "no longer measured", before is not None
    if before is None:
        return "new", False
    if not before:
        return ("as before", False) if not now else ("worse", True)
    change = now / before - 1
    if abs(change) < NOTICEABLE:
        return f"{change:+.0%}", False
    return f"{change:+.0%}, {'slower' if change > 0 else 'faster'}", change > 0


def comment(now: Sequence[Figures], before: Sequence[Figures], release: str) -> str:
    """The comment: what changed by a tenth or more first, then all rows."""
    ours, theirs = best(now), best(before)
    goals: list[Goal] = [goal for group in GROUPS for goal in group.goals if goal.key in ours or goal.key in theirs]
    rows, noticed = [], []
    for goal in goals:
        words, is_worse = change_of(ours.get(goal.key), theirs.get(goal.key))
        rows.append(
            f"| {goal.what} | {_shown(theirs, goal)} | {_shown(ours, goal)} | {'**' + words + '**' if is_worse else words} |"
        )
        if is_worse:
            noticed.append(f"* {goal.what}: {_shown(theirs, goal)} → {_shown(ours, goal)}")
    if not goals:
        return "### Benchmarks\n\nNothing was measured.\n"
    head = "\n".join(["Worse by a tenth or more:", *noticed]) if noticed else "No row is worse by a tenth or more."
    runs = f"the best of {len(now)} and {len(before)} runs, in turn on one machine"
    table = "\n".join([f"| what | {release} | this | change |", "|---|---|---|---|", *rows])
    return f"### Benchmarks, against {release}\n\n{head}\n\n{table}\n\nLess is better; {runs}.\n"


def _shown(figures: Figures, goal: Goal) -> str:
    return f"{figures[goal.key]:.3g} {goal.unit}".rstrip() if goal.key in figures else ""


def _read(paths: Sequence[str]) -> list[Figures]:
    """The figures of the files that are there: a version whose run failed has none."""
    return [json.loads(Path(path).read_text("utf-8")) for path in paths if Path(path).exists()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--now", nargs="+", required=True, metavar="FILE")
    parser.add_argument("--before", nargs="+", required=True, metavar=("RELEASE", "FILE"))
    options = parser.parse_args()
    release, *files = options.before
    print(comment(_read(options.now), _read(files), release), end="")


if __name__ == "__main__":
    main()
