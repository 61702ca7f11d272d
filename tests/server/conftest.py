"""pytest-jupyter's real server with the extension, and a browser without a screen."""

from __future__ import annotations

import httpx
import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403 - its fixtures and its loop, for the tests of this folder only


@pytest.fixture
def jp_server_config():
    return {"ServerApp": {"jpserver_extensions": {"flowlet_jupyter": True}, "log_level": "DEBUG"}}


@pytest.fixture
def jp_base_url():
    return "/user/ann/"


class Server:
    """The server under test, over real HTTP."""

    def __init__(self, base: str, headers: dict[str, str]) -> None:
        self.base = base
        self.headers = headers

    def url(self, path: str) -> str:
        return f"{self.base}flowlet/{path}"

    async def call(self, method: str, path: str, *, headers: dict | None = None, **options) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.request(method, self.url(path), headers={**self.headers, **(headers or {})}, **options)


@pytest.fixture
def server(jp_serverapp, http_server, jp_http_port, jp_auth_header):
    return Server(f"http://localhost:{jp_http_port}{jp_serverapp.base_url}", dict(jp_auth_header))
