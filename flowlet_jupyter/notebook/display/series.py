"""Many responses in a notebook: the pages of an API, or what `gather` gave. Which, how many, where it stopped; then the records.

As the view of one response it needs no script and holds at most `OUTPUT_BYTES`; `live` makes tabs of the same parts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowlet_jupyter.errors import FlowletError
from flowlet_jupyter.http.gather import Gathered
from flowlet_jupyter.http.page_reader import PageReader
from flowlet_jupyter.http.pages import Pages
from flowlet_jupyter.http.request_log import RequestLog, redacted_records
from flowlet_jupyter.http.shown_request import shown_url
from flowlet_jupyter.notebook.display.parts import (
    DEFAULT_ROWS,
    LEAST_BYTES,
    OUTPUT_BYTES,
    Part,
    bytes_around,
    described,
    fitting,
    headers_html,
    request_html,
    table_of_records,
    tree_of,
    view_html,
)
from flowlet_jupyter.notebook.display.summary import size
from flowlet_jupyter.notebook.display.table import is_table, left_out, table_html, table_text
from flowlet_jupyter.notebook.display.text import TEXT_BYTES, TEXT_ROWS, within_bytes
from flowlet_jupyter.tables.foreign_text import escape

_LOOKED_AT = 200  # records that a static view may show
_FIRST_LINES, _LAST_LINES = 12, 4
_URL_CHARACTERS = 160


@dataclass(frozen=True, kw_only=True)
class Series:
    """What a view says of many responses. `python` is the expression of the records, behind the variable's name."""

    summary: str
    level: str  # good, waits or bad
    facts: list[tuple[str, str]]
    next_method: str  # what goes on; "" where nothing does
    rows: list[Any]
    shape: str
    python: str
    log: RequestLog
    line_name: str  # what a line of the log is: page or request
    default_name: str  # an expression for it where no variable holds it

    @property
    def shown_rows(self) -> list[Any]:
        """The rows, of which those that a static view shows are without the values that were sent."""
        return [*redacted_records(self.rows[:_LOOKED_AT], self.log.sent), *self.rows[_LOOKED_AT:]]


def series_of(value: PageReader | Gathered) -> Series:
    """What there is to say of pages or of what was gathered."""
    return _gathered(value) if isinstance(value, Gathered) else _pages(value)


def _pages(pages: PageReader) -> Series:
    label = "Where it stopped" if pages.complete is False else "Are these all?"
    try:
        rows, shape, facts = pages.rows(), pages.shape, []
    except FlowletError as error:  # several tables side by side
        rows, shape, facts = list(pages.records), "", [("As one table", str(error))]
    of_table = bool(shape) and rows is not pages.records
    return Series(
        summary=f"{pages.count_in_words(', ')}, {pages.state}",
        level="good" if pages.complete else "waits",
        facts=([] if pages.complete else [(label, _sentence(pages.reason))]) + facts,
        next_method="resume()" if pages.can_resume else "",
        rows=list(rows),
        shape=shape,
        python="to_df().to_dict('records')" if of_table else "records",
        log=pages.log,
        line_name="page",
        default_name="flowlet.last_pages()" if isinstance(pages, Pages) else "pages",
    )


