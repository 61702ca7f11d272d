"""Many threads in several processes on one expired token, at a provider that rotates and forgives no reuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.demo.account import connect
from flowlet_jupyter.vault import default_vault

PROCESSES, THREADS = (16, 16) if os.environ.get("FLOWLET_SECURITY") == "long" else (2, 4)
PROGRAM = """
import json, sys, threading, flowlet_jupyter as flowlet
flowlet.secrets["birdsong"].status(); print("ready", flush=True); sys.stdin.readline()
failures = []
def work():
    try:
        assert flowlet.get("/2/users/me", secret="birdsong").status_code == 200
    except BaseException as error:
        failures.append(repr(error))
threads = [threading.Thread(target=work) for _ in range(int(sys.argv[1]))]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
print(json.dumps(failures))
"""


@pytest.mark.timeout(600)
def test_a_storm_refreshes_once_and_nothing_fails(birdsong, measured):
    import dataclasses

    connect(birdsong, name="birdsong")
    record = default_vault().get("birdsong")
    ended = dataclasses.replace(record.token_set, expires_at=time.time() - 1, obtained_at=time.time() - 7200)
    default_vault().put(dataclasses.replace(record, token_set=ended))
    before = birdsong.refresh_count()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(THREADS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    failures = [failure for process in processes for failure in json.loads(process.communicate(timeout=300)[0])]
    refreshes = birdsong.refresh_count() - before
    assert failures == []
    assert refreshes == 1
    assert flowlet.secrets["birdsong"].refresh().state == "connected"  # the grant lives
    measured("storm", workers=PROCESSES * THREADS, refreshes=refreshes, failures=len(failures))
