"""Bodies with very many members side by side, such as anybody may send."""

from __future__ import annotations

import contextlib
import sys

import pytest

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.tables.records import find_records
from flowlet_jupyter.tables.shapes import tabulate

MANY = {
    "lists": lambda n: {f"l{i}": [{"a": 1}] for i in range(n)},
    "lists of values": lambda n: {f"l{i}": [1] for i in range(n)},
    "objects": lambda n: {f"o{i}": {"id": i, "name": "x"} for i in range(n)},
    "objects and empty lists": lambda n: {f"o{i}": {"x": i} if i % 2 else [] for i in range(n)},
    "lists further inside": lambda n: {"a": {"b": {f"l{i}": [i] for i in range(n)}}},
}


@pytest.mark.parametrize("kind", MANY)
def test_twice_as_many_members_take_about_twice_as_long(kind):
    """Counted in calls, not in seconds: a body of a megabyte must not hold up a kernel."""

    def calls(body) -> int:
        count = 0

        def counted(_frame, event, _argument):
            nonlocal count
            count += event in {"call", "c_call"}

        sys.setprofile(counted)
        try:
            found = find_records(body)
            with contextlib.suppress(RequestFailed):
                tabulate(body, None if found is None else found.records)
        finally:
            sys.setprofile(None)
        return count

    calls(MANY[kind](10))  # what is remembered for all
    assert calls(MANY[kind](240)) < 3 * calls(MANY[kind](120))
