"""The verbs of the helper: `get`, `post`, ... and their async twins, and what is built on them: pages, many, a file."""

from __future__ import annotations

import functools
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

import httpx

from flowlet_jupyter.errors import AuthRequired, FlowletError, InvalidSecret, RequestFailed
from flowlet_jupyter.hosts import is_loopback
from flowlet_jupyter.http import caching, interchange
from flowlet_jupyter.http.client import connect, kept
from flowlet_jupyter.http.credentials import Connect
from flowlet_jupyter.http.download import download as download_to
from flowlet_jupyter.http.gather import DEFAULT_CONCURRENCY, Gathered, as_urls
from flowlet_jupyter.http.pages import AsyncPages, Pages, Reading
from flowlet_jupyter.http.pagination import PageRequest, Style
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.http.retries import retry_of
from flowlet_jupyter.oauth.refresh import usable_token
from flowlet_jupyter.oauth2 import OAuth2
from flowlet_jupyter.secret import base_url_of
from flowlet_jupyter.secret_value import SecretValue
from flowlet_jupyter.vault import default_vault

if TYPE_CHECKING:
    import pandas as pd

_T = TypeVar("_T")
TRIES_OF_MANY = 3  # one request that fails is seen and sent again by a person; the 200th of a series is not
Cache = bool | float | str


def absolute(url: str, secret: str | None) -> str:
    """`url`, or the secret's base URL with the path `url` behind it."""
    if "://" in url:
        return url
    base_url = base_url_of(default_vault().get(secret)) if secret is not None else None
    if base_url is None:
        of = f"secret '{secret}' has no base URL" if secret else "no secret is named"
        raise RequestFailed(f"The URL '{url[:200]}' is only a path, and {of}. Write it with https:// and its host.")
    return f"{base_url.rstrip('/')}/{url.lstrip('/')}"


def request(
    method: str,
    url: str,
    *,
    secret: str | None = None,
    retry: int = 0,
    retry_any: bool = False,
    cache: Cache = False,
    insecure: bool = False,
    **options: Any,
) -> Response:
    """Send a request with the credentials of the secret named `secret`, or with none.

    `retry`: how often to try again after 429, 502, 503, 504 or a broken connection, waiting as the API asks; POST and
    PATCH only with `retry_any`. `cache`: how old a kept answer may be ("1h", seconds; True is an hour). `insecure`: do
    not check the server's certificate, which no secret is sent to. `options` are those of `httpx.Client.request`:
    params (added to the URL's query), headers, json, data, content, files, timeout (seconds), follow_redirects.
    Raises `FlowletError`: `HostNotAllowed`, `AuthRequired`, `TokenEndpointError`, `RequestFailed` and others.
    """
    if insecure:
        _refuse_insecure(absolute(url, secret), secret)
    _extend(options, retry=retry, retry_any=retry_any, cache=cache)
    try:
        address = _with_params(absolute(url, secret), options)
        response = _ours(kept.get(secret, insecure=insecure).request(method, address, **options))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        failure = _failed(method, url, error)
    else:
        interchange.record(response, lambda: values_of(secret))
        return response
    raise failure


async def arequest(
    method: str, url: str, *, secret: str | None = None, retry: int = 0, retry_any: bool = False, **options: Any
) -> Response:
    """The async twin of `request`; without `cache` and `insecure`."""
    _extend(options, retry=retry, retry_any=retry_any, cache=False)
    try:
        address = _with_params(absolute(url, secret), options)
        response = _ours(await kept.get_async(secret).request(method, address, **options))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        failure = _failed(method, url, error)
    else:
        interchange.record(response, lambda: values_of(secret))
        return response
    raise failure


def _extend(options: dict[str, Any], *, retry: int, retry_any: bool, cache: Cache) -> None:
    extensions = dict(options.pop("extensions", None) or {})
    if retry:
        extensions["retry"] = retry_of(retry, any_method=retry_any)
    if cache:
        extensions[caching.EXTENSION] = caching.age_of("1h" if cache is True else str(cache))
    if extensions:
        options["extensions"] = extensions


def _with_params(url: str, options: dict[str, Any]) -> str:
    """`url` with the option `params` put into its query: httpx would put them in the place of a query that is there."""
    params = options.pop("params", None)
    return str(httpx.URL(url).copy_merge_params(params)) if params else url


def _refuse_insecure(address: str, secret: str | None) -> None:
    if secret is not None and not is_loopback(urlsplit(address).hostname or ""):
        raise InvalidSecret(
            f"Secret '{secret}' is not sent where nobody checks who answers. If the server has a certificate of your "
            "organisation, name its authority: SSL_CERT_FILE=/path/to/ca.pem before the kernel starts."
        )


