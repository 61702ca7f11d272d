"""What every state of the views is measured and compared by: an ARIA snapshot, and rules of its layout.

See docs/decisions/0012-comparing-views.md. `FLOWLET_SNAPSHOTS=write` writes the snapshots instead of comparing them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

BROWSER = Path(__file__).parent / "browser"
SNAPSHOTS = BROWSER / "snapshots"
WIDTHS = (900, 360)  # pixels
# What differs from run to run or by the clock is no part of a view; what is counted stays as a form.
_PASSING = (
    (re.compile(r"http://(?:127\.0\.0\.1|localhost):\d+"), "http://LOOPBACK"),
    (re.compile(r"/[\w-]{32}/flowlet/"), "/SECRET_PATH/flowlet/"),
    (re.compile(r"\d+ (?:days|h \d\d min|min \d\d s|s)\b"), "SPAN"),
    (re.compile(r"\d+ (?:second|minute|hour|day)s? ago|just now"), "AGO"),
    (re.compile(r"\d+/\d+/\d+, \d+:\d\d:\d\d\s[AP]M"), "MOMENT"),
)
_LAYOUT = (BROWSER / "layout_rules.js").read_text("utf-8")


def aria_snapshot(page) -> str:
    """What a screen reader finds on the page, without what passes."""
    text = page.locator("body").aria_snapshot()
    for pattern, name in _PASSING:
        text = pattern.sub(name, text)
    return text + "\n"


def check_snapshot(page, view: str) -> None:
    """The view is the one that is committed, on any machine, in any theme and at any width."""
    path = SNAPSHOTS / f"{view}.yml"
    now = aria_snapshot(page)
    if os.environ.get("FLOWLET_SNAPSHOTS") == "write" and page.viewport_size["width"] == 900:
        SNAPSHOTS.mkdir(exist_ok=True)
        path.write_text(now, "utf-8")
    assert now == path.read_text("utf-8"), f"{view} differs from {path.name}; if that is meant: FLOWLET_SNAPSHOTS=write"


def layout_problems(page) -> list[str]:
    """Texts and controls that are cut off, lie over each other or stick out of the page."""
    return page.evaluate(_LAYOUT)