def _gathered(gathered: Gathered) -> Series:
    log = gathered.log
    try:
        rows, facts = gathered.records(), []
    except FlowletError as error:
        rows, facts = [], [("As one table", str(error))]
    urls = {url: shown_url(url, log.sent) for url in gathered.urls}
    errors = gathered.errors
    open_ = sum(1 for outcome in gathered if outcome is None)
    parts = [f"{len(gathered):,} requests", f"{len(gathered.responses):,} went well"]
    parts += [f"{len(errors):,} failed"] if errors else []
    parts += [f"{open_:,} not asked for"] if open_ else []
    for url, failure in list(errors.items())[:3]:
        facts.append(("Failed", f"{urls[url][:_URL_CHARACTERS]}: {failure}"[:400]))
    if len(errors) > 3:
        facts.append(("", f"and {len(errors) - 3:,} more, under Requests"))
    return Series(
        summary=", ".join(parts),
        level="good" if not errors and not open_ else "waits",
        facts=facts,
        next_method="resume()" if errors or open_ else "",
        rows=[{**row, "url": urls.get(row["url"], row["url"])} for row in rows],
        shape="",
        python="records()",
        log=log,
        line_name="request",
        default_name="flowlet.last_gathered()",
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def series_html(
    value: PageReader | Gathered,
    *,
    name: str = "",
    rows: int = DEFAULT_ROWS,
    output_bytes: int = OUTPUT_BYTES,
    identity: str = "",
) -> str:
    """The view; `name` is the variable that Python begins with."""
    series = series_of(value)
    name = name or series.default_name
    head = _head(series, name)
    after = [_log(series, output_bytes // 5)]
    if series.log.first is not None and series.log.last is not None:
        after.append(Part("Headers", headers_html(series.log.last, f"Headers of the last {series.line_name}")))
        after.append(Part("Request", request_html(series.log.first, f"{name}.log.first")))
    budget = output_bytes - TEXT_BYTES - bytes_around(head, after)
    return view_html(identity, head, [*_records(series, name, rows=rows, budget=max(budget, LEAST_BYTES)), *after])


def _head(series: Series, name: str) -> str:
    facts = [(escape(label), f"<bdi>{escape(text[:600])}</bdi>") for label, text in series.facts]
    if series.next_method:
        facts.append(("Next cell to run", f"<code>{escape(name)}.{series.next_method}</code>"))
    status = f'<code class="status {series.level}">{escape("  ".join([series.summary, *_measures(series)]))}</code>'
    return f'{status}<dl class="problem">{described(facts)}</dl>' if facts else status


def _measures(series: Series) -> list[str]:
    lines, last = series.log.lines, series.log.last
    times = [line["milliseconds"] for line in lines if line.get("milliseconds") is not None]
    measured = [f"{sum(times):.0f} ms"] if times else []
    measured += [size(sum(line.get("bytes", 0) for line in lines))] if lines else []
    return measured + ([f"secret: {last.secret_name}"] if last is not None and last.secret_name else [])


def _records(series: Series, name: str, *, rows: int, budget: int) -> list[Part]:
    shown = series.shown_rows
    parts = []
    table = table_html(shown, rows=rows, budget=budget // 3) if is_table(shown) else ""
    if table:
        remark = left_out(shown, rows, "") + (f", read as {series.shape}" if series.shape else "")
        parts.append(table_of_records(table, remark, f"{name}.to_df()"))
        budget -= len(parts[0].html.encode())
    with contextlib.suppress(RecursionError):
        parts.insert(0, tree_of(fitting(shown, budget - 300)))
    return parts


def log_lines(series: Series) -> list[dict[str, Any]]:
    """The lines of the log, without credentials."""
    sent = series.log.sent
    shown = []
    for line in series.log.lines:
        named = {series.line_name: line["number"], **{key: value for key, value in line.items() if key != "number"}}
        shown.append(named | {"url": shown_url(line["url"], sent)})
    return shown


def _log(series: Series, budget: int) -> Part:
    lines = log_lines(series)
    title = f"{series.line_name.capitalize()}s"
    if not lines:
        return Part(title, "")
    names = [name for name in _COLUMNS if any(line.get(name) is not None for line in lines)]
    left = len(lines) - _FIRST_LINES - _LAST_LINES
    pieces = [_line(line, series.line_name, names) for line in lines]
    if left > 1:
        gap = f'<tr><th scope="row">…</th><td colspan="{len(names)}">{left:,} more</td></tr>'
        pieces = [*pieces[:_FIRST_LINES], gap, *pieces[-_LAST_LINES:]]
    while len(pieces) > 1 and sum(len(piece.encode()) for piece in pieces) > budget:
        pieces.pop(len(pieces) // 2)
    head = "".join(
        f'<th scope="col">{name}</th>' for name in (series.line_name, *(_COLUMNS[name][0] for name in names))
    )
    return Part(
        title,
        f'<div class="wide" tabindex="0" role="region" aria-label="{title}"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(pieces)}</tbody></table></div>",
    )


_COLUMNS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "records": ("records", lambda value: f"{value:,}"),
    "status": ("status", str),
    "milliseconds": ("time", lambda value: f"{value:.0f} ms"),
    "bytes": ("size", size),
    "url": ("URL", lambda value: value if len(value) <= _URL_CHARACTERS else f"{value[:_URL_CHARACTERS]}…"),
    "error": ("error", lambda value: value[:300]),
}


def _line(line: Mapping[str, Any], line_name: str, names: Sequence[str]) -> str:
    cells = "".join(
        f"<td>{escape(_COLUMNS[name][1](line[name])) if line.get(name) is not None else ''}</td>" for name in names
    )
    return f'<tr><th scope="row">{line[line_name]}</th>{cells}</tr>'


def series_text(value: PageReader | Gathered) -> str:
    """The plain text twin: the same sentence as `repr`, and the first records."""
    series = series_of(value)
    text = repr(value)
    shown = series.shown_rows
    if is_table(shown):
        text += f"\n{table_text(shown, rows=TEXT_ROWS)}\n({left_out(shown, TEXT_ROWS, '')})"
    return within_bytes(text)
