"""A chart as a small SVG that needs no script and no library: what a saved notebook shows. Every text is escaped. Pure."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass

from flowlet_jupyter.tables.chart import Chart, Series
from flowlet_jupyter.tables.foreign_text import escape

_WIDTH, _HEIGHT = 680, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 30, 44
_MAX_POINTS = 600  # of one series; more cannot be told apart on this width
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
# apart in lightness as well as in hue, and dashed differently, for whoever tells no colours apart
_DASHES = ("", "6 3", "2 3", "9 3 2 3", "", "6 3", "2 3", "9 3 2 3")


@dataclass(frozen=True)
class Palette:
    """Colours of a chart."""

    ground: str
    text: str
    grid: str
    series: tuple[str, ...]


LIGHT = Palette("#ffffff", "#2b2f36", "#dfe3e8", ("#1f5fbf", "#b3541e", "#1a7f4b", "#8a3ab9", "#5a6068", "#b3263b", "#0b7285", "#7a6a00"))  # fmt: skip
DARK = Palette("#1e2125", "#e2e5ea", "#3a4048", ("#7fb2ff", "#ffb074", "#6fd39b", "#d3a3f5", "#b9c0c9", "#ff9aa8", "#6ed3e3", "#e0cf6a"))  # fmt: skip


def saved_svg_of(chart: Chart) -> str:
    """The chart for a saved notebook: light, or dark where whoever looks at it prefers that."""
    pairs = [
        *zip(LIGHT.series, DARK.series, strict=True),
        (LIGHT.ground, DARK.ground),
        (LIGHT.text, DARK.text),
        (LIGHT.grid, DARK.grid),
    ]
    rules = "".join(
        f'.flowlet-chart [{name}="{light}"]{{{name}:{dark}}}' for light, dark in pairs for name in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"
    opening, rest = svg_of(chart).split(">", 1)
    return f'{opening} class="flowlet-chart">{style}{rest}'


def svg_of(chart: Chart, palette: Palette = LIGHT) -> str:
    """The chart as SVG of at most some 60 kB."""
    points = [point for series in chart.series for point in series.points]
    x_low, x_high = _widened(min(point[0] for point in points), max(point[0] for point in points))
    y_ticks = _ticks(*_widened(min(point[1] for point in points), max(point[1] for point in points)))
    y_low, y_high = y_ticks[0], y_ticks[-1]

    def x_of(seconds: float) -> float:
        return _LEFT + (seconds - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - _RIGHT)

    def y_of(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - y_low) / (y_high - y_low) * (_HEIGHT - _TOP - _BOTTOM)

    pieces = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">',
        '<g font-family="system-ui, sans-serif" font-size="12">',
        f"<title>{escape(chart.summary)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="{palette.ground}"/>',
    ]
    for value in y_ticks:
        y = y_of(value)
        pieces += [
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{palette.grid}"/>',
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="{palette.text}">{escape(_number(value))}</text>',
        ]
    for seconds, label in _time_ticks(x_low, x_high):
        x = x_of(seconds)
        pieces += [
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_HEIGHT - _BOTTOM}" y2="{_HEIGHT - _BOTTOM + 4}" stroke="{palette.text}"/>',
            f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 17}" text-anchor="middle" fill="{palette.text}">{escape(label)}</text>',
        ]
    pieces.append(
        f'<text x="{(_WIDTH + _LEFT) / 2:.0f}" y="{_HEIGHT - 8}" text-anchor="middle" fill="{palette.text}">'
        f"{escape(_short(chart.x, 60))}</text>"
    )
    names = [series.name for series in chart.series] if len(chart.series) > 1 else list(chart.y)
    pieces += _legend(names, palette)
    for number, series in enumerate(chart.series):
        colour = palette.series[number % len(palette.series)]
        drawn = [(x_of(seconds), y_of(value)) for seconds, value in _thinned(series)]
        if chart.mark == "line" and len(drawn) > 1:
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
            dash = f' stroke-dasharray="{_DASHES[number % len(_DASHES)]}"' if _DASHES[number % len(_DASHES)] else ""
            pieces.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.8"{dash}/>')
        if chart.mark == "points" or len(drawn) <= 40:
            pieces += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}"/>' for x, y in drawn]
    return "".join([*pieces, "</g></svg>"])


def _legend(names: Sequence[str], palette: Palette) -> list[str]:
    pieces, x = [], float(_LEFT)
    each = max(6, 84 // len(names))  # characters
    for number, name in enumerate(names):
        colour, dash = palette.series[number % len(palette.series)], _DASHES[number % len(_DASHES)]
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        shown = _short(name, each)
        pieces += [
            f'<line x1="{x:.0f}" x2="{x + 18:.0f}" y1="16" y2="16" stroke="{colour}" stroke-width="2.5"{dashes}/>',
            f'<text x="{x + 23:.0f}" y="20" fill="{palette.text}">{escape(shown)}</text>',
        ]
        x += 36 + 7 * len(shown)
    return pieces


def _short(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


def _widened(low: float, high: float) -> tuple[float, float]:
    if high > low:
        return low, high
    margin = abs(low) / 10 or 1.0
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from below `low` to above `high`."""
    raw = (high - low) / 5
    magnitude = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    step = next((factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= raw), raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [number * step for number in range(first, last + 1)]


def _number(value: float) -> str:
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{value / {'T': 1e12, 'G': 1e9, 'M': 1e6, 'k': 1e3}[unit]:.4g}{unit}"
    return f"{value:.6g}" if value else "0"


_SPANS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    1_209_600,
)  # fmt: skip


def _time_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Some six moments and their labels: times of a day, days, months or years (UTC)."""
    raw = (high - low) / 6
    if raw <= _SPANS[-1]:
        step = next(span for span in _SPANS if span >= raw)
        moments = [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
        form = (
            "%H:%M:%S"
            if step < 60
            else "%H:%M"
            if high - low < 86_400
            else "%m-%d %H:%M"
            if step < 86_400
            else "%Y-%m-%d"
        )
        labels = [(float(moment), (_EPOCH + datetime.timedelta(seconds=moment)).strftime(form)) for moment in moments]
        return labels or [(low, (_EPOCH + datetime.timedelta(seconds=low)).strftime("%H:%M:%S.%f")[:-3])]
    months = max(1, round(raw / 2_629_800))
    months = next((size for size in (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200) if size >= months), months)
    first = _EPOCH + datetime.timedelta(seconds=low)
    ticks: list[tuple[float, str]] = []
    month = (first.year * 12 + first.month - 1) // months * months
    while True:
        moment = datetime.datetime(month // 12, month % 12 + 1, 1, tzinfo=datetime.UTC)
        seconds = (moment - _EPOCH).total_seconds()
        if seconds > high or moment.year > 2262:
            return ticks
        if seconds >= low:
            ticks.append((seconds, moment.strftime("%Y" if months >= 12 else "%Y-%m")))
        month += months


def _thinned(series: Series) -> Sequence[tuple[float, float]]:
    """At most `_MAX_POINTS` points that keep every peak: the lowest and the highest of each stretch of time."""
    points = series.points
    if len(points) <= _MAX_POINTS:
        return points
    size = math.ceil(len(points) / (_MAX_POINTS // 2))
    points_so_far: list[tuple[float, float]] = []
    for start in range(0, len(points), size):
        block = points[start : start + size]
        low, high = min(block, key=lambda point: point[1]), max(block, key=lambda point: point[1])
        points_so_far += sorted({low, high})
    return points_so_far
