"""The pictures of docs/benchmarks.md: requests a second over concurrency, and seconds to a DataFrame over records."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path

import pandas as pd

from benchmarks import concurrency
from benchmarks.measure import seconds
from benchmarks.records import array
from benchmarks.request_overhead import store_secret
from benchmarks.server import running_api
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.tables.chart_svg import LIGHT

PICTURES = Path(__file__).parents[1] / "docs" / "images"
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
RECORDS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
ENOUGH_SECONDS = 40  # a side that took so long is not asked for ten times as many
Points = Sequence[tuple[float, float]]
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 700, 340, 70, 40, 46, 48
_DASHES = ("", "7 3", "2 3", "9 3 2 3")


def svg(title: str, x: str, y: str, curves: Mapping[str, Points]) -> str:
    """Curves over two logarithmic axes, told apart by colour and by dashes."""
    points = [point for curve in curves.values() for point in curve]
    x_low, x_high = (limit(math.log10(point[0]) for point in points) for limit in (min, max))
    y_low = math.floor(min(math.log10(point[1]) for point in points))
    y_high = max(math.ceil(max(math.log10(point[1]) for point in points)), y_low + 1)

    def place(point: tuple[float, float]) -> tuple[float, float]:
        across = (math.log10(point[0]) - x_low) / (x_high - x_low)
        up = (math.log10(point[1]) - y_low) / (y_high - y_low)
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)

    bottom, middle = _HEIGHT - _BOTTOM, (_WIDTH + _LEFT) / 2
    pieces = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">',
        f'<title>{escape(title)}</title><rect width="{_WIDTH}" height="{_HEIGHT}" fill="{LIGHT.ground}"/>',
        f'<g font-family="system-ui, sans-serif" font-size="12" fill="{LIGHT.text}">',
        f'<text x="{_LEFT}" y="16" font-weight="600">{escape(title)}</text>',
        f'<text x="{middle:.0f}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x)}</text>',
        f'<text transform="translate(14 {bottom}) rotate(-90)">{escape(y)}</text>',
    ]
    for power in range(y_low, y_high + 1):
        _, height = place((10**x_low, 10.0**power))
        pieces.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{height:.1f}" y2="{height:.1f}" stroke="{LIGHT.grid}"/>'
        )
        pieces.append(f'<text x="{_LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">{10.0**power:,g}</text>')
    for value in sorted({point[0] for point in points}):
        across, _ = place((value, 10.0**y_low))
        pieces.append(
            f'<line x1="{across:.1f}" x2="{across:.1f}" y1="{bottom}" y2="{bottom + 4}" stroke="{LIGHT.text}"/>'
        )
        pieces.append(f'<text x="{across:.1f}" y="{bottom + 18}" text-anchor="middle">{value:,.0f}</text>')
    for number, (name, curve) in enumerate(curves.items()):
        colour, dash = LIGHT.series[number % len(LIGHT.series)], _DASHES[number % len(_DASHES)]
        style = f'stroke="{colour}" stroke-width="2" fill="none"' + (f' stroke-dasharray="{dash}"' if dash else "")
        placed = [place(point) for point in curve]
        pieces.append(f'<polyline points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in placed)}" {style}/>')
        pieces += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.8" fill="{colour}"/>' for a, b in placed]
        start = _LEFT + number * (_WIDTH - _LEFT) / len(curves)
        pieces.append(f'<line x1="{start:.0f}" x2="{start + 20:.0f}" y1="32" y2="32" {style}/>')
        pieces.append(f'<text x="{start + 26:.0f}" y="36">{escape(name)}</text>')
    return "".join([*pieces, "</g></svg>"]) + "\n"


def requests_a_second() -> dict[str, Points]:
    """Of each side, how many small GETs a second at so many at once."""
    sides: dict[str, Callable[[str, int, int], None]] = {
        "flowlet.gather": concurrency.flowlet_gather,
        "httpx in threads": concurrency.httpx_threads,
    }
    if importlib.util.find_spec("aiohttp"):
        sides["aiohttp"] = concurrency.aiohttp_itself
    curves: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    with running_api() as base:
        store_secret(base)
        for workers in WORKERS:
            for name, call in sides.items():
                count = max(500, 4 * workers)
                once = partial(call, f"{base}/me", count, workers)
                taken = sorted(seconds(once) for _ in range(3))[1]
                curves[name].append((workers, count / taken))
                print(f"{name:20} {workers:4} at once: {count / taken:8.0f} requests/s", flush=True)
    return curves


def seconds_to_a_frame() -> dict[str, Points]:
    """Of each side, the seconds from the text of so many nested records to their DataFrame."""
    headers = {"content-type": "application/json"}
    sides: dict[str, tuple[Callable[[bytes], object], int]] = {  # and the bytes of memory that a record takes
        "flowlet": (lambda text: Response(200, content=text, headers=headers).to_df(), 1_000),
        "json, json_normalize": (lambda text: pd.json_normalize(json.loads(text)), 3_500),
    }
    curves: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    some = array(264_000).strip(b"[]")
    for count in RECORDS:
        text = b"[" + b",".join([some] * (count // 1_000)) + b"]"
        for name, (call, size) in sides.items():
            before = curves[name][-1][1] if curves[name] else 0
            if count > RECORDS[0] and (before > ENOUGH_SECONDS / 10 or count * size > free_memory()):
                print(f"{name:20} {count:10,} records: left out, for time or memory", flush=True)
                continue
            taken = min(seconds(partial(call, text)) for _ in range(1 if count > 100_000 else 3))
            curves[name].append((count, taken))
            print(f"{name:20} {count:10,} records: {taken:8.3f} s", flush=True)
    return curves


def free_memory() -> int:
    """The bytes that are free, less a fifth."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    return available * 4 // 5


def main() -> None:
    many = svg("Small GETs on loopback, by how many at once", "at once", "requests a second", requests_a_second())
    (PICTURES / "benchmark-requests.svg").write_text(many, "utf-8")
    frames = svg("JSON of nested records to a DataFrame", "records", "seconds", seconds_to_a_frame())
    (PICTURES / "benchmark-frames.svg").write_text(frames, "utf-8")
    print(f"Written: {PICTURES}/benchmark-requests.svg, benchmark-frames.svg")
