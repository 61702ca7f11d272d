"""What an API says in the body of a success of having given only a part of what was asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowlet_jupyter.tables.error_reasons import reason_of
from flowlet_jupyter.tables.foreign_text import in_one_line

_MANY_IN_ONE = {"responses", "compositeresponse", "results", "items", ""}
_OF_A_REPORT = {"errors", "warnings", "notices", "infos", "messages", "summary", "stats"}


def partial_in(body: Any) -> str:
    """What a body with data says of being only a part of what was asked for, in words; "" if it says nothing of it."""
    if isinstance(body, list):
        return _failed_parts(body)
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict) and _has_data(body):
        return f"the API reports an error beside the data: {(reason_of(errors) or str(errors[0]))[:200]}"
    shards = body.get("_shards")
    failed = shards.get("failed") if isinstance(shards, dict) else 0
    remark = body.get("remark")
    stated = (
        (body.get("jobComplete") is False, "jobComplete is false: the query was still running"),
        (body.get("timed_out") is True, "timed_out is true: the search ended before it had seen everything"),
        (isinstance(failed, int) and failed > 0, f"{failed} shards of the index failed"),
        (
            body.get("incomplete_results") is True,
            "incomplete_results is true: the search ended before it had seen everything",
        ),
        (
            bool(body.get("partialFailureError")),
            f"partialFailureError: {reason_of(body.get('partialFailureError'))[:200]}",
        ),
        (body.get("hasErrors") is True, "hasErrors is true"),
        (body.get("errors") is True and isinstance(body.get("items"), list), "errors is true"),
        (
            isinstance(remark, str) and remark.startswith("runtime "),
            f"the API remarks: {in_one_line(str(remark)[:200])}",
        ),  # Overpass
    )
    said = next((text for holds, text in stated if holds), "")
    lists = (value for name, value in body.items() if name.lower() in _MANY_IN_ONE and isinstance(value, list))
    return said or _user_errors(body.get("data")) or next(filter(None, map(_failed_parts, lists)), "")


def _has_data(body: Mapping[str, Any]) -> bool:
    """Whether there is something beside errors that they may be missing from: in a report of a check they are the data."""
    return any(
        value and isinstance(value, list | dict) for name, value in body.items() if name.lower() not in _OF_A_REPORT
    )


def _user_errors(data: Any) -> str:
    """Shopify and its likes: a mutation that was refused says so inside its own result."""
    if not isinstance(data, dict):
        return ""
    for name, result in data.items():
        errors = result.get("userErrors") if isinstance(result, dict) else None
        if isinstance(errors, list) and errors:
            return f"{name} was refused: {reason_of(errors)[:200]}"
    return ""


def _failed_parts(parts: list[Any]) -> str:
    """Many responses in one (the batches of Graph, Salesforce, Facebook): how many of them are errors."""
    if not parts or not all(isinstance(part, dict) and part.keys() & {"body", "headers", "error"} for part in parts):
        return ""
    statuses = [
        part.get("status", part.get("httpStatusCode", part.get("statusCode", part.get("code")))) for part in parts
    ]
    if not all(isinstance(status, int) and 100 <= status < 600 for status in statuses):
        return ""
    failed = [status for status in statuses if status >= 400]
    return f"{len(failed)} of {len(parts)} responses in it are errors (the first: {failed[0]})" if failed else ""
