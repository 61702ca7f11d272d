"""What a series of requests asked for and what came of each, for whoever looks at the whole of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flowlet_jupyter.credentials.redaction import HIDDEN, NOTHING_SENT, SentValues

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response


class RequestLog:
    """A line for each request; of the responses only the first and the last are kept.

    `sent` are the values that were sent with any of them: an API may repeat one in any record.
    """

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.first: Response | None = None
        self.last: Response | None = None
        self.sent: SentValues = NOTHING_SENT

    def add(self, response: Response, *, records: int | None = None, **members: Any) -> None:
        """Note one response, how many records it brought where that is counted, and other `members` of its line."""
        self.first = self.first or response
        self.last = response
        self.sent = self.sent | response.sent_values
        counted = {} if records is None else {"records": records}
        self.lines.append({"number": len(self.lines) + 1, **counted, **_line_of(response), **members})


def _line_of(response: Response) -> dict[str, Any]:
    """One response as a line: what came, how long it took, and its URL without credentials."""
    return {
        "status": response.status_code,
        "milliseconds": round(response.elapsed.total_seconds() * 1000, 1) if hasattr(response, "_elapsed") else None,
        "bytes": len(response.content),
        "url": str(response.request.url) if response.has_request else "",
    }


def redacted_records(records: Sequence[Any], sent: SentValues) -> list[Any]:
    """A copy of the list without the values that were sent; the records themselves where none holds one."""
    if not sent:
        return list(records)
    text = json.dumps(records, ensure_ascii=False, default=str)
    if sent.redact(text) == text:
        return list(records)
    return [_redacted(record, sent) for record in records]


def _redacted(value: Any, sent: SentValues) -> Any:
    if isinstance(value, dict):
        return {sent.redact(str(key)): _redacted(below, sent) for key, below in value.items()}
    if isinstance(value, list):
        return [_redacted(below, sent) for below in value]
    if isinstance(value, str):
        return sent.redact(value)
    text = json.dumps(value, default=str)
    return value if sent.redact(text) == text else HIDDEN
