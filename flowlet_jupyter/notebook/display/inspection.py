"""What a live view asks of a response, or of many: rows, parts of the tree, text, copies, a chart. Everything is redacted and bounded.

Questions and replies are messages of the widget; nothing of them is saved in the notebook.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.errors import FlowletError, RequestFailed
from flowlet_jupyter.http.frames import table_of
from flowlet_jupyter.http.request_log import redacted_records
from flowlet_jupyter.notebook.display import json_nodes, media
from flowlet_jupyter.notebook.display.record_table import Order, RecordTable
from flowlet_jupyter.notebook.display.series import log_lines
from flowlet_jupyter.notebook.display.table import is_table
from flowlet_jupyter.tables.chart import can_be_charted, chart_of
from flowlet_jupyter.tables.chart_svg import DARK, LIGHT, svg_of
from flowlet_jupyter.tables.foreign_text import without_surrogates

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response
    from flowlet_jupyter.notebook.display.series import Series

COPIED_CHARACTERS = 5_000_000
_MAX_ROWS = 200  # of one reply
_MAX_COLUMNS = 200
_MAX_CHILDREN = 200
_RAW_CHARACTERS = 100_000
_OPEN_LINES = 60
Question = Mapping[str, Any]
Reply = tuple[dict[str, Any], list[bytes]]


class Inspection:
    """One response (already redacted); `name` gives the expression that it has in the notebook now."""

    def __init__(self, response: Response, name: Callable[[], str]) -> None:
        self._response = response
        self._name = name

    def reply(self, question: Question) -> Reply:
        """What the view gets for `question`: JSON, and bytes beside it. An error is a reply too."""
        handlers: dict[str, Callable[[Question], dict[str, Any] | Reply]] = {
            "about": self._about, "rows": self._rows, "node": self._node, "search": self._search, "raw": self._raw,
            "where": self._where, "value": self._value, "cell": self._cell, "table": self._table_text, "chart": self._chart, "media": self._media,
        }  # fmt: skip
        handler = handlers.get(str(question.get("kind")))
        if handler is None:
            return {"error": "This view is of another version of flowlet-jupyter; reload the page."}, []
        try:
            replied = handler(question)
        except FlowletError as error:
            return {"error": str(error)[:1000]}, []
        except (LookupError, ValueError, TypeError, RecursionError) as error:
            return {"error": f"This part of the response cannot be shown ({type(error).__name__})."}, []
        shown, buffers = replied if isinstance(replied, tuple) else (replied, [])
        return without_surrogates(shown), buffers  # a message is UTF-8

    def _json(self) -> Any:
        return self._response.json()

    @cached_property
    def _table(self) -> tuple[RecordTable, str, str] | None:
        """The records, the path of their list and the form that it had; None if there is no table."""
        try:
            table = table_of(self._response)
        except FlowletError:
            return None
        if not is_table(table.records):
            return None
        return RecordTable([record for record in table.records if isinstance(record, dict)]), table.path, table.shape

    def _known_table(self) -> tuple[RecordTable, str, str]:
        if self._table is None:
            raise RequestFailed("There is no table in this response.")
        return self._table

    def _about(self, _question: Question) -> dict[str, Any]:
        """What there is to see, once someone looks."""
        table = self._table
        return {
            "has_table": table is not None,
            "has_chart": table is not None and can_be_charted(table[0].records),
            "media": self._media_kind(),
        }

    def _media_kind(self) -> str | None:
        return media.kind_of(self._response)

    # the table

    def _rows(self, question: Question) -> dict[str, Any]:
        table, path, shape = self._known_table()
        order = _order(question)
        start, count = _whole(question, "start"), min(_whole(question, "count"), _MAX_ROWS)
        names = list(table.columns)[:_MAX_COLUMNS]
        return {
            "columns": [{"name": name, "type": table.types[name]} for name in names],
            "left_out": max(len(table.columns) - _MAX_COLUMNS, 0),
            "total": len(table.records),
            "matching": len(table.indexes(order)),
            "path": path,
            "shape": shape,
            "start": start,
            "rows": table.rows(order, start=start, count=count, columns=_MAX_COLUMNS),
            "frame": self._frame(path, shape),
        }

    def _frame(self, path: str, shape: str) -> str:
        """The expression of the table as a DataFrame."""
        return f"{self._name()}.to_df({self._argument(path, shape)})"

    def _argument(self, path: str, shape: str) -> str:
        """The path as an argument; none for a list that was made into a table, which a path would leave as it is."""
        return "" if shape or not path else json.dumps(path, ensure_ascii=False)

    def _cell(self, question: Question) -> dict[str, Any]:
        """Where a cell is, as Python and JMESPath, and its value; of a gap, where its record is."""
        table, path, shape = self._known_table()
        index = _whole(question, "index")
        keys = table.keys_of(index, str(question.get("column")))
        record = table.records[index]
        value = json_nodes.at(record, keys) if keys else None
        python, jmespath = self._expressions(index, keys, path, shape)
        return {
            "python": python, "path": jmespath, "value": _limited(_text(value)) if keys else "",
            "json": _limited(_dumped(value)), "record": _limited(_dumped(record)),
        }  # fmt: skip

    def _expressions(self, index: int, keys: list[json_nodes.Key], path: str, shape: str) -> tuple[str, str]:
        """A cell as Python, and as JMESPath where the body has one."""
        if shape or not self._is_json():
            return f"{self._name()}.records({self._argument(path, shape)})[{index}]" + json_nodes.subscripts(keys), ""
        whole = [*json_nodes.keys_of(path), index, *keys]
        return self._python(whole), json_nodes.jmespath_of(whole)

    def _python(self, path: list[json_nodes.Key]) -> str:
        return json_nodes.python_of(self._name(), path)

    def _is_json(self) -> bool:
        try:
            self._json()
        except RequestFailed:
            return False
        return True

    def _table_text(self, question: Question) -> dict[str, Any]:
        """All rows that pass the filters, to be copied."""
        table, _, _ = self._known_table()
        order = _order(question)
        if question.get("as") == "json":
            return {"text": _limited(_dumped([table.records[index] for index in table.indexes(order)]))}
        return {"text": _limited(table.as_tsv(order))}

    # the tree

    def _node(self, question: Question) -> dict[str, Any]:
        path = _path(question)
        return json_nodes.node(
            json_nodes.at(self._json(), path),
            start=_whole(question, "start"),
            count=min(_whole(question, "count"), _MAX_CHILDREN),
            levels=min(_whole(question, "levels"), 3),
            budget=_OPEN_LINES,
        )

    def _search(self, question: Question) -> dict[str, Any]:
        return json_nodes.search(self._json(), str(question.get("text", ""))[:200])

    def _where(self, question: Question) -> dict[str, Any]:
        path = _path(question)
        return {"python": self._python(path), "path": json_nodes.jmespath_of(path)}

    def _value(self, question: Question) -> dict[str, Any]:
        value = json_nodes.at(self._json(), _path(question))
        return {"text": _limited(_dumped(value) if question.get("as") == "json" else _text(value))}

    # text, media, chart

    def _raw(self, question: Question) -> dict[str, Any]:
        if media.is_binary(self._response):
            raise RequestFailed("The body is no text.")
        text = self._response.text
        start = _whole(question, "start")
        count = COPIED_CHARACTERS if question.get("all") else _RAW_CHARACTERS
        return {"text": text[start : start + count], "length": len(text)}

    def _media(self, _question: Question) -> Reply:
        content, media_type = media.shown(self._response)
        return {"media_type": media_type}, [content]

    def _chart(self, question: Question) -> dict[str, Any]:
        table, path, shape = self._known_table()
        chart = chart_of(table.records)
        argument = self._argument(path, shape)
        of_list = f"path={argument}" if argument else ""
        return {
            "svg": svg_of(chart, DARK if question.get("is_dark") else LIGHT),
            "summary": chart.summary,
            "notes": list(chart.notes),
            "python": f"{self._name()}.plot({', '.join(filter(None, [json.dumps(chart.x), json.dumps(chart.y[0]), of_list]))})",
        }


class SeriesInspection(Inspection):
    """The records of many responses; `of: "log"` in a question means the list of the requests instead."""

    def __init__(self, series: Series, name: Callable[[], str]) -> None:
        self._name = name
        self._series = series
        self._records = redacted_records(series.rows, series.log.sent)

    def reply(self, question: Question) -> Reply:
        """As that of one response."""
        return self._log.reply(question) if question.get("of") == "log" else super().reply(question)

    @cached_property
    def _log(self) -> LogInspection:
        return LogInspection(self._series, self._name)

    def _json(self) -> Any:
        return self._records

    @cached_property
    def _table(self) -> tuple[RecordTable, str, str] | None:
        if not is_table(self._records):
            return None
        return RecordTable([record for record in self._records if isinstance(record, dict)]), "", self._series.shape

    def _media_kind(self) -> None:
        return None

    def _expressions(self, index: int, keys: list[json_nodes.Key], path: str, shape: str) -> tuple[str, str]:  # noqa: ARG002 - there is one table
        where = [index, *keys]
        # `select` of pages begins at the list of their records
        return self._python(where), json_nodes.jmespath_of(where) if self._series.python == "records" else ""

    def _python(self, path: list[json_nodes.Key]) -> str:
        return f"{self._name()}.{self._series.python}{json_nodes.subscripts(path)}"

    def _raw(self, _question: Question) -> dict[str, Any]:
        raise RequestFailed("The text of many responses is not kept.")

    def _media(self, _question: Question) -> Reply:
        raise RequestFailed("There is no such part in this view.")


class LogInspection(SeriesInspection):
    """The requests of a series, a line each."""

    def __init__(self, series: Series, name: Callable[[], str]) -> None:
        self._name = name
        self._series = series
        self._records = log_lines(series)

    def reply(self, question: Question) -> Reply:
        """As that of one response."""
        return Inspection.reply(self, question)

    @cached_property
    def _table(self) -> tuple[RecordTable, str, str] | None:
        return RecordTable(self._records), "", ""

    def _frame(self, path: str, shape: str) -> str:  # noqa: ARG002 - there is one table
        return f"{self._name()}.log.lines"

    def _expressions(self, index: int, keys: list[json_nodes.Key], path: str, shape: str) -> tuple[str, str]:  # noqa: ARG002 - as above
        named = ["number" if key == self._series.line_name else key for key in keys]
        return f"{self._name()}.log.lines{json_nodes.subscripts([index, *named])}", ""


def _order(question: Question) -> Order:
    filters = question.get("filters")
    return Order(
        sort=question.get("sort"),
        is_descending=bool(question.get("is_descending")),
        filters={str(name): str(text)[:200] for name, text in filters.items()} if isinstance(filters, dict) else {},
    )


def _path(question: Question) -> list[json_nodes.Key]:
    path = question.get("path")
    return [key for key in path if isinstance(key, str | int)] if isinstance(path, list) else []


def _whole(question: Question, name: str) -> int:
    value = question.get(name, 0)
    return max(value, 0) if isinstance(value, int) else 0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _dumped(value)


def _dumped(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _limited(text: str) -> str:
    if len(text) > COPIED_CHARACTERS:
        raise RequestFailed(
            f"This is {len(text):,} characters, too much for the clipboard. Use Python: r.json(), r.save(path)"
        )
    return text
