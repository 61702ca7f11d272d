"""The verbs of the helper: `get`, `post`, ... and their async twins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from flowlet_jupyter.errors import InvalidOption, RequestFailed
from flowlet_jupyter.hosts import is_loopback
from flowlet_jupyter.http import caching, interchange
from flowlet_jupyter.http.client import kept
from flowlet_jupyter.http.redaction import values_of
from flowlet_jupyter.http.response import Response
from flowlet_jupyter.http.retries import retry_of
from flowlet_jupyter.secret import base_url_of
from flowlet_jupyter.vault import default_vault

_T = TypeVar("_T")
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
    extend(options, retry=retry, retry_any=retry_any, cache=cache)
    try:
        address = with_params(absolute(url, secret), options)
        response = _ours(kept.get(secret, insecure=insecure).request(method, address, **options))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        failure = failed(method, url, error)
    else:
        interchange.record(response, lambda: values_of(secret))
        return response
    raise failure


async def arequest(
    method: str, url: str, *, secret: str | None = None, retry: int = 0, retry_any: bool = False, **options: Any
) -> Response:
    """The async twin of `request`; without `cache` and `insecure`."""
    for name in ("cache", "insecure"):
        if options.pop(name, False):
            raise RequestFailed(f"The option {name} works with {method.lower()}(), not with a{method.lower()}().")
    extend(options, retry=retry, retry_any=retry_any, cache=False)
    try:
        address = with_params(absolute(url, secret), options)
        response = _ours(await kept.get_async(secret).request(method, address, **options))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        failure = failed(method, url, error)
    else:
        interchange.record(response, lambda: values_of(secret))
        return response
    raise failure


def extend(options: dict[str, Any], *, retry: int, retry_any: bool, cache: Cache) -> None:
    """Put what our transports are to do into the request's extensions."""
    extensions = dict(options.pop("extensions", None) or {})
    if retry:
        extensions["retry"] = retry_of(retry, any_method=retry_any)
    if cache:
        extensions[caching.EXTENSION] = caching.age_of("1h" if cache is True else str(cache))
    if extensions:
        options["extensions"] = extensions


def with_params(url: str, options: dict[str, Any]) -> str:
    """`url` with the option `params` put into its query: httpx would put them in the place of a query that is there."""
    params = options.pop("params", None)
    return str(httpx.URL(url).copy_merge_params(params)) if params else url


def _refuse_insecure(address: str, secret: str | None) -> None:
    if secret is not None and not is_loopback(urlsplit(address).hostname or ""):
        raise InvalidOption(
            f"Secret '{secret}' is not sent where nobody checks who answers. If the server has a certificate of your "
            "organisation, name its authority: SSL_CERT_FILE=/path/to/ca.pem before the kernel starts."
        )


def _ours(response: httpx.Response) -> Response:
    assert isinstance(response, Response)  # noqa: S101 - our transports answer with nothing else
    return response


def failed(method: str, url: str, error: Exception) -> RequestFailed:
    """An error of httpx as ours, with what to do."""
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
