"""Records of the size that APIs have, and the tests' API that pages through them, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.server import free_port, program

TESTS = Path(__file__).parents[1] / "tests"
sys.path.insert(0, str(TESTS))
from servers.catalogue_api import rich_record  # noqa: E402 - the path is known only now

RECORD_BYTES = 264


def records(count: int) -> list[dict[str, Any]]:
    """So many nested records, as a parser of JSON makes them."""
    return json.loads(json.dumps([rich_record(number) for number in range(count)]))


def _texts(count: int) -> list[str]:
    """The JSON of so many records; 10,000 that come again and again, since writing JSON takes longer than reading it."""
    some = [json.dumps(rich_record(number)) for number in range(min(count, 10_000))]
    return (some * (count // len(some) + 1))[:count]


def lines(count: int) -> bytes:
    """So many nested records as NDJSON."""
    return "\n".join(_texts(count)).encode()


def array(size: int) -> bytes:
    """About `size` bytes of them as a JSON array."""
    return f"[{', '.join(_texts(size // RECORD_BYTES))}]".encode()


@contextlib.contextmanager
def paging_api(count: int, delay: float) -> Iterator[str]:
    """The address of an API with so many records, each response after `delay` seconds."""
    port = free_port()
    script = str(TESTS / "servers" / "catalogue_api.py")
    with program([sys.executable, script, str(port), str(count), str(delay)], port) as url:
        yield url
