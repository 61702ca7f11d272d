"""More than one request: all pages of an API, many URLs side by side, and a body straight to a file."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack
from urllib.parse import urlsplit

import httpx

from flowlet_jupyter.errors import AuthRequired, FlowletError, RequestFailed
from flowlet_jupyter.http.api import absolute, arequest, extend, failed, request, with_params
from flowlet_jupyter.http.client import ClientPool, sends_over_aiohttp
from flowlet_jupyter.http.download import download as download_to
from flowlet_jupyter.http.gather import Gathered, as_urls
from flowlet_jupyter.http.options import (
    AsyncSeriesOptions,
    DownloadOptions,
    FetchOptions,
    GatherOptions,
    SeriesOptions,
    refuse_unknown,
    shows,
)
from flowlet_jupyter.http.page_reader import PagingOptions
from flowlet_jupyter.http.pages import AsyncPages, Pages
from flowlet_jupyter.http.pagination import PageRequest, Style
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.http.retries import retry_of
from flowlet_jupyter.http.workers import LoopWorkers, ThreadWorkers, Workers
from flowlet_jupyter.model.oauth2 import OAuth2
from flowlet_jupyter.oauth.refresh import usable_token
from flowlet_jupyter.session import Session, default_session

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_CONCURRENCY = 8
PAGES_SIDE_BY_SIDE = 12  # of one list, each cheap for its API; what many allow at once
TRIES_OF_MANY = 3  # one request that fails is seen and sent again by a user; the 200th of a series is not


class _LastResults:
    """What a session read last, for whoever interrupted it."""

    def __init__(self, _session: Session) -> None:
        self.pages: Pages | None = None
        self.gathered: Gathered | None = None


@shows(SeriesOptions)
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
    concurrency: int = PAGES_SIDE_BY_SIDE,
    retry: int = TRIES_OF_MANY,
    progress: bool = True,
    **options: Unpack[SeriesOptions],
) -> Pages:
    """The pages of an API, read as one iterates: `for page in flowlet.paginate(url)`, or all by `.read_all()`.

    `style` says how it pages: "link", "next", "cursor", "page" or "offset"; "auto" takes what the provider's catalogue
    entry says, then what the first page shows. `path` is the JMESPath of the records in a page, the likeliest list by
    itself. Numbered pages are fetched `concurrency` side by side. The other options are those of `request`.
    Raises `PagingStopped`, whose `pages` keep what was read; `InvalidOption` for one that there is not.
    """
    refuse_unknown(paginate, options)
    plan = _Plan(url, secret, method, retry, dict(options))

    def send(page: PageRequest) -> Response:
        return request(**plan.of(page))

    how = PagingOptions(
        style=style, path=path, max_pages=max_pages, max_items=max_items, concurrency=max(concurrency, 1),
        declared=_declared_paging(secret, plan.session), show_progress=progress,
    )  # fmt: skip
    pages = Pages(send, PageRequest(plan.address, params or {}, json), how)
    plan.session.part(_LastResults).pages = pages
    return pages


@shows(AsyncSeriesOptions)
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
    concurrency: int = PAGES_SIDE_BY_SIDE,
    retry: int = TRIES_OF_MANY,
    progress: bool = True,
    **options: Unpack[AsyncSeriesOptions],
) -> AsyncPages:
    """The async twin of `paginate`, for `async for`."""
    refuse_unknown(apaginate, options)
    plan = _Plan(url, secret, method, retry, dict(options))

    async def send(page: PageRequest) -> Response:
        return await arequest(**plan.of(page))

    how = PagingOptions(
        style=style, path=path, max_pages=max_pages, max_items=max_items, concurrency=max(concurrency, 1),
        declared=_declared_paging(secret, plan.session), show_progress=progress,
    )  # fmt: skip
    return AsyncPages(send, PageRequest(plan.address, params or {}, json), how)


class _Plan:
    """How each page is asked for."""

    def __init__(self, url: str, secret: str | None, method: str, retry: int, options: dict[str, Any]) -> None:
        self.session: Session = options.get("session") or default_session()
        self.address = absolute(url, secret, session=self.session)
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


def last_pages(*, session: Session | None = None) -> Pages:
    """The pages that were read last: after an interrupt or an error they hold what came, and go on by `resume()`."""
    pages = (session or default_session()).part(_LastResults).pages
    if pages is None:
        raise RequestFailed("No pages were read yet in this kernel.")
    return pages


@shows(FetchOptions)
def fetch_df(
    url: str,
    *,
    secret: str | None = None,
    path: str | None = None,
    paginate: Style | None = "auto",
    dates: bool = False,
    **options: Unpack[FetchOptions],
) -> pd.DataFrame:
    """All records of all pages as one pandas DataFrame; `paginate=None` reads one page only. See `paginate`."""
    refuse_unknown(fetch_df, options)
    if paginate is None:
        arguments: dict[str, Any] = {"method": "GET", **options}
        return request(url=url, secret=secret, **arguments).to_df(path, dates=dates)
    return _paginate(url, secret=secret, path=path, style=paginate, **options).read_all().to_df(dates=dates)


_paginate = paginate  # `fetch_df` has an argument of this name


@shows(GatherOptions)
def gather(
    targets: str | Iterable[str],
    *,
    rows: Any = None,
    secret: str | None = None,
    method: str = "GET",
    concurrency: int = DEFAULT_CONCURRENCY,
    errors: Literal["collect", "raise"] = "collect",
    retry: int = TRIES_OF_MANY,
    progress: bool = True,
    **options: Unpack[GatherOptions],
) -> Gathered:
    """Send many requests side by side; the outcomes are in the order of `targets`, errors among them.

    `targets` are URLs, or one template such as "/users/{id}" whose places are filled in from `rows` (a DataFrame or
    mappings), percent-encoded. An API's rate limit is waited for. An interrupt keeps what came: `last_gathered()`. `progress=False`
    shows no bar, here and when it goes on. The other options are those of `request`.
    Raises `InvalidOption` for one that there is not, `InterpolationError` for a row without a value.
    """
    refuse_unknown(gather, options)
    urls = as_urls(targets, rows)
    session = options["session"] = options.get("session") or default_session()
    _ensure_connected(secret, session)

    can_be_async = _are_of_both(options) and sends_over_aiohttp()
    patience = {"retry": retry_of(retry, any_method=False, without_429=True)} if retry else {}
    options["extensions"] = {**patience, **(options.get("extensions") or {})}

    def send(url: str) -> Response:
        return request(method, url, secret=secret, **options)

    arguments: dict[str, Any] = {**options}

    async def asend(url: str) -> Response:
        return await arequest(method, url, secret=secret, **arguments)

    workers: Workers = ThreadWorkers(send, max(concurrency, 1))
    if can_be_async:
        workers = LoopWorkers(session, asend, max(concurrency, 1))
    gathered = Gathered(urls, workers, errors=errors, show_progress=progress)
    session.part(_LastResults).gathered = gathered
    return gathered.run()


# what the sync and the async client do alike
_OF_BOTH = frozenset({"params", "headers", "json", "cookies", "timeout", "follow_redirects", "retry_any", "session"})
_BODIES: Mapping[str, Any] = {"content": str | bytes, "data": Mapping}


def _are_of_both(options: Mapping[str, Any]) -> bool:
    """Whether requests with these options can be sent by the async client: no cache, no body that is read bit by bit."""
    others = {name: value for name, value in options.items() if name not in _OF_BOTH and value}
    return all(isinstance(value, _BODIES.get(name, ())) for name, value in others.items())


def last_gathered(*, session: Session | None = None) -> Gathered:
    """What `gather` did last: after an interrupt it holds what came, and goes on by `resume()`."""
    gathered = (session or default_session()).part(_LastResults).gathered
    if gathered is None:
        raise RequestFailed("Nothing was gathered yet in this kernel.")
    return gathered


@shows(DownloadOptions)
def download(
    url: str, path: str | os.PathLike[str], *, secret: str | None = None, **options: Unpack[DownloadOptions]
) -> Path:
    """Stream the body of a GET to a file, with a progress bar; goes on where an interrupted try ended. Raises `RequestFailed`."""
    refuse_unknown(download, options)
    arguments: dict[str, Any] = {"retry": TRIES_OF_MANY, **options}
    session = arguments.pop("session", None) or default_session()
    extend(arguments)
    try:
        address = with_params(absolute(url, secret, session=session), arguments)
        return download_to(session.part(ClientPool).get(secret), address, path, **arguments)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        failure = failed("GET", url, error)
    raise failure


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _declared_paging(secret: str | None, session: Session) -> Mapping[str, str]:
    if secret is None:
        return {}
    provider = getattr(session.vault.get(secret).secret, "provider", None)
    return _paging_of(provider) if provider else {}


@functools.lru_cache(maxsize=100)
def _paging_of(provider: str) -> Mapping[str, str]:
    from flowlet_jupyter.providers import provider_named

    try:
        entry = provider_named(provider)
    except FlowletError:
        return {}  # an organisation's broken entry is no reason not to look at the pages themselves
    return entry.paging if entry else {}


def _ensure_connected(secret: str | None, session: Session) -> None:
    """Let a user connect the secret before many threads need it at once."""
    if secret is None:
        return
    record = session.vault.get(secret)
    if isinstance(record.secret, OAuth2):
        try:
            usable_token(session.vault, record)
        except AuthRequired as error:
            session.prompt.authorize(session.vault, error)
