"""Processes, threads and event loops: one refresh among all of them, none waits for what another one held."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading

import pytest
from servers.faulty import faulty, token
from servers.oauth_provider import stored
from servers.rotating import expired_record, rotating

import flowlet_jupyter as flowlet
from flowlet_jupyter.vault import default_vault

pytestmark = pytest.mark.slow
posix = pytest.mark.skipif(os.name != "posix", reason="fork and signals are POSIX's")

FORKED = """
import os, sys, threading
import flowlet_jupyter as flowlet
from flowlet_jupyter.oauth.refresh import refresh_once
handle = flowlet.secrets["api"]
client = flowlet.client("api")
held, release = threading.Event(), threading.Event()
def hold():
    with handle.vault.lock("api"), handle.vault.files_lock():
        held.set(); release.wait()
thread = threading.Thread(target=hold); thread.start(); held.wait()
child = os.fork()
if child == 0:  # here nobody gives back what the other thread holds
    status = client.get("/me").status_code
    handle.vault.put(handle.vault.get("api"))
    os._exit(0 if status == 200 else 1)
release.set(); thread.join()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), client.get("/me").status_code)
"""
MANY = """
import multiprocessing, sys
import flowlet_jupyter as flowlet
def ask(_):
    return flowlet.get("/me", secret="api", timeout=60).status_code
if __name__ == "__main__":
    if sys.argv[1] == "fork":
        flowlet.secrets["api"].status()  # so that the children have the memory of a parent that has read
    with multiprocessing.get_context(sys.argv[1]).Pool(4) as pool:
        print(pool.map(ask, range(8)))
"""


@posix
def test_a_forked_child_does_not_wait_for_what_a_thread_of_its_parent_held(measured):
    with rotating(has_grace=False) as (server, rotation):
        default_vault().put(expired_record(server.url))
        ended = subprocess.run([sys.executable, "-c", FORKED], check=False, capture_output=True, text=True, timeout=60)
        assert (ended.stdout, rotation.count) == ("0 200\n", 1), ended.stderr
    measured("faults", injected=1, lost=0)


@posix
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_pool_of_processes_refreshes_once(method, tmp_path, measured):
    program = tmp_path / "pool.py"
    program.write_text(MANY)
    with rotating(has_grace=False, seconds=0.05) as (server, rotation):
        default_vault().put(expired_record(server.url))
        ended = subprocess.run(
            [sys.executable, str(program), method], check=False, capture_output=True, text=True, timeout=120
        )
        assert (ended.stdout, rotation.count) == (f"{[200] * 8}\n", 1), ended.stderr
    measured("faults", injected=1, lost=0)


def test_several_event_loops_and_threads_refresh_once(measured):
    statuses = []

    async def ask():
        responses = await asyncio.gather(*(flowlet.aget("/me", secret="api", timeout=60) for _ in range(4)))
        statuses.extend(response.status_code for response in responses)

    with rotating(has_grace=False, seconds=0.05) as (server, rotation):
        default_vault().put(expired_record(server.url))
        threads = [threading.Thread(target=lambda: asyncio.run(ask())) for _ in range(3)]
        threads += [threading.Thread(target=lambda: statuses.append(flowlet.get("/me", secret="api").status_code))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (statuses, rotation.count) == ([200] * 13, 1)
    measured("faults", injected=1, lost=0)


@posix
@pytest.mark.parametrize("interrupts", [1, 2])
def test_interrupts_end_the_waiting_and_the_token_is_stored(interrupts, measured):
    asked, release = threading.Event(), threading.Event()

    def slow(connection):
        asked.set()
        release.wait(60)
        token(connection)

    program = """
import flowlet_jupyter as flowlet, sys, time

for _ in range(int(sys.argv[1])):
    try:
        print("asking", flush=True)
        flowlet.get("/me", secret="api")
    except KeyboardInterrupt:
        print("interrupted", flush=True)
sys.stdin.readline()
"""
    with faulty(slow) as server:
        stored(server.url)
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(interrupts)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert asked.wait(60)
        for _ in range(interrupts):
            assert process.stdout.readline() == "asking\n"
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "interrupted\n"
        release.set()
        process.communicate("\n", timeout=60)
        assert process.returncode == 0
        assert default_vault().get("api").token_set.refresh_token.reveal() == "r2"
        assert server.paths.count("/token") == 1
    measured("faults", injected=1, lost=0)


@posix
@pytest.mark.parametrize("what", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_process_that_is_ended_in_the_middle_of_a_refresh_leaves_no_lock(what, withstood):
    asked = threading.Event()
    is_first = iter([True])

    def hang_first(connection):
        if next(is_first, False):
            asked.set()
            connection.stopped.wait(120)
        else:
            token(connection)

    with faulty(hang_first) as server:
        stored(server.url)
        process = subprocess.Popen([sys.executable, "-c", "import flowlet_jupyter as f; f.get('/me', secret='api')"])
        assert asked.wait(60)
        process.send_signal(what)
        process.wait(60)
        assert flowlet.get("/me", secret="api").status_code == 200
    withstood()


def test_a_secret_that_is_deleted_or_edited_meanwhile_is_no_half_record(withstood):
    asked, release = threading.Event(), threading.Event()

    def slow(connection):
        asked.set()
        release.wait(60)
        token(connection)

    with faulty(slow) as server:
        stored(server.url)
        asking = threading.Thread(target=lambda: flowlet.get("/me", secret="api"))
        asking.start()
        assert asked.wait(60)
        deleting = threading.Thread(target=flowlet.secrets["api"].delete)
        deleting.start()
        release.set()
        asking.join()
        deleting.join()
        assert default_vault().names() == []
    withstood()
