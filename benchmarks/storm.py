"""256 workers in 16 processes on one expired token, at a provider that rotates, forgives no reuse, and takes a second."""

from __future__ import annotations

import benchmarks.records  # noqa: F401 - the path to the tests
from benchmarks.measure import Report

ENDPOINT_SECONDS = 1.0


def storm(report: Report) -> None:
    import storms

    came = storms.storm(16, 16, endpoint_seconds=ENDPOINT_SECONDS)
    half, most = came.percentile(0.5), came.percentile(0.99)
    report.say(f"\nA storm of {came.workers} workers in 16 processes, the token endpoint takes {ENDPOINT_SECONDS:g} s")
    report.say(
        f"  {came.refreshes} refreshes, {len(came.failures)} failed, half within {half:.2f} s, 99 of 100 within {most:.2f} s"
    )
    report.found("storm-refreshes", came.refreshes)
    report.found("storm-failed", len(came.failures))
    report.found("storm-p99", most - ENDPOINT_SECONDS)
