"""How real APIs page: each of these is read with no help, asks for the expected second page, ends, and is honest."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from servers.paging_shapes import ALL, Shape

from flowlet_jupyter.http.page_reader import PagingOptions
from flowlet_jupyter.http.pages import Pages
from flowlet_jupyter.http.pagination import PageRequest
from flowlet_jupyter.http.response import Response


class Api:
    """Gives the pages of a shape one after the other, whatever is asked for."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self.sent: list[PageRequest] = []

    def __call__(self, request: PageRequest) -> Response:
        number = len(self.sent)
        self.sent.append(request)
        pages = [*self._shape.pages, self._shape.empty]
        assert number < len(self._shape.pages) + self._shape.extra, f"asked for more behind the last page: {request}"
        page = pages[min(number, len(pages) - 1)]
        body, headers = page if isinstance(page, tuple) else (page, {})
        content = body if isinstance(body, str) else json.dumps(body)
        return Response(200, content=content.encode(), headers={"Content-Type": "application/json", **headers},
                        request=httpx.Request("GET", request.url))  # fmt: skip

    def read(self, **options: Any) -> Pages:
        shape = self._shape
        first = PageRequest(shape.url, {}, shape.json)
        return Pages(self, first, PagingOptions(concurrency=1, show_progress=False, **options)).read_all()


def query_of(request: PageRequest) -> dict[str, str]:
    return {name: str(value) for name, value in request.query().items()}


@pytest.mark.parametrize("shape", ALL, ids=lambda shape: shape.name)
def test_an_api_is_read_to_its_end_and_no_further(shape):
    api = Api(shape)
    pages = api.read()
    assert pages.records == shape.records
    assert len(api.sent) <= len(shape.pages) + shape.extra
    assert (pages.complete, pages.reason) == (shape.complete, pages.reason)
    if shape.next is None:
        assert len(api.sent) == 1
        return
    second = api.sent[1]
    if "url" in shape.next:
        assert urlsplit(second.url).path == urlsplit(shape.next["url"]).path
        assert query_of(second) == dict(parse_qsl(urlsplit(shape.next["url"]).query, keep_blank_values=True))
    if "params" in shape.next:
        assert urlsplit(second.url)._replace(query="") == urlsplit(shape.url)._replace(query="")
        assert {name.lower(): value for name, value in query_of(second).items()} == {
            name.lower(): value for name, value in shape.next["params"].items()
        }
    if "json" in shape.next:
        assert second.json == shape.next["json"]
    if "headers" in shape.next:
        assert {name.lower(): value for name, value in second.headers.items()} == {
            name.lower(): value for name, value in shape.next["headers"].items()
        }
    assert second.method == shape.next.get("method")


@pytest.mark.parametrize("shape", [shape for shape in ALL if shape.next], ids=lambda shape: shape.name)
def test_the_first_page_alone_is_never_called_complete(shape):
    pages = Api(shape).read(max_pages=1)
    assert pages.complete is False
    assert pages.reason
    assert pages.to_df().attrs["complete"] is False
