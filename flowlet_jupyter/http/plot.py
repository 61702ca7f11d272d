"""A response's records as a chart: a picture that a saved notebook shows, and Vega-Lite where Altair is installed."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.errors import MissingExtra
from flowlet_jupyter.tables.chart import Chart, chart_of
from flowlet_jupyter.tables.chart_svg import saved_svg_of
from flowlet_jupyter.tables.foreign_text import for_terminal, without_surrogates

if TYPE_CHECKING:
    import altair

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
# a point is some 60 bytes in the specification, which the notebook saves: longer series are left to `altair()`
_SAVED_POINTS = 800
_MEDIA_TYPE = "application/vnd.vegalite.v5+json"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"


class Plot:
    """What `r.plot()` gives. `summary` says what is drawn, `svg` is the picture, `altair()` the chart to go on with."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart

    @property
    def summary(self) -> str:
        """What is drawn, and what is not, in words."""
        return for_terminal(" ".join([f"{self._chart.summary}.", *self._chart.notes]))

    @cached_property
    def svg(self) -> str:
        """The chart as SVG."""
        return saved_svg_of(self._chart)

    def altair(self) -> altair.Chart:
        """The chart of all values as Altair's, to change it or to save it. Raises `MissingExtra`."""
        try:
            import altair
        except ImportError:
            raise MissingExtra(
                "An Altair chart needs the package altair: pip install 'flowlet-jupyter[plot]'. The picture needs none: plot().svg"
            ) from None
        drawn = self._chart
        values = [
            {"x": _moment(seconds), "y": value, "series": series.name}
            for series in drawn.series
            for seconds, value in series.points
        ]
        title = ", ".join(drawn.y)
        encoding: dict[str, Any] = {
            "x": altair.X("x:T", title=drawn.x, scale=altair.Scale(type="utc")),
            "y": altair.Y("y:Q", title=title, scale=altair.Scale(zero=False)),
            "tooltip": [
                altair.Tooltip("x:T", title=drawn.x, format="%Y-%m-%d %H:%M"),
                altair.Tooltip("y:Q", title=title),
            ],
        }
        if len(drawn.series) > 1:
            encoding["color"] = altair.Color("series:N", title=None)
            encoding["tooltip"].append(altair.Tooltip("series:N", title="series"))
        data = altair.Data(values=values)  # type: ignore[no-untyped-call]  # Altair has no hint for it
        chart = altair.Chart(data, width=560, height=240, description=drawn.summary)
        marked = chart.mark_line(point=len(values) <= 40) if drawn.mark == "line" else chart.mark_circle()
        encoded: altair.Chart = marked.encode(**encoding)
        return encoded

    def __repr__(self) -> str:
        return self.summary

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002 - IPython's signature
        bundle: dict[str, Any] = {"text/plain": self.summary, "image/svg+xml": self.svg}
        if sum(len(series.points) for series in self._chart.series) <= _SAVED_POINTS:
            try:
                specification = self.altair().to_dict()
            except MissingExtra:
                return bundle
            # what is used here means the same in Vega-Lite 5 and 6, and front ends draw 5
            bundle[_MEDIA_TYPE] = without_surrogates(specification) | {"$schema": _SCHEMA}
        return bundle


def _moment(seconds: float) -> str:
    return (_EPOCH + datetime.timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plot_of(records: Sequence[Any], *, x: str | None, y: str | Sequence[str] | None) -> Plot:
    """The chart of `records` over time. Raises `RequestFailed`."""
    return Plot(chart_of(records, x=x, y=y))
