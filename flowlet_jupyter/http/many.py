"""More than one request: all pages of an API, many URLs side by side, and a body straight to a file."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import httpx

from flowlet_jupyter.errors import AuthRequired, FlowletError, RequestFailed
from flowlet_jupyter.http.client import kept
from flowlet_jupyter.http.download import download as download_to
from flowlet_jupyter.http.gather import Gathered, as_urls
from flowlet_jupyter.http.pages import AsyncPages, Pages, Reading
from flowlet_jupyter.http.pagination import PageRequest, Style
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.http.retries import retry_of
from flowlet_jupyter.http.verbs import absolute, arequest, extend, failed, get, request, with_params
from flowlet_jupyter.oauth import person
from flowlet_jupyter.oauth.refresh import usable_token
from flowlet_jupyter.oauth2 import OAuth2
from flowlet_jupyter.vault import default_vault

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_CONCURRENCY = 8
TRIES_OF_MANY = 3  # one request that fails is seen and sent again by a person; the 200th of a series is not
_last: dict[type, Any] = {}


def paginate(
    url: str,
    *,
    secret: str | None = None,
    method: str = "GET",
    params: Mapping[str, Any] | None = None,
    json: Any = None,
    style: Style = "auto",
    path: str | None = None,
    max_pages: int | None = None,
    max_items: int | None = None,
    concurrency: int = DEFAULT_CONCURRENCY,
    retry: int = TRIES_OF_MANY,
    progress: bool = True,
    **options: Any,
) -> Pages:
    """The pages of an API, read as one iterates: `for page in flowlet.paginate(url)`, or all by `.read_all()`.

    `style` says how it pages: "link", "next", "cursor", "page" or "offset"; "auto" takes what the provider's catalogue
    entry says, then what the first page shows. `path` is the JMESPath of the records in a page, the likeliest list by
    itself. Numbered pages are fetched `concurrency` side by side. The other options are those of `request`.
    Raises `PagingStopped`, whose `pages` keep what was read.
    """
    plan = _Plan(url, secret, method, retry, options)

    def send(page: PageRequest) -> Response:
        return request(**plan.of(page))

    reading = Reading(
        style=style, path=path, max_pages=max_pages, max_items=max_items, concurrency=max(concurrency, 1),
        declared=_declared_paging(secret), show_progress=progress,
    )  # fmt: skip
    _last[Pages] = pages = Pages(send, PageRequest(plan.address, params or {}, json), reading)
    return pages


def apaginate(
    url: str,
    *,
    secret: str | None = None,
    method: str = "GET",
    params: Mapping[str, Any] | None = None,
    json: Any = None,
    style: Style = "auto",
    path: str | None = None,
    max_pages: int | None = None,
    max_items: int | None = None,
    concurrency: int = DEFAULT_CONCURRENCY,
    retry: int = TRIES_OF_MANY,
    progress: bool = True,
    **options: Any,
) -> AsyncPages:
    """The async twin of `paginate`, for `async for`."""
    plan = _Plan(url, secret, method, retry, options)

    async def send(page: PageRequest) -> Response:
        return await arequest(**plan.of(page))

    reading = Reading(
        style=style, path=path, max_pages=max_pages, max_items=max_items, concurrency=max(concurrency, 1),
        declared=_declared_paging(secret), show_progress=progress,
    )  # fmt: skip
    return AsyncPages(send, PageRequest(plan.address, params or {}, json), reading)


class _Plan:
    """How each page is asked for."""

    def __init__(self, url: str, secret: str | None, method: str, retry: int, options: dict[str, Any]) -> None:
        self.address = absolute(url, secret)
        self._secret = secret
        self._fixed = {"method": method, "secret": secret, "retry": retry, **options}

    def of(self, page: PageRequest) -> dict[str, Any]:
        """The arguments of `request` for a page. Raises `RequestFailed` if it is on a host that nobody has allowed."""
        # Without a secret there are no allowed hosts, so an API must not send its reader elsewhere (a metadata server, say)
        if self._secret is None and _origin(page.url) != _origin(self.address):
            elsewhere = urlsplit(page.url).netloc[:100]
            raise RequestFailed(f"The next page is on another host, {elsewhere}, and was not asked for.")
        asked: dict[str, Any] = {**self._fixed, "url": page.url, "params": dict(page.params) or None}
        if page.method is not None:
            asked["method"] = page.method
        if page.headers:
            asked["headers"] = [*dict(self._fixed.get("headers") or {}).items(), *page.headers.items()]
        return asked if page.json is None else {**asked, "json": page.json}


def last_pages() -> Pages:
    """The pages that were read last: after an interrupt or an error they hold what came, and go on by `resume()`."""
    if Pages not in _last:
        raise RequestFailed("No pages were read yet in this kernel.")
    pages: Pages = _last[Pages]
    return pages


def fetch_df(
    url: str,
    *,
    secret: str | None = None,
    path: str | None = None,
    paginate: Style | None = "auto",
    dates: bool = False,
    **options: Any,
) -> pd.DataFrame:
    """All records of all pages as one pandas DataFrame; `paginate=None` reads one page only. See `paginate`."""
    if paginate is None:
        return get(url, secret=secret, **options).to_df(path, dates=dates)
    return _paginate(url, secret=secret, path=path, style=paginate, **options).read_all().to_df(dates=dates)


_paginate = paginate  # `fetch_df` has an argument of this name


def gather(
    targets: str | Iterable[str],
    *,
    rows: Any = None,
    secret: str | None = None,
    method: str = "GET",
    concurrency: int = DEFAULT_CONCURRENCY,
    errors: Literal["collect", "raise"] = "collect",
    retry: int = TRIES_OF_MANY,
    **options: Any,
) -> Gathered:
    """Send many requests side by side; the outcomes are in the order of `targets`, errors among them.

    `targets` are URLs, or one template such as "/users/{id}" whose places are filled in from `rows` (a DataFrame or
    mappings), percent-encoded. An API's rate limit is waited for. An interrupt keeps what came: `last_gathered()`.
    """
    urls = as_urls(targets, rows)
    _ensure_connected(secret)

    patience = {"retry": retry_of(retry, any_method=False, without_429=True)} if retry else {}
    options["extensions"] = {**patience, **(options.get("extensions") or {})}

    def send(url: str) -> Response:
        return request(method, url, secret=secret, **options)

    _last[Gathered] = gathered = Gathered(urls, send, concurrency=max(concurrency, 1), errors=errors)
    return gathered.run()


def last_gathered() -> Gathered:
    """What `gather` did last: after an interrupt it holds what came, and goes on by `resume()`."""
    if Gathered not in _last:
        raise RequestFailed("Nothing was gathered yet in this kernel.")
    gathered: Gathered = _last[Gathered]
    return gathered


def download(url: str, path: str | os.PathLike[str], *, secret: str | None = None, **options: Any) -> Path:
    """Stream the body of a GET to a file, with a progress bar; goes on where an interrupted try ended. Raises `RequestFailed`."""
    retry = options.pop("retry", TRIES_OF_MANY)
    extend(options, retry=retry, retry_any=False, cache=False)
    try:
        return download_to(kept.get(secret), with_params(absolute(url, secret), options), path, **options)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        failure = failed("GET", url, error)
    raise failure


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _declared_paging(secret: str | None) -> Mapping[str, str]:
    if secret is None:
        return {}
    provider = getattr(default_vault().get(secret).secret, "provider", None)
    return _paging_of(provider) if provider else {}


@functools.lru_cache(maxsize=100)
def _paging_of(provider: str) -> Mapping[str, str]:
    from flowlet_jupyter.providers import load_providers

    try:
        entry = load_providers().get(provider)
    except FlowletError:
        return {}  # an organisation's broken entry is no reason not to look at the pages themselves
    return entry.paging if entry else {}


def _ensure_connected(secret: str | None) -> None:
    """Let a person connect the secret before many threads need it at once."""
    if secret is None:
        return
    record = default_vault().get(secret)
    if isinstance(record.secret, OAuth2):
        try:
            usable_token(default_vault(), record)
        except AuthRequired as error:
            person.connect(error)
