"""Results in numbered parts at an address of their own, all named by the first response (Snowflake's SQL API)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from flowlet_jupyter.http.pagination.page import PageRequest, PageResponse, as_number, look_up


@dataclass(frozen=True)
class Partitions:
    """`GET {endpoint}/{statementHandle}?partition=1` and on, as many as the first response lists."""

    path: str
    count: int

    def next(self, request: PageRequest, _response: PageResponse) -> PageRequest | None:
        """The request for the next part; None behind the last."""
        number = (as_number(request.query().get("partition")) or 0) + 1
        if number >= self.count:
            return None
        url = urlsplit(request.url)._replace(path=self.path, query="").geturl()
        return PageRequest(url, {"partition": number}, None, "GET", request.headers)


def candidates(request: PageRequest, response: PageResponse) -> Iterator[Partitions]:
    """The way through the parts that this first response lists."""
    parts, handle = (look_up(response.body, path) for path in ("resultSetMetaData.partitionInfo", "statementHandle"))
    if isinstance(parts, list) and len(parts) > 1 and isinstance(handle, str) and handle:
        path, name = urlsplit(request.url).path.rstrip("/"), quote(handle, safe="")
        yield Partitions(path if path.endswith(f"/{name}") else f"{path}/{name}", len(parts))
