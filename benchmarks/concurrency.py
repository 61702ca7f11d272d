"""Many small requests: the async verbs, and `gather` against httpx in threads, httpx async and aiohttp."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx

import flowlet_jupyter as flowlet
from benchmarks.measure import Call, Report, cpu_seconds, medians, seconds
from benchmarks.request_overhead import TOKEN, store_secret
from benchmarks.server import SLOW_SECONDS, running_api

COUNT = 1000
WORKERS = 16
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def _urls(url: str) -> list[str]:
    """Another one each time, as in life: what is remembered of one address helps nobody."""
    return [f"{url}/{number}" for number in range(COUNT)]


async def _bounded(send: Callable[[str], Awaitable[Any]], urls: list[str], workers: int) -> None:
    left = iter(urls)

    async def work() -> None:
        for url in left:
            await send(url)

    await asyncio.gather(*(work() for _ in range(workers)))


def httpx_threads(url: str) -> None:
    with httpx.Client(headers=HEADERS) as client, ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(client.get, _urls(url)))


def httpx_one_by_one(url: str) -> None:
    with httpx.Client(headers=HEADERS) as client:
        for each in _urls(url):
            client.get(each)


def httpx_async(url: str, transport: Callable[[], httpx.AsyncBaseTransport | None] = lambda: None) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(headers=HEADERS, transport=transport()) as client:
            await _bounded(client.get, _urls(url), WORKERS)

    asyncio.run(run())


def aiohttp_itself(url: str) -> None:
    import aiohttp

    async def run() -> None:
        async with aiohttp.ClientSession(headers=HEADERS) as session:

            async def send(each: str) -> None:
                async with session.get(each) as response:
                    await response.read()

            await _bounded(send, _urls(url), WORKERS)

    asyncio.run(run())


def flowlet_gather(url: str) -> None:
    gathered = flowlet.gather(_urls(url), secret="api", concurrency=WORKERS)
    assert not gathered.errors


def _in_threads(call: Call) -> None:
    os.environ["FLOWLET_TRANSPORT"] = "httpx"
    try:
        call()
    finally:
        del os.environ["FLOWLET_TRANSPORT"]


def flowlet_aget(url: str) -> None:
    asyncio.run(_bounded(partial(flowlet.aget, secret="api"), _urls(url), WORKERS))


def main(report: Report) -> None:
    with running_api() as base:
        url = f"{base}/me"
        store_secret(base)
        sides: dict[str, Call] = {
            "httpx.Client in 16 threads": lambda: httpx_threads(url),
            "httpx.Client one by one": lambda: httpx_one_by_one(url),
            "httpx.AsyncClient": lambda: httpx_async(url),
            "flowlet.gather": lambda: flowlet_gather(url),
            "flowlet.aget": lambda: flowlet_aget(url),
        }
        if importlib.util.find_spec("httpx_aiohttp"):
            from httpx_aiohttp import AiohttpTransport

            sides["httpx.AsyncClient over httpx-aiohttp"] = lambda: httpx_async(url, AiohttpTransport)
        if importlib.util.find_spec("aiohttp"):
            sides["aiohttp"] = lambda: aiohttp_itself(url)
        if importlib.util.find_spec("pyreqwest"):
            from pyreqwest.compatibility.httpx import HttpxTransport

            sides["httpx.AsyncClient over pyreqwest"] = lambda: httpx_async(url, HttpxTransport)
        others: dict[str, Call] = {"flowlet.gather in threads": lambda: _in_threads(lambda: flowlet_gather(url))}
        found = medians({**sides, **others}, 5)
        report.compare(f"{COUNT} small GETs, {WORKERS} at once", found, scale=1e3, unit="ms")
        cheap = {name: call for name, call in sides.items() if name != "httpx.AsyncClient"} | others
        report.compare("The same, CPU time of this process", medians(cheap, 5, clock=cpu_seconds), scale=1e3, unit="ms")
        report.goal("`await aget` ÷ httpx.AsyncClient", found["flowlet.aget"] / found["httpx.AsyncClient"], 0.40)
        gathered = found["flowlet.gather"]
        report.goal(
            "`gather`, 1,000 small GETs ÷ httpx in threads", gathered / found["httpx.Client in 16 threads"], 0.45
        )
        if "aiohttp" in found:
            report.goal("`gather`, 1,000 small GETs ÷ aiohttp", gathered / found["aiohttp"], 2.5)
        slow = partial(flowlet.gather, [f"{base}/slow"] * 640, secret="api", concurrency=64)
        slow()
        report.goal(
            "`gather`, a 50 ms API, 64 at once ÷ ideal",
            min(seconds(slow) for _ in range(3)) / (10 * SLOW_SECONDS),
            1.15,
        )
