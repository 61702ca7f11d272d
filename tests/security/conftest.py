"""What the suites of this folder count is written down for tests/security/report.py."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def measured() -> Callable[..., None]:
    """A function that notes counts for a row of the table in docs/security.md: `measured("urls", tried=3000, elsewhere=0)`.

    The rows and their counts stand in rows.toml. What several tests or processes note for one row is added up.
    """
    file = os.environ.get("FLOWLET_SECURITY_MEASURES")

    def note(row: str, **counts: int) -> None:
        if file:
            with Path(file).open("a", encoding="utf-8") as measures:  # short lines: appended whole by each process
                measures.write(json.dumps([row, counts]) + "\n")

    return note
