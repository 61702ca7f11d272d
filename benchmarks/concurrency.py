"""Many small requests: the async verbs, and `gather` against httpx in threads, httpx async and aiohttp."""

from __future__ import annotations

import asyncio
import importlib.util
import statistics
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx

import flowlet_jupyter as flowlet
from benchmarks.measure import Call, Report, cpu_seconds, least, medians, seconds
from benchmarks.request_overhead import TOKEN, store_secret
from benchmarks.server import SLOW_SECONDS, running_api, running_slow_api

COUNT = 1000
WORKERS = 16
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def _urls(url: str, count: int = COUNT) -> list[str]:
    """Another one each time, as in life: what is remembered of one address helps nobody."""
    return [f"{url}/{number}" for number in range(count)]


async def _bounded(send: Callable[[str], Awaitable[Any]], urls: list[str], workers: int) -> None:
    left = iter(urls)

    async def work() -> None:
        for url in left:
            await send(url)

    await asyncio.gather(*(work() for _ in range(workers)))


def httpx_threads(url: str, count: int = COUNT, workers: int = WORKERS) -> None:
    with httpx.Client(headers=HEADERS) as client, ThreadPoolExecutor(workers) as pool:
        list(pool.map(client.get, _urls(url, count)))


def httpx_one_by_one(url: str) -> None:
    with httpx.Client(headers=HEADERS) as client:
        for each in _urls(url):
            client.get(each)


def httpx_async(
    url: str,
    transport: Callable[[], httpx.AsyncBaseTransport | None] = lambda: None,
    count: int = COUNT,
    workers: int = WORKERS,
) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(headers=HEADERS, transport=transport()) as client:
            await _bounded(client.get, _urls(url, count), workers)

    asyncio.run(run())


def aiohttp_itself(url: str, count: int = COUNT, workers: int = WORKERS) -> None:
    import aiohttp

    async def run() -> None:
        connector = aiohttp.TCPConnector(limit=workers)
        async with aiohttp.ClientSession(headers=HEADERS, connector=connector) as session:

            async def send(each: str) -> None:
                async with session.get(each) as response:
                    await response.read()

            await _bounded(send, _urls(url, count), workers)

    asyncio.run(run())


async def _aiohttp_with_httpxs_objects(session: Any, url: str) -> None:
    """What `gather` gives, and nothing else: the floor under it as long as users get httpx's objects."""
    request = httpx.Request("GET", httpx.URL(url), headers=HEADERS)
    async with session.get(url) as response:
        body = httpx.ByteStream(await response.read())
        httpx.Response(response.status, headers=response.raw_headers, stream=body, request=request).read()


async def _aiohttp_alone(session: Any, url: str) -> None:
    async with session.get(url) as response:
        await response.read()


def flowlet_gather(url: str, count: int = COUNT, workers: int = WORKERS) -> None:
    gathered = flowlet.gather(_urls(url, count), secret="api", concurrency=workers)
    assert not gathered.errors


def flowlet_aget(url: str) -> None:
    asyncio.run(_bounded(partial(flowlet.aget, secret="api"), _urls(url), WORKERS))


def sides_of(url: str) -> dict[str, Call]:
    """What sends many small requests, as far as it is installed."""
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
    return sides


def many(report: Report) -> None:
    with running_api() as base:
        store_secret(base)
        found = medians(sides_of(f"{base}/me"), 3)
    report.compare(f"{COUNT} small GETs, {WORKERS} at once", found)
    gathered = found["flowlet.gather"]
    report.found("aget", found["flowlet.aget"] / found["httpx.AsyncClient"])
    report.found("gather", gathered / found["httpx.Client in 16 threads"])
    if "aiohttp" in found:
        report.found("gather-aiohttp", gathered / found["aiohttp"])


def slow(report: Report) -> None:
    with running_slow_api() as base:
        store_secret(base)
        call = partial(flowlet.gather, [f"{base}/slow"] * 640, secret="api", concurrency=64)
        call()
        taken = [seconds(call) for _ in range(5)]
    ideal = 640 / 64 * SLOW_SECONDS
    report.compare(
        "640 GETs of 50 ms each, 64 at once", {"n × 50 ms ÷ 64": ideal, "flowlet.gather": statistics.median(taken)}
    )
    report.found("gather-slow", statistics.median(taken) / ideal)


CPU_ROUNDS = 60
CPU_COUNT = 64


def cpu() -> None:
    """Print what each side needs a request; their clients stay open."""
    import aiohttp

    loop = asyncio.new_event_loop()
    session = loop.run_until_complete(_session())
    with running_api() as base, httpx.Client(headers=HEADERS) as client, ThreadPoolExecutor(WORKERS) as pool:
        store_secret(base)
        urls = _urls(base, CPU_COUNT)

        def together(send: Callable[[str], Awaitable[Any]]) -> Call:
            return lambda: loop.run_until_complete(_bounded(send, urls, WORKERS))

        sides: dict[str, Call] = {
            "aiohttp": together(partial(_aiohttp_alone, session)),
            "aiohttp, httpx's URL, Request, Response": together(partial(_aiohttp_with_httpxs_objects, session)),
            "flowlet.gather": lambda: flowlet.gather(urls, secret="api", concurrency=WORKERS),
            "flowlet.aget": together(partial(flowlet.aget, secret="api")),
            "httpx.Client in 16 threads": lambda: list(pool.map(client.get, urls)),
            "httpx.Client one by one": lambda: [client.get(url) for url in urls],
            "flowlet.get(secret=...)": lambda: [flowlet.get(url, secret="api") for url in urls],
            "flowlet.get without a secret": lambda: [flowlet.get(url) for url in urls],
        }
        found = least(sides, CPU_ROUNDS, clock=cpu_seconds)
        loop.run_until_complete(session.close())
    Report().compare(f"CPU time of a small GET (aiohttp {aiohttp.__version__})",
                     {name: taken / CPU_COUNT for name, taken in found.items()}, scale=1e6, unit="us")  # fmt: skip


async def _session() -> Any:
    import aiohttp

    return aiohttp.ClientSession(headers=HEADERS, connector=aiohttp.TCPConnector(limit=WORKERS))


if __name__ == "__main__":
    cpu()
