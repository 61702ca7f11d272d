"""Records that stand one a line: NDJSON, JSON text sequences (RFC 7464), and the data of server-sent events. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.tables.error_bodies import error_in


def of_ndjson(text: str) -> list[Any]:
    """The records of NDJSON: what a line feed ends, and nothing else (a text may hold U+2028). Raises `RequestFailed`."""
    records = _parsed(text.split("\n"), "Line")
    if (
        len(records) > 1
        and isinstance(records[0], dict)
        and (message := error_in(records[-1]))
        and not error_in(records[0])
    ):
        raise RequestFailed(
            f"Behind {len(records) - 1:,} records the API says of an error: {message}. See its text: r.text"
        )
    return records


def of_sequence(text: str) -> list[Any]:
    """The records of a JSON text sequence, each behind a record separator."""
    return _parsed(text.split("\x1e"), "Record")


def of_events(text: str) -> list[Any]:
    """The events of text/event-stream: the JSON of each `data`, or `{"data": text}`; `event` and `id` beside it if given."""
    records: list[Any] = []
    for block in text.replace("\r\n", "\n").replace("\r", "\n").split("\n\n"):
        fields: dict[str, str] = {}
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            if name in {"data", "event", "id"}:
                value = value.removeprefix(" ")
                fields[name] = f"{fields[name]}\n{value}" if name == "data" and "data" in fields else value
        if "data" not in fields or fields["data"] == "[DONE]":  # how OpenAI's and its likes' streams end
            continue
        try:
            data = json.loads(fields["data"])
        except (ValueError, RecursionError):
            data = {"data": fields["data"]}
        about = {name: value for name, value in fields.items() if name != "data"}
        records.append({**about, **data} if isinstance(data, dict) else {**about, "data": data} if about else data)
    return records


def _parsed(pieces: Iterable[str], what: str) -> list[Any]:
    records = []
    for number, piece in enumerate(pieces, 1):
        if piece.strip():
            try:
                records.append(json.loads(piece))
            except (ValueError, RecursionError):
                raise RequestFailed(f"{what} {number} of the body is not JSON. See its text: r.text") from None
    return records
