"""Many threads in several processes on one expired token, at a provider that rotates and forgives no reuse."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from storms import storm

import flowlet_jupyter as flowlet

IS_LONG = os.environ.get("FLOWLET_SECURITY") == "long"
PROCESSES, THREADS = (16, 16) if IS_LONG else (2, 4)
STEPS = tuple(range(1, 40)) if IS_LONG else (3, 12, 18, 24)


@pytest.fixture(autouse=True)
def tests_are_importable(monkeypatch):
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    )


@pytest.mark.timeout(600)
def test_a_storm_refreshes_once_and_nothing_fails(measured, capsys):
    result = storm(PROCESSES, THREADS)
    with capsys.disabled():
        print(
            f"\n  storm: {result.workers} workers, {result.refreshes} refresh, {len(result.failures)} failures; "
            f"median {result.percentile(0.5):.2f} s, p99 {result.percentile(0.99):.2f} s"
        )
    assert result.failures == []
    assert result.refreshes == 1
    assert flowlet.secrets["api"].status().state == "connected"
    measured("storm", workers=result.workers, refreshes=result.refreshes, failures=len(result.failures))


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("step", STEPS)
def test_a_worker_that_is_killed_in_a_storm_takes_no_other_with_it(step, measured):
    """What it can take is the grant, between the provider's answer and the write: then each of the others says so."""
    result = storm(3, 2, kill_at_step=step)
    if result.failures:
        assert result.killed == 1
        assert len(result.failures) == 4
        assert all("AuthRequired" in failure and "invalid_grant" in failure for failure in result.failures)
    assert result.refreshes == 1
    said = result.killed if result.failures else 0
    measured("kills", kills=result.killed, readable=result.killed, kept=result.killed - said, said=said)