def values_of(secret: str | None) -> list[str]:
    """Every value of a secret, so that it can be looked for in what is about to be written down."""
    if secret is None:
        return []
    record = default_vault().get(secret)
    found: list[SecretValue] = []
    for holder in (record.secret, record.token_set):
        for value in vars(holder).values() if holder is not None else ():
            found += [value] if isinstance(value, SecretValue) else []
            found += (
                [item for item in value.values() if isinstance(item, SecretValue)] if isinstance(value, Mapping) else []
            )
    return [value.reveal() for value in found]


def _ours(response: httpx.Response) -> Response:
    assert isinstance(response, Response)  # noqa: S101 - our transports answer with nothing else
    return response


def _failed(method: str, url: str, error: Exception) -> RequestFailed:
    where = f"{method.upper()} {url.split('?', maxsplit=1)[0][:200]}"
    if isinstance(error, httpx.TimeoutException):
        return RequestFailed(f"{where}: no answer in time ({type(error).__name__}). Give it longer with timeout=.")
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return RequestFailed(f"{where}: this is not a URL that can be requested ({error}).")
    return RequestFailed(f"{where}: {error} ({type(error).__name__}). Check the host and the network.")


def _verb(method: str) -> Callable[..., Response]:
    def verb(url: str, *, secret: str | None = None, **options: Any) -> Response:
        return request(method, url, secret=secret, **options)

    return _named(verb, method.lower(), f"Send a {method} request; see `flowlet.request`.")


def _async_verb(method: str) -> Callable[..., Awaitable[Response]]:
    async def verb(url: str, *, secret: str | None = None, **options: Any) -> Response:
        return await arequest(method, url, secret=secret, **options)

    return _named(verb, f"a{method.lower()}", f"Send a {method} request; see `flowlet.arequest`.")


def _named(verb: _T, name: str, doc: str) -> _T:
    # what `flowlet.get?` shows in a notebook
    verb.__name__ = verb.__qualname__ = name  # type: ignore[attr-defined]  # a function
    verb.__doc__ = doc
    return verb


get, post, put = _verb("GET"), _verb("POST"), _verb("PUT")
patch, delete, head = _verb("PATCH"), _verb("DELETE"), _verb("HEAD")
aget, apost, aput = _async_verb("GET"), _async_verb("POST"), _async_verb("PUT")
apatch, adelete, ahead = _async_verb("PATCH"), _async_verb("DELETE"), _async_verb("HEAD")


# pages, many, a file

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
    origin = _origin(absolute(url, secret))

    def send(page: PageRequest) -> Response:
        _check_origin(page.url, origin, secret)
        more = {"json": page.json} if page.json is not None else {}
        return request(
            method, page.url, secret=secret, params=dict(page.params) or None, retry=retry, **more, **options
        )

    reading = Reading(
        style=style, path=path, max_pages=max_pages, max_items=max_items, concurrency=max(concurrency, 1),
        declared=_declared_paging(secret), show_progress=progress,
    )  # fmt: skip
    _last[Pages] = pages = Pages(send, PageRequest(absolute(url, secret), params or {}, json), reading)
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
    origin = _origin(absolute(url, secret))

    async def send(page: PageRequest) -> Response:
        _check_origin(page.url, origin, secret)
        more = {"json": page.json} if page.json is not None else {}
        return await arequest(
            method, page.url, secret=secret, params=dict(page.params) or None, retry=retry, **more, **options
        )

    reading = Reading(
        style=style, path=path, max_pages=max_pages, max_items=max_items, concurrency=max(concurrency, 1),
        declared=_declared_paging(secret), show_progress=progress,
    )  # fmt: skip
    return AsyncPages(send, PageRequest(absolute(url, secret), params or {}, json), reading)


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

    def send(url: str) -> Response:
        return request(method, url, secret=secret, retry=retry, **options)

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
    _extend(options, retry=retry, retry_any=False, cache=False)
    try:
        return download_to(kept.get(secret), _with_params(absolute(url, secret), options), path, **options)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        failure = _failed("GET", url, error)
    raise failure


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _check_origin(url: str, origin: tuple[str, str], secret: str | None) -> None:
    """Without a secret there are no allowed hosts, so an API must not send its reader elsewhere (to a metadata server, say)."""
    if secret is None and _origin(url) != origin:
        raise RequestFailed(f"The next page is on another host, {urlsplit(url).netloc[:100]}, and was not asked for.")


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
            connect(Connect(error))
