"""`Response`: an `httpx.Response` with short ways to the data. It knows nothing of notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from flowlet_jupyter.errors import RequestFailed

if TYPE_CHECKING:
    import pandas as pd


class Response(httpx.Response):
    """What a request gives. `response.request` is the request as the user made it, without credentials."""

    secret_name: str | None = None

    def __getitem__(self, key: str | int) -> Any:
        """`r["data"]["id"]`: the item `key` of the JSON body. Raises `RequestFailed` if there is none."""
        body = self.json()
        try:
            return body[key]
        except (KeyError, IndexError, TypeError):
            raise RequestFailed(self._missing(key, body)) from None

    def _missing(self, key: str | int, body: Any) -> str:
        if isinstance(body, dict):
            has = f"it has: {', '.join(list(body)[:20])}" if body else "it is empty"
        elif isinstance(body, list):
            has = f"it is a list of {len(body)}"
        else:
            has = f"it is {type(body).__name__}"
        return f"The JSON of this response ({self.status_code} {self.reason_phrase}) has no {key!r}; {has}."

    def json(self, **kwargs: Any) -> Any:
        """The parsed JSON body. Raises `RequestFailed` if the body is not JSON."""
        try:
            return super().json(**kwargs)
        except (ValueError, RecursionError):
            kind = self.headers.get("content-type", "no content type")
            raise RequestFailed(
                f"The body of this response ({self.status_code} {self.reason_phrase}, {kind}, "
                f"{len(self.content)} bytes) is not JSON. See its text: r.text"
            ) from None

    def select(self, path: str) -> Any:
        """The part of the JSON body that a JMESPath expression selects (`data[].id`); None if nothing matches."""
        import jmespath
        from jmespath.exceptions import JMESPathError

        try:
            return jmespath.search(path, self.json())
        except JMESPathError as error:
            raise RequestFailed(f"The selection {path!r} does not work: {str(error).splitlines()[0]}") from None

    def to_df(self, path: str | None = None) -> pd.DataFrame:
        """The records at the JMESPath `path` as a pandas DataFrame, nested fields flattened to dotted columns.

        Without a path the body itself must be a list of records, or an object with one list of them.
        """
        from flowlet_jupyter.http.frames import records_of, to_frame

        return to_frame(records_of(self, path))
