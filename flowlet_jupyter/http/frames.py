"""Records of a JSON body as a DataFrame. pandas is an extra, imported on use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowlet_jupyter.errors import MissingExtra, RequestFailed

if TYPE_CHECKING:
    import pandas as pd

    from flowlet_jupyter.http.response import Response


def records_of(response: Response, path: str | None) -> list[Any]:
    """The list of records at `path`, or the only list in sight. Raises `RequestFailed` with what is there."""
    if response.is_error:
        raise RequestFailed(
            f"The API answered {response.status_code} {response.reason_phrase}, so there are no records: "
            f"{response.text[:300]}"
        )
    body = response.json()
    if path is not None:
        found = response.select(path)
        if found is None:
            raise RequestFailed(f"The selection {path!r} matches nothing. {_shape(body)}")
    elif isinstance(body, dict):
        lists = [key for key, value in body.items() if isinstance(value, list)]
        if len(lists) > 1:
            raise RequestFailed(f"The body has several lists ({', '.join(lists)}); name one: --df {lists[0]}")
        found = body[lists[0]] if lists else body
    else:
        found = body
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        raise RequestFailed(f"The selection {path!r} is {type(found).__name__}, not a list of records. {_shape(body)}")
    return found


def _shape(body: Any) -> str:
    return f"The body has: {', '.join(list(body)[:20])}." if isinstance(body, dict) else ""


def to_frame(records: list[Any]) -> pd.DataFrame:
    """`records` as rows; values that are not objects become the column `value`."""
    try:
        import pandas as pd
    except ImportError:
        raise MissingExtra('DataFrames need pandas: pip install "flowlet-jupyter[pandas]"') from None
    return pd.json_normalize([record if isinstance(record, dict) else {"value": record} for record in records])
