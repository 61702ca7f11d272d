"""Forms of single products that are known by their own member names: BigQuery, GA4, InfluxDB, Prometheus, Elasticsearch, JSON-stat, SDMX-JSON. Pure.

Each function gives records, their JMESPath and the name of the form, or None.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

Known = tuple[list[dict[str, Any]], str, str]
_MAX_CELLS = 5_000_000


def _bigquery(body: Any) -> Known | None:
    """`schema.fields` and rows of `f` and `v` (BigQuery's jobs.query and tabledata.list)."""
    fields = _at(body, "schema", "fields")
    rows = _at(body, "rows")
    if not _are_dicts(fields) or not _are_dicts(rows) or not all(isinstance(row.get("f"), list) for row in rows):
        return None
    if any(len(row["f"]) != len(fields) for row in rows) or not all("name" in field for field in fields):
        return None
    return [_bigquery_row(row["f"], fields) for row in rows], "rows", "BigQuery rows"


def _bigquery_row(cells: list[Any], fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        field["name"]: _bigquery_value(cell.get("v") if isinstance(cell, dict) else cell, field)
        for cell, field in zip(cells, fields, strict=False)
    }


def _bigquery_value(value: Any, field: dict[str, Any]) -> Any:
    if isinstance(value, list):
        single = {**field, "mode": "NULLABLE"}
        return [_bigquery_value(item.get("v") if isinstance(item, dict) else item, single) for item in value]
    if isinstance(value, dict) and isinstance(value.get("f"), list):
        return _bigquery_row(value["f"], field.get("fields") or [])
    return _typed(value, str(field.get("type", "")).upper())


def _typed(value: Any, kind: str) -> Any:
    """A number or truth value that was written as text; what does not fit its type stays text."""
    if not isinstance(value, str):
        return value
    try:
        if kind in {"INTEGER", "INT64", "TYPE_INTEGER"}:
            return int(value)
        if kind in {"FLOAT", "FLOAT64", "TYPE_FLOAT", "TYPE_CURRENCY", "TYPE_SECONDS", "TYPE_MILLISECONDS"}:
            return float(value)
    except ValueError:
        return value
    return value == "true" if kind in {"BOOLEAN", "BOOL"} and value in {"true", "false"} else value


def _analytics(body: Any) -> Known | None:
    """`dimensionHeaders`, `metricHeaders` and rows of their values (Google Analytics 4)."""
    dimensions, metrics, rows = (_at(body, name) for name in ("dimensionHeaders", "metricHeaders", "rows"))
    dimensions, metrics = dimensions or [], metrics or []
    if (
        _are_dicts(dimensions + metrics)
        and "rows" not in body
        and str(body.get("kind", "")).startswith("analyticsData#")
    ):
        return [], "rows", "Google Analytics report"  # which leaves out what is empty
    if not _are_dicts(rows) or not (dimensions or metrics) or not all("name" in head for head in dimensions + metrics):
        return None
    records = []
    for row in rows:
        texts, numbers = row.get("dimensionValues") or [], row.get("metricValues") or []
        if len(texts) != len(dimensions) or len(numbers) != len(metrics):
            return None
        record = {head["name"]: cell.get("value") for head, cell in zip(dimensions, texts, strict=True)}
        for head, cell in zip(metrics, numbers, strict=True):
            record[head["name"]] = _typed(cell.get("value"), head.get("type", "TYPE_FLOAT"))
        records.append(record)
    return records, "rows", "Google Analytics report"


def _influx(body: Any) -> Known | None:
    """`results[].series[]` of `columns`, `values` and `tags` (InfluxDB 1)."""
    results = _at(body, "results")
    if not _are_dicts(results):
        return None
    series = [one for result in results for one in result.get("series") or []]
    if len(results) == 1 and {"columns", "values"} <= results[0].keys():  # rqlite: one result of one statement
        return _table_of(results[0]["columns"], results[0]["values"], "results[0].values", "the only result")
    if not series or not all(isinstance(one, dict) and "columns" in one and "values" in one for one in series):
        return None
    records: list[dict[str, Any]] = []
    has_names = len({one.get("name") for one in series}) > 1
    for one in series:
        about = ({"name": one.get("name")} if has_names else {}) | (one.get("tags") or {})
        if set(about) & set(one["columns"]) or any(len(row) != len(one["columns"]) for row in one["values"]):
            return None
        records += [{**about, **dict(zip(one["columns"], row, strict=True))} for row in one["values"]]
    return records, "results[].series[]", "InfluxDB series"


def _prometheus(body: Any) -> Known | None:
    """`data.result[]` of `metric` and `value` or `values` (Prometheus and what speaks its API)."""
    result = _at(body, "data", "result")
    if not _are_dicts(result) or _at(body, "data", "resultType") is None:
        return None
    records = []
    for series in result:
        metric, samples = series.get("metric"), series.get("values", [series.get("value")])
        if not isinstance(metric, dict) or {"timestamp", "value"} & set(metric):
            return None
        for sample in samples:
            if not isinstance(sample, list) or len(sample) != 2:
                return None
            records.append({**metric, "timestamp": sample[0], "value": _number(sample[1])})
    return records, "data.result", "Prometheus samples"


def _number(text: Any) -> Any:
    try:
        return float(text)
    except (TypeError, ValueError):
        return text


def _elasticsearch(body: Any) -> Known | None:
    """`hits.hits[]` with what was indexed in `_source` (Elasticsearch, OpenSearch)."""
    hits = _at(body, "hits", "hits")
    if not _are_dicts(hits) or not all(isinstance(hit.get("_source"), dict) and "_id" in hit for hit in hits):
        return None
    about = [{key: value for key, value in hit.items() if key != "_source"} for hit in hits]
    if any(set(outer) & set(hit["_source"]) for outer, hit in zip(about, hits, strict=True)):
        return None
    return (
        [{**outer, **hit["_source"]} for outer, hit in zip(about, hits, strict=True)],
        "hits.hits",
        "Elasticsearch hits",
    )


def _json_stat(body: Any) -> Known | None:
    """A cube of `id`, `size`, `dimension` and `value` (JSON-stat 2, and the dataset of JSON-stat 1)."""
    node = body.get("dataset", body) if isinstance(body, dict) else None
    if not isinstance(node, dict) or not isinstance(node.get("dimension"), dict) or "value" not in node:
        return None
    names = node.get("id") or node["dimension"].get("id")
    sizes = node.get("size") or node["dimension"].get("size")
    if not isinstance(names, list) or not isinstance(sizes, list) or len(names) != len(sizes):
        return None
    if math.prod(sizes) > _MAX_CELLS or "value" in names:
        return None
    axes = [
        _categories(_at(node, "dimension", name, "category"), size) for name, size in zip(names, sizes, strict=True)
    ]
    if any(axis is None for axis in axes):
        return None
    values = node["value"]
    if isinstance(values, dict):
        values = [values.get(str(position)) for position in range(math.prod(sizes))]
    if not isinstance(values, list) or len(values) != math.prod(sizes):
        return None
    cells = itertools.product(*(axis or [] for axis in axes))
    records = [
        dict(zip(names, cell, strict=True)) | {"value": value} for cell, value in zip(cells, values, strict=True)
    ]
    return records, "" if node is body else "dataset", "JSON-stat"


def _sdmx(body: Any) -> Known | None:
    """Observations by the positions of their dimensions' values: SDMX-JSON 1 and 2, flat or in series."""
    node = body.get("data", body) if isinstance(body, dict) else None
    structures = _at(node, "structures")
    structure = structures[0] if _are_dicts(structures) else _at(node, "structure")
    datasets, dimensions = _at(node, "dataSets"), _at(structure, "dimensions")
    if not _are_dicts(datasets) or not isinstance(dimensions, dict) or len(datasets) != 1:
        return None
    outer, inner = dimensions.get("series") or [], dimensions.get("observation") or []
    series = datasets[0].get("series", {"": datasets[0]})
    records: list[dict[str, Any]] = []
    try:
        for key, one in series.items():
            about = _at_positions(key, outer) if "series" in datasets[0] else {}
            for position, observed in one.get("observations", {}).items():
                records.append({**about, **_at_positions(position, inner), "value": observed[0] if observed else None})
    except (IndexError, ValueError, KeyError, TypeError, AttributeError):
        return None
    path = "data.dataSets" if node is not body else "dataSets"
    return (records, path, "SDMX-JSON") if records else None


def _at_positions(key: str, dimensions: list[Any]) -> dict[str, Any]:
    """The ids of the dimensions' values at positions such as `0:3:1`."""
    pairs = zip(dimensions, key.split(":"), strict=True)
    return {dimension["id"]: dimension["values"][int(position)]["id"] for dimension, position in pairs}


def _categories(category: Any, size: int) -> list[str] | None:
    """The labels of one dimension in order; its codes where labels are not one for each."""
    if not isinstance(category, dict):
        return None
    index, labels = category.get("index"), category.get("label") or {}
    codes = sorted(index, key=lambda code: index[code]) if isinstance(index, dict) else index or list(labels)
    if len(codes) != size:
        return None
    named = [labels.get(code, code) for code in codes]
    return named if len(set(named)) == len(named) else list(codes)


def _at(node: Any, *keys: str) -> Any:
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _are_dicts(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(value, dict) for value in values)


def _loki(body: Any) -> Known | None:
    """`data.result[]` of `stream` and `values`, one line of a log each (Loki)."""
    result = _at(body, "data", "result")
    if _at(body, "data", "resultType") != "streams" or not _are_dicts(result):
        return None
    records = []
    for one in result:
        labels, values = one.get("stream"), one.get("values")
        if not isinstance(labels, dict) or not isinstance(values, list) or {"timestamp", "line"} & set(labels):
            return None
        records += [{**labels, "timestamp": value[0], "line": value[1]} for value in values]
    return records, "data.result", "Loki streams"


def _px(body: Any) -> Known | None:
    """`columns` of the types d, t and c, and `data` of `key` and `values` (PxWeb, which many statistical offices have)."""
    columns, data = _at(body, "columns"), _at(body, "data")
    if not _are_dicts(columns) or not _are_dicts(data) or not all({"code", "text"} <= set(each) for each in columns):
        return None
    rows = [[*(row.get("key") or ()), *(row.get("values") or ())] for row in data]
    keys = [column["text"] for column in columns if column.get("type") != "c"]
    names = keys + [column["text"] for column in columns if column.get("type") == "c"]
    return _table_of(names, rows, "data", "PxWeb table")


def _tables(body: Any) -> Known | None:
    """The one table of `tables`: Azure Monitor, Kusto (whose other tables are about the first), Power BI."""
    path, tables = _list_of_tables(body)
    if not tables or (len(tables) > 1 and str(tables[0].get("TableName")) != "Table_0"):
        return None
    table = {name.lower(): value for name, value in tables[0].items()}
    columns, rows = table.get("columns"), table.get("rows")
    if columns is None and isinstance(rows, list) and _are_dicts(rows):
        return rows, path, "the only table"
    if not isinstance(columns, list) or not _are_dicts(columns):
        return None
    return _table_of([column.get("name", column.get("ColumnName")) for column in columns], rows, path, "the only table")


def _list_of_tables(body: Any) -> tuple[str, list[dict[str, Any]]]:
    for name, rows in (("tables", "rows"), ("Tables", "Rows")):
        if _are_dicts(_at(body, name)):
            return f"{name}[0].{rows}", body[name]
    results = _at(body, "results")
    if _are_dicts(results) and len(results) == 1 and _are_dicts(results[0].get("tables")):
        return "results[0].tables[0].rows", results[0]["tables"]
    if _are_dicts(body) and any("FrameType" in frame for frame in body):
        return "[?TableKind=='PrimaryResult'].Rows", [each for each in body if each.get("TableKind") == "PrimaryResult"]
    return "", []


def _visualization(body: Any) -> Known | None:
    """`table.cols` and rows of `c` and `v` (Google's visualization queries, also of a spreadsheet)."""
    columns, rows = _at(body, "table", "cols"), _at(body, "table", "rows")
    if not _are_dicts(columns) or not isinstance(rows, list) or not all("c" in row for row in rows if row):
        return None
    names = [str(column.get("label") or "").strip() or column.get("id") for column in columns]
    cells = [[cell.get("v") if isinstance(cell, dict) else None for cell in row["c"]] for row in rows]
    # a row may end before empty cells
    cells = [[*row, *[None] * (len(names) - len(row))] for row in cells]
    return _table_of(names, cells, "table.rows", "visualization table")


def _search_stream(body: Any) -> Known | None:
    """Batches of `results` under one `fieldMask` (Google Ads' searchStream)."""
    if not _are_dicts(body) or not all(
        "fieldMask" in batch and isinstance(batch.get("results"), list) for batch in body
    ):
        return None
    return [row for batch in body for row in batch["results"]], "[].results[]", "batches of Google Ads"


def _statement(body: Any) -> Known | None:
    """`manifest.schema.columns` and `result.data_array` (Databricks' statements); a later part has `data_array` alone."""
    columns, path = _at(body, "manifest", "schema", "columns"), "data_array"
    rows = _at(body, path)
    if rows is None:
        path = "result.data_array"
        rows = _at(body, "result", "data_array")
    return (
        _table_of([each.get("name") for each in columns], rows, path, "Databricks statement")
        if _are_dicts(columns)
        else None
    )


def _table_of(names: list[Any], rows: Any, path: str, form: str) -> Known | None:
    """Rows of cells under `names`; None where they are not one another's."""
    if not isinstance(rows, list) or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        return None
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return None
    return [dict(zip(names, row, strict=True)) for row in rows], path, form


ALL: tuple[Callable[[Any], Known | None], ...] = (
    _bigquery, _analytics, _influx, _prometheus, _elasticsearch, _json_stat, _sdmx, _loki, _px, _tables, _statement, _visualization, _search_stream,
)  # fmt: skip
